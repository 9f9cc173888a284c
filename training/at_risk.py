"""Who is at risk at each landmark, with features, outcome and weights; who was left out, and why.

Assumes that a patient who met the definition, died, lost kidney function or left before the
landmark could not have been asked then; counting them would promise more than a clinic can see.
Whom the rule cannot judge enters with both outcomes, each with its chance, which is only as good as
`lnrisk.model.chance_met` assumes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from ..features.asof import known_on
from ..features.days import NEVER, Days
from ..features.errors import LnriskError
from ..features.feature import Feature
from ..features.history import History, history_of
from ..features.laboratory import series_name
from ..features.pipeline import FeatureTable, features_at
from ..features.registry import Registry
from ..features.vocabulary import Scale, analytes
from ..model.definition import Definition
from ..model.outcome import Outcome, outcome_by_registry, outcome_by_rule
from ..model.weights import Weights, outcome_weights
from .config import TrainingConfig

__all__ = [
    "AtRisk",
    "each_once",
    "expected_events",
    "people",
    "required_feature",
    "rows_at_risk",
    "why_useless",
]

_SPEAKS_TO_DETERMINABILITY = (
    "age",
    "adherence_probability",
    "adherence_evidence",
    "refill_coverage",
    "self_report_coverage",
)
_SPEAKS_TO_LEAVING = ("age", "female", "log_upcr_baseline", "egfr_baseline", "chronicity_index")


@dataclass(frozen=True)
class AtRisk:
    """Patients at risk, with one row at each landmark at which they are, or two.

    A patient whom the rule cannot judge has two: the event and no event, each weighted by its
    chance.

    Parameters
    ----------
    patient_id : ndarray of str, shape (n_rows,)
    position : ndarray of int, shape (n_rows,)
        Of the patient in the registry.
    landmark_days : ndarray of int, shape (n_rows,)
    primary_landmark : int
        The landmark that the headline figures are of.
    features : DataFrame, shape (n_rows, n_columns)
        Every feature, and the statistics that trajectories are fitted to.
    entries : tuple of Feature
        Of the features, without the statistics.
    status : ndarray of str, shape (n_rows,)
    days : ndarray of float, shape (n_rows,)
        From the index date to the event, or what came before it.
    pseudo_refractory : ndarray of bool, shape (n_rows,)
    y : ndarray of float, shape (n_rows,)
        nan where there is no outcome.
    possible : ndarray of bool, shape (n_rows,)
        Rows of an outcome that is possible and not known.
    steps : ndarray of float, shape (n_rows, 3)
        Earlier steps towards the outcome, between 0 and 1, nan where not known: how high the first
        analyte was from the landmark to the horizon, as the share of those at risk at the landmark
        whose median was lower; the share of regimens that were dosed and taken as they should be;
        the chance that the outcome came within one failing regimen.
    weights : Weights
    attrition : DataFrame
        step, why, left_out, remaining, at the primary landmark.
    """

    patient_id: npt.NDArray[np.object_]
    position: Days
    landmark_days: Days
    primary_landmark: int
    features: pd.DataFrame
    entries: tuple[Feature, ...]
    status: npt.NDArray[np.str_]
    days: npt.NDArray[np.float64]
    pseudo_refractory: npt.NDArray[np.bool_]
    y: npt.NDArray[np.float64]
    possible: npt.NDArray[np.bool_]
    steps: npt.NDArray[np.float64]
    weights: Weights
    attrition: pd.DataFrame

    @property
    def has_outcome(self) -> npt.NDArray[np.bool_]:
        """Which rows have a y, known or possible."""
        return ~np.isnan(self.y)

    @property
    def each(self) -> npt.NDArray[np.bool_]:
        """One row for each patient and landmark."""
        return each_once(self.y, self.possible)

    @property
    def primary(self) -> npt.NDArray[np.bool_]:
        """Which rows are at the primary landmark."""
        at: npt.NDArray[np.bool_] = self.landmark_days == self.primary_landmark
        return at


def each_once(y: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return one row for each patient and landmark: of two possible outcomes the event."""
    first: npt.NDArray[np.bool_] = ~(possible & (y == 0))
    return first


