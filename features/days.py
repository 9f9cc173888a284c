"""Dates as whole days since 1970-01-01, the form in which whole tables are compared.

Assumes calendar days without clock times; `NEVER` stands for a day that lies after all others.
"""

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["NEVER", "Days", "as_dates", "as_days", "day_of", "days_after"]

Days = npt.NDArray[np.int64]

NEVER = 1 << 31


def as_days(dates: "pd.Series[Any] | npt.NDArray[Any]", missing: int = NEVER) -> Days:
    """Return dates as day numbers.

    Parameters
    ----------
    dates : Series or ndarray of datetime64, shape (n,)
    missing : int, default=NEVER
        The day number of a missing date.

    Examples
    --------
    >>> as_days(np.array(["1970-01-02", "NaT"], dtype="datetime64[D]"), missing=-1)
    array([ 1, -1])
    """
    days = np.asarray(dates).astype("datetime64[D]")
    numbers: Days = days.astype(np.int64)
    return np.where(np.isnat(days), missing, numbers)


def as_dates(days: Days, missing: int = NEVER) -> npt.NDArray[np.datetime64]:
    """Return day numbers as dates; `missing` becomes NaT.

    Examples
    --------
    >>> np.datetime_as_string(as_dates(np.array([1, NEVER])), unit="D").tolist()
    ['1970-01-02', 'NaT']
    """
    dates = np.where(days == missing, 0, days).astype("datetime64[D]")
    dates[days == missing] = np.datetime64("NaT")
    return dates.astype("datetime64[s]")


def days_after(day: Days, later: int | Days) -> Days:
    """Return the days that come so much later; after `NEVER` comes `NEVER`.

    Examples
    --------
    >>> days_after(np.array([10, NEVER]), 84).tolist() == [94, NEVER]
    True
    """
    after: Days = np.where(day < NEVER, day + later, NEVER)
    return after


def day_of(date: datetime.date) -> int:
    """Return one date as a day number."""
    return (date - datetime.date(1970, 1, 1)).days
