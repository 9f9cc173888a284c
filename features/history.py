"""One analyte of all patients in order of time, and the questions that are put to it.

Assumes at most one value per patient and day, which the registry's checks provide.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .days import NEVER, Days, as_days
from .registry import Registry, codes_of

__all__ = ["History", "history_of", "pairs"]

Numbers = npt.NDArray[np.float64]
_STRIDE = NEVER << 1
_SIDES = np.array([-1, 1, 0], dtype=np.int8)
"""By the code of the comparator: ``<``, ``>``, none (-1)."""


@dataclass(frozen=True)
class History:
    """Values sorted by patient and day.

    Parameters
    ----------
    patient : ndarray of int, shape (n_values,)
        Positions in the registry's patients.
    day : ndarray of int, shape (n_values,)
    value : ndarray of float, shape (n_values,)
        In the analyte's canonical unit.
    side : ndarray of int, shape (n_values,), optional
        -1 where the true value lies below the one given, 1 where above, else 0.
    """

    patient: Days
    day: Days
    value: Numbers
    side: npt.NDArray[np.int8] | None = None

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self.day)

    def _key(self, patient: Days, day: Days) -> Days:
        return patient * _STRIDE + day

    def latest(self, patient: Days, first_day: Days, last_day: Days) -> tuple[Numbers, Days]:
        """Return the latest value in closed windows.

        Parameters
        ----------
        patient, first_day, last_day : ndarray of int, shape (n_windows,)

        Returns
        -------
        value : ndarray of float, shape (n_windows,)
            nan where the window has none.
        day : ndarray of int, shape (n_windows,)
            `NEVER` where the window has none.
        """
        position = np.searchsorted(
            self._key(self.patient, self.day), self._key(patient, last_day), side="right"
        )
        return self._take(position - 1, patient, first_day, last_day)

    def earliest(self, patient: Days, first_day: Days, last_day: Days) -> tuple[Numbers, Days]:
        """Return the earliest value in closed windows, as `latest` does."""
        position = np.searchsorted(
            self._key(self.patient, self.day), self._key(patient, first_day), side="left"
        )
        return self._take(position, patient, first_day, last_day)

    def _take(
        self, position: npt.NDArray[np.intp], patient: Days, first_day: Days, last_day: Days
    ) -> tuple[Numbers, Days]:
        if not len(self):
            return np.full(len(patient), np.nan), np.full(len(patient), NEVER)
        at = np.clip(position, 0, len(self) - 1)
        inside = (
            (at == position)
            & (self.patient[at] == patient)
            & (self.day[at] >= first_day)
            & (self.day[at] <= last_day)
        )
        return np.where(inside, self.value[at], np.nan), np.where(inside, self.day[at], NEVER)

    def median(self, patient: Days, first_day: Days, last_day: Days) -> Numbers:
        """Return the median of the values in closed windows; nan where there is none."""
        window, row = pairs(patient, self.patient)
        inside = (self.day[row] >= first_day[window]) & (self.day[row] <= last_day[window])
        window, value = window[inside], self.value[row[inside]]
        order = np.lexsort((value, window))
        value = value[order]
        count = np.bincount(window, minlength=len(patient))
        start = np.cumsum(count) - count
        result = np.full(len(patient), np.nan)
        some = count > 0
        low = value[(start + (count - 1) // 2)[some]]
        high = value[(start + count // 2)[some]]
        result[some] = (low + high) / 2
        return result


def pairs(patient: Days, sorted_row_patient: Days) -> tuple[Days, Days]:
    """Return every pair of a query and a row of the same patient.

    Parameters
    ----------
    patient : ndarray of int, shape (n_queries,)
    sorted_row_patient : ndarray of int, shape (n_rows,)
        In ascending order.

    Returns
    -------
    query, row : ndarray of int, shape (n_pairs,)
        Positions, queries ascending and rows ascending within a query.

    Examples
    --------
    >>> query, row = pairs(np.array([0, 1, 1]), np.array([1, 1, 2]))
    >>> query.tolist(), row.tolist()
    ([1, 1, 2, 2], [0, 1, 0, 1])
    """
    first = np.searchsorted(sorted_row_patient, patient, side="left")
    count = np.searchsorted(sorted_row_patient, patient, side="right") - first
    query = np.repeat(np.arange(len(patient)), count)
    within = np.arange(len(query)) - np.repeat(np.cumsum(count) - count, count)
    return query, np.repeat(first, count) + within


def _nothing() -> History:
    no_days = np.empty(0, dtype=np.int64)
    return History(no_days, no_days, np.empty(0), np.empty(0, dtype=np.int8))


def history_of(registry: Registry, analyte: str) -> History:
    """Return one analyte's values; a value at a detection limit is the limit, on its side.

    Parameters
    ----------
    registry : Registry
    analyte : str
        As written in ``measurements``; ``egfr`` there is the reported one, see
        `lnrisk.features.egfr` for the computed one.
    """
    table = registry.tables["measurements"]
    names = table["analyte"].array.categories
    if analyte not in names:
        return _nothing()
    chosen = np.flatnonzero(codes_of(table["analyte"]) == names.get_loc(analyte))
    patient = codes_of(table["patient_id"])[chosen].astype(np.int64)
    day = as_days(table["date"].to_numpy()[chosen])
    value = table["value"].to_numpy()[chosen]
    comparator = codes_of(table["comparator"])[chosen]
    return History(patient, day, value, _SIDES[comparator])
