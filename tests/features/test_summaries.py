"""Summaries of many series at once, against numpy on each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features import summaries
from lnrisk.features.summaries import STATISTICS, summarise, summarise_with_statistics

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


@pytest.mark.parametrize("order", ["scattered", "by patient"])
def test_compiled_and_numpy_passes_give_the_same_bits(monkeypatch, order):
    rng = np.random.default_rng(3)
    patients, rows = 3_000, 60_000
    key = rng.choice(patients * 2 * 300, rows, replace=False)  # a day is seen once in a series
    if order == "by patient":
        key = np.sort(key)
    patient, analyte, day = key // 600, key // 300 % 2, key % 300 - 90
    value, side = rng.normal(1, 1, rows), rng.choice([0, 0, 0, -1, 1], rows)
    long = patient, analyte, day, value, side, np.array([2.0, np.inf]), patients + 1, 2
    compiled, compiled_sums = summarise_with_statistics(*long)
    monkeypatch.setattr(summaries, "COMPILE_FROM_ROWS", rows + 1)
    plain, sums = summarise_with_statistics(*long)
    alone = summarise(patient, analyte, day, value, patients + 1, 2)
    for field in plain.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(compiled, field), getattr(plain, field))
        np.testing.assert_array_equal(getattr(alone, field), getattr(plain, field))
    np.testing.assert_array_equal(compiled_sums, sums)
    assert sums.shape == (patients + 1, 2, len(STATISTICS))
    assert sums[-1].sum() == 0
