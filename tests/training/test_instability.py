"""Instability by hand and in what must always hold."""

import numpy as np
import pytest
from lnrisk.training.instability import instability


def simulated(n=300, refits=40, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 8, size=n)
    return risk, np.clip(risk[:, None] + rng.normal(0, noise, size=(n, refits)), 0, 1)


def test_by_hand():
    found = instability([0.2, 0.4], [[0.1, 0.3], [0.4, 0.6]], [3, 1], thresholds=[0.15, 0.5])
    assert found.refits == 2
    assert found.mean_absolute_error == pytest.approx((3 * 0.1 + 0.1) / 4)
    assert found.changed_class["share"].tolist() == [0.375, 0.125]


def test_refits_that_are_the_model_are_stable():
    risk, _ = simulated()
    found = instability(risk, np.tile(risk[:, None], 5))
    assert found.mean_absolute_error == 0
    assert (found.changed_class["share"] == 0).all()
    np.testing.assert_array_equal(found.points["lower"], found.points["risk"])


def test_normal_noise_is_measured():
    rng = np.random.default_rng(0)
    risk = np.full(2000, 0.5)
    found = instability(risk, 0.5 + rng.normal(0, 0.02, size=(2000, 200)), thresholds=[0.5])
    assert found.mean_absolute_error == pytest.approx(0.02 * np.sqrt(2 / np.pi), rel=0.02)
    assert found.points["upper"].mean() == pytest.approx(0.5 + 1.645 * 0.02, abs=0.002)
    assert found.changed_class["share"][0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("patients", [5, 37, 300, 3000])
def test_a_point_stands_for_ten_patients_or_more(patients):
    risk, refitted = simulated(patients)
    points = instability(risk, refitted).points
    assert len(points) <= max(1, patients // 10)
    assert len(points) <= 40
    assert points["risk"].is_monotonic_increasing
    assert (points["lower"] <= points["upper"]).all()
    assert points["quantile"].between(0, 1).all()


def test_plain_data():
    found = instability(*simulated()).to_dict()
    assert set(found) == {"refits", "mean_absolute_error", "points", "changed_class"}
    assert set(found["points"][0]) == {"quantile", "risk", "lower", "upper"}


@pytest.mark.parametrize(
    ("risk", "refitted", "message"),
    [
        ([0.1, 0.2], [[0.1, 0.2]], r"found \(2,\) and \(1, 2\)"),
        ([0.1], [[np.nan]], "0 to 1"),
        ([1.2], [[0.1]], "0 to 1"),
    ],
)
def test_refuses_what_are_no_risks(risk, refitted, message):
    with pytest.raises(ValueError, match=message):
        instability(risk, refitted)
