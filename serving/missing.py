"""What is missing, and how far the risk could move once it is known: which test to order next.

Assumes that an analyte never measured, measured once at the landmark, would give a value from the
5th to the 95th percentile of what the model expects of a patient on these drugs; and that any other
feature could hold any value of its range in training. Each is looked at alone, whatever else one
test would tell. Doses are left out: a drug that was not given is not missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..features.laboratory import LANDMARK_MONTH, statistic_name
from ..features.summaries import STATISTICS
from ..features.trajectories import Trajectory
from ..features.vocabulary import analytes
from ..model.artifact import RiskModel, Term

__all__ = ["Missing", "missing_of"]

Floats = npt.NDArray[np.float64]
Inputs = dict[str, float]

GRID = 5
"""Plausible values that are tried, ends included: a risk may bend between them."""

NINETY_PERCENT = 1.6448536269514722
"""Standard deviations from the mean to the 95th percentile of a normal distribution."""

ORDERED_FROM = ("measurements", "biopsies", "adherence", "patients")


@dataclass(frozen=True)
class Missing:
    """One thing that is not known."""

    name: Annotated[str, Field(description="Analyte or feature.", examples=["c3"])]
    meaning: Annotated[str, Field(description="In the words of a clinician.")]
    table: Annotated[str, Field(description="Table that it would be recorded in.")]
    lowest: Annotated[str, Field(description="Low end of the plausible values, with its unit.")]
    highest: Annotated[str, Field(description="High end of the plausible values, with its unit.")]
    risk_lowest: Annotated[
        float, Field(ge=0, le=1, description="Least risk over the plausible values.")
    ]
    risk_highest: Annotated[
        float, Field(ge=0, le=1, description="Greatest risk over the plausible values.")
    ]
    text: Annotated[str, Field(description="All of it as one sentence.")]


@dataclass(frozen=True)
class _Question:
    """A missing thing, and the inputs that each plausible value of it would change."""

    name: str
    meaning: str
    table: str
    lowest: str
    highest: str
    changes: list[Inputs] = field(default_factory=list)


def missing_of(
    model: RiskModel, features: Mapping[str, Floats], terms: Floats
) -> list[tuple[Missing, ...]]:
    """Return what each patient lacks, what could move the risk most first.

    Parameters
    ----------
    model : RiskModel
    features : mapping of str to ndarray of float, shape (n_patients,)
        The model's inputs.
    terms : ndarray of float, shape (n_patients, n_terms)
        Values, nan where missing.
    """
    asked = [list(_questions(model, features, terms, row)) for row in range(len(terms))]
    owner = [row for row, each in enumerate(asked) for q in each for _ in q.changes]
    changes = [change for each in asked for q in each for change in q.changes]
    if not changes:
        return [()] * len(terms)
    columns = {name: values[owner] for name, values in features.items()}
    for at, change in enumerate(changes):
        for name, value in change.items():
            columns[name][at] = value
    made = model.terms_of(columns)
    risks = iter(model.risk_of(model.design_of(made, columns[LANDMARK_MONTH])).tolist())
    return [
        tuple(
            sorted(
                (_missing(q, [next(risks) for _ in q.changes]) for q in each),
                key=lambda known: known.risk_lowest - known.risk_highest,
            )
        )
        for each in asked
    ]


def _missing(question: _Question, risks: list[float]) -> Missing:
    low, high = min(risks), max(risks)
    q = question
    text = (
        f"{q.meaning} is not known; from {q.lowest} to {q.highest} the risk would be "
        f"{100 * low:.1f} to {100 * high:.1f} %"
    )
    return Missing(q.name, q.meaning, q.table, q.lowest, q.highest, low, high, text)


def _questions(
    model: RiskModel, features: Mapping[str, Floats], terms: Floats, row: int
) -> Iterator[_Question]:
    for trajectory in model.trajectories:
        counts = ("n", "below_n", "above_n")
        if not sum(features[statistic_name(trajectory.name, n)][row] for n in counts):
            yield _analyte(model, trajectory, features, row)
    for position, term in enumerate(model.terms):
        plain = term.name in features and term.table in ORDERED_FROM
        if plain and np.isnan(terms[row, position]) and term.lowest < term.highest:
            yield _feature(term)


def _feature(term: Term) -> _Question:
    yes_or_no = (term.lowest, term.highest) == (0.0, 1.0) and term.unit == "1"
    tried = (0.0, 1.0) if yes_or_no else np.linspace(term.lowest, term.highest, GRID).tolist()
    lowest, highest = ("no", "yes") if yes_or_no else map(term.shown, (term.lowest, term.highest))
    changes = [{term.name: value} for value in tried]
    return _Question(term.name, term.meaning, term.table, lowest, highest, changes)


def _analyte(
    model: RiskModel, trajectory: Trajectory, features: Mapping[str, Floats], row: int
) -> _Question:
    """Ask what one value at the landmark would do, over what is expected of such a patient."""
    month = float(features[LANDMARK_MONTH][row])
    past = 0.0 if trajectory.knot is None else max(month - trajectory.knot, 0.0)
    given = np.array([[features[group][row] for group in trajectory.groups]])
    level, slope, bend = (float(part[0]) for part in trajectory.curve(np.nan_to_num(given)))
    v11, v12, v22 = trajectory.variance
    spread = np.sqrt(v11 + 2 * month * v12 + month * month * v22 + trajectory.error)
    mean = level + slope * month + bend * past
    tried = np.linspace(mean - NINETY_PERCENT * spread, mean + NINETY_PERCENT * spread, GRID)
    name = trajectory.name.removeprefix("log_")
    known, logged = analytes().get(name), name != trajectory.name
    tried = tried if logged else np.maximum(tried, 0.0)
    shown = np.exp(tried[[0, -1]]) if logged else tried[[0, -1]]
    unit = known.unit.replace("{1.73_m2}", "1.73 m2") if known else ""
    lowest, highest = (f"{value:.3g} {unit}".strip() for value in shown)
    said = known.label if known else name
    changes = [_one_value(trajectory.name, month, past, float(value)) for value in tried]
    return _Question(name, said, "measurements", lowest, highest, changes)


def _one_value(series: str, t: float, k: float, y: float) -> Inputs:
    """Return the statistics of a series with one value."""
    sums = dict.fromkeys(STATISTICS, 0.0)
    products = {"tt": t * t, "tk": t * k, "kk": k * k, "ty": t * y, "ky": k * y, "yy": y * y}
    sums |= {"n": 1.0, "t": t, "k": k, "y": y, **products}
    return {statistic_name(series, name): value for name, value in sums.items()}
