"""A small cohort made of numbers, and a fit that takes no time, for tests of the validation."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lnrisk.training import choice, pieces
from lnrisk.training.at_risk import each_once
from lnrisk.training.cohort import Cohort
from lnrisk.training.config import TrainingConfig, Validation
from lnrisk.training.validation import cross_validation
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

PLAN = TrainingConfig(
    seed=5,
    landmark_days=(0, 84),
    horizon_days=548,
    refits=8,
    validation=Validation(
        folds=4, repeats=2, resamples=50, level=0.9, learning_sizes=(0.3, 0.6), sensitivity=False
    ),
)


@dataclass(frozen=True)
class People:
    """Every patient at day 0 and day 84; every eighth is unresolved."""

    patient_id: np.ndarray
    position: np.ndarray
    landmark_days: np.ndarray
    features: pd.DataFrame
    y: np.ndarray
    possible: np.ndarray
    status: np.ndarray
    days: np.ndarray
    weights: SimpleNamespace
    primary_landmark: int = 84
    classifier: str = "logistic"
    rivals: tuple["People", ...] = ()

    contenders = Cohort.contenders
    recipe = Cohort.recipe

    @property
    def inputs(self):
        return self.features

    @property
    def has_outcome(self):
        return ~np.isnan(self.y)

    @property
    def each(self):
        return each_once(self.y, self.possible)

    @property
    def primary(self):
        return self.landmark_days == self.primary_landmark


def people(patients=160, seed=0, effect=1.5):
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), 2)
    x = rng.normal(size=(patients, 2))
    once = (rng.uniform(size=patients) < expit(effect * x[:, 0] - 1)).astype(float)
    once[::8] = np.nan
    status = np.select([once == 1, once == 0], ["event", "event_free"], "censored")
    days = np.select([once == 1, once == 0], [rng.uniform(100, 548, patients), 548.0], 300.0)
    weight = np.where(np.isnan(once), 0, rng.uniform(1, 3, patients))[who]
    return People(
        patient_id=np.array([f"p{i:03}" for i in who], dtype=object),
        position=who,
        landmark_days=np.tile([0, 84], patients),
        features=pd.DataFrame(x[who] + rng.normal(size=(2 * patients, 2)) / 3, columns=["a", "b"]),
        y=once[who],
        possible=np.zeros(2 * patients, dtype=bool),
        status=status[who],
        days=days[who],
        weights=SimpleNamespace(
            weight=weight, determinable=np.ones(2 * patients), chance=np.ones(2 * patients)
        ),
    )


class Noted:
    """Who was trained on, in each fit."""

    def __init__(self):
        self.fits = []

    def fit(self, cohort, chosen, seed, times=None, near=None):
        self.fits.append((chosen, seed))
        weight = cohort.weights.weight if times is None else cohort.weights.weight * times
        plain = LogisticRegression(C=100).fit(
            cohort.features[chosen], cohort.y[chosen], sample_weight=weight[chosen]
        )
        plain.out_of_fold_linear_predictor_ = plain.decision_function(cohort.features[chosen])
        return plain, ["weak (in fold)" if len(self.fits) % 2 else "odd"]


def one_by_one(function, items, what, step, *, heavy=False):
    """Stand in for other processes, which would not see what a test has put in place."""
    found = []
    for item in items:
        step(what, len(found), len(items))
        found.append(function(item))
    step(what, len(items), len(items))
    return found


@pytest.fixture
def fits(monkeypatch):
    """Fit quickly, in this process, and note who was trained on."""
    noted = Noted()
    monkeypatch.setattr(choice, "fit_classifier", noted.fit)
    monkeypatch.setattr(pieces, "in_parallel", one_by_one)
    monkeypatch.setattr(cross_validation, "in_parallel", one_by_one)
    return noted.fits
