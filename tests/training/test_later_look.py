"""How far patients alike lie apart: what is reckoned, and whether the truth lies within."""

import numpy as np
import pytest
from lnrisk.features.laboratory import DAYS_PER_MONTH
from lnrisk.features.registry import check_registry
from lnrisk.model.definition import load_definition
from lnrisk.training.at_risk import rows_at_risk
from lnrisk.training.config import TrainingConfig
from lnrisk.training.later_look import between_patients, later_day, look_again, spread_results
from lnrisk.training.simulate import simulate, write
from lnrisk.training.train import fit_model
from training.registries import CONFIG, quietly, simulated

ARORA = load_definition()


def test_the_later_look_is_two_thirds_of_the_way_and_after_the_last_landmark():
    assert later_day(TrainingConfig()) == 365
    late = TrainingConfig(landmark_days=(84, 500))
    assert 500 < later_day(late) < late.horizon_days


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_share_between_patients_is_found_again(share):
    random, n = np.random.default_rng(3), 40_000
    early = random.uniform(0.02, 0.4, n)
    precision = 1 / share - 1
    late = random.beta(early * precision, (1 - early) * precision)
    assert between_patients(early, late, np.ones(n)) == pytest.approx(share, rel=0.05)


def test_a_patient_of_weight_2_counts_twice():
    early, late = np.array([0.2, 0.5, 0.1]), np.array([0.1, 0.9, 0.1])
    twice = between_patients(early[[0, 0, 1, 2]], late[[0, 0, 1, 2]], np.ones(4))
    assert between_patients(early, late, np.array([2.0, 1.0, 1.0])) == pytest.approx(twice)


def test_too_few_patients_are_no_basis_for_a_range():
    registry = simulated()
    known, why = look_again(registry, ARORA, CONFIG)
    assert known is not None
    assert why == ""
    assert known.landmarks == CONFIG.landmark_days
    assert all(0 < share < 1 for share in known.shares)
    rows = spread_results(known)
    assert all(row["lower"] < row["upper"] for row in rows)
    assert spread_results(None) == []


@pytest.mark.slow
def test_nine_in_ten_true_risks_lie_within_the_range(tmp_path):
    world = simulate(1200, 77, landmark_days=84, replays=80)
    write(world, tmp_path / "fresh", "parquet")
    fresh = check_registry(tmp_path / "fresh").registry
    config = CONFIG.changed(landmark_days=(0, 84, 182), refits=20)
    model = fit_model(simulated(2000, 5), ARORA, config, quietly)
    rows = rows_at_risk(fresh, ARORA, config)
    at = (rows.landmark_days == 84) & rows.each
    true_risk = world.truth["true_risk"].to_numpy()[rows.position[at]]
    design = model.design(rows.features[at])
    months = np.full(int(at.sum()), 84 / DAYS_PER_MONTH)
    lower, upper = model.range_of(model.risk_of(design), months, model.interval_of(design))
    known = np.isfinite(true_risk)
    inside = (true_risk >= lower) & (true_risk <= upper)
    assert inside[known].mean() >= 0.85
    assert (upper - lower)[known].mean() < 0.4
