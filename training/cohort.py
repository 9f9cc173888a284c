"""The patients of a training run, and what they can carry: pieces of the model, sample size.

Assumes that the outcome was not looked at when the list of pieces was made; the number of patients
and events decides how far down that list the model goes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.days import days_after
from ..features.errors import LnriskError
from ..features.feature import Feature
from ..features.laboratory import LANDMARK_MONTH, statistic_name
from ..features.pipeline import TrajectoryPlan, index_days, trajectory_plan
from ..features.registry import Registry
from ..features.summaries import STATISTICS
from ..features.trajectories import shrunken_dictionary
from ..features.trajectory_fit import has_enough
from ..model.columns import Piece
from ..model.definition import Definition
from ..model.label import label
from ..model.sample_size import SampleSize, sample_size
from ..model.terms import (
    about_the_records,
    affordable,
    every_piece,
    parameters_of,
    terms_of,
    told_already,
)
from .at_risk import AtRisk, expected_events, people, rows_at_risk, why_useless
from .config import TrainingConfig
from .overlap import refuse_the_outcome

__all__ = [
    "BOOSTING",
    "ELASTIC_NET",
    "LOGISTIC",
    "Cohort",
    "build_cohort",
    "enough_known",
    "known_outcomes",
    "with_every_feature",
]

SIMPLEST_FIRST = LOGISTIC, ELASTIC_NET, BOOSTING = "logistic", "elastic net", "boosting"

FEWEST_EVENTS = 10
FEWEST_WITHOUT = 10
UNKNOWN_ANSWERS = {
    "failed": "whether a course failed",
    "adequate": "whether it was dosed as it should be",
    "adherent": "whether its drugs were taken",
}
SHORTEST = 1
SHORTEST_ALLOWED = 3
"""Parameters of the shortest model, and of one on too few patients where that is allowed."""


@dataclass(frozen=True)
class Cohort(AtRisk):
    """Patients at risk, and what enters the model.

    Parameters
    ----------
    classifier : {"logistic", "elastic net", "boosting"}
        What is fitted to them.
    named : tuple of Piece
        What was named beforehand, as far as the sample size affords it.
    pieces : tuple of Piece
        What enters the model: what was named, or every feature.
    dictionary : tuple of Feature
        Of the terms that enter the model, in order.
    trajectories : TrajectoryPlan
        Those that the terms need.
    left_out_features : tuple of (str, str)
        Name and why.
    sample_size : SampleSize
        What the patients at the primary landmark can carry.
    rivals : tuple of Cohort
        The same patients for other classifiers, among which and its own every fit to some of the
        patients chooses; none where the classifier was named.
    """

    classifier: str
    named: tuple[Piece, ...]
    pieces: tuple[Piece, ...]
    dictionary: tuple[Feature, ...]
    trajectories: TrajectoryPlan
    left_out_features: tuple[tuple[str, str], ...]
    sample_size: SampleSize
    rivals: tuple["Cohort", ...] = ()

    @property
    def contenders(self) -> tuple["Cohort", ...]:
        """Itself and its rivals, the simplest classifier first."""
        both = (self, *self.rivals)
        return tuple(sorted(both, key=lambda one: SIMPLEST_FIRST.index(one.classifier)))

    @property
    def recipe(self) -> str:
        """What every fit to some of the patients takes: the classifier, or the best."""
        return "best" if self.rivals else self.classifier

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


def _dictionary(rows: AtRisk, config: TrainingConfig) -> dict[str, Feature]:
    """Return the entries of all features, plain and shrunken, by name."""
    series = trajectory_plan(config.analytes).series
    return {f.name: f for f in (*rows.entries, *shrunken_dictionary(series))}


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


def _check_events(
    registry: Registry, rows: AtRisk, definition: Definition, config: TrainingConfig
) -> None:
    """Refuse too few known outcomes; where it is allowed, expected ones make up for them."""
    if enough_known(rows):
        return
    events, without = known_outcomes(rows)
    expected, possible = expected_events(rows), rows.primary & rows.possible & rows.each
    expected_without = events + without + int(possible.sum()) - expected
    enough = expected >= FEWEST_EVENTS and expected_without >= FEWEST_WITHOUT
    if enough and config.allow_small:
        return
    said = (
        f"{registry.source.name}: {events} of {events + without} resolved patients at "
        f"risk on day {rows.primary_landmark} met the outcome by day {config.horizon_days}; "
        f"at least {FEWEST_EVENTS} with and {FEWEST_WITHOUT} without are needed."
    )
    others = rows.patient_id[possible | (rows.primary & (rows.status == "indeterminate"))]
    if len(others):
        said += f" The rule cannot judge {len(others)} others"
        said += _what_is_unknown(registry, others, definition, config.horizon_days) + "."
    if enough:
        said += (
            f" {expected - events:.0f} of them are expected to meet it; --allow-small trains on "
            "their chances, and every output then says so."
        )
    raise LnriskError(f"{said}\n{rows.attrition.to_string(index=False)}")


def enough_known(rows: AtRisk) -> bool:
    """Return whether enough patients are known to have had the outcome, and not to."""
    events, without = known_outcomes(rows)
    return events >= FEWEST_EVENTS and without >= FEWEST_WITHOUT


def known_outcomes(rows: AtRisk) -> tuple[int, int]:
    """Return how many are known to have had the outcome, and not to, at the primary landmark."""
    known = rows.primary & rows.has_outcome & ~rows.possible
    patients, events = people(rows.y[known], rows.possible[known])
    return events, patients - events


def _what_is_unknown(
    registry: Registry, patients: npt.NDArray[np.object_], definition: Definition, days: int
) -> str:
    """Return of how many patients each answer is unknown when the horizon is reached."""
    courses = label(registry, definition, days_after(index_days(registry), days)).courses
    mine = courses[courses["patient_id"].isin(patients)]
    unknown = {
        name: int(mine.loc[mine[name] == "unknown", "patient_id"].nunique())
        for name in UNKNOWN_ANSWERS
    }
    told = [f"of {count} {UNKNOWN_ANSWERS[name]}" for name, count in unknown.items() if count]
    said = f": it is unknown {', '.join(told)}"
    if unknown["adherent"] < max(unknown.values()):
        return said
    return (
        f'{said}; a definition with when_adherence_unknown = "assume_adherent" judges those of '
        "whom adherence is not recorded, and every output names it"
    )


def _chosen_pieces(
    rows: AtRisk,
    known: dict[str, Feature],
    config: TrainingConfig,
    parameters: int,
) -> tuple[tuple[Piece, ...], dict[str, str]]:
    """Return what enters the model, and why other terms do not.

    Terms that a configuration names enter in any case; what their gaps tell, if there is room.
    """
    terms = terms_of(config.pieces)
    refuse_the_outcome(terms, known, config.landmark_days[0])
    unknown = [name for name in terms if name not in known]
    if unknown:
        raise LnriskError(f"no feature {unknown[0]!r}; accepted are {', '.join(sorted(known))}.")
    learned_from, rare = rows.features[rows.has_outcome], _too_rare(rows, config)
    why = {name: rare.get(name) or why_useless(name, learned_from) for name in terms}
    telling = {name for name in terms if not why[name]}
    if config.terms:
        parameters = max(parameters, len(telling))
    if len(config.landmark_days) > 1:
        telling.add(LANDMARK_MONTH)
    missing = {name for name in telling if _gaps(name, rows.features).any()}
    pieces = affordable(config.pieces, telling, missing, parameters)
    kept = set(terms_of(pieces))
    left_out = {name: why[name] or "more than the sample affords" for name in terms}
    return pieces, {name: reason for name, reason in left_out.items() if name not in kept}


def _too_rare(rows: AtRisk, config: TrainingConfig) -> dict[str, str]:
    """Return the features of trajectories that too few patients have values for, and why."""
    given = rows.features[rows.has_outcome]
    found: dict[str, str] = {}
    for series in trajectory_plan(config.analytes).series:
        sums = given[[statistic_name(series, part) for part in STATISTICS]].to_numpy()
        if not has_enough(sums):
            why = "recorded of too few" if sums.any() else "never recorded"
            found |= {feature.name: why for feature in shrunken_dictionary([series])}
    return found


def _gaps(name: str, features: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return where a term is missing; of a trajectory the level speaks for all."""
    level = name.removesuffix("_level")
    column = name if name in features.columns else f"{level}_last"
    if column not in features.columns or (name != column and level == name):
        return np.zeros(len(features), dtype=bool)
    missing: npt.NDArray[np.bool_] = features[column].isna().to_numpy()
    return missing


