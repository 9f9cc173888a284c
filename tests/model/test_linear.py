"""Sums that do not depend on the batch, and probabilities to the last digit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lnrisk.model.linear import inverse_logit, linear_predictor
from scipy.special import expit

numbers = st.floats(-1e6, 1e6)
tables = st.integers(1, 20).flatmap(
    lambda n: st.tuples(
        arrays(float, (n, 6), elements=numbers), arrays(float, 6, elements=numbers), numbers
    )
)


@settings(deadline=None)
@given(tables, st.integers(0, 99))
def test_a_row_is_the_same_to_the_last_bit_alone_or_in_any_batch(table, seed):
    rows, coefficients, intercept = table
    together = linear_predictor(rows, coefficients, intercept)
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = linear_predictor(np.asfortranarray(rows[order]), coefficients, intercept)
    np.testing.assert_array_equal(shuffled, together[order])
    for row, value in zip(rows, together, strict=True):
        assert linear_predictor(row[None], coefficients, intercept)[0] == value


@given(tables)
def test_it_is_the_plain_loop_over_columns(table):
    rows, coefficients, intercept = table
    for row, value in zip(rows, linear_predictor(rows, coefficients, intercept), strict=True):
        total = intercept
        for x, b in zip(row.tolist(), coefficients.tolist(), strict=True):
            total += x * b
        assert value == total


def test_without_columns_it_is_the_intercept():
    assert linear_predictor(np.empty((3, 0)), [], -1.5).tolist() == [-1.5] * 3


@pytest.mark.parametrize("coefficients", [[1.0], [1.0, 2.0, 3.0]])
def test_there_is_one_coefficient_for_each_column(coefficients):
    with pytest.raises(ValueError, match="zip"):
        linear_predictor([[1.0, 2.0]], coefficients, 0.0)


@given(st.lists(st.floats(-800, 800), min_size=1))
def test_probabilities_are_those_of_scipy(log_odds):
    log_odds = np.array(log_odds)
    np.testing.assert_allclose(inverse_logit(log_odds), expit(log_odds), rtol=1e-15, atol=1e-300)


@given(st.floats(-700, 700))
def test_a_probability_is_the_same_alone_and_in_a_batch(log_odds):
    batch = np.array([3.0, log_odds, -2.0, log_odds, 0.1])
    alone = inverse_logit(np.array([log_odds]))[0]
    assert inverse_logit(batch)[1] == inverse_logit(batch)[3] == alone


def test_the_extremes_do_not_overflow():
    assert inverse_logit(np.array([-np.inf, -1e308, 1e308, np.inf])).tolist() == [0, 0, 1, 1]
