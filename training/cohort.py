"""Who is at risk at each landmark, with features, outcome and weights; who was left out, and why.

Assumes that a patient who met the definition, died, lost kidney function or left before the
landmark could not have been asked then; counting them would promise more than a clinic can see.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.days import NEVER, Days
from ..features.errors import LnriskError
from ..features.feature import Feature
from ..features.laboratory import LANDMARK_MONTH, series_name, statistic_name
from ..features.pipeline import FeatureTable, TrajectoryPlan, features_at, trajectory_plan
from ..features.registry import Registry
from ..features.summaries import STATISTICS
from ..features.trajectories import shrunken_dictionary
from ..features.vocabulary import Scale, analytes
from ..model.columns import Piece
from ..model.definition import Definition
from ..model.outcome import Outcome, outcome_by_registry, outcome_by_rule
from ..model.sample_size import SampleSize, sample_size
from ..model.terms import affordable, parameters_of, terms_of
from ..model.weights import Weights, outcome_weights
from .config import TrainingConfig

__all__ = ["Cohort", "build_cohort"]

FEWEST_EVENTS = 10
FEWEST_WITHOUT = 10
SHORTEST = 1
SHORTEST_ALLOWED = 3
"""Parameters of the shortest model, and of one on too few patients where that is allowed."""
_SPEAKS_TO_DETERMINABILITY = (
    "age",
    "adherence_probability",
    "adherence_evidence",
    "refill_coverage",
    "self_report_coverage",
)


@dataclass(frozen=True)
class Cohort:
    """Patients at risk, with one row at each landmark at which they are.

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
    pieces : tuple of Piece
        What enters the model.
    dictionary : tuple of Feature
        Of the terms that enter the model, in order.
    trajectories : TrajectoryPlan
        Those that the terms need.
    left_out_features : tuple of (str, str)
        Name and why.
    status : ndarray of str, shape (n_rows,)
    days : ndarray of float, shape (n_rows,)
        From the index date to the event, or what came before it.
    pseudo_refractory : ndarray of bool, shape (n_rows,)
    y : ndarray of float, shape (n_rows,)
        nan where unresolved.
    weights : Weights
    sample_size : SampleSize
        What the patients at the primary landmark can carry.
    attrition : DataFrame
        step, why, left_out, remaining, at the primary landmark.
    """

    patient_id: npt.NDArray[np.object_]
    position: Days
    landmark_days: Days
    primary_landmark: int
    features: pd.DataFrame
    pieces: tuple[Piece, ...]
    dictionary: tuple[Feature, ...]
    trajectories: TrajectoryPlan
    left_out_features: tuple[tuple[str, str], ...]
    status: npt.NDArray[np.str_]
    days: npt.NDArray[np.float64]
    pseudo_refractory: npt.NDArray[np.bool_]
    y: npt.NDArray[np.float64]
    weights: Weights
    sample_size: SampleSize
    attrition: pd.DataFrame

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the features that enter the model."""
        return tuple(feature.name for feature in self.dictionary)

    @property
    def inputs(self) -> pd.DataFrame:
        """What the classifier is fitted to: the terms, and what trajectories are made from."""
        plan = self.trajectories
        statistics = [statistic_name(name, part) for name in plan.series for part in STATISTICS]
        plain = [name for name in self.terms if name in self.features.columns]
        groups = [name for name in plan.groups if name not in plain]
        return self.features[[LANDMARK_MONTH, *plain, *groups, *statistics]]

    @property
    def resolved(self) -> npt.NDArray[np.bool_]:
        """Which rows have a y."""
        return ~np.isnan(self.y)

    @property
    def primary(self) -> npt.NDArray[np.bool_]:
        """Which rows are at the primary landmark."""
        at: npt.NDArray[np.bool_] = self.landmark_days == self.primary_landmark
        return at


