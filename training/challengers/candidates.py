"""The default and its challengers on one cohort, each without the patients that it is judged on.

Assumes that the default's risks were cross-validated with the same folds and seed, so that all
candidates were trained on the same patients.
"""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.laboratory import LANDMARK_MONTH
from ...features.pipeline import trajectory_plan
from ...features.trajectories import shrunken_dictionary
from ...features.trajectory_transformer import TrajectoryFeatures
from ...model.crossfitted import CrossFittedRisk
from ...model.folds import PatientFolds
from ..cohort import Cohort
from ..config import TrainingConfig
from ..progress import Step
from ..selection import Candidate, choose
from .boosting import BoostedRisk
from .elastic_net import ElasticNetRisk

__all__ = ["DEFAULT", "challengers", "compare"]

DEFAULT = "logistic"
MEANINGS = {
    DEFAULT: "ridge-penalised logistic regression on few terms named beforehand",
    "elastic net": "elastic net on every feature",
    "boosting": "gradient boosting on the terms of the default, monotone where medicine is sure",
}
"""In order of simplicity: a sum of few terms, a sum of many, and what is no sum."""


def challengers(cohort: Cohort, config: TrainingConfig) -> dict[str, CrossFittedRisk]:
    """Return unfitted challengers; they are fitted to `Cohort.features`."""
    plan, statistics = cohort.trajectories, set(_statistics(cohort))
    few = TrajectoryFeatures(
        plan.series, plan.groups, plan.knots, keep=(LANDMARK_MONTH, *cohort.terms)
    )
    whole = trajectory_plan(config.analytes)
    told = [name for name in cohort.features.columns if name not in statistics]
    shrunken = [feature.name for feature in shrunken_dictionary(whole.series)]
    every = TrajectoryFeatures(
        whole.series, whole.groups, whole.knots, keep=(LANDMARK_MONTH, *told, *shrunken)
    )
    return {
        "elastic net": ElasticNetRisk(every, random_state=config.seed),
        "boosting": BoostedRisk(few, random_state=config.seed),
    }


def compare(
    cohort: Cohort, default_risk: npt.NDArray[np.float64], config: TrainingConfig, step: Step
) -> list[dict[str, Any]]:
    """Compare the default with its challengers, tuning and calibration repeated in every fold.

    Parameters
    ----------
    cohort : Cohort
    default_risk : ndarray of float, shape (n_resolved,)
        Of the default, from the first repeat of the cross-validation.
    config : TrainingConfig
        Its folds and seed are those of the cross-validation.
    step : callable
        Told of the progress.

    Returns
    -------
    list of dict
        As `lnrisk.training.selection.choose` returns them, of the rows of all landmarks.
    """
    rows = np.flatnonzero(cohort.has_outcome)
    X, y = cohort.features.iloc[rows], cohort.y[rows]
    weight, patient = cohort.weights.weight[rows], cohort.patient_id[rows].astype(str)
    found = challengers(cohort, config)
    risks = {name: np.empty(len(y)) for name in found}
    folds = PatientFolds(config.validation.folds, random_state=config.seed)
    total, done = config.validation.folds * len(found), 0
    for train, test in folds.split(y, y, patient):
        for name, model in found.items():
            step("challengers", done, total)
            risks[name][test] = _out_of_fold(model, X, y, weight, patient, train, test)
            done += 1
    step("challengers", total, total)
    ordered = {DEFAULT: default_risk, **risks}
    return choose(
        [
            Candidate(name, meaning, ordered[name], _parameters(name, cohort))
            for name, meaning in MEANINGS.items()
        ],
        y,
        weight,
        patient,
    )


def _out_of_fold(
    model: CrossFittedRisk,
    X: pd.DataFrame,
    y: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    patient: npt.NDArray[Any],
    train: npt.NDArray[np.intp],
    test: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The linear predictor ranks patients no better")
        model.fit(X.iloc[train], y[train].astype(int), weight[train], patient[train])
    risk: npt.NDArray[np.float64] = model.predict_proba(X.iloc[test])[:, 1]
    return risk


def _parameters(name: str, cohort: Cohort) -> float | None:
    return float(cohort.sample_size.parameters) if name == DEFAULT else None


def _statistics(cohort: Cohort) -> list[str]:
    """Return the columns that trajectories are made from, and the landmark."""
    return [name for name in cohort.features.columns if ":" in name or name == LANDMARK_MONTH]
