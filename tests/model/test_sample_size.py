"""Sample size against published examples, a simulation, and what it must always hold."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.model import sample_size as module
from lnrisk.model.sample_size import (
    affordable_parameters,
    cox_snell_r2,
    criteria,
    sample_size,
)
from scipy.special import ndtri

SIMULATED = [
    (0.06, 0.78, (1139, 2136, 3499)),
    (0.10, 0.78, (709, 1319, 2223)),
    (0.10, 0.84, (448, 853, 1385)),
    (0.15, 0.78, (507, 957, 1611)),
    (0.20, 0.72, (702, 1287, 2148)),
    (0.30, 0.78, (323, 603, 1002)),
]
"""Event rate, AUROC, and patients for 8, 15 and 25 parameters, with R squared by simulation."""


def needed(parameters, auroc, event_rate):
    return max(one.needed_patients for one in criteria(parameters, auroc, event_rate))


@pytest.mark.parametrize(("rate", "auroc", "patients"), SIMULATED)
def test_within_the_chance_of_a_simulated_table(rate, auroc, patients):
    """Cells not in proportion to their parameters: they carry up to 2.5 % of chance."""
    found = [needed(parameters, auroc, rate) for parameters in (8, 15, 25)]
    np.testing.assert_allclose(found, patients, rtol=0.025)


def test_published_example_of_a_given_r_squared(monkeypatch):
    """R squared 0.288, 24 parameters, 17.4 % outcomes: 662 patients (BMJ 2020;368:m441)."""
    monkeypatch.setattr(module, "cox_snell_r2", lambda *_: 0.288)
    found = criteria(24, auroc=0.89, event_rate=0.174)
    assert [one.needed_patients for one in found] == [623, 662, 221]
    assert found[1].needed_events == 116


@pytest.mark.parametrize(("auroc", "rate"), [(0.7, 0.05), (0.78, 0.1), (0.84, 0.5), (0.95, 0.2)])
def test_r_squared_is_that_of_a_regression_on_the_assumed_patients(auroc, rate):
    """On patients spread evenly over the two normal distributions, so that no chance is in it."""
    y = np.repeat([0.0, 1.0], [round(20_000 * (1 - rate)), round(20_000 * rate)])
    rank = np.concatenate([np.arange(np.sum(y == outcome)) + 0.5 for outcome in (0, 1)])
    x = ndtri(rank / np.where(y == 1, y.sum(), (1 - y).sum())) + y * np.sqrt(2) * ndtri(auroc)
    fit = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
    simulated = 1 - np.exp(-2 * (fit.llf - fit.llnull) / len(y))
    assert cox_snell_r2(auroc, rate) == pytest.approx(simulated, rel=0.002)


def test_overall_risk_by_hand():
    assert criteria(1, 0.78, 0.5)[2].needed_patients == 385


@given(st.integers(1, 200), st.floats(0.55, 0.95), st.floats(0.01, 0.99), st.floats(1, 1e6))
def test_what_is_needed_is_what_can_be_afforded(parameters, auroc, rate, patients):
    enough = needed(parameters, auroc, rate)
    assert affordable_parameters(enough, auroc, rate) >= parameters
    afforded = affordable_parameters(patients, auroc, rate)
    assert afforded == 0 or needed(afforded, auroc, rate) <= np.ceil(patients)
    assert needed(afforded + 1, auroc, rate) >= patients


@given(st.floats(0.55, 0.9), st.floats(0.02, 0.5))
def test_better_discrimination_needs_fewer(auroc, rate):
    assert cox_snell_r2(auroc + 0.05, rate) > cox_snell_r2(auroc, rate) > 0
    assert needed(20, auroc + 0.05, rate) <= needed(20, auroc, rate)


def test_a_study_held_against_the_criteria():
    found = sample_size(2000, 100, parameters=20, auroc=0.8)
    plain = found.to_dict()
    assert plain["too_small"] is (plain["affordable_parameters"] < 20)
    assert plain["event_rate"] == 0.05
    assert len(plain["criteria"]) == 3
    assert found.needed_patients == max(c["needed_patients"] for c in plain["criteria"])
    assert sample_size(58, 14, parameters=8, auroc=0.78).too_small
    assert not sample_size(2000, 100, parameters=3, auroc=0.8).too_small


def test_says_where_the_formula_asks_for_too_few():
    assert "too few" in sample_size(500, 60, 5, auroc=0.86).remarks[0]
    assert sample_size(500, 60, 5, auroc=0.84).remarks == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cox_snell_r2(1.0, 0.1), "`auroc` must lie between 0.5 and 1, found 1.0"),
        (lambda: cox_snell_r2(0.8, 0.0), "`event_rate` must lie between 0 and 1, found 0.0"),
        (lambda: criteria(-1, 0.8, 0.1), "not be negative, found -1"),
        (lambda: sample_size(100, 0, 5, 0.8), "0 events among 100 patients"),
        (lambda: sample_size(100, 100, 5, 0.8), "100 events among 100 patients"),
    ],
)
def test_refuses_what_is_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()
