"""Early course of an analyte up to the landmark: baseline, last, change and slope.

Assumes that a straight line through few visits is a fair summary of the first weeks; with two or
three noisy values the slope is mostly noise, and with one there is none.
"""

from typing import Literal

import numpy as np

from .days import Days
from .egfr import egfr_history
from .feature import DAYS_BEFORE_INDEX, Feature, LandmarkView
from .history import History, Numbers, history_of
from .vocabulary import analytes

__all__ = ["Scale", "analyte_history", "trajectory"]

Scale = Literal["log", "identity"]

BASELINE_LAST_DAY = 7
DAYS_PER_MONTH = 30.4375
SMALLEST_LOGGED = 0.01
"""Values at or below are logged as this, in the analyte's unit: a UPCR of 0 has no logarithm."""


def _proteinuria(view: LandmarkView) -> History:
    """Return UPCR; for a patient without any in the look-back, protein_24h with g/d as g/g."""
    registry = view.registry
    upcr, collected = history_of(registry, "upcr"), history_of(registry, "protein_24h")
    first = view.index_day - DAYS_BEFORE_INDEX
    value, _ = upcr.latest(view.patient, first, view.landmark_day)
    without = np.isnan(value)[collected.patient]
    patient = np.concatenate([upcr.patient, collected.patient[without]])
    day = np.concatenate([upcr.day, collected.day[without]])
    values = np.concatenate([upcr.value, collected.value[without]])
    order = np.lexsort((day, patient))
    return History(patient[order], day[order], values[order])


def analyte_history(view: LandmarkView, analyte: str) -> History:
    """Return an analyte's values; eGFR is computed, proteinuria falls back to 24-h collections."""
    if analyte == "egfr":
        return egfr_history(view.registry)
    if analyte == "upcr":
        return _proteinuria(view)
    return history_of(view.registry, analyte)


def _scaled(value: Numbers, scale: Scale) -> Numbers:
    if scale == "identity":
        return value
    logged: Numbers = np.log(np.maximum(value, SMALLEST_LOGGED))
    return logged


def slope_per_month(
    history: History, patient: Days, first_day: Days, last_day: Days, scale: Scale
) -> Numbers:
    """Return least-squares slopes on time; nan where fewer than two days were measured.

    Parameters
    ----------
    history : History
    patient, first_day, last_day : ndarray of int, shape (n_patients,)
        Patients ascending; closed windows.
    scale : {"log", "identity"}
    """
    n = len(patient)
    inside = (history.day >= first_day[history.patient]) & (
        history.day <= last_day[history.patient]
    )
    person, value = history.patient[inside], _scaled(history.value[inside], scale)
    month = (history.day[inside] - last_day[person]) / DAYS_PER_MONTH
    count = np.bincount(person, minlength=n)
    seen = np.maximum(count, 1)
    centred_month = month - (np.bincount(person, month, n) / seen)[person]
    centred_value = value - (np.bincount(person, value, n) / seen)[person]
    spread = np.bincount(person, centred_month**2, n)
    together = np.bincount(person, centred_month * centred_value, n)
    return np.where(count >= 2, together / np.where(spread > 0, spread, 1.0), np.nan)


def trajectory(view: LandmarkView, analyte: str, scale: Scale) -> dict[Feature, Numbers]:
    """Return baseline, last value, change and slope of one analyte.

    Parameters
    ----------
    view : LandmarkView
    analyte : str
    scale : {"log", "identity"}
        The scale on which change and slope are taken.

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
        nan where nothing was measured; change is nan where only one day was.
    """
    history = analyte_history(view, analyte)
    first, last = view.index_day - DAYS_BEFORE_INDEX, view.landmark_day
    baseline, baseline_on = history.latest(
        view.patient, first, np.minimum(view.index_day + BASELINE_LAST_DAY, last)
    )
    latest, latest_on = history.latest(view.patient, first, last)
    known = analytes().get(analyte)
    unit = known.unit if known else "unit of the registry"
    prefix, unit = (f"log_{analyte}", f"ln({unit})") if scale == "log" else (analyte, unit)
    table, span = "measurements", f"day -{DAYS_BEFORE_INDEX} to the landmark"
    change = np.where(
        latest_on == baseline_on, np.nan, _scaled(latest, scale) - _scaled(baseline, scale)
    )
    slope = slope_per_month(history, view.patient, first, last, scale)
    return {
        Feature(
            f"{prefix}_baseline",
            f"{analyte}: latest value around the index date",
            unit,
            table,
            f"day -{DAYS_BEFORE_INDEX} to {BASELINE_LAST_DAY}",
        ): _scaled(baseline, scale),
        Feature(
            f"{prefix}_last", f"{analyte}: latest value by the landmark", unit, table, span
        ): _scaled(latest, scale),
        Feature(
            f"{prefix}_change",
            f"{analyte}: last {'over' if scale == 'log' else 'minus'} baseline",
            "ln(x)" if scale == "log" else unit,
            table,
            span,
        ): change,
        Feature(
            f"{prefix}_slope",
            f"{analyte}: least-squares slope on time",
            f"{unit}/mo",
            table,
            span,
        ): slope,
    }