@dataclass(frozen=True)
class _AtLandmark:
    """Who is at risk at one landmark, and how they were found."""

    day: int
    at_risk: npt.NDArray[np.bool_]
    table: FeatureTable
    attrition: pd.DataFrame

    def rows(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values[self.at_risk]


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


def _outcome(registry: Registry, definition: Definition, config: TrainingConfig) -> Outcome:
    if config.outcome == "rule":
        return outcome_by_rule(registry, definition, config.horizon_days)
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


def _dictionary(table: FeatureTable, config: TrainingConfig) -> dict[str, Feature]:
    """Return the entries of all features, plain and shrunken, by name."""
    series = trajectory_plan(config.analytes).series
    return {f.name: f for f in (*table.dictionary, *shrunken_dictionary(series))}


def _why_useless(name: str, values: pd.DataFrame) -> str:
    """Return why a term tells nothing; empty where it may."""
    if name not in values.columns:
        return ""
    column = values[name]
    if column.isna().all():
        return "never recorded"
    same = column.notna().all() and column.min() == column.max()
    return "the same for all" if same else ""


def _needed(plan: TrajectoryPlan, terms: Collection[str]) -> TrajectoryPlan:
    """Return the trajectories that some term rests on."""
    needed = [
        (name, knot)
        for name, knot in zip(plan.series, plan.knots, strict=True)
        if {feature.name for feature in shrunken_dictionary([name])} & set(terms)
    ]
    if not needed:
        return TrajectoryPlan((), (), ())
    series, knots = zip(*needed, strict=True)
    return TrajectoryPlan(series, plan.groups, knots)


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
    steps.keep(measured, "measured by the landmark", "no value of the first analyte")
    at_risk = steps.kept.copy()
    steps.keep(outcome.status != "censored", "followed to the horizon or an end", "censored")
    steps.keep(
        outcome.status != "indeterminate", "determinable", "the rule cannot tell at the horizon"
    )
    return _AtLandmark(day, at_risk, table, steps.table)


def _check_events(
    registry: Registry, at: _AtLandmark, outcome: Outcome, config: TrainingConfig
) -> None:
    y = outcome.y[at.at_risk]
    events, without = int((y == 1).sum()), int((y == 0).sum())
    if events < FEWEST_EVENTS or without < FEWEST_WITHOUT:
        raise LnriskError(
            f"{registry.source.name}: {events} of {events + without} resolved patients at "
            f"risk on day {at.day} met the outcome by day {config.horizon_days}; "
            f"at least {FEWEST_EVENTS} with and {FEWEST_WITHOUT} without are needed.\n"
            f"{at.attrition.to_string(index=False)}"
        )


def _chosen_pieces(
    features: pd.DataFrame,
    known: dict[str, Feature],
    config: TrainingConfig,
    parameters: int | None,
) -> tuple[tuple[Piece, ...], dict[str, str]]:
    """Return what enters the model, and why other terms do not."""
    terms = terms_of(config.pieces)
    unknown = [name for name in terms if name not in known]
    if unknown:
        raise LnriskError(f"no feature {unknown[0]!r}; accepted are {', '.join(sorted(known))}.")
    why = {name: _why_useless(name, features) for name in terms}
    telling = {name for name in terms if not why[name]}
    if len(config.landmark_days) > 1:
        telling.add(LANDMARK_MONTH)
    missing = {name for name in telling if _sometimes_missing(name, features)}
    pieces = affordable(config.pieces, telling, missing, parameters)
    kept = set(terms_of(pieces))
    too_many = {name: "more than the sample affords" for name in telling - kept - {LANDMARK_MONTH}}
    return pieces, {**{n: reason for n, reason in why.items() if reason}, **too_many}


def _sometimes_missing(name: str, features: pd.DataFrame) -> bool:
    """Return whether a term is missing in some rows; of a trajectory the level speaks for all."""
    if name in features.columns:
        return bool(features[name].isna().any())
    level = name.removesuffix("_level")
    return level != name and bool(features[f"{level}_last"].isna().any())


def build_cohort(registry: Registry, definition: Definition, config: TrainingConfig) -> Cohort:
    """Build the cohort of a training run.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    config : TrainingConfig

    Raises
    ------
    LnriskError
        When too few patients or events remain to fit anything.
    """
    _check_analytes(registry, config)
    outcome = _outcome(registry, definition, config)
    found = [_at_landmark(registry, outcome, day, config) for day in config.landmark_days]
    primary = found[config.landmark_days.index(config.primary_landmark)]
    _check_events(registry, primary, outcome, config)
    features = pd.concat([at.table.whole[at.at_risk] for at in found], ignore_index=True)
    known = _dictionary(primary.table, config)
    enough = _affordable_parameters(primary, outcome, config)
    pieces, why = _chosen_pieces(features, known, config, enough)
    kept = terms_of(pieces)
    size = _sample_size(primary, outcome, parameters_of(pieces), config)
    if size.too_small and not config.allow_small:
        raise LnriskError(_too_small(registry, size))

    def stacked(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([at.rows(values) for at in found])

    return Cohort(
        patient_id=stacked(registry.patient_ids),
        position=stacked(np.arange(len(registry))),
        landmark_days=np.concatenate([np.full(at.at_risk.sum(), at.day) for at in found]),
        primary_landmark=config.primary_landmark,
        features=features,
        pieces=pieces,
        dictionary=tuple(known[name] for name in kept),
        trajectories=_needed(trajectory_plan(config.analytes), kept),
        left_out_features=tuple(why.items()),
        status=stacked(outcome.status),
        days=stacked(outcome.days),
        pseudo_refractory=stacked(outcome.pseudo_refractory),
        y=stacked(outcome.y),
        sample_size=size,
        weights=_weights(found, outcome, features, config),
        attrition=primary.attrition,
    )


def _sample_size(
    at: _AtLandmark, outcome: Outcome, parameters: int, config: TrainingConfig
) -> SampleSize:
    y = at.rows(outcome.y)
    return sample_size(
        int((~np.isnan(y)).sum()), int((y == 1).sum()), parameters, config.anticipated_auroc
    )


def _affordable_parameters(at: _AtLandmark, outcome: Outcome, config: TrainingConfig) -> int | None:
    """Return how many parameters there may be; None where a configuration names its own terms."""
    if config.terms:
        return None
    most = _sample_size(at, outcome, 1, config).affordable_parameters
    return max(most, SHORTEST_ALLOWED if config.allow_small else SHORTEST)


def _too_small(registry: Registry, size: SampleSize) -> str:
    needed = "; ".join(f"{one.needed_patients} for {one.criterion}" for one in size.criteria)
    return (
        f"{registry.source.name}: {size.patients:g} resolved patients with {size.events:g} events "
        f"carry {size.affordable_parameters} parameters, not the {size.parameters} asked for "
        f"(Riley's criteria at an AUROC of {size.anticipated_auroc:g} want {needed}). Name fewer "
        "terms, or --allow-small; every output will then say so."
    )


def _weights(
    found: list[_AtLandmark], outcome: Outcome, features: pd.DataFrame, config: TrainingConfig
) -> Weights:
    """Return the weights, estimated at each landmark among those at risk there."""
    speaking = (required_feature(config.analytes), *_SPEAKS_TO_DETERMINABILITY)
    telling = [name for name in speaking if not _why_useless(name, features)]
    parts = []
    for at in found:
        covariates = at.table.frame.loc[at.at_risk, telling]
        since = at.rows(outcome.days) - at.day
        status, doubtful = at.rows(outcome.status), at.rows(outcome.may_have_failed)
        parts.append(outcome_weights(status, since, covariates, doubtful))
    return Weights(
        np.concatenate([part.weight for part in parts]),
        np.concatenate([part.uncensored for part in parts]),
        np.concatenate([part.determinable for part in parts]),
        sum(part.truncated for part in parts),
    )


def required_feature(analytes: dict[str, Scale]) -> str:
    """Return the feature without which a patient is outside the model."""
    analyte, scale = next(iter(analytes.items()))
    return f"{series_name(analyte, scale)}_last"
