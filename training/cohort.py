"""Who is at risk at the landmark, with features, outcome and weights; who was left out, and why.

Assumes that a patient who met the definition, died, lost kidney function or left before the
landmark could not have been asked then; counting them would promise more than a clinic can see.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.days import NEVER
from ..features.errors import LnriskError
from ..features.feature import Feature
from ..features.laboratory import series_name
from ..features.pipeline import FeatureTable, TrajectoryPlan, features_at, trajectory_plan
from ..features.registry import Registry
from ..features.trajectories import shrunken_dictionary
from ..features.vocabulary import Scale, analytes
from ..model.definition import Definition
from ..model.outcome import Outcome, outcome_by_registry, outcome_by_rule
from ..model.weights import Weights, outcome_weights
from .config import TrainingConfig

__all__ = ["Cohort", "build_cohort"]

FEWEST_EVENTS = 10
FEWEST_WITHOUT = 10
_SPEAKS_TO_DETERMINABILITY = (
    "age",
    "adherence_probability",
    "adherence_evidence",
    "refill_coverage",
    "self_report_coverage",
)


@dataclass(frozen=True)
class Cohort:
    """Patients at risk at the landmark.

    Parameters
    ----------
    patient_id : ndarray of str, shape (n_patients,)
    features : DataFrame, shape (n_patients, n_columns)
        Every feature, and the statistics that trajectories are fitted to.
    dictionary : tuple of Feature
        Of the terms that enter the model, in order.
    trajectories : TrajectoryPlan
        Those that the terms need.
    left_out_features : tuple of (str, str)
        Name and why.
    status : ndarray of str, shape (n_patients,)
    pseudo_refractory : ndarray of bool, shape (n_patients,)
    y : ndarray of float, shape (n_patients,)
        nan where unresolved.
    weights : Weights
    attrition : DataFrame
        step, why, left_out, remaining.
    """

    patient_id: npt.NDArray[np.object_]
    features: pd.DataFrame
    dictionary: tuple[Feature, ...]
    trajectories: TrajectoryPlan
    left_out_features: tuple[tuple[str, str], ...]
    status: npt.NDArray[np.str_]
    pseudo_refractory: npt.NDArray[np.bool_]
    y: npt.NDArray[np.float64]
    weights: Weights
    attrition: pd.DataFrame

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the features that enter the model."""
        return tuple(feature.name for feature in self.dictionary)

    @property
    def resolved(self) -> npt.NDArray[np.bool_]:
        """Who has a y."""
        return ~np.isnan(self.y)


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


def _needed(plan: TrajectoryPlan, terms: list[str]) -> TrajectoryPlan:
    """Return the plan, or an empty one where no term rests on a trajectory."""
    shrunken = {feature.name for feature in shrunken_dictionary(plan.series)}
    return plan if shrunken & set(terms) else TrajectoryPlan((), (), ())


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
    table = features_at(registry, outcome.index_day, config.landmark_days, config.analytes)
    whole = table.whole
    steps = _Attrition(len(registry))
    indexed = outcome.index_day < NEVER
    steps.keep(indexed, "has an index date", "no induction was ever started")
    early = outcome.days <= config.landmark_days
    steps.keep(~(early & (outcome.status == "event")), "not yet met", "met by the landmark")
    steps.keep(
        ~(early & (outcome.status == "competing")),
        "alive with kidney function",
        "death or kidney failure by the landmark",
    )
    steps.keep(
        ~((outcome.days < config.landmark_days) & (outcome.status == "censored")),
        "followed to the landmark",
        "last contact before the landmark",
    )
    measured = _has_value(table.frame, config)
    steps.keep(measured, "measured by the landmark", "no value of the first analyte")
    at_risk = steps.kept.copy()
    status = outcome.status[at_risk]
    features = whole[at_risk].reset_index(drop=True)
    steps.keep(outcome.status != "censored", "followed to the horizon or an end", "censored")
    steps.keep(
        outcome.status != "indeterminate", "determinable", "the rule cannot tell at the horizon"
    )
    events = int((status == "event").sum())
    without = int(np.isin(status, ("event_free", "competing")).sum())
    if events < FEWEST_EVENTS or without < FEWEST_WITHOUT:
        raise LnriskError(
            f"{registry.source.name}: {events} of {int(steps.kept.sum())} resolved patients at "
            f"risk on day {config.landmark_days} met the outcome by day {config.horizon_days}; "
            f"at least {FEWEST_EVENTS} with and {FEWEST_WITHOUT} without are needed.\n"
            f"{steps.table.to_string(index=False)}"
        )
    known = _dictionary(table, config)
    unknown = [name for name in config.model_terms if name not in known]
    if unknown:
        raise LnriskError(f"no feature {unknown[0]!r}; accepted are {', '.join(sorted(known))}.")
    why = {name: _why_useless(name, features) for name in config.model_terms}
    kept = [name for name in config.model_terms if not why[name]]
    speaking = (required_feature(config.analytes), *_SPEAKS_TO_DETERMINABILITY)
    covariates = features[[name for name in speaking if not _why_useless(name, features)]]
    weights = outcome_weights(
        status, outcome.days[at_risk], covariates, outcome.may_have_failed[at_risk]
    )
    return Cohort(
        patient_id=registry.patient_ids[at_risk],
        features=features,
        dictionary=tuple(known[name] for name in kept),
        trajectories=_needed(trajectory_plan(config.analytes), kept),
        left_out_features=tuple((name, reason) for name, reason in why.items() if reason),
        status=status,
        pseudo_refractory=outcome.pseudo_refractory[at_risk],
        y=outcome.y[at_risk],
        weights=weights,
        attrition=steps.table,
    )


def _has_value(values: pd.DataFrame, config: TrainingConfig) -> npt.NDArray[np.bool_]:
    """Return who has a value of the first analyte, without which nobody is scored."""
    return values[required_feature(config.analytes)].notna().to_numpy()


def required_feature(analytes: dict[str, Scale]) -> str:
    """Return the feature without which a patient is outside the model."""
    analyte, scale = next(iter(analytes.items()))
    return f"{series_name(analyte, scale)}_last"
