"""Comparators recalibrated: without the own fold, by known lines, on the same patients."""

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.folds import PatientFolds
from lnrisk.training.comparators.comparator import comparators
from lnrisk.training.comparators.recalibration import comparator_rows, recalibrated_risk
from lnrisk.training.metrics import auroc, calibration_intercept, calibration_slope
from scipy.special import expit

N = 3000


@pytest.fixture(scope="module")
def world():
    random = np.random.default_rng(3)
    change = random.normal(-0.5, 0.7, N)
    y = (random.uniform(size=N) < expit(-2 + 1.5 * change)).astype(float)
    features = pd.DataFrame(
        {
            "landmark_month": 2.76,
            "log_upcr_days_since": random.choice([2.0, 70.0], N, p=[0.8, 0.2]),
            "log_upcr_change": np.where(random.uniform(size=N) < 0.1, np.nan, change),
            "log_upcr_last": change + 1.0,
        }
    )
    return features, y, random.uniform(0.5, 2, N), np.arange(N).astype(str)


def test_a_wrong_line_is_put_right(world):
    features, y, weight, groups = world
    raw = features["log_upcr_change"].to_numpy()
    risk = recalibrated_risk(raw, y, weight, groups)
    known = ~np.isnan(raw)
    np.testing.assert_array_equal(np.isnan(risk), ~known)
    assert calibration_slope(y[known], risk[known], weight[known]) == pytest.approx(1, abs=0.05)
    line = np.polyfit(raw[known], np.log(risk[known] / (1 - risk[known])), 1)
    np.testing.assert_allclose(line, [1.5, -2], atol=0.25)


def test_the_intercept_alone_keeps_the_slope_at_one(world):
    features, y, weight, groups = world
    raw = features["log_upcr_last"].to_numpy()
    risk = recalibrated_risk(raw, y, weight, groups, "intercept")
    assert calibration_intercept(y, risk, weight) == pytest.approx(0, abs=0.02)
    shifts = np.log(risk / (1 - risk)) - raw
    assert len(np.unique(shifts.round(9))) == 5  # one intercept for each fold


def test_no_patient_shapes_the_own_risk(world):
    features, y, weight, groups = world
    raw = features["log_upcr_last"].to_numpy()
    before = recalibrated_risk(raw, y, weight, groups)
    _, test = next(iter(PatientFolds(5, 0).split(raw, y, groups)))
    lighter = np.where(np.isin(np.arange(N), test), weight * 3, weight)
    np.testing.assert_array_equal(recalibrated_risk(raw, y, lighter, groups)[test], before[test])


def test_rows_of_a_patient_stay_together(world):
    features, y, weight, groups = world
    raw = features["log_upcr_last"].to_numpy()
    single = recalibrated_risk(raw, y, weight, groups)
    double = recalibrated_risk(
        np.tile(raw, 2), np.tile(y, 2), np.tile(weight, 2), np.tile(groups, 2)
    )
    np.testing.assert_allclose(double, np.tile(single, 2))


def test_too_few_outcomes_give_no_risk():
    y = np.r_[np.ones(9), np.zeros(100)]
    raw = np.arange(109.0)
    assert np.isnan(recalibrated_risk(raw, y, np.ones(109), np.arange(109))).all()


def test_a_comparator_that_ranks_the_wrong_way_round_gives_everyone_the_share(world):
    features, y, weight, groups = world
    risk = recalibrated_risk(-features["log_upcr_last"].to_numpy(), y, weight, groups)
    assert len(np.unique(risk)) == 5
    assert risk.mean() == pytest.approx(np.average(y, weights=weight), abs=0.01)


@pytest.fixture(scope="module")
def rows(world):
    features, y, weight, groups = world
    perfect = expit(-2 + 1.5 * (features["log_upcr_last"].to_numpy() - 1))
    return pd.DataFrame(comparator_rows(features, y, weight, groups, perfect, resamples=50))


def test_every_comparator_has_its_rows(rows):
    assert set(rows["name"]) == {one.name for one in comparators()}
    assert rows.groupby("name")["measure"].nunique().max() >= 6


def test_computable_share_is_said_and_weighted(world, rows):
    features, _, weight, _ = world
    known = features["log_upcr_change"].notna() & (features["log_upcr_days_since"] < 42)
    share = rows.loc[rows["name"] == "fall_below_25_week_12", "computable_share"].iloc[0]
    assert share == pytest.approx(weight[known].sum() / weight.sum())
    mute = rows[rows["name"] == "mcdonald_improvement"].iloc[0]
    assert mute["computable_share"] == 0
    assert pd.isna(mute["recalibrated"])
    assert (rows["name"] == "mcdonald_improvement").sum() == 1
    assert "normal_hemoglobin" in mute["absent"]


def test_the_model_is_judged_on_the_same_patients(world, rows):
    features, y, weight, _ = world
    known = (
        features["log_upcr_change"].notna() & (features["log_upcr_days_since"] < 42)
    ).to_numpy()
    perfect = expit(-2 + 1.5 * (features["log_upcr_last"].to_numpy() - 1))
    one = rows[(rows["name"] == "fall_below_25_week_12") & (rows["measure"] == "auroc")].iloc[0]
    assert one["model"] == pytest.approx(auroc(y[known], perfect[known], weight[known]))
    assert one["lower"] < one["recalibrated"] < one["upper"] < one["model"]


def test_a_rule_has_raw_figures_and_a_value_only_its_auroc(rows):
    raw = rows.set_index(["name", "measure"])["raw"]
    assert (
        raw["fall_below_25_week_12", "brier"]
        > rows.set_index(["name", "measure"]).loc[
            ("fall_below_25_week_12", "brier"), "recalibrated"
        ]
    )
    assert np.isnan(raw["last_upcr", "brier"])
    assert raw["last_upcr", "auroc"] > 0.7
