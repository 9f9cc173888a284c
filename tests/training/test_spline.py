"""Splines and batched logistic regressions against scikit-learn, and calibration intervals."""

import numpy as np
import pytest
from lnrisk.training.curves import (
    calibration_band,
    calibration_curve,
    calibration_error,
    calibration_error_intervals,
)
from lnrisk.training.metrics import drawn_counts
from lnrisk.training.spline import Spline, logistic_shares
from scipy.special import expit
from sklearn.linear_model import LogisticRegression


def simulated(n=500, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.2, size=n)
    y = (rng.uniform(size=n) < expit(x + 0.3 * np.sin(2 * x))).astype(float)
    return x, y, rng.uniform(0.2, 3, size=n)


def test_a_spline_is_straight_outside_and_bends_smoothly():
    spline = Spline(np.array([-1.0, 0.0, 0.7, 2.0]))
    x = np.linspace(-4, 5, 9001)
    second = np.gradient(np.gradient(spline.columns(x), x, axis=0), x, axis=0)
    outside = ((x < -1.01) | (x > 2.01))[2:-2]
    assert np.abs(second[2:-2][outside]).max() < 1e-6
    assert np.abs(np.diff(second[2:-2], axis=0)).max() < 0.02
    assert Spline(np.array([0.0, 1.0])).columns(x).shape == (9001, 1)


def test_each_weighting_agrees_with_scikit_learn():
    x, y, weight = simulated()
    columns = Spline(np.quantile(x, [0.05, 0.35, 0.65, 0.95])).columns(x)
    weights = np.stack([weight, np.ones_like(weight), np.arange(len(x)) % 3])
    found = logistic_shares(columns, y, weights, columns)
    for one, shares in zip(weights, found, strict=True):
        model = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-10)
        expected = model.fit(columns, y, sample_weight=one).predict_proba(columns)[:, 1]
        np.testing.assert_allclose(shares, expected, atol=5e-6)


def test_one_class_has_no_curve_and_leaves_the_others_alone():
    x, y, weight = simulated(100)
    weights = np.stack([weight, weight * y, weight])
    found = logistic_shares(x[:, None], y, weights, x[:, None])
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[0], found[2], atol=1e-12)


def test_separated_classes_arrive():
    x = np.linspace(-1, 1, 40)
    found = logistic_shares(x[:, None], (x > 0) * 1.0, np.ones(40), x[:, None])
    np.testing.assert_array_equal(found > 0.5, x > 0)


def test_errors_of_many_weightings_are_those_of_each_with_the_same_knots():
    x, y, weight = simulated()
    risk = expit(0.8 * x)
    counts = next(drawn_counts(np.arange(len(y)), 6, 0))
    together = calibration_error(y, risk, counts * weight)
    assert together["ici"].shape == (6,)
    alone = [calibration_error(y, risk, one * weight) for one in counts]
    for name, values in together.items():
        np.testing.assert_allclose(values, [one[name] for one in alone], atol=0.01)


def test_intervals_hold_the_estimate_of_a_miscalibrated_risk():
    x, y, weight = simulated(1500)
    risk = np.column_stack([expit(x + 1), expit(x + 1.2)])
    table = calibration_error_intervals(y, risk, weight, resamples=100)
    each = [calibration_error(y, column, weight) for column in risk.T]
    for name, row in table.iterrows():
        assert row["estimate"] == pytest.approx(np.mean([one[name] for one in each]))
        assert row["lower"] < row["estimate"] < row["upper"]
    rows = np.repeat(np.arange(len(y)), 2)
    twice = calibration_error_intervals(y[rows], risk[rows], weight[rows], rows, resamples=100)
    np.testing.assert_allclose(table, twice, atol=1e-6)


def test_band_holds_the_curve_and_the_truth():
    x, _, weight = simulated(3000)
    truth = expit(0.7 * x - 0.4)
    y = (np.random.default_rng(5).uniform(size=len(x)) < truth).astype(float)
    risk = expit(x)
    band = calibration_band(y, risk, weight, resamples=200, points=21)
    curve = calibration_curve(y, risk, weight, points=21)
    np.testing.assert_allclose(band[["predicted", "observed"]], curve, atol=1e-9)
    position = np.log(band["predicted"] / (1 - band["predicted"]))
    true_curve = expit(0.7 * position - 0.4)
    assert true_curve.between(band["lower"], band["upper"]).mean() > 0.8


def test_the_curve_never_starts_at_a_risk_of_0():
    rng = np.random.default_rng(0)
    risk = 10 ** rng.uniform(-6, -1, size=500)
    y = np.zeros(500)
    y[::9] = 1
    assert calibration_curve(y, risk)["predicted"].min() == 0.001
