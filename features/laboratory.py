"""What the laboratory saw up to the landmark: plain summaries of each analyte, and its statistics.

Assumes that a value is that of its day and that visits were not made because of it; with two or
three noisy values a plain slope is mostly noise, which is why the model looks at trajectories
instead (`lnrisk.features.trajectories`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .days import Days
from .feature import DAYS_BEFORE_INDEX, Feature, LandmarkView
from .history import History, Numbers, history_of
from .summaries import DAYS_PER_MONTH, STATISTICS, Summaries, summarise_with_statistics
from .vocabulary import Scale, analytes

__all__ = [
    "DAYS_PER_MONTH",
    "LANDMARK_MONTH",
    "Laboratory",
    "laboratory",
    "series_name",
    "statistic_name",
]

BASELINE_LAST_DAY = 7
RESPONSE_FALL = 0.25
SMALLEST_LOGGED = 0.01
"""Values at or below are logged as this, in the analyte's unit: a UPCR of 0 has no logarithm."""

LANDMARK_MONTH = "landmark_month"


@dataclass(frozen=True)
class Laboratory:
    """Plain summaries, and what trajectories are fitted to.

    Parameters
    ----------
    features : dict of Feature to ndarray of float, shape (n_patients,)
    statistics : DataFrame, shape (n_patients, 1 + n_series * n_statistics)
        Months from the index date to the landmark, and the sufficient statistics of each series.
    """

    features: dict[Feature, Numbers]
    statistics: pd.DataFrame


@dataclass(frozen=True)
class _Rows:
    """Long table of all analytes: scaled values of the look-back, days from the index date."""

    series: Days
    patient: Days
    day: Days
    value: Numbers
    side: Days


def series_name(analyte: str, scale: Scale) -> str:
    """Return the name of an analyte's values on a scale.

    Examples
    --------
    >>> series_name("upcr", "log")
    'log_upcr'
    """
    return f"log_{analyte}" if scale == "log" else analyte


def statistic_name(series: str, statistic: str) -> str:
    """Return the name of a column of statistics."""
    return f"{series}:{statistic}"


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
    side = np.concatenate([_side(upcr), _side(collected)[without]])
    order = np.lexsort((day, patient))
    return History(patient[order], day[order], values[order], side[order])


def _side(history: History) -> Days:
    if history.side is None:
        return np.zeros(len(history), dtype=np.int64)
    return history.side.astype(np.int64)


def analyte_history(view: LandmarkView, analyte: str) -> History:
    """Return an analyte's values; eGFR is computed, proteinuria falls back to 24-h collections."""
    if analyte == "egfr":
        return view.egfr
    if analyte == "upcr":
        return _proteinuria(view)
    return history_of(view.registry, analyte)


def _scaled(value: Numbers, scale: Scale) -> Numbers:
    if scale == "identity":
        return value
    logged: Numbers = np.log(np.maximum(value, SMALLEST_LOGGED))
    return logged


def _look_back(view: LandmarkView, analyte: str, scale: Scale) -> History:
    """Return the scaled values of the look-back, days counted from the index date."""
    history = analyte_history(view, analyte)
    since = history.day - view.index_day[history.patient]
    inside = (since >= -DAYS_BEFORE_INDEX) & (history.day <= view.landmark_day[history.patient])
    inside &= view.indexed[history.patient]
    return History(
        history.patient[inside],
        since[inside],
        _scaled(history.value[inside], scale),
        _side(history)[inside].astype(np.int8),
    )


def _long(histories: list[History]) -> _Rows:
    nothing = np.zeros(0, dtype=np.int64)
    return _Rows(
        np.repeat(np.arange(len(histories)), [len(h) for h in histories]),
        np.concatenate([nothing, *(h.patient for h in histories)]),
        np.concatenate([nothing, *(h.day for h in histories)]),
        np.concatenate([nothing.astype(float), *(h.value for h in histories)]),
        np.concatenate([nothing, *(_side(h) for h in histories)]),
    )


def _frame(view: LandmarkView, sums: Numbers, names: list[str]) -> pd.DataFrame:
    """Return the columns that trajectories are fitted to."""
    columns = [statistic_name(name, statistic) for name in names for statistic in STATISTICS]
    frame = pd.DataFrame(sums.reshape(len(view.registry), len(columns)), columns=columns)
    landmark = np.where(view.indexed, view.landmark_day - view.index_day, 0) / DAYS_PER_MONTH
    frame.insert(0, LANDMARK_MONTH, landmark)
    return frame


def _time_weighted_mean(history: History, mean: Numbers) -> Numbers:
    """Return the area under straight lines between values, per day; the mean where it has none."""
    n = len(mean)
    same = history.patient[1:] == history.patient[:-1]
    days = np.where(same, np.diff(history.day), 0)
    area = days * (history.value[1:] + history.value[:-1]) / 2.0
    total = np.bincount(history.patient[1:], days, n)
    summed = np.bincount(history.patient[1:], area, n)
    return np.where(total > 0, summed / np.where(total > 0, total, 1.0), mean)


