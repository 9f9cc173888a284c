"""Repeated cross-validation grouped by patient, with the whole fit repeated in every fold.

Assumes that new patients come from where these came; how the model does in another centre is not
answered here. Outcome weights are estimated once, on all patients at risk, and held in the folds.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.days import Days
from ..model.folds import PatientFolds
from .cohort import Cohort
from .config import TrainingConfig
from .fitting import fit_classifier
from .metrics import bootstrap_intervals
from .progress import Step

__all__ = ["CrossValidation", "cross_validate"]


@dataclass(frozen=True)
class CrossValidation:
    """Out-of-fold risks of the resolved patients.

    Parameters
    ----------
    patient_id : ndarray of str, shape (n_resolved,)
    landmark_days : ndarray of int, shape (n_resolved,)
    y, weight : ndarray of float, shape (n_resolved,)
    risk : ndarray of float, shape (n_resolved, n_repeats)
    performance : DataFrame
        measure, estimate, lower, upper, resamples; of all rows, or of one landmark.
    remarks : tuple of str
        What the fits warned of, with how often.
    """

    patient_id: npt.NDArray[np.object_]
    landmark_days: Days
    y: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    risk: npt.NDArray[np.float64]
    performance: pd.DataFrame
    remarks: tuple[str, ...]

    def at(self, landmark: int) -> "CrossValidation":
        """Return what concerns one landmark."""
        rows = self.landmark_days == landmark
        return replace(
            self,
            patient_id=self.patient_id[rows],
            landmark_days=self.landmark_days[rows],
            y=self.y[rows],
            weight=self.weight[rows],
            risk=self.risk[rows],
            performance=self.performance[self.performance["landmark_days"] == landmark]
            .drop(columns="landmark_days")
            .reset_index(drop=True),
        )

    @property
    def mean_risk(self) -> npt.NDArray[np.float64]:
        """Mean over the repeats, shape (n_resolved,)."""
        mean: npt.NDArray[np.float64] = self.risk.mean(axis=1)
        return mean


def cross_validate(cohort: Cohort, config: TrainingConfig, step: Step) -> CrossValidation:
    """Cross-validate the whole fit: trajectories, scaling, penalty, regression, calibration.

    Parameters
    ----------
    cohort : Cohort
    config : TrainingConfig
    step : callable
        Told of the progress.
    """
    plan, resolved = config.validation, cohort.resolved
    position = np.flatnonzero(resolved)
    y, weight = cohort.y[resolved], cohort.weights.weight[resolved]
    patient_id = cohort.patient_id[resolved]
    risk = np.empty((len(y), plan.repeats))
    inputs = cohort.inputs
    remarks: list[str] = []
    total = plan.folds * plan.repeats
    for repeat in range(plan.repeats):
        folds = PatientFolds(plan.folds, random_state=config.seed + repeat)
        for fold, (train, test) in enumerate(folds.split(y, y, patient_id.astype(str))):
            step("cross-validation", repeat * plan.folds + fold, total)
            chosen = np.zeros(len(resolved), dtype=bool)
            chosen[position[train]] = True
            classifier, said = fit_classifier(cohort, chosen, config.seed)
            unseen = inputs.iloc[position[test]]
            risk[test, repeat] = classifier.predict_proba(unseen)[:, 1]
            remarks.extend(said)
    step("cross-validation", total, total)
    landmark = cohort.landmark_days[resolved]
    tables = []
    for day in np.unique(landmark):
        at = landmark == day
        table = bootstrap_intervals(
            y[at],
            risk[at],
            weight[at],
            patient_id[at].astype(str),
            resamples=plan.resamples,
            random_state=config.seed,
            level=plan.level,
        )
        tables.append(table.rename_axis("measure").reset_index().assign(landmark_days=day))
    table = pd.concat(tables, ignore_index=True)
    counted = pd.Series(remarks, dtype="str").str.split("(").str[0].str.strip().value_counts()
    said_often = tuple(f"{text} (in {n} of {total} fits)" for text, n in counted.items())
    return CrossValidation(patient_id, landmark, y, weight, risk, table, said_often)