def with_every_feature(cohort: Cohort, config: TrainingConfig) -> Cohort:
    """Return the cohort for an elastic net on every feature that tells something of the patient.

    Parameters
    ----------
    cohort : Cohort
    config : TrainingConfig
    """
    known = _dictionary(cohort, config)
    refuse_the_outcome(list(known), known, config.landmark_days[0])
    rare = _too_rare(cohort, config)
    why = {name: rare.get(name) or _why_not(name, cohort) for name in known}
    telling = [name for name in known if not why[name]]
    pieces = every_piece(cohort.named, config.pieces, telling, _same_gaps(telling, cohort.features))
    kept = terms_of(pieces)
    return replace(
        cohort,
        classifier=ELASTIC_NET,
        pieces=pieces,
        dictionary=tuple(known[name] for name in kept),
        trajectories=_needed(trajectory_plan(config.analytes), kept),
        left_out_features=tuple((name, reason) for name, reason in why.items() if reason),
    )


def _why_not(name: str, cohort: Cohort) -> str:
    """Return why a feature is not for the elastic net; empty where it is."""
    if name in cohort.terms:
        return ""
    if about_the_records(name):
        return "tells how closely a patient was watched"
    if told_already(name):
        return "baseline, last value, change and shrunken course tell it too"
    return why_useless(name, cohort.features[cohort.has_outcome])


