"""The range of patients alike, against scipy's beta distribution."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.laboratory import DAYS_PER_MONTH
from lnrisk.model.spread import LOG_ODDS, Spread, shortest_ranges, spread_with
from scipy.stats import beta

RISKS = np.array([0.005, 0.02, 0.1, 0.4, 0.7])


@pytest.mark.parametrize("share", [0.02, 0.2, 0.6])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_range_holds_its_share_and_none_is_shorter(share, level):
    precision = 1 / share - 1
    of = beta(RISKS * precision, (1 - RISKS) * precision)
    lower, upper = shortest_ranges(RISKS, share, level)
    np.testing.assert_allclose(of.cdf(upper) - of.cdf(lower), level, atol=1e-6)
    for tail in np.linspace(0, 1 - level, 7):
        assert (of.ppf(tail + level) - of.ppf(tail) >= upper - lower - 1e-3).all()


def test_the_variance_is_the_share_of_the_binomial_one():
    share, precision = 0.3, 1 / 0.3 - 1
    of = beta(RISKS * precision, (1 - RISKS) * precision)
    np.testing.assert_allclose(of.var(), share * RISKS * (1 - RISKS))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        shortest_ranges(RISKS, share, 0.9)


@pytest.fixture(scope="module")
def spread():
    return spread_with((0, 84, 182), (0.3, 0.2, 0.25), 365)


def test_the_table_is_what_it_was_reckoned_from(spread):
    risk = 1 / (1 + np.exp(-np.array(LOG_ODDS)))
    lower, upper = spread.range_of(risk, np.full(len(risk), 84 / DAYS_PER_MONTH))
    expected = shortest_ranges(risk, 0.2, 0.9)
    np.testing.assert_allclose(lower, expected[0], atol=1e-12)
    np.testing.assert_allclose(upper, expected[1], atol=1e-12)


@given(st.floats(0.003, 0.95), st.floats(0, 182))
def test_between_landmarks_and_risks_it_is_interpolated_closely(risk, day):
    spread = spread_with((0, 84, 182), (0.3, 0.2, 0.25), 365)
    share = np.interp(day, spread.landmarks, spread.shares)
    lower, upper = spread.range_of(np.array([risk]), np.array([day / DAYS_PER_MONTH]))
    expected = shortest_ranges(np.array([risk]), float(share), 0.9)
    np.testing.assert_allclose([lower, upper], expected, atol=0.03)


def test_a_patient_has_the_same_range_alone_or_in_a_batch(spread):
    months = np.array([0.0, 1.3, 2.76, 4.0, 6.0])
    together = np.array(spread.range_of(RISKS, months))
    alone = [spread.range_of(RISKS[k : k + 1], months[k : k + 1]) for k in range(len(RISKS))]
    assert (together == np.array(alone)[:, :, 0].T).all()


def test_one_landmark_has_one_range():
    spread = spread_with((84,), (0.2,), 365)
    early, late = (spread.range_of(RISKS, np.full(len(RISKS), m)) for m in (1.0, 9.0))
    np.testing.assert_array_equal(early, late)


def test_it_comes_back_from_a_file_as_it_went(spread):
    assert Spread.of(json.loads(json.dumps(asdict(spread)))) == spread


def test_a_certain_risk_has_a_range_of_numbers(spread):
    lower, upper = spread.range_of(np.array([0.0, 1.0]), np.array([3.0, 3.0]))
    assert np.isfinite([lower, upper]).all()
