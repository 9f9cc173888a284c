"""One pass over measurements: what a patient's values of an analyte add up to.

Assumes at most one value per patient, analyte and day, which the registry's checks provide; rows
may come in any order. Sums are added in the order of the rows, so a patient's figures are the same
to the last bit alone or among a million.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "DAYS_PER_MONTH",
    "STATISTICS",
    "Summaries",
    "summarise",
    "summarise_with_statistics",
    "trajectory_statistics",
]

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.integer[Any]]

DAYS_PER_MONTH = 30.4375

COMPILE_FROM_ROWS = 50_000
"""Below, numpy is quicker than importing the compiler; both give the same bits."""

BLOCK_SHIFT = 9
"""Rows of 2 ** 9 patients are brought together: their sums of four analytes fit a core's cache."""

SCATTERED = 0.1
"""Share of rows that leave their predecessor's block from which bringing together pays."""

STATISTICS = (
    *("n", "t", "k", "tt", "tk", "kk", "y", "ty", "ky", "yy"),
    *("below_n", "below_t", "below_k", "below_limit"),
    *("above_n", "above_t", "above_k", "above_limit"),
)
"""Sums over a series: of time t, time past the knot k, value y and their products; then, of the
values below and above a detection limit, their number and the sums of t, k and the limit."""

_N, _D, _DD, _Y, _DY, _MIN, _MAX, _FIRST_DAY, _FIRST, _LAST_DAY, _LAST = range(11)
_MEAN_DAY, _MEAN, _SLOPE = _D, _Y, _DY  # written over their sums once these are no longer needed


@dataclass(frozen=True)
class Summaries:
    """Plain summaries; every field has shape (n_patients, n_analytes).

    Parameters
    ----------
    n : ndarray of float
        Number of values.
    first, last, min, max, mean : ndarray of float
        In the unit of the values; nan where nothing was measured.
    first_day, last_day, mean_day : ndarray of float
        nan where nothing was measured.
    slope : ndarray of float
        Least-squares slope per day; nan under two days.
    """

    n: Numbers
    first: Numbers
    first_day: Numbers
    last: Numbers
    last_day: Numbers
    mean_day: Numbers
    min: Numbers
    max: Numbers
    mean: Numbers
    slope: Numbers


def summarise(
    patient: Whole,
    analyte: Whole,
    day: Whole,
    value: Numbers,
    n_patients: int,
    n_analytes: int,
) -> Summaries:
    """Summarise every series of a long table.

    Parameters
    ----------
    patient, analyte : ndarray of int, shape (n_rows,)
        Positions from 0.
    day : ndarray of int, shape (n_rows,)
        Best counted from a day nearby, such as the index date.
    value : ndarray of float, shape (n_rows,)
    n_patients, n_analytes : int

    Returns
    -------
    Summaries

    Examples
    --------
    >>> zero = np.zeros(2, dtype=int)
    >>> summaries = summarise(zero, zero, np.array([10, 0]), np.array([1.0, 3.0]), 1, 1)
    >>> summaries.first[0, 0], summaries.last[0, 0], summaries.slope[0, 0]
    (np.float64(3.0), np.float64(1.0), np.float64(-0.2))
    """
    sums = _nothing_yet(n_patients * n_analytes)
    large = len(value) >= COMPILE_FROM_ROWS
    add, finish = (_compiled("add_plain"), _compiled("finish_plain")) if large else _BY_NUMPY
    add(patient, analyte, day, value, n_analytes, sums)
    finish(sums)
    return _shaped(sums, n_patients, n_analytes)


def _nothing_yet(series: int) -> Numbers:
    sums = np.zeros((series, 11))
    sums[:, [_MIN, _FIRST_DAY]] = np.inf
    sums[:, [_MAX, _LAST_DAY]] = -np.inf
    return sums


def _shaped(sums: Numbers, n_patients: int, n_analytes: int) -> Summaries:
    def shaped(column: int) -> Numbers:
        return sums[:, column].reshape(n_patients, n_analytes)

    return Summaries(
        n=shaped(_N),
        first=shaped(_FIRST),
        first_day=shaped(_FIRST_DAY),
        last=shaped(_LAST),
        last_day=shaped(_LAST_DAY),
        mean_day=shaped(_MEAN_DAY),
        min=shaped(_MIN),
        max=shaped(_MAX),
        mean=shaped(_MEAN),
        slope=shaped(_SLOPE),
    )


