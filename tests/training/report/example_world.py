"""Patients that results are simulated from: a known risk, and a model that nearly knows it."""

import numpy as np
from lnrisk.training.curves import calibration_curve
from lnrisk.training.metrics import (
    auroc,
    brier,
    calibration_intercept,
    calibration_slope,
    observed_expected,
    scaled_brier,
)

PATIENTS, HORIZON = 1_412, 548
LANDMARKS = (0, 28, 56, 84, 112, 140, 182)
CENTRES = ("Aachen", "Basel", "Cork", "Dakar", "Evora", "Ghent", "Hanoi", "Izmir", "Jena")
FUNCTIONS = {
    "auroc": auroc,
    "brier": brier,
    "scaled_brier": scaled_brier,
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
    "observed_expected": observed_expected,
}
HALF_WIDTH = {
    "auroc": 0.026,
    "brier": 0.006,
    "scaled_brier": 0.035,
    "calibration_intercept": 0.17,
    "calibration_slope": 0.14,
    "observed_expected": 0.13,
    "ici": 0.006,
    "e50": 0.005,
    "e90": 0.012,
}


class World:
    """Patients with a known risk, their outcomes, and a model that nearly knows the risk."""

    def __init__(self, seed, patients=PATIENTS, knows=0.93):
        draw = np.random.default_rng(seed)
        self.draw = draw
        self.signal = draw.normal(size=patients)
        self.centre = draw.choice(
            len(CENTRES), patients, p=np.array([9, 8, 7, 6, 5, 4, 3, 2, 1]) / 45
        )
        shift = draw.normal(0, 0.25, len(CENTRES))[self.centre]
        self.true = 1 / (1 + np.exp(3.0 - 1.35 * self.signal - shift))
        self.y = (draw.random(patients) < self.true).astype(float)
        noisy = knows * self.signal + np.sqrt(1 - knows**2) * draw.normal(size=patients)
        self.risk = 1 / (1 + np.exp(2.83 - 1.25 * noisy))
        self.weight = draw.choice([1.0, 1.15, 1.4, 2.2], patients, p=[0.6, 0.2, 0.15, 0.05])
        self.female = draw.random(patients) < 0.84
        self.age = draw.gamma(9, 3.6, patients)

    @property
    def events(self):
        return int(self.y.sum())

    @property
    def event_rate(self):
        return float(np.average(self.y, weights=self.weight))

    def figures(self, chosen=None):
        rows = slice(None) if chosen is None else chosen
        y, risk, weight = self.y[rows], self.risk[rows], self.weight[rows]
        found = {name: float(f(y, risk, weight)) for name, f in FUNCTIONS.items()}
        curve = calibration_curve(y, risk, weight)
        error = np.abs(np.interp(risk, curve["predicted"], curve["observed"]) - risk)
        return found | {
            "ici": float(np.average(error, weights=weight)),
            "e50": float(np.quantile(error, 0.5)),
            "e90": float(np.quantile(error, 0.9)),
        }


def interval(name, value, width=1.0):
    half = HALF_WIDTH[name] * width
    low = 0.0 if name in {"brier", "ici", "e50", "e90", "observed_expected"} else -np.inf
    high = 1.0 if name == "auroc" else np.inf
    return {
        "estimate": value,
        "lower": float(max(low, value - half)),
        "upper": float(min(high, value + half)),
    }


def by_subset(world, chosen, measures):
    patients, events = int(chosen.sum()), int(world.y[chosen].sum())
    hidden = patients < 10 or events < 10
    figures = {} if hidden else world.figures(chosen)
    width = np.sqrt(len(world.y) / max(patients, 1))
    empty = {"estimate": None, "lower": None, "upper": None}
    return [
        {
            "patients": None if patients < 10 else patients,
            "events": None if events < 10 else events,
            "measure": measure,
            **(empty if hidden else interval(measure, figures[measure], width)),
            "suppressed": bool(hidden),
        }
        for measure in measures
    ]
