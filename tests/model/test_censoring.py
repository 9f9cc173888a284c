"""Cox model of leaving: lifelines' numbers, and Kaplan-Meier's where nothing matters."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lnrisk.model.censoring import fit_cox_censoring
from lnrisk.model.weights import fit_censoring, outcome_weights


def sample(n=500, seed=0):
    random = np.random.default_rng(seed)
    columns = random.normal(size=(n, 2))
    leaves = random.exponential(200 * np.exp(-0.7 * columns[:, 0])) + 1
    event = random.exponential(400, n)
    days = np.ceil(np.minimum(np.minimum(leaves, event), 300))
    return days, (leaves < event) & (leaves < 300), columns


@pytest.mark.filterwarnings("ignore")
def test_coefficients_and_hazard_are_those_of_lifelines():
    days, censored, columns = sample()
    days = days + np.random.default_rng(1).uniform(0, 0.5, len(days))  # no ties: one answer
    table = pd.DataFrame(columns, columns=["a", "b"]).assign(days=days, left=censored)
    oracle = CoxPHFitter(baseline_estimation_method="breslow").fit(table, "days", "left")
    found = fit_cox_censoring(days, censored, columns, penalty=1e-9)
    np.testing.assert_allclose(found.coefficients, oracle.params_.to_numpy(), rtol=1e-4)
    times = np.sort(days[censored])[[40, 150]]
    survival = oracle.predict_survival_function(table[["a", "b"]], times=times).to_numpy()
    for time, expected in zip(times, survival, strict=True):
        ours = found.just_before(np.full(len(days), np.nextafter(time, np.inf)), columns)
        np.testing.assert_allclose(ours, expected, rtol=1e-4)


def test_where_nothing_matters_it_is_close_to_kaplan_meier():
    days, censored, columns = sample()
    found = fit_cox_censoring(days, censored, np.zeros_like(columns))
    curve = fit_censoring(days, censored)
    np.testing.assert_allclose(
        found.just_before(days, np.zeros_like(columns)), curve.just_before(days), atol=0.01
    )


def test_weights_make_up_for_those_who_leave_because_of_a_covariate():
    random = np.random.default_rng(3)
    n = 4000
    x = random.normal(size=n)
    y = random.uniform(size=n) < 1 / (1 + np.exp(1.5 - x))
    leaves = random.exponential(600 * np.exp(-1.0 * x))
    censored = leaves < 300
    days = np.where(censored, np.ceil(leaves), 300.0)
    status = np.where(censored, "censored", np.where(y, "event", "event_free"))
    covariates = pd.DataFrame({"x": x})
    plain = outcome_weights(status, days, covariates).weight
    by_covariate = outcome_weights(status, days, covariates, leaving=covariates).weight
    truth = y.mean()
    assert abs(np.average(y, weights=by_covariate) - truth) < 0.015
    assert np.average(y, weights=plain) < truth - 0.03