def people(y: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return how many patients there are in rows of one landmark, and how many known events.

    Examples
    --------
    >>> people(np.array([1.0, 0.0, 1.0, 0.0]), np.array([False, False, True, True]))
    (3, 1)
    """
    return int(each_once(y, possible).sum()), int(((y == 1) & ~possible).sum())


def expected_events(rows: AtRisk) -> float:
    """Return the events at the primary landmark, those that are only possible by their chance."""
    at = rows.primary & rows.has_outcome
    return float((rows.y[at] * rows.weights.chance[at]).sum())


class _Attrition:
    """Counts who is left after each step."""

    def __init__(self, patients: int) -> None:
        self.kept = np.ones(patients, dtype=bool)
        self.steps = [{"step": "in the registry", "why": "", "left_out": 0, "remaining": patients}]

    def keep(self, who: npt.NDArray[np.bool_], step: str, why: str) -> None:
        before = int(self.kept.sum())
        self.kept &= who
        after = int(self.kept.sum())
        self.steps.append(
            {"step": step, "why": why, "left_out": before - after, "remaining": after}
        )

    @property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.steps)


@dataclass(frozen=True)
class _AtLandmark:
    """Who is at risk at one landmark, and how they were found.

    Parameters
    ----------
    day : int
    patient : ndarray of int, shape (n_rows,)
        Positions of those at risk, twice where two outcomes are possible.
    possible, event : ndarray of bool, shape (n_rows,)
        Whether two are, and whether this row is the event of the two.
    table : FeatureTable
    attrition : DataFrame
    """

    day: int
    patient: Days
    possible: npt.NDArray[np.bool_]
    event: npt.NDArray[np.bool_]
    table: FeatureTable
    attrition: pd.DataFrame

    def rows(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values[self.patient]

    def either(self, own: Any, if_met: Any, if_not: Any) -> npt.NDArray[Any]:
        """Return what is known, or what goes with the row's outcome where two are possible."""
        found: npt.NDArray[Any]
        found = np.where(self.event, if_met, np.where(self.possible, if_not, own))
        return found

    def status(self, outcome: Outcome) -> npt.NDArray[np.str_]:
        return self.either(self.rows(outcome.status), "event", "event_free")

    def days(self, outcome: Outcome) -> npt.NDArray[np.float64]:
        own = self.rows(outcome.days)
        return self.either(own, self.rows(outcome.possible_days), own)

    def y(self, outcome: Outcome) -> npt.NDArray[np.float64]:
        return self.either(self.rows(outcome.y), 1.0, 0.0)

    def later(self, analyte: History, outcome: Outcome) -> npt.NDArray[np.float64]:
        """Return how high an analyte was after the landmark, among those at risk."""
        begins = outcome.index_day[self.patient]
        median = analyte.median(self.patient, begins + self.day + 1, begins + outcome.horizon_days)
        known = np.isfinite(median)
        share = np.full(len(median), np.nan)
        share[known] = (rankdata(median[known]) - 0.5) / known.sum()
        return share

    def chance(self, outcome: Outcome) -> npt.NDArray[np.float64]:
        chance = self.rows(outcome.chance)
        return self.either(1.0, chance, 1.0 - chance)


def _outcome(registry: Registry, definition: Definition, config: TrainingConfig) -> Outcome:
    if config.outcome == "rule":
        chances = config.indeterminate == "chance"
        return outcome_by_rule(registry, definition, config.horizon_days, chances=chances)
    if not len(registry.outcomes):
        raise LnriskError(
            f"{registry.source.name}: outcome = registry needs a table outcomes "
            "(patient_id, index_date, date, status); the bundle has none."
        )
    return outcome_by_registry(registry, config.horizon_days)


def _check_analytes(registry: Registry, config: TrainingConfig) -> None:
    recorded = {str(name) for name in registry.measurements["analyte"].cat.categories}
    unknown = sorted(set(config.analytes) - recorded - set(analytes()))
    if unknown:
        raise LnriskError(
            f"analytes: {unknown[0]!r} is neither listed nor in {registry.source.name}, which has "
            f"{', '.join(sorted(recorded)) or 'no measurement'}."
        )


def _at_landmark(
    registry: Registry, outcome: Outcome, day: int, config: TrainingConfig
) -> _AtLandmark:
    """Find who could be asked at a landmark, and count who could not."""
    table = features_at(registry, outcome.index_day, day, config.analytes)
    steps = _Attrition(len(registry))
    steps.keep(outcome.index_day < NEVER, "has an index date", "no induction was ever started")
    early = outcome.days <= day
    steps.keep(~(early & (outcome.status == "event")), "not yet met", "met by the landmark")
    steps.keep(
        ~(early & (outcome.status == "competing")),
        "alive with kidney function",
        "death or kidney failure by the landmark",
    )
    steps.keep(
        ~((outcome.days < day) & (outcome.status == "censored")),
        "followed to the landmark",
        "last contact before the landmark",
    )
    measured = table.frame[required_feature(config.analytes)].notna().to_numpy()
    needed = next(iter(config.analytes))
    steps.keep(measured, f"{needed} measured by the landmark", "never measured by then")
    at_risk = steps.kept.copy()
    steps.keep(outcome.status != "censored", "followed to the horizon or an end", "censored")
    steps.keep(
        outcome.status != "indeterminate", "determinable", "the rule cannot tell at the horizon"
    )
    patient = np.flatnonzero(at_risk)
    two = (outcome.status == "indeterminate") & (outcome.possible_days > day)
    copies = np.where(two[patient], 2, 1)
    rows = np.repeat(patient, copies)
    first = np.ones(len(rows), dtype=bool)
    first[1:] = rows[1:] != rows[:-1]
    return _AtLandmark(day, rows, two[rows], two[rows] & first, table, steps.table)


def rows_at_risk(registry: Registry, definition: Definition, config: TrainingConfig) -> AtRisk:
    """Return everyone at risk at each landmark, with features, outcome and weights.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    config : TrainingConfig
        Its outcome, landmarks, horizon and analytes.
    """
    _check_analytes(registry, config)
    outcome = _outcome(registry, definition, config)
    found = [_at_landmark(registry, outcome, day, config) for day in config.landmark_days]
    analyte = history_of(known_on(registry, outcome.horizon), next(iter(config.analytes)))
    features = pd.concat([at.table.whole.iloc[at.patient] for at in found], ignore_index=True)

    def stacked(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([at.rows(values) for at in found])

    return AtRisk(
        patient_id=stacked(registry.patient_ids),
        position=stacked(np.arange(len(registry))),
        landmark_days=np.concatenate([np.full(len(at.patient), at.day) for at in found]),
        primary_landmark=config.primary_landmark,
        features=features,
        entries=found[0].table.dictionary,
        status=np.concatenate([at.status(outcome) for at in found]),
        days=np.concatenate([at.days(outcome) for at in found]),
        pseudo_refractory=stacked(outcome.pseudo_refractory),
        y=np.concatenate([at.y(outcome) for at in found]),
        possible=np.concatenate([at.possible for at in found]),
        steps=np.column_stack(
            [
                np.concatenate([at.later(analyte, outcome) for at in found]),
                stacked(outcome.treated),
                stacked(outcome.nearly_met),
            ]
        ),
        weights=_weights(registry, found, outcome, features, config),
        attrition=found[config.landmark_days.index(config.primary_landmark)].attrition,
    )


def _weights(
    registry: Registry,
    found: list[_AtLandmark],
    outcome: Outcome,
    features: pd.DataFrame,
    config: TrainingConfig,
) -> Weights:
    """Return the weights, estimated at each landmark among those at risk there."""
    speaking = (required_feature(config.analytes), *_SPEAKS_TO_DETERMINABILITY)
    telling = [name for name in speaking if not why_useless(name, features)]
    parts = []
    for at in found:
        covariates = at.table.frame[telling].iloc[at.patient].reset_index(drop=True)
        since = at.days(outcome) - at.day
        doubtful = at.rows(outcome.may_have_failed)
        leaving = _leaving(registry, at) if config.censoring == "cox" else None
        given = (at.status(outcome), since, covariates, doubtful, leaving, at.chance(outcome))
        parts.append(outcome_weights(*given))
    return Weights(
        np.concatenate([part.weight for part in parts]),
        np.concatenate([part.uncensored for part in parts]),
        np.concatenate([part.determinable for part in parts]),
        np.concatenate([part.chance for part in parts]),
        sum(part.truncated for part in parts),
    )


def required_feature(analytes: dict[str, Scale]) -> str:
    """Return the feature without which a patient is outside the model."""
    analyte, scale = next(iter(analytes.items()))
    return f"{series_name(analyte, scale)}_last"


def why_useless(name: str, values: pd.DataFrame) -> str:
    """Return why a term tells nothing; empty where it may."""
    if name not in values.columns:
        return ""
    column = values[name]
    if column.isna().all():
        return "never recorded"
    same = column.notna().all() and column.min() == column.max()
    return "the same for all" if same else ""


def _leaving(registry: Registry, at: _AtLandmark) -> pd.DataFrame:
    """Return what the hazard of leaving may depend on: baseline covariates, and the centre."""
    known = at.table.frame.iloc[at.patient]
    covariates = known[[n for n in _SPEAKS_TO_LEAVING if not why_useless(n, known)]]
    if "site" not in registry.patients.columns:
        return covariates.reset_index(drop=True)
    site = registry.patients["site"].astype("str").iloc[at.patient]
    centres = pd.get_dummies(site, dtype=float).iloc[:, 1:]
    return pd.concat([covariates, centres], axis=1).reset_index(drop=True)
