"""Beta, isotonic and Venn-Abers calibration against independent libraries, and as plain data."""

import json

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.model.beta_calibration import BetaCalibration
from lnrisk.model.calibration import LogisticCalibration
from lnrisk.model.calibration_map import BetaMap, CeilingMap, calibration_map
from lnrisk.model.calibrations import (
    CALIBRATIONS,
    calibrations_for,
    likeliest_calibration,
    new_calibration,
)
from lnrisk.model.ceiling_calibration import CeilingCalibration
from lnrisk.model.table_calibration import IsotonicCalibration, VennAbersCalibration
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.isotonic import IsotonicRegression
from venn_abers import VennAbers

EACH = pytest.mark.parametrize("name", CALIBRATIONS)


def simulated(n=600, seed=0, slope=0.6, decimals=2):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(-1, 1.5, size=n), decimals)
    y = (rng.uniform(size=n) < expit(-1 + slope * x + 0.15 * x**2)).astype(float)
    return x, y, rng.uniform(0.2, 4, size=n)


@pytest.mark.parametrize("seed", range(4))
def test_beta_agrees_with_statsmodels(seed):
    x, _, weight = simulated(2000, seed=seed)
    y = (np.random.default_rng(seed).uniform(size=2000) < BetaMap(0, 0.6, 1.1).risk(x)) * 1.0
    columns = sm.add_constant(np.column_stack([np.log(expit(x)), -np.log1p(-expit(x))]))
    glm = sm.GLM(y, columns, family=sm.families.Binomial(), freq_weights=weight).fit(tol=1e-14)
    found = BetaCalibration().fit(x, y, weight)
    assert glm.params[1:].min() > 0, "choose a seed where neither has to be held at 0"
    np.testing.assert_allclose([found.intercept_, found.low_, found.high_], glm.params, atol=1e-5)


def test_beta_held_at_0_is_the_best_map_that_does_not_fall():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, size=2000)
    y = (rng.uniform(size=2000) < expit(1 - np.abs(x - 2))).astype(float)
    free = sm.GLM(
        y,
        sm.add_constant(np.column_stack([np.log(expit(x)), -np.log1p(-expit(x))])),
        family=sm.families.Binomial(),
    ).fit()
    assert free.params[2] < 0
    found = BetaCalibration().fit(x, y)
    held = sm.GLM(y, sm.add_constant(np.log(expit(x))), family=sm.families.Binomial()).fit(
        tol=1e-14
    )
    assert found.high_ == 0
    np.testing.assert_allclose([found.intercept_, found.low_], held.params, atol=1e-5)


def test_beta_with_equal_numbers_is_logistic():
    x = np.linspace(-30, 30, 61)
    logistic = calibration_map({"kind": "logistic", "intercept": -1.0, "slope": 0.7})
    np.testing.assert_allclose(BetaMap(-1.0, 0.7, 0.7).risk(x), logistic.risk(x), rtol=1e-12)


def levelling_off(seed, ceiling=0.4, n=3000):
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.5, size=n)
    y = (rng.uniform(size=n) < CeilingMap(0.3, 1.2, ceiling).risk(x)).astype(float)
    return x, y, rng.uniform(0.2, 4, size=n)


@pytest.mark.parametrize("seed", range(4))
def test_the_ceiling_is_where_an_independent_search_finds_it(seed):
    x, y, weight = levelling_off(seed)

    def loss(at):
        risk = expit(at[2]) * expit(at[0] + at[1] * x)
        return -(weight @ (y * np.log(risk) + (1 - y) * np.log1p(-risk))) / weight.sum()

    other = minimize(loss, [0, 1, 0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13})
    found = CeilingCalibration().fit(x, y, weight)
    three = [found.intercept_, found.slope_, logit(found.ceiling_)]
    np.testing.assert_allclose(three, other.x, atol=1e-4)
    assert 0.3 < found.ceiling_ < 0.55


def test_without_a_ceiling_it_is_the_line():
    x, y, weight = simulated(2000)
    found, line = CeilingCalibration().fit(x, y, weight), LogisticCalibration().fit(x, y, weight)
    assert found.ceiling_ == 1
    np.testing.assert_allclose(found.predict(x), line.predict(x), rtol=1e-12)


@given(st.floats(-3, 3), st.floats(0.1, 4), st.floats(0.05, 1))
def test_a_higher_linear_predictor_is_a_higher_risk_below_the_ceiling(intercept, slope, ceiling):
    risk = CeilingMap(intercept, slope, ceiling).risk(np.linspace(-8, 8, 200))
    assert (np.diff(risk) >= -1e-15).all()
    assert 0 <= risk.min() <= risk.max() <= ceiling * (1 + 1e-12)
    assert np.isnan(CeilingMap(intercept, slope, ceiling).risk([np.nan])).all()


