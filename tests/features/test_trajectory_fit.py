import warnings

import numpy as np
import pytest
from lnrisk.features.posterior import posterior
from lnrisk.features.summaries import trajectory_statistics
from lnrisk.features.trajectory_fit import fit_trajectory
from scipy import stats

GROUPS = ("cyc", "cni")
KNOT = 2.0


def world(patients=400, seed=0, slope_variance=0.06, below=None):
    rng = np.random.default_rng(seed)
    given = (rng.random((patients, 2)) < [0.5, 0.3]).astype(float)
    covariance = [[0.5, -0.1 * (slope_variance > 0)], [-0.1 * (slope_variance > 0), slope_variance]]
    deviation = rng.multivariate_normal([0, 0], covariance, patients)
    patient = np.repeat(np.arange(patients), 1 + rng.poisson(4, patients))
    times = rng.uniform(0, 3, len(patient))
    level = 0.9 + 0.2 * given[patient, 0] + deviation[patient, 0]
    slope = -0.3 - 0.1 * given[patient, 1] + deviation[patient, 1]
    bend = 0.2 * np.maximum(times - KNOT, 0)
    values = level + slope * times + bend + rng.normal(0, 0.35, len(patient))
    side = np.zeros(len(patient), dtype=int)
    if below is not None:
        side[values < below] = -1
        values = np.maximum(values, below)
    return patient, times, values, side, given, deviation


def statistics(patient, times, values, side, patients):
    series = np.zeros(len(patient), dtype=int)
    knot = np.array([KNOT])
    return trajectory_statistics(patient, series, times, values, side, knot, patients, 1)[:, 0]


def fitted(patients=400, weight=None, **how):
    patient, times, values, side, given, _ = world(patients, **how)
    sums = statistics(patient, times, values, side, patients)
    return fit_trajectory("log_upcr", sums, given, GROUPS, KNOT, weight), sums, given


def test_agrees_with_statsmodels_on_parameters_levels_and_slopes():
    from statsmodels.regression.mixed_linear_model import MixedLM

    patient, times, values, _, given, _ = world()
    model, sums, _ = fitted()
    curve = np.column_stack([np.ones(len(times)), times, np.maximum(times - KNOT, 0)])
    groups = np.column_stack([np.ones(len(given)), given])[patient]
    exog = (groups[:, :, None] * curve[:, None, :]).reshape(len(times), -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = MixedLM(values, exog, groups=patient, exog_re=curve[:, :2]).fit(reml=False)
    covariance = np.asarray(oracle.cov_re)
    np.testing.assert_allclose(np.ravel(model.mean), oracle.fe_params, atol=1e-4)
    np.testing.assert_allclose(model.variance, covariance[[0, 0, 1], [0, 1, 1]], atol=1e-4)
    assert model.error == pytest.approx(oracle.scale, abs=1e-4)
    deviations = np.array([oracle.random_effects[i].to_numpy() for i in range(len(given))])
    level, slope, bend = model.curve(given)
    month = np.full(len(given), 2.76)
    found = posterior(model, sums, given, month)
    np.testing.assert_allclose(found.slope, slope + bend + deviations[:, 1], atol=1e-4)
    expected = level + slope * month + bend * (month - KNOT) + deviations @ [1.0, 2.76]
    np.testing.assert_allclose(found.level, expected, atol=1e-4)


def test_weight_2_is_a_patient_twice():
    patient, times, values, side, given, _ = world(150)
    sums = statistics(patient, times, values, side, 150)
    weight = np.tile([1.0, 2.0, 0.0], 50)
    rows = np.repeat(np.arange(150), weight.astype(int))
    weighted = fit_trajectory("y", sums, given, GROUPS, KNOT, weight)
    repeated = fit_trajectory("y", sums[rows], given[rows], GROUPS, KNOT)
    np.testing.assert_allclose(weighted.mean, repeated.mean, atol=1e-6)
    np.testing.assert_allclose(weighted.variance, repeated.variance, atol=1e-6)
    assert weighted.error == pytest.approx(repeated.error, abs=1e-6)


def test_order_of_patients_changes_nothing_but_rounding():
    patient, times, values, side, given, _ = world(120)
    sums = statistics(patient, times, values, side, 120)
    order = np.random.default_rng(0).permutation(120)
    one = fit_trajectory("y", sums, given, GROUPS, KNOT)
    other = fit_trajectory("y", sums[order], given[order], GROUPS, KNOT)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-6)
    np.testing.assert_allclose(one.variance, other.variance, atol=1e-6)


