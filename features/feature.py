"""A feature, its entry in the dictionary, and the view of the data that features are made from.

Assumes that what was recorded up to the landmark was known then; see `lnrisk.features.asof`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .asof import known_on
from .days import NEVER, Days, days_after
from .egfr import egfr_history
from .history import History
from .registry import Registry

__all__ = ["Feature", "LandmarkView", "landmark_view"]

DAYS_BEFORE_INDEX = 90


@dataclass(frozen=True)
class Feature:
    """One feature's entry in the feature dictionary.

    Parameters
    ----------
    name, meaning : str
    unit : str
        UCUM, or ``1``.
    table : str
        The registry's table that it is made from.
    look_back : str
        The days that it looks at.
    formula : str
        How it is computed, in words or symbols; empty where the meaning says it all.
    citation : str
        Who says that it matters or how to compute it; empty where nobody needs to.
    """

    name: str
    meaning: str
    unit: str
    table: str
    look_back: str
    formula: str = ""
    citation: str = ""


@dataclass(frozen=True)
class LandmarkView:
    """A registry as known at each patient's landmark.

    Parameters
    ----------
    registry : Registry
    index_day, landmark_day : ndarray of int, shape (n_patients,)
        `NEVER` for a patient without an index date.
    """

    registry: Registry
    index_day: Days
    landmark_day: Days

    @property
    def patient(self) -> Days:
        """Positions of all patients, shape (n_patients,)."""
        return np.arange(len(self.registry))

    @cached_property
    def egfr(self) -> History:
        """The eGFR of all patients."""
        return egfr_history(self.registry)

    @property
    def indexed(self) -> npt.NDArray[np.bool_]:
        """Who has an index date, shape (n_patients,)."""
        some: npt.NDArray[np.bool_] = self.index_day < NEVER
        return some


def landmark_view(registry: Registry, index_day: Days, landmark_days: int | Days) -> LandmarkView:
    """Return what was known `landmark_days` after each patient's index date.

    Parameters
    ----------
    registry : Registry
    index_day : ndarray of int, shape (n_patients,)
    landmark_days : int, or ndarray of int of shape (n_patients,)
        Days from the index date, 0 or more.
    """
    landmark_day = days_after(index_day, landmark_days)
    return LandmarkView(known_on(registry, landmark_day), index_day, landmark_day)
