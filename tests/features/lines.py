"""A fitted trajectory, and patients' values along lines."""

import numpy as np
from lnrisk.features.summaries import trajectory_statistics
from lnrisk.features.trajectories import Trajectory

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


def several(seed=0, patients=40):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    times = rng.uniform(0, 2.7, len(patient))
    values = rng.normal(1 - 0.3 * times, 0.6)
    return sums(times, values, rng.choice([0, 0, 0, -1, 1], len(patient)), patient, patients)
