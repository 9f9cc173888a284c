from dataclasses import replace

import numpy as np
import pytest
from lines import MODEL, TIMES, VALUES, several, sums
from lnrisk.features import posterior as posterior_module
from lnrisk.features.posterior import posterior, posteriors, with_limits
from scipy import integrate, stats

FIGURES = ("level", "slope", "level_sd", "slope_sd", "change", "change_sd")


def conditional(times, values, given):
    """Mean and covariance of the deviations by the textbook, with a dense matrix."""
    level, slope, bend = np.array(MODEL.mean[0]) + given * np.array(MODEL.mean[1])
    design = np.column_stack([np.ones(len(times)), times])
    d11, d12, d22 = MODEL.variance
    between = np.array([[d11, d12], [d12, d22]])
    whole = design @ between @ design.T + MODEL.error * np.eye(len(times))
    gain = between @ design.T @ np.linalg.inv(whole)
    residual = values - (level + slope * times + bend * np.maximum(times - MODEL.knot, 0))
    return gain @ residual, between - gain @ design @ between, (level, slope, bend)


@pytest.mark.parametrize("given", [0.0, 1.0])
def test_posterior_is_the_textbooks(given):
    deviation, covariance, (level, slope, bend) = conditional(TIMES, VALUES, given)
    month = 2.76
    found = posterior(MODEL, sums(TIMES, VALUES), np.array([[given]]), np.array([month]))
    at = np.array([1.0, month])
    change = (slope + deviation[1]) * month + bend * (month - MODEL.knot)
    assert found.level[0] == pytest.approx(level + deviation[0] + change)
    assert found.level_sd[0] == pytest.approx(np.sqrt(at @ covariance @ at))
    assert found.slope[0] == pytest.approx(slope + bend + deviation[1])
    assert found.slope_sd[0] == pytest.approx(np.sqrt(covariance[1, 1]))
    assert found.change[0] == pytest.approx(change)
    assert found.change_sd[0] == pytest.approx(month * np.sqrt(covariance[1, 1]))


def test_before_the_knot_nothing_bends():
    found = posterior(MODEL, sums(TIMES[:2], VALUES[:2]), np.zeros((1, 1)), np.array([1.5]))
    deviation, _, (_, slope, _) = conditional(TIMES[:2], VALUES[:2], 0.0)
    assert found.slope[0] == pytest.approx(slope + deviation[1])


def test_who_was_never_measured_is_missing():
    found = posterior(MODEL, np.zeros((1, 18)), np.zeros((1, 1)), np.array([2.0]))
    for name in ("level", "slope", "level_sd", "slope_sd", "change", "change_sd"):
        assert np.isnan(getattr(found, name))


def test_more_values_leave_less_uncertainty_and_less_shrinkage():
    few = posterior(MODEL, sums(TIMES[:1], VALUES[:1] + 2), np.zeros((1, 1)), np.array([0.0]))
    many = posterior(
        MODEL, sums(np.zeros(9), np.full(9, VALUES[0] + 2)), np.zeros((1, 1)), np.array([0.0])
    )
    assert many.level_sd < few.level_sd
    assert MODEL.mean[0][0] < few.level < many.level < VALUES[0] + 2


@pytest.mark.parametrize("side", [-1, 1])
def test_a_value_beyond_a_limit_counts_as_its_expectation(side):
    limit, at = (-0.6, 2.6)
    deviation, covariance, (level, slope, bend) = conditional(TIMES[:3], VALUES[:3], 0.0)
    centre = level + slope * at + bend * (at - MODEL.knot) + deviation @ [1.0, at]
    sd = np.sqrt(MODEL.error + np.array([1.0, at]) @ covariance @ np.array([1.0, at]))
    ends = (-np.inf, limit) if side < 0 else (limit, np.inf)
    density = stats.norm(centre, sd).pdf
    mass, first, second = (
        integrate.quad(lambda y, power=power: y**power * density(y), *ends)[0] for power in range(3)
    )
    filled, spread = with_limits(
        MODEL,
        sums(np.append(TIMES[:3], at), np.append(VALUES[:3], limit), [0, 0, 0, side]),
        np.zeros((1, 1)),
    )
    exact = sums(TIMES[:3], VALUES[:3])
    assert filled[0, 6] - exact[0, 6] == pytest.approx(first / mass, abs=1e-7)
    assert spread[0, 0 if side < 0 else 1] == pytest.approx(
        second / mass - (first / mass) ** 2, abs=1e-7
    )


def test_a_value_below_a_limit_lowers_the_level_more_than_the_limit_itself():
    month, nobody = np.array([2.76]), np.zeros((1, 1))
    low = np.log(0.08)
    below = posterior(MODEL, sums(np.array([2.6]), np.array([low]), [-1]), nobody, month)
    limit = posterior(MODEL, sums(np.array([2.6]), np.array([low])), nobody, month)
    assert below.level < limit.level
    assert below.level_sd > limit.level_sd


def test_many_patients_have_the_bits_of_few(monkeypatch):
    statistics, month = several(5, 60), np.linspace(0.5, 5, 60)
    given = np.resize([0.0, 1.0, np.nan], (60, 1))
    few = posterior(MODEL, statistics, given, month)
    monkeypatch.setattr(posterior_module, "COMPILE_FROM_ROWS", 1)
    many = posterior(MODEL, statistics, given, month)
    for name in FIGURES:
        assert getattr(few, name).tobytes() == getattr(many, name).tobytes()
    assert (statistics[:, 10] > 0).any()
    assert (statistics[:, [10, 14]].sum(axis=1) == 0).any()


def test_several_series_at_once_have_the_bits_of_each():
    models = [MODEL, replace(MODEL, name="egfr", knot=None, error=0.3, variance=(0.2, 0.01, 0.09))]
    statistics, month = [several(5), several(6)], np.linspace(0.5, 5, 40)
    given = [np.resize(values, (40, 1)) for values in ([0.0, 1.0, np.nan], [1.0, 0.0])]
    together = posteriors(models, statistics, given, month)
    for found, model, of_series, groups in zip(together, models, statistics, given, strict=True):
        alone = posterior(model, of_series, groups, month)
        for name in FIGURES:
            assert getattr(found, name).tobytes() == getattr(alone, name).tobytes()
