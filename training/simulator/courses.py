"""Simulated courses: what is given, how the kidney answers, who changes treatment, until when.

Assumes that a clinician judges the fall by the values measured at the start and at one visit at 4
to 7 months, and that a flare of those who responded leads to a new course.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...features.days import NEVER, Days
from .decisions import Review, changes_after
from .draws import Draws
from .kidney import bend, fluctuation, log_egfr_of
from .patients import LOW_CHRONICITY, Flags, Names, Numbers, Parameters, Patients, by_name
from .regimens import (
    draw_responsiveness,
    first_regimen,
    first_state,
    is_adequate,
    later_state,
    maintenance_start,
    next_regimen,
    on_azathioprine,
    reached,
    share_taken,
    target_dose,
)

__all__ = ["MOST_COURSES", "Courses", "draw_courses"]

MOST_COURSES = 3
MONTH_6 = 182


@dataclass(frozen=True)
class Courses:
    """Courses of all patients; fields of shape (n_patients, 3) unless said otherwise.

    Days count from the index date; what never happens is at `NEVER`.

    Parameters
    ----------
    regimen : ndarray of str
        The third dimension's regimens that are never given are there too.
    start : ndarray of int
    why_ended : ndarray of str
        ``inefficacy``, ``intolerance``, ``other`` (a flare) or empty where the course runs on.
    responsiveness : ndarray of float
        Fall of ln UPCR in the end, at full dose and intake.
    level, plateau : ndarray of float
        ln UPCR at the start and in the end.
    weeks : ndarray of float
        Time constant.
    flare : ndarray of int
    share : ndarray of float
        Share of doses truly taken.
    adherent, adequate : ndarray of bool
        True states.
    mycophenolate_mg : ndarray of float
        Target dose per day.
    infusions_missed : ndarray of float
        Chance that an infusion is missed.
    maintenance : ndarray of int
        When maintenance follows, where the regimen is cyclophosphamide.
    azathioprine : ndarray of bool
        Whether that maintenance is azathioprine.
    decided_on : ndarray of int
        The visit at which treatment is reviewed.
    last_day, death, kidney_failure : ndarray of int, shape (n_patients,)
    decline : ndarray of float, shape (n_patients,)
        Loss of ln eGFR per year.
    """

    regimen: Names
    start: Days
    why_ended: Names
    responsiveness: Numbers
    level: Numbers
    plateau: Numbers
    weeks: Numbers
    flare: Days
    share: Numbers
    adherent: Flags
    adequate: Flags
    mycophenolate_mg: Numbers
    infusions_missed: Numbers
    maintenance: Days
    azathioprine: Flags
    decided_on: Days
    last_day: Days
    death: Days
    kidney_failure: Days
    decline: Numbers

    def course_on(self, person: Days, day: Days) -> Days:
        """Return which course (0 to 2) runs on some days; the first also before the index date."""
        begun = self.start[person] <= day[:, None]
        return np.maximum(begun.sum(axis=1) - 1, 0)

    def log_upcr(self, draws: Draws, parameters: Parameters, person: Days, day: Days) -> Numbers:
        """Return true ln UPCR of some patients on some days."""
        lasting = self.lasting_log_upcr(parameters, person, day)
        return lasting + fluctuation(draws, parameters, person, day)

    def lasting_log_upcr(self, parameters: Parameters, person: Days, day: Days) -> Numbers:
        """Return what `log_upcr` fluctuates around."""
        course = self.course_on(person, day)
        at = (person, course)
        return bend(
            parameters,
            self.level[at],
            self.plateau[at],
            self.weeks[at],
            np.maximum(day - self.start[at], 0),
            day - self.flare[at],
        )

    def log_egfr(
        self, parameters: Parameters, patients: Patients, person: Days, day: Days
    ) -> Numbers:
        """Return true ln eGFR of some patients on some days."""
        upcr = self.lasting_log_upcr(parameters, person, day)
        cni = self.regimen[person, self.course_on(person, day)] == "MPA_CNI"
        return log_egfr_of(
            parameters, patients, person, day, upcr, self.decline[person], cni & (day > 0)
        )

    def month_6_fall(self) -> Numbers:
        """Return the true share by which UPCR falls by month 6 of each course, given or not."""
        days = np.full(self.weeks.shape, MONTH_6)
        done = 1.0 - np.exp(-days / (7.0 * self.weeks))
        return 1.0 - np.exp((self.plateau - self.level) * done)


def _lowest(draws: Draws, patients: Patients, parameters: Parameters) -> Numbers:
    """Draw the lowest ln UPCR that each kidney can reach."""
    response = parameters["response"]
    return (
        np.log(response["lowest_upcr"])
        + response["lowest_per_chronicity"] * (patients.chronicity - LOW_CHRONICITY)
        + response["lowest_sigma"] * draws.normal("lowest_upcr")
    )


def _decline(draws: Draws, patients: Patients, parameters: Parameters) -> Numbers:
    course = parameters["kidney_course"]
    spread = np.exp(course["decline_sigma"] * draws.normal("decline"))
    return (
        course["decline_per_year"] * spread + course["decline_per_chronicity"] * patients.chronicity
    )


def _course(
    draws: Draws,
    patients: Patients,
    number: int,
    regimen: Names,
    begin: tuple[Days, Numbers],
    adherent: Flags,
    parameters: Parameters,
) -> dict[str, Any]:
    """Draw one course of everyone, up to what the kidney makes of it."""
    start, level = begin
    missed = parameters["regimens"]["given"]["infusion_missed"]
    dose = target_dose(draws, regimen, number, start, parameters)
    share = share_taken(draws, adherent, number, start, parameters)
    adequate = is_adequate(regimen, dose)
    able = draw_responsiveness(draws, patients, regimen, number, start, parameters)
    lowest = _lowest(draws, patients, parameters)
    weeks = by_name(parameters["response"]["weeks"], regimen)
    spread = parameters["response"]["weeks_sigma"] * draws.normal("weeks", None, number, start)
    row = np.arange(len(patients))
    maintenance = maintenance_start(draws, row, number, regimen, start)
    return {
        "regimen": regimen,
        "start": start,
        "responsiveness": able,
        "level": level,
        "plateau": reached(able, share, adequate, level, lowest, parameters),
        "weeks": weeks * np.exp(spread),
        "share": share,
        "adherent": adherent,
        "adequate": adequate,
        "mycophenolate_mg": dose,
        "infusions_missed": np.where(adherent, missed["adherent"], missed["nonadherent"]),
        "maintenance": maintenance,
        "azathioprine": on_azathioprine(draws, row, number, maintenance, parameters),
    }


def draw_courses(draws: Draws, patients: Patients, parameters: Parameters) -> Courses:
    """Draw every patient's courses, as if follow-up never ended.

    Courses that no change of treatment leads to are drawn too, from the review of the course
    before, so that what they would have done is known; they start at `NEVER`.

    Parameters
    ----------
    draws : Draws
    patients : Patients
    parameters : mapping
        As in ``parameters.toml``.
    """
    decline = _decline(draws, patients, parameters)
    regimen = first_regimen(draws, patients, parameters)
    adherent = first_state(draws, patients, parameters)
    level = patients.log_upcr
    start: Days = np.zeros(len(patients), dtype=np.int64)
    drawn: list[dict[str, Any]] = []
    for number in range(MOST_COURSES):
        if number:
            adherent = later_state(draws, adherent, number, start, parameters)
        begin = (start, level)
        course = _course(draws, patients, number, regimen, begin, adherent, parameters)
        review = Review.of(draws, patients, number, course, decline, parameters)
        change = changes_after(draws, review, number == MOST_COURSES - 1, parameters)
        drawn.append(course | change | {"decided_on": review.day})
        regimen = next_regimen(
            draws, regimen, number, change["known"], course["azathioprine"], parameters
        )
        answers = (parameters, level, course["plateau"], course["weeks"])
        then = bend(*answers, change["next_start"] - start, change["next_start"] - change["flare"])
        level = np.where(change["next_start"] < NEVER, then, review.log_upcr)
        start = change["next_start"]
    apart = ("next_start", "known")
    columns: dict[str, Any] = {
        name: np.stack([course[name] for course in drawn], axis=1)
        for name in drawn[0]
        if name not in apart
    }
    endless = np.full(len(patients), NEVER)
    return Courses(
        **columns,
        last_day=endless,
        death=endless,
        kidney_failure=endless,
        decline=decline,
    )