def _same_gaps(names: Sequence[str], features: pd.DataFrame) -> dict[str, str]:
    """Return, of each term that is missing at times, the first that is missing in the same rows."""
    first: dict[bytes, str] = {}
    speaks_for = {}
    for name in names:
        gaps = _gaps(name, features)
        if gaps.any():
            speaks_for[name] = first.setdefault(gaps.tobytes(), name)
    return speaks_for


def build_cohort(registry: Registry, definition: Definition, config: TrainingConfig) -> Cohort:
    """Build the cohort of a training run.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    config : TrainingConfig
        Where it leaves the classifier to be chosen, the cohort is that of the logistic regression.

    Raises
    ------
    LnriskError
        When too few patients or events remain to fit anything.
    """
    rows = rows_at_risk(registry, definition, config)
    _check_events(registry, rows, definition, config)
    known = _dictionary(rows, config)
    enough = _affordable_parameters(rows, config)
    pieces, why = _chosen_pieces(rows, known, config, enough)
    kept = terms_of(pieces)
    size = _sample_size(rows, parameters_of(pieces), config)
    if size.too_small and not config.allow_small:
        raise LnriskError(_too_small(registry, size))
    cohort = Cohort(
        **vars(rows),
        classifier=LOGISTIC,
        named=pieces,
        pieces=pieces,
        dictionary=tuple(known[name] for name in kept),
        trajectories=_needed(trajectory_plan(config.analytes), kept),
        left_out_features=tuple(why.items()),
        sample_size=size,
    )
    return with_every_feature(cohort, config) if config.classifier == ELASTIC_NET else cohort


def _sample_size(rows: AtRisk, parameters: int, config: TrainingConfig) -> SampleSize:
    """Hold the parameters against the patients, and the events that are known or expected."""
    at = rows.primary & rows.has_outcome
    patients, _ = people(rows.y[at], rows.possible[at])
    return sample_size(patients, expected_events(rows), parameters, config.anticipated_auroc)


def _affordable_parameters(rows: AtRisk, config: TrainingConfig) -> int:
    """Return how many parameters the patients can carry, and no fewer than the shortest model's."""
    most = _sample_size(rows, 1, config).affordable_parameters
    return max(most, SHORTEST_ALLOWED if config.allow_small else SHORTEST)


def _too_small(registry: Registry, size: SampleSize) -> str:
    needed = "; ".join(f"{one.needed_patients} for {one.criterion}" for one in size.criteria)
    return (
        f"{registry.source.name}: {size.patients:g} patients with {size.events:.0f} events, known "
        f"and expected, carry {size.affordable_parameters} parameters, not the {size.parameters} "
        f"asked for (Riley's criteria at an AUROC of {size.anticipated_auroc:g} want {needed}). "
        "Name fewer terms, or --allow-small; every output will then say so."
    )
