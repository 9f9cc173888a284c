"""Dates as day numbers and back."""

import datetime

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.days import NEVER, as_dates, as_days, day_of

DATES = st.dates(datetime.date(1900, 1, 1))


@given(st.lists(st.none() | DATES))
def test_dates_survive_the_way_there_and_back(dates):
    stamps = np.array(dates, dtype="datetime64[s]")
    days = as_days(stamps)
    np.testing.assert_array_equal(as_dates(days), stamps)
    assert days.tolist() == [NEVER if date is None else day_of(date) for date in dates]


@given(DATES, DATES)
def test_days_are_as_far_apart_as_dates(first, second):
    assert day_of(second) - day_of(first) == (second - first).days


def test_never_lies_after_every_date():
    assert day_of(datetime.date.max) < NEVER


def test_clock_times_do_not_count():
    assert as_days(pd.Series(pd.to_datetime(["1970-01-02T23:59"]))).tolist() == [1]
