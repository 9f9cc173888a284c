"""Simulated ends of follow-up: kidney failure, death, loss, and the end of the study.

Assumes that the nonadherent are lost more often and that the unresponsive die more often; nobody
returns once lost.
"""

from dataclasses import replace

import numpy as np

from ...features.days import NEVER, Days
from .courses import YEAR, Courses
from .patients import Parameters, Patients, per_site

__all__ = ["with_ends"]


def _kidney_failure(patients: Patients, courses: Courses, parameters: Parameters) -> Days:
    """Return the first day, on a grid of months, with eGFR below the limit; `NEVER` if none."""
    grid = np.arange(30, 1620, 30)
    person = np.repeat(np.arange(len(patients)), len(grid))
    day = np.tile(grid, len(patients))
    low = courses.log_egfr(parameters, patients, person, day).reshape(-1, len(grid))
    below = low < np.log(parameters["kidney_course"]["kidney_failure_below"])
    return np.where(below.any(axis=1), grid[below.argmax(axis=1)], NEVER)


def with_ends(
    rng: np.random.Generator, patients: Patients, courses: Courses, parameters: Parameters
) -> Courses:
    """Return courses cut at the last contact: death, loss, or the end of the study.

    Parameters
    ----------
    rng : Generator
    patients : Patients
    courses : Courses
    parameters : mapping
        As in ``parameters.toml``.
    """
    ends, n = parameters["follow_up"], len(patients)
    extracted = np.datetime64(parameters["calendar"]["extracted"]).astype(np.int64)
    shortest, longest = parameters["calendar"]["follow_up_years"]
    planned = rng.uniform(shortest, longest, n) * YEAR
    hazard = per_site(parameters, "lost_per_year", patients.site) * np.exp(
        ends["lost_nonadherent"]
        * (~courses.adherent[:, 0] - parameters["adherence"]["nonadherent"])
    )
    lost = rng.exponential(1.0, n) / hazard * YEAR
    hazard = ends["deaths_per_year"] * np.exp(
        ends["death_per_decade"] * (patients.age(patients.index_day) - 33.0) / 10.0
        - ends["death_unresponsive"] * patients.frailty
    )
    death = np.floor(rng.exponential(1.0, n) / hazard * YEAR) + 1
    last = np.minimum(np.minimum(planned, lost), extracted - patients.index_day).astype(np.int64)
    failure = _kidney_failure(patients, courses, parameters)
    last = np.minimum(last, failure + rng.integers(30, 700, n))
    dies = death <= last
    last = np.where(dies, death, last).astype(np.int64)
    last = np.maximum(last, 1)
    start = np.where(courses.start > last[:, None], NEVER, courses.start)
    return replace(
        courses,
        start=start,
        last_day=last,
        death=np.where(dies, last, NEVER),
        kidney_failure=np.where(failure <= last, failure, NEVER),
    )
