"""Summaries of many series at once, against numpy on each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features.summaries import summarise

series = st.dictionaries(st.integers(-90, 84), st.floats(0.02, 500), max_size=8).map(
    lambda found: sorted(found.items())
)


@settings(max_examples=30, deadline=None)
@given(st.lists(series, min_size=1, max_size=4))
def test_each_series_is_summarised_as_if_alone(people):
    rows = [(i, day, value) for i, values in enumerate(people) for day, value in values]
    patient, day, value = np.array(rows, dtype=float).reshape(-1, 3).T
    days, nothing = day.astype(np.int64), np.zeros(len(rows), dtype=np.int64)
    found = summarise(patient.astype(np.int64), nothing, days, value, len(people), 1)
    for i, values in enumerate(people):
        x, y = np.array(values, dtype=float).reshape(-1, 2).T
        assert found.n[i, 0] == len(x)
        expected = (y[0], y[-1]) if len(x) else (np.nan, np.nan)
        assert (found.first[i, 0], found.last[i, 0]) == pytest.approx(expected, nan_ok=True)
        if len(x) < 2:
            assert np.isnan(found.slope[i, 0])
        else:
            slope = np.polyfit(x, y, 1)[0]
            assert found.slope[i, 0] == pytest.approx(slope, rel=1e-6, abs=1e-6 * np.ptp(y) + 1e-9)
