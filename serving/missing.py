"""What is missing, and how far the risk could move once it is known: which test to order next.

Assumes that an analyte never measured, measured once at the landmark, would give a value from the
5th to the 95th percentile of what the model expects of a patient on these drugs; and that any other
feature would lie between the first and the ninth decile of training, or, where the model file has
no such deciles or most coincide, within the range of training. Of the features that one test would
tell, each is looked at alone, and the one that could move the risk most stands for the test. Doses
are left out: a drug that was not given is not missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..features.laboratory import (
    BASELINE_LAST_DAY,
    DAYS_PER_MONTH,
    LANDMARK_MONTH,
    statistic_name,
)
from ..features.summaries import STATISTICS
from ..features.trajectories import Trajectory
from ..features.vocabulary import analytes
from ..model.artifact import RiskModel, Term
from .topics import Lack, Topic, lacking, silent, topics_of

__all__ = ["Missing", "missing_of"]

Floats = npt.NDArray[np.float64]
Inputs = dict[str, float]

GRID = 5
"""Plausible values that are tried, ends included: a risk may bend between them."""

FEWEST_DECILES = 5
"""Different ones, of nine; where values are tied, fewer say little of where values lie."""

NINETY_PERCENT = 1.6448536269514722
"""Standard deviations from the mean to the 95th percentile of a normal distribution."""

ORDERED_FROM = ("measurements", "biopsies", "adherence", "patients")
NO_RESULTS = ("_days_since", "_days_since_biopsy", "chronicity_index_sd")
"""Endings of features that tell of the day of a test or of its readers, not of the patient."""


@dataclass(frozen=True)
class Missing:
    """One test, or other thing to ask for, of which something is not known."""

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
    lack: Annotated[
        Lack, Field(description="What to ask for, each once, and all that it would tell.")
    ]


@dataclass(frozen=True)
class _Question:
    """A missing thing, and the inputs that each plausible value of it would change."""

    name: str
    meaning: str
    table: str
    lowest: str
    highest: str
    changes: list[Inputs]


@dataclass(frozen=True)
class _Test:
    """What to ask for, and the questions that it would answer."""

    lack: Lack
    questions: list[_Question]


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
    topics = topics_of(model)
    asked = [list(_tests(model, topics, features, terms, row)) for row in range(len(terms))]
    changes = [
        (row, change)
        for row, tests in enumerate(asked)
        for test in tests
        for question in test.questions
        for change in question.changes
    ]
    risks = iter(_risks(model, features, changes))
    return [
        tuple(
            sorted(
                (_widest(test, risks) for test in tests),
                key=lambda known: known.risk_lowest - known.risk_highest,
            )
        )
        for tests in asked
    ]


def _risks(
    model: RiskModel, features: Mapping[str, Floats], changes: list[tuple[int, Inputs]]
) -> list[float]:
    """Return the risk of a patient, given by row, with some inputs changed."""
    if not changes:
        return []
    owner = [row for row, _ in changes]
    columns = {name: values[owner] for name, values in features.items()}
    for at, (_, change) in enumerate(changes):
        for name, value in change.items():
            columns[name][at] = value
    made = model.terms_of(columns)
    risks: list[float] = model.risk_of(model.design_of(made, columns[LANDMARK_MONTH])).tolist()
    return risks


def _widest(test: _Test, risks: Iterator[float]) -> Missing:
    """Return a test by the question that could move the risk most."""
    found = [(q, [next(risks) for _ in q.changes]) for q in test.questions]
    q, tried = max(found, key=lambda each: max(each[1]) - min(each[1]))
    low, high = min(tried), max(tried)
    unknown = f"{q.meaning} is not known;"
    if test.lack.whole and test.lack.topic != q.name:
        unknown = f"{test.lack.meaning} is not known; with {q.meaning}"
    text = (
        f"{unknown} from {q.lowest} to {q.highest} the risk would be "
        f"{100 * low:.1f} to {100 * high:.1f} %"
    )
    figures = (q.lowest, q.highest, low, high)
    return Missing(q.name, q.meaning, q.table, *figures, text, test.lack)


def _tests(
    model: RiskModel,
    topics: list[Topic],
    features: Mapping[str, Floats],
    terms: Floats,
    row: int,
) -> Iterator[_Test]:
    missing, nothing = np.isnan(terms[row]), silent(model, terms[row])
    lacks = {lack.topic: lack for lack in lacking(model, topics, missing, nothing)}
    for trajectory in _never_measured(model, features, row):
        question = _analyte(model, trajectory, features, row)
        unused = Lack(question.name, question.meaning, True, (), question.meaning)
        yield _Test(lacks.pop(question.name, unused), [question])
    by_name = {term.name: term for term in model.terms}
    for lack in lacks.values():
        lacked = [by_name[name] for name in lack.features]
        questions = [_feature(model, term) for term in lacked if _told_by_a_test(term, features)]
        if questions:
            yield _Test(lack, questions)


def _never_measured(
    model: RiskModel, features: Mapping[str, Floats], row: int
) -> Iterator[Trajectory]:
    for trajectory in model.trajectories:
        counts = ("n", "below_n", "above_n")
        if not sum(features[statistic_name(trajectory.name, n)][row] for n in counts):
            yield trajectory


def _told_by_a_test(term: Term, features: Mapping[str, Floats]) -> bool:
    ordered = term.name in features and term.table in ORDERED_FROM
    return ordered and term.lowest < term.highest and not term.name.endswith(NO_RESULTS)


def _usual_range(model: RiskModel, term: Term) -> tuple[float, float]:
    """Return the first and the ninth decile of training where they are told, else its range."""
    for support in model.training.get("support", {}).values():
        edges = support["terms"][term.name]["edges"]
        if len(edges) >= FEWEST_DECILES:
            return edges[0], edges[-1]
    return term.lowest, term.highest


def _feature(model: RiskModel, term: Term) -> _Question:
    yes_or_no = (term.lowest, term.highest) == (0.0, 1.0) and term.unit == "1"
    ends = (0.0, 1.0) if yes_or_no else _usual_range(model, term)
    tried = ends if yes_or_no else np.linspace(*ends, GRID).tolist()
    lowest, highest = ("no", "yes") if yes_or_no else map(term.shown, ends)
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
    changes = [_one_value(trajectory.name, month, past, float(value), features) for value in tried]
    return _Question(name, said, "measurements", lowest, highest, changes)


def _one_value(series: str, t: float, k: float, y: float, features: Mapping[str, Floats]) -> Inputs:
    """Return what the model looks at of a series with one value, taken at the landmark."""
    sums = dict.fromkeys(STATISTICS, 0.0)
    products = {"tt": t * t, "tk": t * k, "kk": k * k, "ty": t * y, "ky": k * y, "yy": y * y}
    sums |= {"n": 1.0, "t": t, "k": k, "y": y, **products}
    early = t * DAYS_PER_MONTH <= BASELINE_LAST_DAY
    plain = {"first": y, "last": y, "mean": y, "count": 1.0, "days_since": 0.0}
    plain |= {"baseline": y} if early else {}
    looked_at = {f"{series}_{name}": value for name, value in plain.items()}
    return {
        **{statistic_name(series, name): value for name, value in sums.items()},
        **{name: value for name, value in looked_at.items() if name in features},
    }
