"""Repeated cross-validation grouped by patient, with the whole fit repeated in every fold.

Assumes that new patients come from where these came; how the model does in another centre is not
answered here. Outcome weights are estimated once, on all patients at risk, and held in the folds.
The fit chooses its penalty in folds of its own, and its classifier where that is to be chosen, so
that this is a nested cross-validation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import Days
from ...model.folds import PatientFolds
from ..choice import Fold, choose_anew, fit_one, lean
from ..cohort import Cohort
from ..config import TrainingConfig
from ..parallel import in_parallel
from ..pieces import NOWHERE, Arrays, Pieces
from ..progress import Step
from .figures import figures

__all__ = ["CrossValidation", "OutOfFold", "cross_validate", "folds_of", "out_of_fold"]

Places = Mapping[tuple[int, int], Fold]
"""The folds by repeat and number."""

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
    classifiers : tuple of str
        What each fold of each repeat took.
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
    classifiers: tuple[str, ...]
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
class OutOfFold:
    """Risks by fits without the patient.

    Parameters
    ----------
    risk : ndarray of float, shape (n_rows, n_repeats)
    classifiers : tuple of str
        What each fold of each repeat took.
    remarks : tuple of str
        What the fits warned of, with how often.
    """

    risk: npt.NDArray[np.float64]
    classifiers: tuple[str, ...]
    remarks: tuple[str, ...]


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


def out_of_fold(
    cohort: Cohort, config: TrainingConfig, repeats: int, step: Step, pieces: Pieces = NOWHERE
) -> OutOfFold:
    """Return risks by fits without the patient, the classifier chosen anew where it is to be.

    Parameters
    ----------
    cohort : Cohort
    config : TrainingConfig
    repeats : int
        The first of those of the plan.
    step : callable
        Told of the progress.
    pieces : Pieces
        Where finished folds are kept, those of each contender apart.
    """
    places = {
        (repeat, number): fold
        for repeat in range(repeats)
        for number, fold in enumerate(
            folds_of(cohort, config.validation.folds, config.seed + repeat)
        )
    }
    made = {
        one.classifier: _in_folds(one, config, places, step, pieces) for one in cohort.contenders
    }
    taken = {
        place: choose_anew(cohort, fold.train, {name: made[name][place] for name in made})
        for place, fold in places.items()
    }
    risk = np.full((len(cohort.y), repeats), np.nan)
    for (repeat, number), fold in places.items():
        risk[fold.test, repeat] = taken[repeat, number]["risk"]
    said = [str(remark) for one in taken.values() for remark in one["remarks"]]
    classifiers = tuple(str(one["classifier"]) for one in taken.values())
    return OutOfFold(risk, classifiers, _counted(said, len(taken)))


def _in_folds(
    cohort: Cohort, config: TrainingConfig, places: Places, step: Step, pieces: Pieces
) -> dict[tuple[int, int], Arrays]:
    """Fit the cohort's own classifier in every fold."""
    name = f"fold-{cohort.classifier}-{config.validation.folds}"
    named = {f"{name}-{repeat}-{number}": fold for (repeat, number), fold in places.items()}
    fit = partial(fit_one, lean(cohort), config.seed)
    made = pieces.run(fit, named, f"cross-validation, {cohort.classifier}", step)
    return dict(zip(places, made.values(), strict=True))


def cross_validate(
    cohort: Cohort, config: TrainingConfig, step: Step, pieces: Pieces = NOWHERE
) -> CrossValidation:
    """Cross-validate the whole fit: trajectories, scaling, penalty, classifier, calibration.

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
    without = out_of_fold(cohort, config, config.validation.repeats, step, pieces)
    landmark = cohort.landmark_days[resolved]
    found = CrossValidation(
        patient_id=cohort.patient_id[resolved],
        landmark_days=landmark,
        y=cohort.y[resolved],
        weight=cohort.weights.weight[resolved],
        possible=cohort.possible[resolved],
        risk=without.risk[resolved],
        risk_of_all=without.risk.mean(axis=1),
        performance=pd.DataFrame({"landmark_days": []}),
        classifiers=without.classifiers,
        remarks=without.remarks,
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
