"""Simulated visits: at starts and reviews of courses, and routine ones.

Assumes that the sicker are seen more often, that the nonadherent miss more visits, and that centres
keep different schedules; nobody is seen before the index date more than once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped,unused-ignore]

from ...features.days import NEVER, Days
from .courses import MOST_COURSES, Courses
from .draws import Draws
from .patients import Flags, Numbers, Parameters, Patients, per_site

__all__ = ["Visits", "draw_visits"]

MOST_VISITS = 150
SHORTEST_INTERVAL = 5.0


@dataclass(frozen=True)
class Visits:
    """Visits of all patients sorted by patient and day; fields of shape (n_visits,).

    Parameters
    ----------
    person : ndarray of int
    day : ndarray of int
        From the index date.
    planned : ndarray of bool
        At the start or the review of a course, where a clinician acts on UPCR.
    missed_person, missed_day : ndarray of int, shape (n_missed,)
        Appointments to which nobody came.
    """

    person: Days
    day: Days
    planned: Flags
    missed_person: Days
    missed_day: Days

    def __len__(self) -> int:
        """Return the number of visits."""
        return len(self.person)


def _next_visit(draws: Draws, person: Days, day: Days, typical: Numbers, jitter: float) -> Days:
    """Draw the next appointment, given the typical interval in days."""

    def quantile(drawn: Numbers) -> Numbers:
        return np.maximum(typical * np.exp(jitter * ndtri(drawn)), SHORTEST_INTERVAL)

    def share_by(days: Numbers) -> Numbers:
        share = ndtr(np.log(np.maximum(days, 1e-9) / typical) / jitter)
        return np.where(days > SHORTEST_INTERVAL, share, 0.0)

    return draws.waiting("interval", person, day, day, quantile, share_by)


def _routine(
    draws: Draws, patients: Patients, courses: Courses, until: Days, parameters: Parameters
) -> tuple[Days, Days, Flags]:
    """Return the appointments: who, day, and whether they came."""
    settings = parameters["visits"]
    early, late = per_site(parameters, "interval_weeks", patients.site).T
    person, day = np.arange(len(patients)), np.zeros(len(patients), dtype=np.int64)
    persons, days, kept = [person[:0]], [day[:0]], [person[:0] > 0]
    for _ in range(MOST_VISITS):
        course = courses.course_on(person, day)
        since = day - courses.start[person, course]
        weeks = np.where(since < settings["later_after_days"], early[person], late[person])
        level = courses.lasting_log_upcr(parameters, person, day)
        typical = weeks * 7.0 * np.exp(settings["severity"] * level)
        day = _next_visit(draws, person, day, typical, settings["jitter"])
        seen = day <= until[person]
        person, day = person[seen], day[seen]
        if not len(person):
            break
        adherent = courses.adherent[person, courses.course_on(person, day)]
        missed = np.where(
            adherent, settings["missed"]["adherent"], settings["missed"]["nonadherent"]
        )
        kept.append(draws.uniform("came", person, day, day) >= missed)
        persons.append(person)
        days.append(day)
    return np.concatenate(persons), np.concatenate(days), np.concatenate(kept)


def _planned(courses: Courses, until: Days) -> tuple[Days, Days]:
    """Return the visits at starts and reviews of courses that have begun."""
    following = np.hstack([courses.start[:, 1:], np.full((len(until), 1), NEVER)])
    begun = courses.start < NEVER
    persons, days = [], []
    for number in range(MOST_COURSES):
        reviewed = courses.decided_on[:, number]
        for on, happens in (
            (courses.start[:, number], begun[:, number]),
            (reviewed, begun[:, number] & (reviewed <= following[:, number])),
        ):
            who = np.flatnonzero(happens & (on <= until))
            persons.append(who)
            days.append(on[who])
    return np.concatenate(persons), np.concatenate(days)


def draw_visits(
    draws: Draws, patients: Patients, courses: Courses, parameters: Parameters
) -> Visits:
    """Draw visits up to the last contact or kidney failure.

    Parameters
    ----------
    draws : Draws
    patients : Patients
    courses : Courses
    parameters : mapping
    """
    until = np.minimum(courses.last_day, courses.kidney_failure)
    before = np.flatnonzero(draws.uniform("seen_before") < parameters["visits"]["before_index"])
    first = -12 - np.floor(58 * draws.uniform("first_visit", before)).astype(np.int64)
    who, on, came = _routine(draws, patients, courses, until, parameters)
    planned = _planned(courses, until)
    person = np.concatenate([planned[0], before, who[came]])
    day = np.concatenate([planned[1], first, on[came]])
    # A planned visit comes before a routine one of the same day, which it replaces.
    _, at = np.unique(person * (1 << 20) + day + 1000, return_index=True)
    return Visits(person[at], day[at], at < len(planned[0]), who[~came], on[~came])
