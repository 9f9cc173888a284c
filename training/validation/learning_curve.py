"""The learning curve: what the same fit reaches with fewer patients, and so what more may give.

Assumes the folds of the cross-validation; a part of the patients of each is trained on, and the
same patients are predicted at every size, so that sizes differ by what was learned alone. Fewer
patients choose the classifier anew, where it is to be chosen, and may choose the simpler.
"""

from functools import partial

import numpy as np
import pandas as pd

from ..at_risk import people
from ..choice import Fold, fit_and_predict, lean
from ..cohort import Cohort
from ..config import TrainingConfig
from ..metrics import Floats
from ..pieces import NOWHERE, Pieces
from ..progress import Step
from .cross_validation import CrossValidation, folds_of
from .figures import figures

__all__ = ["learning_curve"]

MEASURES = ("auroc", "scaled_brier", "calibration_slope", "ici")
FEWEST = 5
"""Patients with, and without, the outcome that a part must have to be fitted."""


def learning_curve(
    cohort: Cohort,
    validated: CrossValidation,
    config: TrainingConfig,
    step: Step,
    pieces: Pieces = NOWHERE,
) -> pd.DataFrame:
    """Repeat the first repeat of the cross-validation on parts of its training patients.

    Parameters
    ----------
    cohort : Cohort
    validated : CrossValidation
        Of the whole, which is the last point.
    config : TrainingConfig
    step : callable
        Told of the progress.
    pieces : Pieces

    Returns
    -------
    DataFrame
        patients, events (trained on at the primary landmark, mean over folds), measure,
        estimate, lower, upper. A size at which a part would have fewer than five patients with
        either outcome is left out.
    """
    plan = config.validation
    folds = folds_of(cohort, plan.folds, config.seed)
    parts = {
        size: [_part(cohort, fold, size, config.seed) for fold in folds]
        for size in plan.learning_sizes
    }
    fitted = {
        size: each for size, each in parts.items() if all(map(partial(_enough, cohort), each))
    }
    name = f"learn-{cohort.recipe}-{plan.folds}"
    names = {
        f"{name}-{number}-{size:g}": fold
        for size, each in fitted.items()
        for number, fold in enumerate(each)
    }
    made = pieces.run(
        partial(fit_and_predict, lean(cohort), config.seed), names, "learning curve", step
    )
    tables = []
    at = cohort.primary & cohort.has_outcome
    for size, each in fitted.items():
        risk = np.full(len(at), np.nan)
        for number, fold in enumerate(each):
            risk[fold.test] = made[f"{name}-{number}-{size:g}"]["risk"]
        tables.append(_figures(cohort, risk[at], config, each))
    whole = validated.at(cohort.primary_landmark)
    tables.append(_figures(cohort, whole.risk[:, 0], config, folds))
    return pd.concat(tables, ignore_index=True)


def _part(cohort: Cohort, fold: Fold, size: float, seed: int) -> Fold:
    """Return the fold with a share of its training patients, of either outcome alike."""
    patients, which = np.unique(cohort.patient_id.astype(str), return_inverse=True)
    ever = np.zeros(len(patients))
    np.maximum.at(ever, which, np.where(cohort.has_outcome, cohort.y, 0.0))
    trained = np.zeros(len(patients), dtype=bool)
    trained[which[fold.train]] = True
    place = np.random.default_rng([seed, 7]).permutation(len(patients))
    chosen = np.zeros(len(patients), dtype=bool)
    for outcome in (0.0, 1.0):
        mine = np.flatnonzero(trained & (ever == outcome))
        chosen[mine[np.argsort(place[mine])][: round(size * len(mine))]] = True
    return Fold(fold.train & chosen[which], fold.test & cohort.has_outcome & cohort.primary)


def _enough(cohort: Cohort, fold: Fold) -> bool:
    patients, events = _people(cohort, fold)
    return min(events, patients - events) >= FEWEST


def _people(cohort: Cohort, fold: Fold) -> tuple[int, int]:
    """Return patients and known events that a fold trains on, at the primary landmark."""
    rows = fold.train & cohort.primary
    return people(cohort.y[rows], cohort.possible[rows])


def _figures(
    cohort: Cohort, risk: Floats, config: TrainingConfig, folds: list[Fold]
) -> pd.DataFrame:
    at, plan = cohort.primary & cohort.has_outcome, config.validation
    table = figures(
        cohort.y[at],
        risk,
        cohort.weights.weight[at],
        cohort.patient_id[at].astype(str),
        resamples=plan.resamples,
        random_state=config.seed,
        level=plan.level,
    )
    patients, events = np.mean([_people(cohort, fold) for fold in folds], axis=0)
    table = table[table["measure"].isin(MEASURES)].drop(columns="resamples")
    table.insert(0, "patients", round(float(patients)))
    table.insert(1, "events", round(float(events)))
    return table
