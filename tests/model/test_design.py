"""Columns of the design: shapes, missing values, the landmark clock, and rows on their own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features.laboratory import LANDMARK_MONTH
from lnrisk.model.columns import Column, Piece, design_columns, raw_column
from lnrisk.model.design import LandmarkDesign

NAMES = (LANDMARK_MONTH, "upcr", "biopsy")
PIECES = (
    Piece(LANDMARK_MONTH, "hat", knots=(0.0, 3.0, 6.0)),
    Piece("upcr"),
    Piece("upcr", "bend"),
    Piece("upcr", in_time=True),
    Piece("biopsy"),
    Piece("biopsy", "missing"),
)


def rows(n=200, seed=0):
    random = np.random.default_rng(seed)
    X = np.column_stack(
        [random.choice([0, 3, 6.0], n), random.normal(1, 2, n), random.uniform(size=n)]
    )
    X[random.uniform(size=n) < 0.3, 2] = np.nan
    return X


def test_values_are_standardised_by_weighted_moments_of_the_known():
    X, weight = rows(), np.random.default_rng(1).uniform(0.1, 3, 200)
    made = LandmarkDesign(NAMES, PIECES).fit(X, sample_weight=weight).transform(X)
    known = ~np.isnan(X[:, 2])
    for column, who in ((1, np.ones(200, bool)), (2, np.ones(200, bool)), (4, known)):
        assert np.average(made[who, column], weights=weight[who]) == pytest.approx(0, abs=1e-12)
        assert np.average(made[who, column] ** 2, weights=weight[who]) == pytest.approx(1)
    assert (made[~known, 4] == 0).all()
    np.testing.assert_array_equal(made[:, 5], ~known)


def test_nothing_shown_is_the_zero_of_what_has_been_shown():
    X = rows()
    X[:, 1] = X[:, 1] > 2
    made = LandmarkDesign((LANDMARK_MONTH, "failure_shown", "biopsy"), (Piece("failure_shown"),))
    column = made.fit_transform(X)[:, 0]
    assert set(column[X[:, 1] == 0]) == {0.0}
    assert column.std() == pytest.approx(1)


def test_an_effect_in_time_is_the_value_times_the_landmark_clock():
    X = rows()
    made = LandmarkDesign(NAMES, PIECES).fit(X).transform(X)
    np.testing.assert_allclose(made[:, 3], made[:, 1] * (X[:, 0] / 3 - 1))


def test_a_row_without_weight_has_no_influence():
    X = rows()
    more = np.vstack([X, [[3.0, 1e6, -1e6]]])
    weight = np.r_[np.ones(200), 0.0]
    with_it = LandmarkDesign(NAMES, PIECES).fit(more, sample_weight=weight)
    assert with_it.columns_ == LandmarkDesign(NAMES, PIECES).fit(X).columns_


def test_a_bend_is_straight_beyond_its_outer_knots():
    knots = (0.0, 1.0, 3.0)
    below, above = np.array([-3.0, -2.0, -1.0]), np.array([3.0, 4.0, 5.0])
    np.testing.assert_array_equal(raw_column(below, "bend", knots), 0)
    assert np.diff(raw_column(above, "bend", knots), 2) == pytest.approx([0], abs=1e-12)


def test_a_bend_of_two_values_is_left_out():
    X = rows()
    X[:, 1] = X[:, 1] > 1
    names = LandmarkDesign(NAMES, PIECES).fit(X).get_feature_names_out()
    assert "upcr:bend" not in names
    assert "upcr:in_time" in names


def test_the_wrong_number_of_columns_is_refused():
    with pytest.raises(ValueError, match="names 3 columns, X has 2"):
        LandmarkDesign(NAMES, PIECES).fit(rows()[:, :2])


values = st.one_of(st.floats(-1e3, 1e3), st.just(float("nan")))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 6), values, values), min_size=1, max_size=8))
def test_a_row_depends_on_itself_alone(table):
    columns = LandmarkDesign(NAMES, PIECES).fit(rows()).columns_
    X = np.array(table)

    def made(some):
        return design_columns(columns, dict(zip(NAMES, some.T, strict=True)), some[:, 0])

    together = made(X)
    assert np.isfinite(together).all()
    for position in range(len(X)):
        np.testing.assert_array_equal(made(X[[position]])[0], together[position])


def test_what_was_never_known_is_zero_for_all():
    column = Column("x", "value", False, (), 0.0, 1.0)
    X = np.column_stack([np.zeros(4), np.full(4, np.nan)])
    design = LandmarkDesign((LANDMARK_MONTH, "x"), (Piece("x"),)).fit(X)
    assert design.columns_ == (column,)
    assert (design.transform(X) == 0).all()