def test_a_first_guess_from_a_part_ends_where_the_whole_search_does(monkeypatch):
    whole, sums, given = fitted(600)
    monkeypatch.setattr("lnrisk.features.trajectory_fit.FIRST_GUESS_PATIENTS", 150)
    guessed = fit_trajectory("log_upcr", sums, given, GROUPS, KNOT)
    np.testing.assert_allclose(guessed.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(guessed.variance, whole.variance, atol=1e-6)


def test_no_difference_in_slope_between_patients_is_found_as_none():
    model, _, _ = fitted(800, slope_variance=0.0)
    assert model.variance[2] == pytest.approx(0.0, abs=0.01)


def test_a_group_with_few_patients_shifts_nothing():
    patient, times, values, side, given, _ = world(200)
    given[:, 1] = 0.0
    given[:5, 1] = 1.0
    sums = statistics(patient, times, values, side, 200)
    assert fit_trajectory("y", sums, given, GROUPS, KNOT).mean[2] == (0.0, 0.0, 0.0)


def test_shrunken_slopes_are_nearer_to_the_truth_than_plain_ones():
    patient, times, values, _, given, deviation = world(600)
    model, sums, _ = fitted(600)
    several = np.bincount(patient) >= 3
    truth = (-0.3 - 0.1 * given[:, 1] + deviation[:, 1])[several]
    month = np.zeros(600)
    shrunken = posterior(model, sums, given, month).slope[several]
    plain = np.array(
        [stats.linregress(times[patient == i], values[patient == i]).slope
         for i in np.flatnonzero(several)]
    )  # fmt: skip
    assert np.mean((shrunken - truth) ** 2) < 0.5 * np.mean((plain - truth) ** 2)


def test_values_below_a_limit_bias_less_than_the_limit_itself():
    _, sums, given = fitted(1500, seed=4)
    true = fit_trajectory("y", sums, given, GROUPS, KNOT)
    patient, times, values, side, _, _ = world(1500, seed=4, below=-0.3)
    cut = statistics(patient, times, values, side, 1500)
    taken = statistics(patient, times, values, np.zeros_like(side), 1500)
    handled = fit_trajectory("y", cut, given, GROUPS, KNOT)
    naive = fit_trajectory("y", taken, given, GROUPS, KNOT)

    def miss(model):
        return np.abs(np.array(model.variance) - np.array(true.variance)).sum()

    assert (side < 0).mean() > 0.1
    assert miss(handled) < miss(naive)
    assert abs(handled.error - true.error) < 0.25 * abs(naive.error - true.error)
    assert abs(handled.mean[0][1] - true.mean[0][1]) < abs(naive.mean[0][1] - true.mean[0][1])


def test_few_patients_are_refused_with_the_name():
    with pytest.raises(ValueError, match="albumin: a trajectory needs values of at least 10"):
        fit_trajectory("albumin", np.zeros((30, 18)), np.zeros((30, 0)), ())


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_values_without_scatter_are_taken_as_they_are(slope):
    patient = np.repeat(np.arange(30), 3)
    times = np.tile([0.0, 1.0, 2.5], 30)
    zero = np.zeros(90, dtype=int)
    sums = statistics(patient, times, 1.0 + slope * times, zero, 30)
    model = fit_trajectory("y", sums, np.zeros((30, 0)), (), KNOT)
    found = posterior(model, sums, np.zeros((30, 0)), np.full(30, 2.0))
    np.testing.assert_allclose(found.level, 1.0 + slope * 2.0, atol=1e-3)


def test_gradient_and_information_are_those_of_the_deviance():
    from lnrisk.features.trajectory_fit import _Data, _patterns, _Profile

    patient, times, values, side, given, _ = world(3_000)
    sums = statistics(patient, times, values, side, 3_000)
    weight = np.resize([1.0, 2.0, 0.5], 3_000)
    profile = _Profile(sums, _Data(sums, given, weight, *_patterns(given)))
    at, steps = np.array([2.0, -0.4, 0.6]), 1e-5 * np.eye(3)
    _, gradient = profile(at)
    information = profile.information
    ahead, behind = ([profile(at + sign * step) for step in steps] for sign in (1, -1))
    slope = [(a[0] - b[0]) / 2e-5 for a, b in zip(ahead, behind, strict=True)]
    bend = [(a[1] - b[1]) / 2e-5 for a, b in zip(ahead, behind, strict=True)]
    np.testing.assert_allclose(gradient, slope, atol=1e-7)
    np.testing.assert_allclose(information, bend, atol=0.05)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 40.0])
def test_the_unit_of_values_is_only_a_unit(scale):
    patient, times, values, side, given, _ = world(300)
    one = fit_trajectory("y", statistics(patient, times, values, side, 300), given, GROUPS, KNOT)
    sums = statistics(patient, times, scale * (values + 2), side, 300)
    other = fit_trajectory("y", sums, given, GROUPS, KNOT)
    np.testing.assert_allclose(other.variance, np.array(one.variance) * scale**2, rtol=1e-4)
    assert other.error == pytest.approx(one.error * scale**2, rel=1e-5)
    assert other.mean[0][0] == pytest.approx(scale * (one.mean[0][0] + 2), rel=1e-5)


def test_a_search_that_starts_astray_ends_at_the_same_place(monkeypatch):
    from lnrisk.features import trajectory_fit

    whole, sums, given = fitted(300)
    monkeypatch.setattr(trajectory_fit, "STEPS", 0)
    searched = fit_trajectory("log_upcr", sums, given, GROUPS, KNOT)
    np.testing.assert_allclose(searched.mean, whole.mean, atol=1e-5)
    np.testing.assert_allclose(searched.variance, whole.variance, atol=1e-5)
