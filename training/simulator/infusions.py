"""Simulated infusions: the schedule of each regimen, and which were given.

Assumes that a missed infusion is not made up for, and that only the last of a schedule is known to
complete it; one that was the last because treatment changed says nothing on its day.
"""

from dataclasses import dataclass

import numpy as np

from ...features.days import Days
from .courses import Courses
from .draws import Draws
from .patients import Flags

__all__ = ["SCHEDULES", "Infusions", "infusions_of"]


@dataclass(frozen=True)
class Schedule:
    """Drug, dose, its unit, and days from the course's start."""

    drug: str
    dose: float
    unit: str
    days: tuple[int, ...]


SCHEDULES = {
    "CYC_LOW": Schedule("cyclophosphamide", 500.0, "mg", tuple(range(0, 71, 14))),  # Euro-Lupus
    "CYC_HIGH": Schedule("cyclophosphamide", 750.0, "mg/m2", tuple(range(0, 151, 30))),
    "MPA_BEL": Schedule("belimumab", 10.0, "mg/kg", (0, 14, *range(28, 729, 28))),
    "MPA_OBI": Schedule("obinutuzumab", 1000.0, "mg", (0, 14, 168, 182, 364)),
    "RESCUE": Schedule("rituximab", 1000.0, "mg", (0, 14)),
}


@dataclass(frozen=True)
class Infusions:
    """One schedule over the courses that follow it; arrays of shape (n_courses, n_infusions).

    Parameters
    ----------
    schedule : Schedule
    who : ndarray of int, shape (n_courses,)
    day : ndarray of int
    due, given : ndarray of bool
        Before the course ended; and not missed. The first is never missed.
    """

    schedule: Schedule
    who: Days
    day: Days
    due: Flags
    given: Flags


def infusions_of(
    draws: Draws, courses: Courses, name: str, number: int, who: Days, end: Days
) -> Infusions:
    """Return the infusions of some courses.

    Parameters
    ----------
    draws : Draws
    courses : Courses
    name : str
        The regimen.
    number : int
        0 for first courses.
    who, end : ndarray of int, shape (n_courses,)
        Patients, and the last day of each course.
    """
    schedule = SCHEDULES[name]
    place = np.arange(len(schedule.days))
    nominal = courses.start[who, number][:, None] + np.array(schedule.days)
    slot, row = number * 64 + place, who[:, None]
    moved = draws.waiting_within("infusion_day", row, slot, nominal - 1, [0.0, 4.0])
    day = np.where(place > 0, moved, nominal)
    missed = courses.infusions_missed[who, number][:, None]
    came = draws.uniform("infusion_given", row, slot, day) >= missed
    due = day <= end[:, None]
    return Infusions(schedule, who, day, due, due & (came | (place == 0)))