def _variability(history: History, n_patients: int) -> Numbers:
    """Return the root mean square of successive differences over the root of 2."""
    same = history.patient[1:] == history.patient[:-1]
    squared = np.where(same, np.diff(history.value) ** 2, 0.0)
    count = np.bincount(history.patient[1:], same, n_patients)
    total = np.bincount(history.patient[1:], squared, n_patients)
    return np.where(count > 0, np.sqrt(total / np.where(count > 0, 2.0 * count, 1.0)), np.nan)


def _days_to_fall(history: History, baseline: Numbers) -> Numbers:
    """Return the first day on which a logged value is a quarter below baseline; nan if never."""
    fallen = (history.day > 0) & (
        history.value <= baseline[history.patient] + np.log1p(-RESPONSE_FALL) + 1e-9
    )
    first = np.full(len(baseline), np.inf)
    np.minimum.at(first, history.patient[fallen], history.day[fallen])
    return np.where(np.isinf(first), np.nan, first)


def _plain(
    view: LandmarkView, analyte: str, scale: Scale, history: History, summaries: Summaries, at: int
) -> dict[Feature, Numbers]:
    known = analytes().get(analyte)
    unit = known.unit if known else "unit of the registry"
    prefix, said = series_name(analyte, scale), known.label if known else analyte
    unit = f"ln({unit})" if scale == "log" else unit
    landmark = view.landmark_day - view.index_day
    span = f"day -{DAYS_BEFORE_INDEX} to the landmark"
    until = np.minimum(BASELINE_LAST_DAY, landmark)
    far = np.full(len(view.registry), -DAYS_BEFORE_INDEX)
    baseline, baseline_on = history.latest(view.patient, far, until)
    last, last_day = summaries.last[:, at], summaries.last_day[:, at]
    n, slope = summaries.n[:, at], summaries.slope[:, at]

    def entry(name: str, meaning: str, unit: str, formula: str = "", back: str = span) -> Feature:
        return Feature(
            f"{prefix}_{name}", f"{said}: {meaning}", unit, "measurements", back, formula
        )

    features = {
        entry("baseline", "value around the index date", unit, "latest of the look-back",
              f"day -{DAYS_BEFORE_INDEX} to {BASELINE_LAST_DAY}, the landmark if sooner"): baseline,
        entry("first", "first value", unit): summaries.first[:, at],
        entry("last", "last value", unit): last,
        entry("change", "change from baseline", "ln(x)" if scale == "log" else unit,
              "last minus baseline" + (" of the logarithms" if scale == "log" else "")): np.where(
            last_day == baseline_on, np.nan, last - baseline),
        entry("least_squares_slope", "plain slope", f"{unit}/mo",
              "least squares on time"): slope * DAYS_PER_MONTH,
        entry("least_squares_level", "level at the landmark on the plain line", unit,
              "least squares on time"): summaries.mean[:, at]
            + slope * (landmark - summaries.mean_day[:, at]),
        entry("mean", "mean over time", unit, "area under straight lines / days"):
            _time_weighted_mean(history, summaries.mean[:, at]),
        entry("variability", "scatter from visit to visit", unit,
              "root mean square of successive differences / sqrt(2)"):
            _variability(history, len(n)),
        entry("count", "number of values", "1"): n,
        entry("days_since", "days since the last value", "d"): np.where(
            n > 0, landmark - last_day, np.nan),
    }  # fmt: skip
    if analyte == "upcr" and scale == "log":
        fall = entry(
            "days_to_fall",
            "days to the first value 25 % below baseline",
            "d",
            "missing where none was seen by the landmark",
            "day 1 to the landmark",
        )
        features[fall] = _days_to_fall(history, baseline)
    return features


def laboratory(view: LandmarkView, scales: Mapping[str, Scale]) -> Laboratory:
    """Return plain summaries and sufficient statistics of some analytes.

    Parameters
    ----------
    view : LandmarkView
    scales : mapping of str to {"log", "identity"}
        Analytes, and the scale on which each is taken.

    Returns
    -------
    Laboratory
        nan where nothing was measured.
    """
    histories = [_look_back(view, analyte, scale) for analyte, scale in scales.items()]
    rows, n = _long(histories), len(view.registry)
    knots = np.array([knot_months(analyte) for analyte in scales])
    long = rows.patient, rows.series, rows.day, rows.value, rows.side
    summaries, sums = summarise_with_statistics(*long, knots, n, len(histories))
    features: dict[Feature, Numbers] = {}
    for at, ((analyte, scale), history) in enumerate(zip(scales.items(), histories, strict=True)):
        features |= _plain(view, analyte, scale, history, summaries, at)
    names = [series_name(analyte, scale) for analyte, scale in scales.items()]
    return Laboratory(features, _frame(view, sums, names))


def knot_months(analyte: str) -> float:
    """Return the month from which an analyte's mean curve may bend; inf where it may not."""
    known = analytes().get(analyte)
    return known.knot_days / DAYS_PER_MONTH if known else float("inf")