@given(st.floats(0.05, 1))
def test_far_out_the_ceiling_is_exact(ceiling):
    risk = CeilingMap(0.0, 1.0, ceiling).risk([-800.0, 800.0])
    np.testing.assert_allclose(risk, [0.0, ceiling], rtol=1e-12, atol=1e-300)


def test_of_two_curves_the_likelier_is_taken():
    both = ("beta", "ceiling")
    assert isinstance(likeliest_calibration(both, *levelling_off(0)), CeilingCalibration)
    x, y, weight = simulated(2000)
    assert isinstance(likeliest_calibration(both, x, y, weight), BetaCalibration)


@pytest.mark.parametrize("seed", range(4))
def test_isotonic_agrees_with_scikit_learn_within_its_bounds(seed):
    x, y, weight = simulated(seed=seed)
    other = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weight)
    found = IsotonicCalibration().fit(x, y, weight)
    lowest = 1 / (weight.sum() ** 2 / (weight @ weight) + 2)
    np.testing.assert_allclose(
        found.predict(x), np.clip(other.predict(x), lowest, 1 - lowest), atol=1e-12
    )
    between = np.linspace(*np.quantile(x, [0.2, 0.8]), 997)
    np.testing.assert_allclose(found.predict(between), other.predict(between), atol=1e-12)


def test_isotonic_never_says_0_or_1():
    found = IsotonicCalibration().fit([-1.0, -0.5, 0.5, 1.0], [0, 0, 1, 1])
    np.testing.assert_allclose(found.predict([-9, 9]), [1 / 6, 5 / 6])


@pytest.mark.parametrize("seed", range(4))
def test_venn_abers_agrees_with_the_package_without_weights(seed):
    x, y, _ = simulated(300, seed=seed, decimals=1)
    new = np.concatenate([x, np.round(np.linspace(-8, 8, 321), 2)])
    other = VennAbers()
    other.fit(np.column_stack([1 - expit(x), expit(x)]), y.astype(int))
    single, pair = other.predict_proba(np.column_stack([1 - expit(new), expit(new)]))
    found = VennAbersCalibration().fit(x, y)
    p0, p1 = found.pair(new)
    np.testing.assert_allclose(p0, pair[:, 0], atol=1e-12)
    np.testing.assert_allclose(p1, pair[:, 1], atol=1e-12)
    np.testing.assert_allclose(found.predict(new), single[:, 1], atol=1e-12)


def test_venn_abers_with_weights_is_isotonic_regression_with_one_patient_more():
    x, y, weight = simulated(80, seed=3, decimals=1)
    found = VennAbersCalibration().fit(x, y, weight)
    one = (weight @ weight) / weight.sum()
    for new in (x[0], x[1] + 0.04, -9.0, 9.0):
        for outcome, value in enumerate(found.pair([new])):
            more = IsotonicRegression().fit(
                np.append(x, new), np.append(y, outcome), sample_weight=np.append(weight, one)
            )
            assert value[0] == pytest.approx(more.predict([new])[0], abs=1e-12)


@given(st.integers(0, 50))
def test_venn_abers_pair_holds_the_isotonic_risk_and_is_wider_with_fewer(seed):
    x, y, weight = simulated(120, seed=seed, decimals=1)
    found = VennAbersCalibration().fit(x, y, weight)
    p0, p1 = found.pair(x)
    plain = IsotonicRegression().fit(x, y, sample_weight=weight).predict(x)
    assert (p0 <= plain + 1e-12).all()
    assert (plain <= p1 + 1e-12).all()
    assert ((p0 < found.predict(x)) & (found.predict(x) < p1)).all()
    thrice = VennAbersCalibration().fit(np.tile(x, 3), np.tile(y, 3), np.tile(weight, 3))
    again = thrice.pair(x)
    assert np.mean(again[1] - again[0]) < np.mean(p1 - p0)


@EACH
@given(seed=st.integers(0, 20))
def test_a_map_is_the_same_to_the_bit_alone_in_a_batch_and_read_back(name, seed):
    x, y, weight = simulated(150, seed=seed)
    found = new_calibration(name).fit(x, y, weight)
    new = np.concatenate([x, np.linspace(-20, 20, 33)])
    read = calibration_map(json.loads(json.dumps(found.map_.to_dict())))
    assert read == found.map_
    np.testing.assert_array_equal(read.risk(new), found.predict(new))
    alone = np.concatenate([read.risk(new[[row]]) for row in range(len(new))])
    np.testing.assert_array_equal(alone, read.risk(new))
    ranked = read.risk(np.sort(new))
    assert (np.diff(ranked) >= -1e-15).all()
    assert ((ranked > 0) & (ranked <= 1)).all()


