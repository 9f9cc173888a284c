import numpy as np
import pytest
from lnrisk.features import trajectories
from lnrisk.features.summaries import trajectory_statistics
from lnrisk.features.trajectories import (
    Trajectory,
    posterior,
    shrunken_dictionary,
    shrunken_features,
    with_limits,
)
from scipy import integrate, stats

MODEL = Trajectory(
    name="log_upcr",
    groups=("started_with_cni",),
    mean=((1.0, -0.4, 0.3), (0.2, -0.2, 0.1)),
    variance=(0.5, -0.06, 0.04),
    error=0.12,
    knot=2.0,
    patients=100,
    values=400,
)
TIMES, VALUES = np.array([0.0, 0.7, 1.5, 2.6]), np.array([1.4, 0.9, 1.0, 0.2])


def sums(times, values, side=None, patient=None, patients=1):
    rows = np.zeros(len(times), dtype=int) if patient is None else patient
    sides = np.zeros(len(times), dtype=int) if side is None else np.asarray(side)
    series = np.zeros(len(times), dtype=int)
    knot = np.array([MODEL.knot])
    return trajectory_statistics(rows, series, times, values, sides, knot, patients, 1)[:, 0]


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


def frame(values, given, month):
    import pandas as pd
    from lnrisk.features.summaries import STATISTICS

    columns = {
        f"{name}:{part}": values[name][:, i] for name in values for i, part in enumerate(STATISTICS)
    }
    return pd.DataFrame({**columns, "started_with_cni": given, "landmark_month": month})


def several(seed=0, patients=40):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    times = rng.uniform(0, 2.7, len(patient))
    values = rng.normal(1 - 0.3 * times, 0.6)
    return sums(times, values, rng.choice([0, 0, 0, -1, 1], len(patient)), patient, patients)


def test_a_patient_alone_has_the_same_bits_as_in_company():
    statistics = several()
    whole = frame({"log_upcr": statistics}, np.tile([0.0, 1.0], 20), 2.76)
    together = shrunken_features([MODEL], whole)
    for row in range(len(whole)):
        alone = shrunken_features([MODEL], whole.iloc[[row]])
        for feature, values in together.items():
            assert alone[feature][0] == values[row] or np.isnan(values[row])


def test_probabilities_of_a_fall_are_those_of_draws_from_the_posterior():
    whole = frame({"log_upcr": several(3)}, 0.0, 2.76)
    made = {f.name: v for f, v in shrunken_features([MODEL], whole).items()}
    known = posterior(MODEL, several(3), np.zeros((40, 1)), np.full(40, 2.76))
    draws = np.random.default_rng(1).normal(known.change, known.change_sd, (20_000, 40))
    for percent, ratio in (("25", 0.75), ("50", 0.5)):
        share = (np.exp(draws) > ratio).mean(axis=0)
        np.testing.assert_allclose(made[f"upcr_fall_below_{percent}"], share, atol=0.015)
    assert (made["upcr_fall_below_25"] <= made["upcr_fall_below_50"]).all()


def test_the_dictionary_names_what_is_made_in_order():
    from dataclasses import replace

    models = [MODEL, replace(MODEL, name="egfr")]
    whole = frame({"log_upcr": several(1), "egfr": several(2)}, 0.0, 2.76)
    assert tuple(shrunken_features(models, whole)) == shrunken_dictionary(["log_upcr", "egfr"])
    for feature in shrunken_dictionary(["log_upcr", "egfr"]):
        assert all((feature.meaning, feature.unit, feature.table, feature.look_back))
        assert feature.formula
        assert feature.citation


def test_many_patients_have_the_bits_of_few(monkeypatch):
    statistics, month = several(5, 60), np.linspace(0.5, 5, 60)
    given = np.resize([0.0, 1.0, np.nan], (60, 1))
    few = posterior(MODEL, statistics, given, month)
    monkeypatch.setattr(trajectories, "COMPILE_FROM_ROWS", 1)
    many = posterior(MODEL, statistics, given, month)
    for name in ("level", "slope", "level_sd", "slope_sd", "change", "change_sd"):
        assert getattr(few, name).tobytes() == getattr(many, name).tobytes()
    assert (statistics[:, 10] > 0).any()
    assert (statistics[:, [10, 14]].sum(axis=1) == 0).any()
