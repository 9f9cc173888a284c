"""The outcome for training: met by the horizon, not met, or unresolved.

Assumes that a patient is followed from the index date to the last contact without a gap; where no
last contact is recorded, follow-up is taken to end with the last record.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..features.asof import known_on
from ..features.days import NEVER, Days, as_days, days_after
from ..features.history import history_of
from ..features.pipeline import index_days
from ..features.registry import Registry
from ..features.treatment import treatments_of
from .chance_met import at_least, chances_of_counting, chances_of_treatment
from .courses import FollowUp
from .definition import Definition
from .kleene import NO, UNKNOWN, YES, Answers, answer
from .label import Judgement, Regimens, different_regimens, judge, met_on

__all__ = ["Outcome", "met_by_horizon", "outcome_by_registry", "outcome_by_rule"]

SURE = 1e-3
"""No chance is nearer to 0 or 1 than that: nobody could tell."""
STATUSES = ("no_index", "censored", "indeterminate", "competing", "event_free", "event")

_DATED = {
    "measurements": "date",
    "biopsies": "date",
    "events": "date",
    "treatments": "start_date",
    "adherence": "start_date",
}


@dataclass(frozen=True)
class Outcome:
    """What became of each patient by the horizon; fields of shape (n_patients,).

    Parameters
    ----------
    index_day : ndarray of int
        `NEVER` without index date.
    status : ndarray of str
        ``event`` (met by the horizon), ``event_free`` (followed to it, not met), ``competing``
        (death or kidney failure first), ``censored`` (lost before it), ``indeterminate`` (followed,
        but the rule cannot tell) or ``no_index``.
    days : ndarray of float
        Days from the index date to the event, the competing event, the last contact or the horizon,
        whichever came first.
    pseudo_refractory : ndarray of bool
        Failures by the horizon that nonadherence or undertreatment may explain; their y is 0.
    may_have_failed : ndarray of bool
        Whether as many different regimens as the definition needs failed, or may have, by the
        horizon: only then can the verdict hang on what is known of dose and adherence.
    horizon_days : int
    chance : ndarray of float
        That the definition is met by the horizon (`lnrisk.model.chance_met`), of the indeterminate
        where chances were asked for; nan elsewhere.
    possible_days : ndarray of float
        When it then was, if all that is unknown were *yes*; nan where `chance` is.
    nearly_met : ndarray of float
        The chance that all but one of the regimens that the definition needs had failed by the
        horizon, where chances were asked for; nan where nothing is known of it, or one is enough.
    treated : ndarray of float
        Of the regimens by the horizon, the expected share that was dosed and taken as the
        definition asks, failed or not; nan where `nearly_met` is.
    """

    index_day: Days
    status: npt.NDArray[np.str_]
    days: npt.NDArray[np.float64]
    pseudo_refractory: npt.NDArray[np.bool_]
    may_have_failed: npt.NDArray[np.bool_]
    horizon_days: int
    chance: npt.NDArray[np.float64]
    possible_days: npt.NDArray[np.float64]
    nearly_met: npt.NDArray[np.float64]
    treated: npt.NDArray[np.float64]

    @property
    def horizon(self) -> Days:
        """Day of each patient's horizon, `NEVER` without index date; shape (n_patients,)."""
        return days_after(self.index_day, self.horizon_days)

    @property
    def y(self) -> npt.NDArray[np.float64]:
        """1 met, 0 not met, nan unresolved; shape (n_patients,)."""
        return np.select(
            [self.status == "event", np.isin(self.status, ("event_free", "competing"))],
            [1.0, 0.0],
            np.nan,
        )


def last_seen(registry: Registry) -> Days:
    """Return the last contact of each patient, else the day of the last record; shape (n,)."""
    events = registry.events
    contact = (events["event"] == "last_contact").to_numpy()
    latest = np.full(len(registry), -NEVER, dtype=np.int64)
    np.maximum.at(latest, registry.positions("events")[contact], as_days(events["date"])[contact])
    recorded = np.full(len(registry), -NEVER, dtype=np.int64)
    for name, column in _DATED.items():
        np.maximum.at(recorded, registry.positions(name), as_days(registry.table(name)[column]))
    return np.where(latest > -NEVER, latest, recorded)


def _possible_by(judgement: Judgement, horizon: Days) -> Regimens:
    """Return the regimens of each patient, with what of them may still count by the horizon.

    A course that death, kidney failure or the horizon itself ended before its window began cannot
    count by then, whatever else is unknown about it.
    """
    courses = judgement.courses
    waits = judgement.reasons["follow_up_ended"] & (
        judgement.cut_by_competing | (judgement.span_end >= horizon[courses.patient])
    )
    counts = np.where(waits, NO, judgement.counts).astype(np.int8)
    return different_regimens(courses, counts, judgement.failed)


def met_by_horizon(judgement: Judgement, n_patients: int, needed: int, horizon: Days) -> Answers:
    """Return whether patients met the rule by the horizon, as far as the judgement can tell."""
    regimens = _possible_by(judgement, horizon)
    met, may_be_met = (
        np.bincount(regimens.patient, regimens.counts >= least, n_patients) >= needed
        for least in (YES, UNKNOWN)
    )
    return answer(met, known=met | ~may_be_met)


