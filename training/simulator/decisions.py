"""Simulated decisions: who changes treatment, when, and why.

Assumes that a clinician sees UPCR and creatinine with the error of the day, compares them with
those of the course's start, and otherwise knows no more than the chart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...features.days import NEVER, Days
from .draws import Draws
from .kidney import YEAR, bend, creatinine_error, fluctuation, log_egfr_of, upcr_error
from .patients import Flags, Numbers, Parameters, Patients

__all__ = ["Review", "changes_after"]

DAY_BEFORE = 1  # the old course ends on the day before the new one starts
TARGET_UPCR, FAILING_RATIO, PARTIAL_RATIO, FAILING_EGFR_RATIO = 0.5, 0.75, 0.5, 0.8


@dataclass(frozen=True)
class Review:
    """How a course looks to the clinician at its review; fields of shape (n_patients,).

    Parameters
    ----------
    number : int
        0 for the first course.
    start, day : ndarray of int
        Of the course and of its review.
    log_upcr : ndarray of float
        True value at the review.
    failing, partial : ndarray of bool
        As measured.
    """

    number: int
    start: Days
    day: Days
    log_upcr: Numbers
    failing: Flags
    partial: Flags

    @classmethod
    def of(
        cls,
        draws: Draws,
        patients: Patients,
        number: int,
        course: Mapping[str, Any],
        decline: Numbers,
        parameters: Parameters,
    ) -> "Review":
        """Review a course of everyone."""
        row, start, level = np.arange(len(patients)), course["start"], course["level"]
        bounds = parameters["decisions"]["decided_on_day"]
        day = draws.waiting_within("review", row, number, start, bounds)
        # A course that nobody started is reviewed as if on the first possible day.
        after = np.where(start < NEVER, day - start, int(bounds[0]))
        never = np.full(len(row), -NEVER)
        later = bend(parameters, level, course["plateau"], course["weeks"], after, never)
        seen, before = (
            _as_measured(draws, parameters, patients, value, on)
            for value, on in ((later, day), (level, start))
        )
        cni = course["regimen"] == "MPA_CNI"
        at = (parameters, patients, row)
        fallen = log_egfr_of(*at, day, later, decline, cni) - log_egfr_of(
            *at, start, level, decline, np.zeros_like(cni)
        )
        # eGFR goes with creatinine to the power of -1.2.
        errors = [creatinine_error(draws, parameters, row, on) for on in (day, start)]
        worse = np.exp(fallen - 1.2 * (errors[0] - errors[1])) <= FAILING_EGFR_RATIO
        ratio = np.exp(seen - before)
        failing = ((ratio > FAILING_RATIO) & (seen > np.log(TARGET_UPCR))) | worse
        partial = ~failing & (ratio > PARTIAL_RATIO) & (seen > 0)
        return cls(number, start, day, later, failing, partial)


def _as_measured(
    draws: Draws, parameters: Parameters, patients: Patients, lasting: Numbers, day: Days
) -> Numbers:
    """Return ln UPCR as measured, just as the chart has it."""
    row = np.arange(len(patients))
    true = lasting + fluctuation(draws, parameters, row, day)
    return true + upcr_error(draws, parameters, patients.site, row, day, true)


def _intolerance(draws: Draws, review: Review, parameters: Parameters) -> Days:
    """Draw the day on which a regimen is given up as not tolerated; `NEVER` for most."""
    share = parameters["decisions"]["intolerance"]
    low, high = parameters["decisions"]["intolerance_day"]

    def quantile(drawn: Numbers) -> Numbers:
        return np.where(drawn < share, low + (high - low) * drawn / share, NEVER)

    def share_by(days: Numbers) -> Numbers:
        return share * np.clip((days - low) / (high - low), 0.0, 1.0)

    return draws.waiting(
        "intolerance", None, review.number, review.start, quantile, share_by, DAY_BEFORE
    )


def changes_after(
    draws: Draws, review: Review, is_last: bool, parameters: Parameters
) -> dict[str, Any]:
    """Return what ends a course.

    Parameters
    ----------
    draws : Draws
    review : Review
    is_last : bool
        After the last course that is simulated nothing changes any more.
    parameters : mapping

    Returns
    -------
    dict
        ``next_start``, ``flare`` (its first day) and ``known`` (when the change was decided), days
        or `NEVER`; ``why_ended``: intolerance, inefficacy, other (a flare) or empty.
    """
    decisions, number, start = parameters["decisions"], review.number, review.start
    never = np.full(len(start), NEVER)
    if is_last:
        nothing = np.full(len(start), "", dtype="U24")
        return {"next_start": never, "flare": never, "known": never, "why_ended": nothing}
    chance = np.where(review.partial, decisions["changed_when_partial"], 0.0)
    chance = np.where(review.failing, decisions["changed_when_failing"][number], chance)
    switches = draws.uniform("switches", None, number, review.day) < chance
    stopped = _intolerance(draws, review, parameters)
    intolerant = stopped < NEVER
    begins = draws.waiting_within(
        "begins", None, number, review.day, decisions["begins_after_days"], DAY_BEFORE
    )
    mean_days = YEAR / parameters["response"]["flares_per_year"]
    earliest = start + decisions["first_flare_day"]
    flare = draws.waiting_constant("flare", None, number, earliest, mean_days)
    answered = draws.waiting_within("flare_treated", None, number, flare, [14.0, 45.0], DAY_BEFORE)
    flares = ~intolerant & ~review.failing & ~review.partial
    reached = start < NEVER
    cases = [~reached, intolerant, switches, flares]
    changed = np.select(cases, [never, stopped, begins, answered], NEVER)
    return {
        "next_start": np.minimum(changed, NEVER),
        "flare": np.where(reached & flares & ~switches, flare, NEVER),
        "known": np.select(cases, [never, stopped, review.day, answered], NEVER),
        "why_ended": np.select(cases, ["", "intolerance", "inefficacy", "other"], "").astype("U24"),
    }
