"""Drift: chance exceeds its bound as rarely as is said, and a shift is seen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.errors import ModelError
from lnrisk.model.calibration_in_time import agreement, observed_expected
from lnrisk.model.drift import population_stability, share_interval, standardised_difference
from lnrisk.model.support import mixture, support_in, support_of
from scipy import stats

RANDOM = np.random.default_rng(1)


def test_chance_exceeds_its_bound_once_in_twenty_times():
    shares = np.full(10, 0.1)
    exceeded = []
    for _ in range(1000):
        trained, now = RANDOM.multinomial(2000, shares), RANDOM.multinomial(300, shares)
        index, chance = population_stability(trained / 2000, now, 2000)
        exceeded.append(index > chance)
    assert 0.03 < np.mean(exceeded) < 0.08


def test_the_index_of_a_worked_example():
    index, _ = population_stability(np.array([0.5, 0.3, 0.2]), np.array([30, 40, 30]), 100)
    by_hand = -0.2 * np.log(0.6) + 0.1 * np.log(4 / 3) + 0.1 * np.log(1.5)
    assert index == pytest.approx(by_hand)


def test_the_difference_of_a_mean_and_its_interval():
    values = RANDOM.normal(12, 2, 400)
    found = standardised_difference(np.append(values, np.nan), 10, 4)
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert found.value == pytest.approx((values.mean() - 10) / 4)
    assert (found.lower, found.upper) == pytest.approx(((low - 10) / 4, (high - 10) / 4))


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_share_lies_in_its_interval(some, others):
    if some + others:
        found = share_interval(some, some + others)
        assert 0 <= found.lower <= found.value <= found.upper <= 1 + 1e-12


@pytest.mark.parametrize("events", [0, 1, 4, 10, 60])
def test_with_equal_weights_the_interval_is_garwoods(events):
    y = np.repeat([1.0, 0.0], [events, 100 - events])
    found = observed_expected(y, np.full(100, 0.2), np.ones(100))
    lower = stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0
    assert found.lower == pytest.approx(lower / 20)
    assert found.upper == pytest.approx(stats.chi2.ppf(0.975, 2 * events + 2) / 2 / 20)


def test_the_intervals_cover():
    covered = []
    for _ in range(300):
        risk = RANDOM.beta(1, 6, 150)
        weight = RANDOM.choice([1.0, 1.5, 2.0], 150)
        y = (RANDOM.random(150) < risk).astype(float)
        found = agreement(y, risk, weight)
        ratio, intercept = found.observed_expected, found.intercept
        covered.append((ratio.lower <= 1 <= ratio.upper, intercept.lower <= 0 <= intercept.upper))
    ratios, intercepts = np.mean(covered, axis=0)
    assert ratios > 0.94
    assert 0.91 < intercepts < 0.98


def test_one_class_has_no_intercept():
    assert agreement(np.zeros(30), np.full(30, 0.1), np.ones(30)).intercept is None


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.5, 7.0, np.nan]), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_the_training_data_itself_has_not_moved(values, random):
    column = np.array(values)
    weight = np.array([random.choice([0.5, 1.0, 3.0]) for _ in values])
    day, risk = np.full(len(column), 84), np.linspace(0, 1, len(column))
    plain = support_of(pd.DataFrame({"x": column}), risk, weight, day)
    bins = support_in({"support": plain})[84].terms["x"]
    assert sum(bins.shares) == pytest.approx(1)
    assert bins.counts(column).sum() == (~np.isnan(column)).sum()
    assert bins.missing == pytest.approx(weight[np.isnan(column)].sum() / weight.sum())
    if (~np.isnan(column)).any() and (weight == 1).all():
        shares = bins.counts(column) / bins.counts(column).sum()
        np.testing.assert_allclose(shares, bins.shares)


@pytest.mark.parametrize(
    "support",
    [
        None,
        {},
        {"84": {"patients": 1, "terms": {}, "risk": {"edges": [1], "shares": [1], "missing": 0}}},
        {"84": {"patients": 1, "terms": {}, "risk": {"edges": [], "shares": [1], "missing": 2}}},
        {"x": {"patients": 1, "terms": {}, "risk": {"edges": [], "shares": [1], "missing": 0}}},
    ],
)
def test_a_support_that_is_none_is_refused(support):
    with pytest.raises(ModelError, match="support"):
        support_in({"support": support})


def test_a_mixture_is_what_the_rows_at_those_landmarks_are():
    """Asked twice at week 12 for each time at week 24: the same as two thirds and one third."""
    early, late = RANDOM.normal(0, 1, 400), RANDOM.normal(3, 1, 200)
    late[:50] = np.nan
    column = np.concatenate([early, late])
    landmark = np.repeat([84, 168], [400, 200])
    plain = support_of(pd.DataFrame({"x": column}), np.full(600, 0.2), np.ones(600), landmark)
    supports = support_in({"support": plain})
    days = np.repeat([80.0, 190.0], [40, 20])
    mixed = mixture(supports, days).terms["x"]
    np.testing.assert_allclose(mixed.shares, mixed.counts(column) / mixed.counts(column).sum())
    assert mixed.mean == pytest.approx(np.nanmean(column))
    assert mixed.missing == pytest.approx(50 / 600)
    assert mixture(supports, np.full(9, 84.0)).terms["x"] == supports[84].terms["x"]
    assert mixture(supports, np.full(9, 84.0)).patients == 400


def test_a_model_without_support():
    assert support_in({}) is None