@EACH
def test_what_is_not_a_number_has_no_risk(name):
    x, y, weight = simulated(150)
    assert np.isnan(new_calibration(name).fit(x, y, weight).predict([np.nan])).all()


@EACH
def test_weights_can_be_scaled_and_rows_without_weight_left_out(name):
    x, y, weight = simulated(200)
    expected = new_calibration(name).fit(x, y, weight).predict(x)
    scaled = new_calibration(name).fit(x, y, 10 * weight).predict(x)
    np.testing.assert_allclose(scaled, expected, atol=1e-6)
    more = new_calibration(name).fit([*x, 3.0], [*y, 0], [*weight, 0])
    np.testing.assert_array_equal(more.predict(x), expected)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("logistic", 0.005),
        ("beta", 0.005),
        ("ceiling", 0.005),
        ("isotonic", 0.015),
        ("venn-abers", 0.015),
    ],
)
def test_recovers_the_risks_that_made_the_outcomes(name, error):
    """Some 6,700 outcomes: a table is still further off than a line where the line is true."""
    rng = np.random.default_rng(0)
    x = rng.normal(-1, 1.5, size=20_000)
    truth = expit(-0.5 + 0.6 * x)
    y = (rng.uniform(size=len(x)) < truth).astype(float)
    found = new_calibration(name).fit(x, y).predict(x)
    assert np.abs(found - truth).mean() < error


@EACH
def test_refuses_what_it_cannot_fit(name):
    with pytest.raises(ValueError, match=r"both classes 0 and 1 with weight, found \[0\.\]"):
        new_calibration(name).fit([1.0, 2.0], [0, 1], [1, 0])
    assert new_calibration(name).get_params() == {}
    assert not hasattr(clone(new_calibration(name).fit([0.0, 1, 0, 1], [0, 1, 1, 1])), "map_") or (
        name in ("logistic", "beta", "ceiling")
    )


def test_the_map_of_the_line_is_the_line():
    x, y, weight = simulated()
    line = LogisticCalibration().fit(x, y, weight)
    assert (line.map_.intercept, line.map_.slope) == (line.intercept_, line.slope_)


@pytest.mark.parametrize(
    ("events", "names"),
    [
        (0, ("logistic",)),
        (49.9, ("logistic",)),
        (50, ("beta", "ceiling")),
        (9999, ("beta", "ceiling")),
        (10_000, ("venn-abers",)),
    ],
)
def test_the_number_of_events_says_what_there_is_to_choose_from(events, names):
    assert calibrations_for(events) == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"slope": 1}, "kind of calibration None; accepted are logistic, beta"),
        ({"kind": "logistic", "slope": 1.0}, "has intercept, slope; found slope"),
        ({"kind": "logistic", "slope": 1.0, "intercept": float("nan")}, "intercept .* finite"),
        ({"kind": "logistic", "slope": [1.0], "intercept": 0.0}, "slope .* a finite number"),
        (CeilingMap(0.0, 1.0, 0.5).to_dict() | {"ceiling": 0.0}, "ceiling .* above 0"),
        (CeilingMap(0.0, 1.0, 0.5).to_dict() | {"ceiling": 1.1}, "at most at 1"),
        ({"kind": "isotonic", "at": [1.0, 1.0], "risks": [0.1, 0.2]}, "ascending"),
        ({"kind": "isotonic", "at": [1.0, 2.0], "risks": [0.1]}, "has 1, not 2"),
        ({"kind": "isotonic", "at": [1.0, 2.0], "risks": [0.3, 0.2]}, "must rise"),
        ({"kind": "venn-abers", "at": [], "without": [], "with_outcome": []}, "ascending"),
        (
            {"kind": "venn-abers", "at": [0.0], "without": [0, 1.2], "with_outcome": [0, 1]},
            "without .* from 0 to 1",
        ),
    ],
)
def test_refuses_what_is_not_a_map(content, message):
    with pytest.raises(ValueError, match=message):
        calibration_map(content)


def test_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="'platt'; accepted are logistic, beta, ceiling, isotonic"):
        new_calibration("platt")


def test_of_curves_that_compete_only_the_one_taken_is_heard():
    """Both would say that nothing is ranked."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = (rng.uniform(size=400) < expit(-1 - 2 * x)).astype(float)
    with pytest.warns(UserWarning, match="no better than chance") as heard:
        likeliest_calibration(("beta", "ceiling"), x, y, np.ones(400))
    assert len(heard) == 1
