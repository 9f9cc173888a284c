import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.model.calibration import LogisticCalibration, logistic_line
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError


def simulated(n=600, intercept=-1.0, slope=0.6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.5, size=n)
    y = (rng.uniform(size=n) < expit(intercept + slope * x)).astype(float)
    return x, y, rng.uniform(0.2, 4, size=n)


def parameters(*arguments):
    calibration = LogisticCalibration().fit(*arguments)
    return np.array([calibration.intercept_, calibration.slope_])


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_statsmodels(seed):
    x, y, weight = simulated(seed=seed)
    glm = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial(), freq_weights=weight)
    np.testing.assert_allclose(parameters(x, y, weight), glm.fit(tol=1e-14).params, atol=1e-7)


def test_held_slope_agrees_with_statsmodels():
    x, y, weight = simulated()
    intercept, slope = logistic_line(x, y, weight, slope=1.0)
    binomial = sm.families.Binomial()
    glm = sm.GLM(y, np.ones_like(x), family=binomial, freq_weights=weight, offset=x)
    assert slope == 1
    assert intercept == pytest.approx(glm.fit(tol=1e-14).params[0], abs=1e-9)


def test_recovers_the_line_that_made_the_outcomes():
    np.testing.assert_allclose(parameters(*simulated(100_000)[:2]), [-1, 0.6], atol=0.04)


def test_recalibrated_predictor_has_slope_1_and_intercept_0():
    x, y, weight = simulated()
    intercept, slope = parameters(x, y, weight)
    np.testing.assert_allclose(parameters(intercept + slope * x, y, weight), [0, 1], atol=1e-7)


@given(st.lists(st.integers(0, 3), min_size=40, max_size=40), st.integers(0, 99))
def test_weights_are_repeated_rows(weight, seed):
    x, y, _ = simulated(40, seed=seed)
    x[:4], y[:4], weight = [-1, 0, 0, 1], [0, 1, 0, 1], np.array([1, 1, 1, 1, *weight[4:]])
    rows = np.random.default_rng(seed).permutation(np.repeat(np.arange(40), weight))
    weighted = logistic_line(x, y, weight.astype(float))
    repeated = logistic_line(x[rows], y[rows], np.ones(len(rows)))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-8, atol=1e-8)


def test_many_weightings_at_once_are_each_alone():
    x, y, _ = simulated()
    weights = np.random.default_rng(1).integers(0, 3, size=(7, len(x))).astype(float)
    weights[3] *= y
    together = np.array(logistic_line(x, y, weights))
    alone = np.array([logistic_line(x, y, weight) for weight in weights]).T
    assert np.isnan(together[:, 3]).all()
    np.testing.assert_allclose(together, alone, rtol=1e-10)


def test_perfect_separation_gives_a_steep_finite_line():
    x = np.linspace(-1, 1, 20)
    calibration = LogisticCalibration().fit(x, x > 0)
    assert 50 < calibration.slope_ < 1000
    np.testing.assert_array_equal(calibration.predict(x) > 0.5, x > 0)


def test_constant_predictor_gives_the_weighted_share():
    calibration = LogisticCalibration().fit([-2.0] * 4, [0, 0, 1, 1], [1, 1, 1, 5])
    assert calibration.predict([-2.0]) == pytest.approx(0.75)
    assert calibration.slope_ == pytest.approx(1, abs=1e-3)


def test_wrong_direction_gives_the_share_with_a_warning():
    x, y, weight = simulated()
    with pytest.warns(UserWarning, match="no better than chance"):
        calibration = LogisticCalibration().fit(-x, y, weight)
    assert calibration.slope_ == 0
    np.testing.assert_allclose(calibration.predict(x), np.average(y, weights=weight))


def test_rows_without_weight_have_no_influence():
    x, y, weight = simulated()
    expected = parameters(x, y, weight)
    found = parameters(np.append(x, 40), np.append(y, 0), np.append(weight, 0))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
def test_converges_on_other_scales(scale):
    x, y, _ = simulated()
    np.testing.assert_allclose(parameters(x * scale, y) * [1, scale], parameters(x, y), rtol=0.02)


def test_refuses_what_it_cannot_fit():
    with pytest.raises(ValueError, match=r"both classes 0 and 1 with weight, found \[0\.\]"):
        LogisticCalibration().fit([1.0, 2.0], [0, 1], [1, 0])
    with pytest.raises(ValueError, match=r"found \[1\. 2\.\]"):
        LogisticCalibration().fit([1.0, 2.0], [1, 2])
    with pytest.raises(ValueError, match="NaN"):
        LogisticCalibration().fit([1.0, np.nan], [0, 1])
    with pytest.raises(ValueError, match="Negative"):
        LogisticCalibration().fit([1.0, 2.0], [0, 1], [1, -1])
    with pytest.raises(ValueError, match="did not converge"):
        LogisticCalibration().fit([1e200, 2e200, 3e200], [0, 1, 0])
    with pytest.raises(NotFittedError):
        LogisticCalibration().predict([0.0])


def test_is_cloned_as_an_estimator():
    assert LogisticCalibration().get_params() == {}
    assert not hasattr(clone(LogisticCalibration().fit([0.0, 1, 0, 1], [0, 1, 1, 1])), "slope_")
