"""Random-effects pooling against a published example, statsmodels, and the likelihood itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.training.pooling import pool, pool_measure
from scipy.optimize import minimize_scalar
from scipy.stats import t as student
from statsmodels.stats.meta_analysis import combine_effects

BCG = np.array(
    [
        [4, 119, 11, 128],
        [6, 300, 29, 274],
        [3, 228, 11, 209],
        [62, 13536, 248, 12619],
        [33, 5036, 47, 5761],
        [180, 1361, 372, 1079],
        [8, 2537, 10, 619],
        [505, 87886, 499, 87892],
        [29, 7470, 45, 7232],
        [17, 1699, 65, 1600],
        [186, 50448, 141, 27197],
        [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ]
)
"""Tuberculosis and none in vaccinated, tuberculosis and none in controls: thirteen trials."""


def log_relative_risks():
    a, b, c, d = BCG.T
    return np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_published_example_of_the_bcg_trials():
    """Colditz 1994 as analysed by Viechtbauer, J Stat Softw 2010;36(3): REML, Knapp-Hartung."""
    y, variance = log_relative_risks()
    found = pool(y, np.sqrt(variance))
    assert found.tau_squared == pytest.approx(0.3132, abs=5e-5)
    assert found.estimate == pytest.approx(-0.7145, abs=5e-5)
    assert (found.lower, found.upper) == pytest.approx((-1.1082, -0.3208), abs=5e-4)
    assert found.centres == 13


@given(st.integers(0, 40), st.integers(3, 12), st.floats(0, 1))
def test_between_centre_variance_is_where_the_restricted_likelihood_is_greatest(seed, k, spread):
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.01, 0.3, size=k)
    y = rng.normal(0, np.sqrt(variance + spread**2))

    def deviance(tau_squared):
        weight = 1 / (variance + tau_squared)
        mean = weight @ y / weight.sum()
        return np.log(weight.sum()) - np.log(weight).sum() + weight @ (y - mean) ** 2

    found = pool(y, np.sqrt(variance))
    searched = minimize_scalar(deviance, bounds=(0, 20), method="bounded", options={"xatol": 1e-9})
    assert deviance(found.tau_squared) <= min(searched.fun, deviance(0.0)) + 1e-7


def test_hartung_knapp_interval_agrees_with_statsmodels_where_variances_are_equal():
    """With equal errors every estimator of the variance between centres is the same."""
    y, error = np.array([0.2, 0.4, 0.9, -0.3, 0.8]), np.full(5, 0.2)
    other = combine_effects(y, error**2, method_re="iterated", use_t=True)
    found = pool(y, error)
    assert found.tau_squared == pytest.approx(other.tau2, rel=1e-4)
    assert found.estimate == pytest.approx(other.mean_effect_re, rel=1e-6)
    expected = other.conf_int(use_t=True)[3]
    assert (found.lower, found.upper) == pytest.approx(expected, rel=1e-3)


def test_prediction_interval_by_hand():
    found = pool([0.2, 0.4, 0.9], [0.1, 0.1, 0.1])
    half = student.ppf(0.975, 1) * np.sqrt(found.tau_squared + np.var([0.2, 0.4, 0.9], ddof=1) / 3)
    assert found.prediction_upper - found.estimate == pytest.approx(half, rel=1e-6)


def test_agreeing_centres_are_no_more_certain_than_their_numbers():
    found = pool([0.5, 0.5, 0.5, 0.5], [0.2] * 4)
    assert found.tau_squared == 0
    assert found.upper - found.estimate == pytest.approx(student.ppf(0.975, 3) * 0.1)


def test_few_centres_have_no_interval_rather_than_a_wrong_one():
    one = pool([0.3], [0.1])
    assert one.estimate == 0.3
    assert np.isnan([one.lower, one.upper, one.prediction_lower, one.tau_squared]).all()
    two = pool([0.3, 0.5, np.nan], [0.1, 0.1, 0.1])
    assert two.centres == 2
    assert np.isfinite(two.lower)
    assert np.isnan(two.prediction_lower)


def test_scales():
    area = pool_measure("auroc", [0.9, 0.95, 0.99], [0.03, 0.03, 0.01])
    assert 0 < area.prediction_lower < area.lower < area.estimate < area.upper < 1
    ratio = pool_measure("observed_expected", [0.5, 2.0], [0.1, 0.1])
    assert ratio.estimate == pytest.approx(1)
    assert ratio.lower == pytest.approx(1 / ratio.upper)
    slope = pool_measure("calibration_slope", [0.8, 1.2], [0.1, 0.1])
    assert slope.estimate == pytest.approx(1)


def test_an_auroc_of_1_is_left_out():
    found = pool_measure("auroc", [0.7, 0.8, 1.0], [0.05, 0.05, 0.0])
    assert found.centres == 2


@pytest.mark.parametrize("centres", [([], []), ([np.nan], [0.1]), ([0.1], [-0.1])])
def test_refuses_no_centre(centres):
    with pytest.raises(ValueError, match="positive standard error"):
        pool(*centres)