def outcome_by_rule(
    registry: Registry, definition: Definition, horizon_days: int, *, chances: bool = False
) -> Outcome:
    """Return the outcome by the rule-based label at the horizon.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    horizon_days : int
        Days from the index date.
    chances : bool
        Whether to reckon the chance that the definition is met where the rule cannot tell.
    """
    n, index = len(registry), index_days(registry)
    indexed = index < NEVER
    horizon = days_after(index, horizon_days)
    known = known_on(registry, horizon)
    judgement = judge(known, definition, horizon)
    needed = definition.verdict.different_regimens
    regimens = different_regimens(judgement.courses, judgement.counts, judgement.failed)
    met_day = met_on(regimens, judgement.response.assessed_on, n, needed)
    met = met_day < NEVER
    follow_up = FollowUp.of(known, horizon, treatments_of(known))
    competing = follow_up.competing <= horizon
    seen = last_seen(registry)
    followed = competing | (seen >= horizon)
    possible = _possible_by(judgement, horizon)
    unclear = np.bincount(possible.patient, possible.counts >= UNKNOWN, n) >= needed
    status = np.select(
        [~indexed, met, ~followed, unclear, competing],
        ["no_index", "event", "censored", "indeterminate", "competing"],
        "event_free",
    )
    end = np.select([met, competing, ~followed], [met_day, follow_up.competing, seen], horizon)
    failed = np.bincount(regimens.patient, regimens.failed == YES, n) >= needed
    pseudo = failed & np.isin(status, ("event_free", "competing"))
    doubtful = np.bincount(regimens.patient, regimens.failed != NO, n) >= needed
    days = _days_since(index, end)
    nothing = np.full(n, np.nan)
    told = (index, status, days, pseudo, doubtful, horizon_days)
    if not chances or not followed.any():
        return Outcome(*told, nothing, nothing, nothing, nothing)
    upcr = history_of(known, "upcr")
    counting = chances_of_counting(judgement, possible, definition, upcr, horizon)
    every = at_least(needed, counting, possible.patient, n)
    asked = (status == "indeterminate") & np.isfinite(every)
    chance = np.where(asked, np.clip(every, SURE, 1 - SURE), np.nan)
    then = _possibly_met_on(possible, judgement, n, needed)
    possible_days = np.where(asked, _days_since(index, np.minimum(then, horizon)), np.nan)
    nearly, treated = nothing, nothing
    if needed > 1:
        some = np.clip(at_least(needed - 1, counting, possible.patient, n), 0.0, 1.0)
        nearly = np.where(indexed & (followed | (some == 1)), some, np.nan)
        as_asked = chances_of_treatment(judgement, possible, definition, upcr)
        share = _mean_of_patient(np.clip(as_asked, 0.0, 1.0), possible.patient, n)
        treated = np.where(np.isnan(nearly), np.nan, share)
    return Outcome(*told, chance, possible_days, nearly, treated)


def _mean_of_patient(
    values: npt.NDArray[np.float64], patient: Days, n_patients: int
) -> npt.NDArray[np.float64]:
    """Return each patient's mean; nan without any value."""
    total, count = np.bincount(patient, values, n_patients), np.bincount(patient, None, n_patients)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _possibly_met_on(
    possible: Regimens, judgement: Judgement, n_patients: int, needed: int
) -> Days:
    """Return the day on which the definition would be met if all that is unknown were *yes*."""
    counts = np.where(possible.counts >= UNKNOWN, YES, NO).astype(np.int8)
    all_yes = replace(possible, counts=counts)
    return met_on(all_yes, judgement.response.assessed_on, n_patients, needed)


def outcome_by_registry(registry: Registry, horizon_days: int) -> Outcome:
    """Return the registry's own adjudicated outcome at the horizon.

    Parameters
    ----------
    registry : Registry
        With a table ``outcomes``.
    horizon_days : int
        Days from the registry's index date.
    """
    n, index = len(registry), index_days(registry, "registry")
    table, patient = registry.outcomes, registry.positions("outcomes")
    date = np.full(n, NEVER, dtype=np.int64)
    date[patient] = as_days(table["date"])
    own = np.full(n, "", dtype="<U9")
    own[patient] = table["status"].astype("str").to_numpy()
    horizon = index + horizon_days
    by_horizon = date <= horizon
    status = np.select(
        [
            index == NEVER,
            by_horizon & (own == "event"),
            by_horizon & (own == "competing"),
            by_horizon & (date < horizon),
        ],
        ["no_index", "event", "competing", "censored"],
        "event_free",
    )
    days = _days_since(index, np.minimum(date, horizon))
    nobody, none = np.zeros(n, dtype=bool), np.full(n, np.nan)
    return Outcome(index, status, days, nobody, nobody, horizon_days, none, none, none, none)


def _days_since(index: Days, end: Days) -> npt.NDArray[np.float64]:
    return np.where(index < NEVER, end - index, np.nan).astype(np.float64)
