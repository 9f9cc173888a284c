"""Repeated measurements: the same patient, analyte and date twice become their mean.

Assumes that both rows are right. Where a registry says when rows were recorded, a repeat counts
only from that day on, so repeats are averaged when a day is looked at (`lnrisk.features.asof`).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["average_repeats", "is_repeat", "recorded_later", "sort_measurements"]

_SAME = ["patient_id", "analyte", "date"]


def sort_measurements(measurements: pd.DataFrame) -> pd.DataFrame:
    """Return measurements by patient, analyte, date and value."""
    keys = [measurements["patient_id"].cat.codes, measurements["analyte"].cat.codes]
    order = np.lexsort((measurements["value"], measurements["date"], keys[1], keys[0]))
    return measurements.iloc[order].reset_index(drop=True)


def recorded_later(measurements: pd.DataFrame) -> bool:
    """Return whether the registry says when rows were recorded."""
    return bool(measurements["recorded_on"].notna().any())


def is_repeat(measurements: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which sorted rows repeat the one before, shape (n_rows,)."""
    keys = measurements[_SAME]
    again: npt.NDArray[np.bool_] = keys.eq(keys.shift()).all(axis=1).to_numpy()
    return again


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