def summarise_with_statistics(
    patient: Whole,
    analyte: Whole,
    day: Whole,
    value: Numbers,
    side: Whole,
    knot: Numbers,
    n_patients: int,
    n_analytes: int,
) -> tuple[Summaries, Numbers]:
    """Summarise every series, and add up what trajectories are fitted to, in the same pass.

    Parameters
    ----------
    patient, analyte, day, value, n_patients, n_analytes
        As `summarise` takes them; days from the index date.
    side : ndarray of int, shape (n_rows,)
        As `trajectory_statistics` takes it.
    knot : ndarray of float, shape (n_analytes,)
        Months.

    Returns
    -------
    summaries : Summaries
    statistics : ndarray of float, shape (n_patients, n_analytes, len(STATISTICS))
        Over months from the index date; before it, time stands at 0.
    """
    if len(value) < COMPILE_FROM_ROWS:
        months = np.maximum(day, 0) / DAYS_PER_MONTH
        size = n_patients, n_analytes
        statistics = trajectory_statistics(patient, analyte, months, value, side, knot, *size)
        return summarise(patient, analyte, day, value, *size), statistics
    rows = _by_block(patient, analyte, day, value, side)
    sums = _nothing_yet(n_patients * n_analytes)
    statistics = np.zeros((n_patients * n_analytes, len(STATISTICS)))
    add = _compiled("add_plain_and_trajectory")
    add(*rows, knot, DAYS_PER_MONTH, n_analytes, sums, statistics)
    _compiled("finish_plain")(sums)
    shape = n_patients, n_analytes, len(STATISTICS)
    return _shaped(sums, n_patients, n_analytes), statistics.reshape(shape)


def _by_block(
    patient: Whole, analyte: Whole, day: Whole, value: Numbers, side: Whole
) -> tuple[npt.NDArray[Any], ...]:
    """Return rows with those of neighbouring patients together; a series keeps its order."""
    rows = patient, analyte, day, value, side
    count = np.zeros((int(patient.max()) >> BLOCK_SHIFT) + 2, dtype=np.int64)
    changes = _compiled("count_blocks")(patient, BLOCK_SHIFT, count)
    if changes < SCATTERED * len(patient):
        return rows
    ordered = tuple(np.empty_like(column) for column in rows)
    _compiled("into_blocks")(rows, BLOCK_SHIFT, np.cumsum(count), ordered)
    return ordered


def trajectory_statistics(
    patient: Whole,
    analyte: Whole,
    time: Numbers,
    value: Numbers,
    side: Whole,
    knot: Numbers,
    n_patients: int,
    n_analytes: int,
) -> Numbers:
    """Return the sufficient statistics of a straight line with a knot, per series.

    Parameters
    ----------
    patient, analyte : ndarray of int, shape (n_rows,)
    time, value : ndarray of float, shape (n_rows,)
    side : ndarray of int, shape (n_rows,)
        -1 where the value lies below the one given, 1 where above, 0 where it is the value.
    knot : ndarray of float, shape (n_analytes,)
        Time from which the curve may bend; inf where it may not.
    n_patients, n_analytes : int

    Returns
    -------
    ndarray of float, shape (n_patients, n_analytes, len(STATISTICS))
    """
    sums = np.zeros((n_patients * n_analytes, len(STATISTICS)))
    series = patient.astype(np.int64) * n_analytes + analyte
    past = np.maximum(time - knot[analyte], 0.0)
    ones, exact = np.ones(len(value)), side == 0
    products = (ones, time, past, time * time, time * past, past * past)
    with_value = (value, time * value, past * value, value * value)
    for column, term in enumerate((*products, *with_value)):
        sums[:, column] = np.bincount(series[exact], term[exact], len(sums))
    for first, beyond in ((10, side < 0), (14, side > 0)):
        for column, term in enumerate((ones, time, past, value)):
            sums[:, first + column] = np.bincount(series[beyond], term[beyond], len(sums))
    return sums.reshape(n_patients, n_analytes, len(STATISTICS))


def _add_plain(
    patient: Whole, analyte: Whole, day: Whole, value: Numbers, n_analytes: int, sums: Numbers
) -> None:
    series, days = patient.astype(np.int64) * n_analytes + analyte, day.astype(np.float64)
    for column, term in ((_N, None), (_D, days), (_DD, days * days), (_Y, value)):
        sums[:, column] = np.bincount(series, term, len(sums))
    sums[:, _DY] = np.bincount(series, days * value, len(sums))
    np.minimum.at(sums[:, _MIN], series, value)
    np.maximum.at(sums[:, _MAX], series, value)
    order = np.argsort(days, kind="stable")
    backwards = np.lexsort((-np.arange(len(days)), -days))
    for rows, where, what in ((backwards, _FIRST_DAY, _FIRST), (order, _LAST_DAY, _LAST)):
        sums[series[rows], where] = days[rows]
        sums[series[rows], what] = value[rows]


def _finish_plain(sums: Numbers) -> None:
    seen = sums[:, _N] > 0
    count = np.where(seen, sums[:, _N], 1.0)
    spread = sums[:, _DD] - sums[:, _D] * sums[:, _D] / count
    together = sums[:, _DY] - sums[:, _D] * sums[:, _Y] / count
    several = sums[:, _LAST_DAY] > sums[:, _FIRST_DAY]
    sums[:, _SLOPE] = np.where(several, together / np.where(several, spread, 1.0), np.nan)
    sums[:, _MEAN_DAY] = sums[:, _D] / count
    sums[:, _MEAN] = sums[:, _Y] / count
    sums[~seen, _MEAN_DAY:] = np.nan


_BY_NUMPY = (_add_plain, _finish_plain)


@cache
def _compiled(which: str) -> Callable[..., Any]:
    """Return the compiled pass; it is compiled once per machine and then read from a cache."""
    from . import compiled

    function: Callable[..., Any] = getattr(compiled, which)
    return function
