"""A simulated world: the patients, their courses and visits, and the draws behind all of it.

Assumes that nothing recorded changes what happens, except through what a clinician has measured.
"""

from dataclasses import dataclass

from .courses import Courses
from .draws import Draws
from .patients import Parameters, Patients
from .visits import Visits

__all__ = ["World"]


@dataclass(frozen=True)
class World:
    """All that is true of some patients, and when they were seen.

    Parameters
    ----------
    draws : Draws
    patients : Patients
    courses : Courses
        Cut at the end of follow-up.
    visits : Visits
    parameters : mapping
    """

    draws: Draws
    patients: Patients
    courses: Courses
    visits: Visits
    parameters: Parameters
