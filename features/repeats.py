"""Repeated measurements: the same patient, analyte and date twice become their mean.

Assumes that both rows are right. Where a registry says when rows were recorded, a repeat counts
only from that day on, so repeats are averaged when a day is looked at (`lnrisk.features.asof`).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from .days import Days, as_days

__all__ = ["average_repeats", "is_repeat", "recorded_later", "sort_measurements"]


def sort_measurements(measurements: pd.DataFrame) -> pd.DataFrame:
    """Return measurements by patient, analyte, date and value."""
    key = _patient_analyte_day(measurements)
    order = np.argsort(key, kind="stable")
    again = _as_before(key[order])
    tied = again | np.append(again[1:], False)[: len(key)]
    rows = order[tied]
    order[tied] = rows[np.lexsort((measurements["value"].to_numpy()[rows], key[rows]))]
    return measurements.iloc[order].reset_index(drop=True)


def _patient_analyte_day(measurements: pd.DataFrame) -> Days:
    """Return one number per row that is in the order of patient, analyte and date."""
    analyte, day = measurements["analyte"].cat, as_days(measurements["date"])
    series = measurements["patient_id"].cat.codes.to_numpy().astype(np.int64)
    series = series * len(analyte.categories) + analyte.codes.to_numpy()
    return series * (np.ptp(day) + 1 if len(day) else 1) + day


def _as_before(key: Days) -> npt.NDArray[np.bool_]:
    """Return where a key is that of the row before."""
    return np.append(False, key[1:] == key[:-1])[: len(key)]


def recorded_later(measurements: pd.DataFrame) -> bool:
    """Return whether the registry says when rows were recorded."""
    return bool(measurements["recorded_on"].notna().any())


def is_repeat(measurements: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which sorted rows repeat the one before, shape (n_rows,)."""
    return _as_before(_patient_analyte_day(measurements))


def average_repeats(measurements: pd.DataFrame) -> pd.DataFrame:
    """Return sorted measurements with one row per patient, analyte and date.

    A mean of values of which some lie beyond a detection limit has no comparator.
    """
    again = is_repeat(measurements)
    if not again.any():
        return measurements
    first = np.flatnonzero(~again)
    count = np.bincount(np.cumsum(~again) - 1)
    mean = np.add.reduceat(measurements["value"].to_numpy(), first) / count
    comparator = measurements["comparator"].cat.codes.to_numpy()
    mixed = np.maximum.reduceat(comparator, first) != np.minimum.reduceat(comparator, first)
    row = np.minimum.reduceat(measurements["row"].to_numpy(), first)
    one = measurements.iloc[first].reset_index(drop=True).assign(value=mean, row=row)
    return one.assign(comparator=one["comparator"].where(~mixed))
