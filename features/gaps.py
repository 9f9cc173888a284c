"""How much of a span intervals cover, and the longest stretch that they leave open.

Assumes closed intervals of days; one that is recorded a day short opens a gap of a day.
"""

import numpy as np

from .days import NEVER, Days

__all__ = ["covered_and_gap"]


def covered_and_gap(
    patient: Days, start: Days, end: Days, first_day: Days, last_day: Days
) -> tuple[Days, Days]:
    """Return on how many days of a span any interval runs, and the longest run of days without.

    Parameters
    ----------
    patient, start, end : ndarray of int, shape (n_intervals,)
        Positions of patients and closed intervals, in any order; they may overlap.
    first_day, last_day : ndarray of int, shape (n_patients,)
        One closed span per patient.

    Returns
    -------
    covered, gap : ndarray of int, shape (n_patients,)

    Examples
    --------
    >>> covered, gap = covered_and_gap(
    ...     np.array([0, 0]), np.array([3, 8]), np.array([5, 20]), np.array([1]), np.array([10])
    ... )
    >>> covered.tolist(), gap.tolist()
    ([6], [2])
    """
    n = len(first_day)
    begin, stop = np.maximum(start, first_day[patient]), np.minimum(end, last_day[patient])
    inside = begin <= stop
    everyone = np.arange(n)
    person = np.concatenate([everyone, patient[inside], everyone])
    begin = np.concatenate([first_day - 1, begin[inside], last_day + 1])
    stop = np.concatenate([first_day - 1, stop[inside], last_day + 1])
    order = np.lexsort((begin, person))
    person, begin, stop = person[order], begin[order], stop[order]
    stride = NEVER << 2
    latest = np.maximum.accumulate(person * stride + stop) - person * stride
    same = person[1:] == person[:-1]
    open_days = np.where(same, np.maximum(begin[1:] - latest[:-1] - 1, 0), 0)
    gap = np.zeros(n, dtype=np.int64)
    np.maximum.at(gap, person[1:], open_days)
    uncovered = np.bincount(person[1:], open_days, n).astype(np.int64)
    return last_day - first_day + 1 - uncovered, gap
