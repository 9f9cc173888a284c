"""Time-dependent AUROC against scikit-survival, and with competing events by hand."""

import numpy as np
import pytest
from lnrisk.model.weights import fit_censoring
from lnrisk.training.metrics import auroc
from lnrisk.training.time_dependent import auroc_in_time, weights_by
from sksurv.metrics import cumulative_dynamic_auc
from sksurv.util import Surv


def simulated(n=500, seed=0, competing=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    event = rng.exponential(np.exp(-x), size=n) * 300
    end = rng.exponential(1 / competing, size=n) * 300 if competing else np.full(n, np.inf)
    lost = rng.uniform(50, 1500, size=n)
    days = np.minimum(np.minimum(event, end), lost)
    status = np.where(days == event, "event", np.where(days == end, "competing", "censored"))
    risk = 1 / (1 + np.exp(-(x + rng.normal(size=n))))
    return status, days, risk, np.minimum(event, end), event < end


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_survival_where_nothing_competes(seed):
    status, days, risk, *_ = simulated(seed=seed)
    at = [100.0, 250.0, 500.0]
    outcome = Surv.from_arrays(status == "event", days)
    expected, _ = cumulative_dynamic_auc(outcome, outcome, risk, at)
    found = auroc_in_time(status, days, risk, at, resamples=5)
    np.testing.assert_allclose(found["auroc"], expected, atol=1e-10)
    assert found["events"].tolist() == [int(((days <= t) & (status == "event")).sum()) for t in at]


def test_a_competing_event_makes_a_control_for_good():
    status = np.array(["event", "competing", "event_free", "event_free", "indeterminate"])
    days = np.array([100.0, 50.0, 548.0, 548.0, 548.0])
    y, weight = weights_by(200.0, status, days, fit_censoring(days, status == "censored"))
    np.testing.assert_array_equal(y, [1, 0, 0, 0, 0])
    np.testing.assert_array_equal(weight, [1, 1, 1, 1, 0])
    found = auroc_in_time(status, days, [0.5, 0.9, 0.1, 0.1, 0.0], [99, 200, 548], resamples=5)
    assert np.isnan(found["auroc"][0])
    assert found["auroc"][1] == found["auroc"][2] == pytest.approx(2 / 3)


def test_weights_make_up_for_the_censored():
    status, days, risk, true_days, met = simulated(60_000, seed=1, competing=0.5)
    day = 400.0
    y, weight = weights_by(day, status, days, fit_censoring(days, status == "censored"))
    truth = (met & (true_days <= day)).astype(float)
    assert weight.sum() == pytest.approx(len(days), rel=0.01)
    assert weight @ y == pytest.approx(truth.sum(), rel=0.02)
    found = auroc_in_time(status, days, risk, [day], resamples=2)["auroc"][0]
    assert found == pytest.approx(auroc(truth, risk), abs=0.01)
    known = weight > 0
    assert abs(auroc(y[known], risk[known]) - auroc(truth, risk)) > abs(found - auroc(truth, risk))


def test_followed_to_the_day_is_known_on_the_day():
    status, days = np.array(["event", "event_free", "censored"]), np.array([10.0, 20.0, 20.0])
    y, weight = weights_by(20.0, status, days, fit_censoring(days, status == "censored"))
    np.testing.assert_array_equal(y, [1, 0, 0])
    np.testing.assert_array_equal(weight, [1, 1, 1])
    np.testing.assert_array_equal(
        weights_by(21.0, status, days, fit_censoring(days, status == "censored"))[1], [1, 0, 0]
    )


def test_interval_draws_whole_patients():
    status, days, risk, *_ = simulated(200)
    once = auroc_in_time(status, days, risk, [300.0], resamples=40)
    rows = np.repeat(np.arange(200), 3)
    curve = fit_censoring(days, status == "censored")
    thrice = auroc_in_time(
        status[rows], days[rows], risk[rows], [300.0], censoring=curve, groups=rows, resamples=40
    )
    np.testing.assert_allclose(
        once[["auroc", "lower", "upper"]], thrice[["auroc", "lower", "upper"]], atol=1e-12
    )
    assert once["lower"][0] < once["auroc"][0] < once["upper"][0]
