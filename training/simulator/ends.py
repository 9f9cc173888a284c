"""Simulated ends of follow-up: kidney failure, death, loss, and the end of the study.

Assumes that the nonadherent are lost more often and that the unresponsive die more often; nobody
returns once lost.
"""

from dataclasses import replace

import numpy as np

from ...features.days import NEVER, Days
from .courses import Courses
from .draws import Draws
from .kidney import YEAR
from .patients import Numbers, Parameters, Patients, per_site

__all__ = ["followed", "with_ends"]


def _kidney_failure(
    patients: Patients, courses: Courses, parameters: Parameters, until: int
) -> Days:
    """Return the first day, on a grid of months, with eGFR below the limit; `NEVER` if none."""
    grid = np.arange(30, until, 30)
    limit = np.log(parameters["kidney_course"]["kidney_failure_below"])
    person = np.flatnonzero(_lowest_log_egfr(patients, courses, parameters, until) < limit)
    every, day = np.repeat(person, len(grid)), np.tile(grid, len(person))
    below = courses.log_egfr(parameters, patients, every, day).reshape(-1, len(grid)) < limit
    failure = np.full(len(patients), NEVER)
    failure[person] = np.where(below.any(axis=1), grid[below.argmax(axis=1)], NEVER)
    return failure


def _lowest_log_egfr(
    patients: Patients, courses: Courses, parameters: Parameters, until: int
) -> Numbers:
    """Return what ln eGFR cannot fall below, which spares most patients the search."""
    course = parameters["kidney_course"]
    acute = course["acute_part"] + course["acute_per_activity"] * patients.activity
    lost = courses.decline * 1.6 * until / YEAR - min(course["cni_effect"], 0.0)
    return patients.log_egfr - acute - lost


def _death(draws: Draws, patients: Patients, parameters: Parameters) -> Days:
    ends = parameters["follow_up"]
    hazard = ends["deaths_per_year"] * np.exp(
        ends["death_per_decade"] * (patients.age(patients.index_day) - 33.0) / 10.0
        - ends["death_unresponsive"] * patients.frailty
    )
    since = np.ones(len(patients), dtype=np.int64)
    return draws.waiting_constant("death", None, 0, since, YEAR / hazard)


def _loss(draws: Draws, patients: Patients, courses: Courses, parameters: Parameters) -> Days:
    """Return the day of loss or of the end of the study."""
    ends, calendar = parameters["follow_up"], parameters["calendar"]
    extracted = np.datetime64(calendar["extracted"]).astype(np.int64)
    shortest, longest = calendar["follow_up_years"]
    planned = (shortest + (longest - shortest) * draws.uniform("planned_follow_up")) * YEAR
    nonadherent = ~courses.adherent[:, 0] - parameters["adherence"]["nonadherent"]
    hazard = per_site(parameters, "lost_per_year", patients.site)
    hazard = hazard * np.exp(ends["lost_nonadherent"] * nonadherent)
    lost = -np.log1p(-draws.uniform("lost")) / hazard * YEAR
    return np.minimum(np.minimum(planned, lost), extracted - patients.index_day).astype(np.int64)


def _cut(courses: Courses, last: Days, death: Days, failure: Days) -> Courses:
    dies = death <= last
    last = np.maximum(np.where(dies, death, last), 1)
    return replace(
        courses,
        start=np.where(courses.start > last[:, None], NEVER, courses.start),
        last_day=last,
        death=np.where(dies, last, NEVER),
        kidney_failure=np.where(failure <= last, failure, NEVER),
    )


def with_ends(
    draws: Draws, patients: Patients, courses: Courses, parameters: Parameters
) -> Courses:
    """Return courses cut at the last contact: death, loss, or the end of the study.

    Parameters
    ----------
    draws : Draws
    patients : Patients
    courses : Courses
    parameters : mapping
        As in ``parameters.toml``.
    """
    failure = _kidney_failure(patients, courses, parameters, 1620)
    seen_on = failure + 30 + np.floor(draws.uniform("after_kidney_failure") * 670).astype(np.int64)
    last = np.minimum(_loss(draws, patients, courses, parameters), seen_on)
    return _cut(courses, last, _death(draws, patients, parameters), failure)


def followed(
    draws: Draws, patients: Patients, courses: Courses, parameters: Parameters, until: int
) -> Courses:
    """Return courses cut at a day to which all are followed who do not die before it.

    Parameters
    ----------
    draws : Draws
    patients : Patients
    courses : Courses
    parameters : mapping
    until : int
        Days from the index date.
    """
    failure = _kidney_failure(patients, courses, parameters, until + 1)
    last = np.full(len(patients), until)
    return _cut(courses, last, _death(draws, patients, parameters), failure)
