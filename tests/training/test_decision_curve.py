"""Net benefit against dcurves and by hand, weights and bootstrap included."""

import numpy as np
import pandas as pd
import pytest
from dcurves import dca
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.training.decision_curve import decision_curve, net_benefit
from scipy.special import expit

AT = [0.05, 0.1, 0.2, 0.37]


def simulated(n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(-1.5, 1.2, size=n)
    y = (rng.uniform(size=n) < expit(x)).astype(float)
    return y, np.round(expit(1.3 * x), 3), rng.integers(0, 4, size=n).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_dcurves(seed):
    y, risk, _ = simulated(seed=seed)
    rule = (risk > 0.3).astype(int)
    table = dca(
        pd.DataFrame({"y": y.astype(int), "model": risk + 1e-9, "rule": rule}),
        outcome="y",
        modelnames=["model", "rule"],
        thresholds=AT,
    )
    expected = table.pivot_table(index="threshold", columns="model", values="net_benefit")
    found = decision_curve(y, risk, rules={"rule": rule}, thresholds=AT, resamples=2)
    found = found.pivot_table(index="threshold", columns="strategy", values="net_benefit")
    for ours, theirs in [("model", "model"), ("rule", "rule"), ("treat_all", "all")]:
        np.testing.assert_allclose(found[ours], expected[theirs], atol=1e-12)
    np.testing.assert_array_equal(found["treat_none"], 0)


def test_by_hand():
    y = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    flagged = [1, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert net_benefit(y, flagged, [0.2])[0] == pytest.approx(0.1 - 0.2 * 0.25)


@given(st.integers(0, 30))
def test_weights_are_repeated_rows(seed):
    y, risk, weight = simulated(60, seed)
    rows = np.repeat(np.arange(60), weight.astype(int))
    flagged = risk[:, None] >= np.array(AT)
    np.testing.assert_allclose(
        net_benefit(y, flagged, AT, weight), net_benefit(y[rows], flagged[rows], AT), atol=1e-12
    )


@given(st.integers(0, 30))
def test_treat_all_crosses_none_at_the_prevalence_and_no_strategy_beats_knowing(seed):
    y, risk, weight = simulated(80, seed)
    prevalence = np.average(y, weights=weight)
    found = decision_curve(y, risk, weight, thresholds=[prevalence], resamples=2)
    best = found.set_index("strategy")["net_benefit"]
    assert best["treat_all"] == pytest.approx(0, abs=1e-12)
    assert (best <= prevalence + 1e-12).all()


def test_interval_is_that_of_theory_and_draws_whole_patients():
    y = np.repeat([0.0, 1.0], [800, 200])
    found = decision_curve(y, np.full(1000, 0.2), thresholds=[0.1], resamples=1000)
    all_ = found.set_index("strategy").loc["treat_all"]
    theory = 2 * 1.96 * np.sqrt(0.16 / 1000) / 0.9
    assert all_["upper"] - all_["lower"] == pytest.approx(theory, rel=0.1)
    twice = np.repeat(np.arange(1000), 2)
    again = decision_curve(
        y[twice], np.full(2000, 0.2), None, twice, thresholds=[0.1], resamples=1000
    )
    pd.testing.assert_frame_equal(again, found)


def test_rows_without_weight_are_nobody():
    y, risk, weight = simulated()
    rule = risk > 0.3
    expected = decision_curve(y, risk, weight, rules={"rule": rule}, thresholds=AT, resamples=3)
    more = decision_curve(
        [*y, np.nan],
        [*risk, 0.9],
        [*weight, 0],
        rules={"rule": [*rule, True]},
        thresholds=AT,
        resamples=3,
    )
    pd.testing.assert_frame_equal(more, expected)


@pytest.mark.parametrize(
    ("flagged", "at", "message"),
    [
        ([1, np.nan], [0.1], "where it is unknown"),
        ([1, 0], [0.0, 0.5], "between 0 and 1, found 0 to 0.5"),
    ],
)
def test_refuses_what_is_no_strategy(flagged, at, message):
    with pytest.raises(ValueError, match=message):
        net_benefit([0, 1], flagged, at)
