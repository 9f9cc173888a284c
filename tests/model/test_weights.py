"""Censoring curve and weights, against independent libraries."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.model.weights import fit_censoring, outcome_weights
from sksurv.nonparametric import CensoringDistributionEstimator


def drawn(seed, n=300):
    random = np.random.default_rng(seed)
    days = np.ceil(random.exponential(300, n)) + 1
    return np.minimum(days, 548.0), (random.uniform(size=n) < 0.4) & (days < 548)


@pytest.mark.parametrize("seed", range(3))
def test_curve_agrees_with_scikit_survival(seed):
    days, censored = drawn(seed)
    observed = np.array(list(zip(~censored, days, strict=True)), dtype=[("e", "?"), ("t", "f8")])
    oracle = CensoringDistributionEstimator().fit(observed)
    at = np.unique(days)[:-1]
    ours = fit_censoring(days, censored).just_before(at + 0.5)
    np.testing.assert_allclose(ours, oracle.predict_proba(at + 0.5), atol=1e-12)


def test_without_censoring_everyone_weighs_1():
    status = np.array(["event", "event_free", "competing"])
    weights = outcome_weights(
        status, np.array([10.0, 20.0, 30.0]), pd.DataFrame({"age": [1.0, 2, 3]})
    )
    assert weights.weight.tolist() == [1.0, 1.0, 1.0]


def test_the_unresolved_weigh_nothing_and_the_others_stand_in_for_them():
    days, censored = drawn(5, 4000)
    status = np.where(censored, "censored", "event_free")
    weights = outcome_weights(status, days, pd.DataFrame({"age": np.zeros(len(days))}))
    assert (weights.weight[censored] == 0).all()
    assert weights.weight.sum() == pytest.approx(len(days), rel=0.02)


def test_the_determinable_stand_in_for_the_indeterminate_like_them():
    random = np.random.default_rng(1)
    known = random.integers(0, 2, 6000).astype(float)
    unclear = random.uniform(size=6000) < np.where(known == 1, 0.1, 0.5)
    status = np.where(unclear, "indeterminate", "event_free")
    weights = outcome_weights(status, np.full(6000, 548.0), pd.DataFrame({"refill_share": known}))
    for value in (0.0, 1.0):
        assert weights.weight[known == value].sum() == pytest.approx(
            (known == value).sum(), rel=0.03
        )


def test_extreme_weights_are_cut_and_counted():
    days = np.arange(1.0, 101)
    status = np.where(days < 100, "censored", "event")
    weights = outcome_weights(status, days, pd.DataFrame({"age": days}))
    assert weights.truncated == 1
    assert weights.weight.max() == 20


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=30))
def test_curve_falls_from_1_and_stays_a_probability(records):
    days = np.array([float(day) for day, _ in records])
    curve = fit_censoring(days, np.array([lost for _, lost in records]))
    values = curve.just_before(np.arange(0.0, 25))
    assert values[0] == 1
    assert (np.diff(values) <= 0).all()
    assert (values >= 0).all()
