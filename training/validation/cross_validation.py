"""Repeated cross-validation grouped by patient, with the whole fit repeated in every fold.

Assumes that new patients come from where these came; how the model does in another centre is not
answered here. Outcome weights are estimated once, on all patients at risk, and held in the folds.
The fit chooses its penalty in folds of its own, so that this is a nested cross-validation.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import Days
from ...model.crossfitted import CrossFittedRisk
from ...model.folds import PatientFolds
from ..cohort import Cohort
from ..config import TrainingConfig
from ..fitting import fit_classifier
from ..parallel import in_parallel
from ..pieces import NOWHERE, Arrays, Pieces
from ..progress import Step
from .figures import figures

__all__ = ["CrossValidation", "Fold", "cross_validate", "folds_of", "lean", "out_of_fold"]

Rows = npt.NDArray[np.bool_]

WORTH_A_PROCESS = 5_000_000
"""Rows times resamples."""


@dataclass(frozen=True)
class CrossValidation:
    """Risks of rows by fits without their patient.

    Parameters
    ----------
    patient_id : ndarray of str, shape (n_resolved,)
    landmark_days : ndarray of int, shape (n_resolved,)
    y, weight : ndarray of float, shape (n_resolved,)
    possible : ndarray of bool, shape (n_resolved,)
        Rows of an outcome that is possible and not known.
    risk : ndarray of float, shape (n_resolved, n_repeats)
    risk_of_all : ndarray of float, shape (n_rows,)
        Mean over the repeats, of the unresolved rows of the cohort too.
    performance : DataFrame
        measure, estimate, lower, upper, resamples, landmark_days; or of one landmark.
    remarks : tuple of str
        What the fits warned of, with how often.
    """

    patient_id: npt.NDArray[np.object_]
    landmark_days: Days
    y: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    possible: npt.NDArray[np.bool_]
    risk: npt.NDArray[np.float64]
    risk_of_all: npt.NDArray[np.float64]
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
            possible=self.possible[rows],
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


@dataclass(frozen=True)
class Fold:
    """Which rows of the cohort are fitted, and which then get a risk."""

    train: Rows
    test: Rows


def folds_of(cohort: Cohort, folds: int, seed: int) -> list[Fold]:
    """Deal whole patients into folds; the unresolved are tested in one of them, trained in none.

    Parameters
    ----------
    cohort : Cohort
    folds : int
    seed : int
    """
    resolved = cohort.has_outcome
    position = np.flatnonzero(resolved)
    patients, which = np.unique(cohort.patient_id.astype(str), return_inverse=True)
    turn = np.random.default_rng(seed).permutation(len(patients)) % folds
    splitter = PatientFolds(folds, random_state=seed)
    y, patient = cohort.y[resolved], cohort.patient_id[resolved].astype(str)
    found = []
    for number, (train, test) in enumerate(splitter.split(y, y, patient)):
        chosen, tested = np.zeros((2, len(resolved)), dtype=bool)
        chosen[position[train]] = True
        tested[position[test]] = True
        mine = np.zeros(len(patients), dtype=bool)
        mine[which[tested]] = True
        ever = np.zeros(len(patients), dtype=bool)
        ever[which[resolved]] = True
        tested |= ~resolved & (mine | (~ever & (turn == number)))[which]
        found.append(Fold(chosen, tested))
    return found


def lean(cohort: Cohort) -> Cohort:
    """Return the cohort with the columns that the fit needs, as other processes get it."""
    return replace(cohort, features=cohort.inputs)


def fit_and_predict(
    cohort: Cohort, seed: int, fold: Fold, near: CrossFittedRisk | None = None
) -> Arrays:
    """Fit without some patients and return their risks, and what the fit warned of."""
    classifier, remarks = fit_classifier(cohort, fold.train, seed, near=near)
    risk = classifier.predict_proba(cohort.inputs[fold.test])[:, 1]
    return {"risk": risk, "remarks": np.array(remarks, dtype=str)}


def out_of_fold(
    cohort: Cohort, config: TrainingConfig, repeats: int, step: Step, pieces: Pieces = NOWHERE
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Return risks by fits without the patient, shape (n_rows, n_repeats), and what fits warned of.

    Parameters
    ----------
    cohort : Cohort
    config : TrainingConfig
    repeats : int
        The first of those of the plan.
    step : callable
        Told of the progress.
    pieces : Pieces
        Where finished folds are kept.
    """
    dealt = config.validation.folds
    folds = {
        f"fold-{cohort.classifier}-{dealt}-{repeat}-{number}": (repeat, fold)
        for repeat in range(repeats)
        for number, fold in enumerate(folds_of(cohort, dealt, config.seed + repeat))
    }
    fit = partial(fit_and_predict, lean(cohort), config.seed)
    what = f"cross-validation, {cohort.classifier}"
    made = pieces.run(fit, {name: fold for name, (_, fold) in folds.items()}, what, step)
    risk = np.full((len(cohort.y), repeats), np.nan)
    for name, (repeat, fold) in folds.items():
        risk[fold.test, repeat] = made[name]["risk"]
    said = [str(remark) for one in made.values() for remark in one["remarks"]]
    return risk, _counted(said, len(made))


def cross_validate(
    cohort: Cohort, config: TrainingConfig, step: Step, pieces: Pieces = NOWHERE
) -> CrossValidation:
    """Cross-validate the whole fit: trajectories, scaling, penalty, regression, calibration.

    Parameters
    ----------
    cohort : Cohort
    config : TrainingConfig
    step : callable
        Told of the progress.
    pieces : Pieces
        Where finished folds are kept.
    """
    resolved = cohort.has_outcome
    risk, remarks = out_of_fold(cohort, config, config.validation.repeats, step, pieces)
    landmark = cohort.landmark_days[resolved]
    found = CrossValidation(
        patient_id=cohort.patient_id[resolved],
        landmark_days=landmark,
        y=cohort.y[resolved],
        weight=cohort.weights.weight[resolved],
        possible=cohort.possible[resolved],
        risk=risk[resolved],
        risk_of_all=risk.mean(axis=1),
        performance=pd.DataFrame({"landmark_days": []}),
        remarks=remarks,
    )
    return replace(found, performance=_performance(found, config, step))


def _performance(found: CrossValidation, config: TrainingConfig, step: Step) -> pd.DataFrame:
    days = np.unique(found.landmark_days).tolist()
    each = partial(_performance_at, found, config)
    heavy = found.risk.size * config.validation.resamples >= WORTH_A_PROCESS
    return pd.concat(in_parallel(each, days, "figures", step, heavy=heavy), ignore_index=True)


def _performance_at(found: CrossValidation, config: TrainingConfig, day: int) -> pd.DataFrame:
    at, plan = found.landmark_days == day, config.validation
    table = figures(
        found.y[at],
        found.risk[at],
        found.weight[at],
        found.patient_id[at].astype(str),
        resamples=plan.resamples,
        random_state=config.seed,
        level=plan.level,
    )
    return table.assign(landmark_days=day)


def _counted(remarks: list[str], fits: int) -> tuple[str, ...]:
    said: Any = pd.Series(remarks, dtype="str").str.split("(").str[0].str.strip().value_counts()
    return tuple(f"{text} (in {n} of {fits} fits)" for text, n in said.items())
