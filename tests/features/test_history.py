"""Questions to a history, against loops over its values."""

import statistics

import bundles
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features.days import NEVER, day_of
from lnrisk.features.history import History, history_of, pairs

PEOPLE = 4
DAYS = st.integers(-40, 40)
quickly = settings(max_examples=30, deadline=None)

values = st.dictionaries(
    st.tuples(st.integers(0, PEOPLE - 1), DAYS), st.floats(-1e6, 1e6), max_size=25
).map(lambda found: sorted((person, day, value) for (person, day), value in found.items()))
windows = st.lists(
    st.tuples(
        st.integers(0, PEOPLE - 1),
        DAYS | st.just(-NEVER),
        DAYS | st.just(NEVER),
    ),
    max_size=8,
)


def history(rows):
    patient, day, value = zip(*rows, strict=True) if rows else ((), (), ())
    return History(np.array(patient, int), np.array(day, int), np.array(value, float))


def asked(queries):
    return tuple(np.array([q[i] for q in queries], dtype=np.int64) for i in range(3))


def inside(rows, query):
    person, first, last = query
    return [(day, value) for who, day, value in rows if who == person and first <= day <= last]


@quickly
@given(values, windows)
def test_latest_is_the_last_value_in_the_window(rows, queries):
    value, day = history(rows).latest(*asked(queries))
    expected = [max(inside(rows, query), default=(NEVER, np.nan)) for query in queries]
    np.testing.assert_array_equal(day, [when for when, _ in expected])
    np.testing.assert_array_equal(value, [what for _, what in expected])


@quickly
@given(values, windows)
def test_earliest_is_the_first_value_in_the_window(rows, queries):
    value, day = history(rows).earliest(*asked(queries))
    expected = [min(inside(rows, query), default=(NEVER, np.nan)) for query in queries]
    np.testing.assert_array_equal(day, [when for when, _ in expected])
    np.testing.assert_array_equal(value, [what for _, what in expected])


@quickly
@given(values, windows)
def test_median_is_the_median_of_the_values_in_the_window(rows, queries):
    found = history(rows).median(*asked(queries))
    for median, query in zip(found, queries, strict=True):
        held = [value for _, value in inside(rows, query)]
        if held:
            assert median == pytest.approx(statistics.median(held), rel=1e-12, abs=1e-9)
        else:
            assert np.isnan(median)


@quickly
@given(st.lists(st.integers(0, PEOPLE)), st.lists(st.integers(0, PEOPLE)).map(sorted))
def test_pairs_are_all_pairs_of_one_patient(queries, rows):
    query, row = pairs(np.array(queries, int), np.array(rows, int))
    assert list(zip(query.tolist(), row.tolist(), strict=True)) == [
        (i, j) for i, who in enumerate(queries) for j, whose in enumerate(rows) if who == whose
    ]


def test_a_history_is_one_analyte_in_canonical_units_in_order_of_time():
    rows = (
        "bert,2020-01-05,upcr,113.1,mg/mmol,\n"
        "anna,2019-12-01,upcr,3000,mg/g,\n"
        "anna,2020-01-15,protein_24h,9,g/d,"
    )
    registry = bundles.registry(measurements=bundles.with_row("measurements", rows))
    found = history_of(registry, "upcr")
    dates = ["2019-12-01", "2020-01-01", "2020-02-01", "2020-01-05"]
    assert found.patient.tolist() == [0, 0, 0, 1]
    assert found.day.tolist() == [day_of(np.datetime64(d).item()) for d in dates]
    assert found.value.tolist() == pytest.approx([3.0, 2.0, 0.05, 1.0], rel=1e-12)


@pytest.mark.parametrize("analyte", ["c3", "no such analyte"])
def test_an_analyte_that_nobody_has_is_an_empty_history(analyte):
    found = history_of(bundles.registry(), analyte)
    assert len(found) == 0
    value, day = found.latest(np.array([0, 1]), np.array([-NEVER] * 2), np.array([NEVER] * 2))
    assert np.isnan(value).all()
    assert (day == NEVER).all()
