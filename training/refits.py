"""The whole fit repeated on bootstrap samples of the patients: how much the sample moves a risk.

Assumes that patients are independent, so that whole patients are drawn; every refit repeats
trajectories, scaling, choice of penalty and calibration, and the choice of the classifier where it
is to be chosen. Weights are held, and a bias that all refits share, as of a term that the model
lacks, is not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from .choice import Fits, Fold, fit_and_predict, lean
from .cohort import Cohort
from .config import TrainingConfig
from .pieces import NOWHERE, Arrays, Pieces
from .progress import Step

__all__ = ["Refits", "drawn_times", "refit", "refit_coefficients"]

Floats = npt.NDArray[np.float64]

FEWEST = 5
"""Patients with each outcome that a draw must have to be fitted."""
CLOSEST = 1e-6  # to 0 and 1, before the log-odds of a refit are taken
RIDGE = 1e-6  # per row, so that columns that always go together can be told apart


@dataclass(frozen=True)
class Refits:
    """Risks of the resolved rows by each refit.

    Parameters
    ----------
    times : ndarray of float, shape (n_refits, n_resolved)
        How often each row's patient was drawn.
    risk : ndarray of float, shape (n_refits, n_resolved)
    classifiers : tuple of str
        What each refit took.
    """

    times: Floats
    risk: Floats
    classifiers: tuple[str, ...]


def drawn_times(cohort: Cohort, refits: int, seed: int) -> Iterator[Floats]:
    """Yield how often each row of a cohort is drawn, when resolved patients are drawn.

    Each draw depends on its own number and the seed alone, so that any of them can be repeated.
    """
    patients, which = np.unique(cohort.patient_id.astype(str), return_inverse=True)
    resolved = np.zeros(len(patients))
    resolved[which[cohort.has_outcome]] = 1.0
    for number in range(refits):
        random = np.random.default_rng([seed, number])
        yield random.multinomial(int(resolved.sum()), resolved / resolved.sum())[which].astype(
            np.float64
        )


def refit(
    cohort: Cohort,
    near: Fits,
    config: TrainingConfig,
    step: Step,
    pieces: Pieces = NOWHERE,
) -> Refits:
    """Repeat the whole fit on bootstrap samples.

    Parameters
    ----------
    cohort : Cohort
    near : mapping of str to CrossFittedRisk
        The contenders fitted to all patients; where settings take long to try, a refit tries those
        near theirs.
    config : TrainingConfig
        `refits` of them, from `seed`.
    step : callable
        Told of the progress.
    pieces : Pieces
        Where finished refits are kept.
    """
    rows = cohort.has_outcome
    drawn = list(drawn_times(cohort, config.refits, config.seed))
    named = {f"refit-{cohort.recipe}-{number}": times for number, times in enumerate(drawn)}
    again = partial(_refit_risk, lean(cohort), config.seed, near)
    made = pieces.run(again, named, "refits", step)
    found = [(times[rows], made[name]) for name, times in named.items() if len(made[name]["risk"])]
    times = np.array([times for times, _ in found]).reshape(-1, int(rows.sum()))
    risk = np.array([one["risk"] for _, one in found]).reshape(-1, int(rows.sum()))
    return Refits(times, risk, tuple(str(one["classifier"]) for _, one in found))


def _refit_risk(cohort: Cohort, seed: int, near: Fits, times: Floats) -> Arrays:
    """Return the risks of the resolved rows; none where the draw has too few of an outcome."""
    rows = cohort.has_outcome
    drawn = rows & (times > 0)
    cases = {v: len(set(cohort.patient_id[drawn & (cohort.y == v)])) for v in (0.0, 1.0)}
    if min(cases.values()) < FEWEST:
        return {"risk": np.empty(0)}
    return fit_and_predict(cohort, seed, Fold(drawn, rows), near, times)


def refit_coefficients(refits: Refits, columns: Floats) -> tuple[tuple[float, ...], ...]:
    """Return each refit's intercept and coefficients on the columns of the model.

    The least-squares line through the refit's log-odds of the training rows, so that a risk and
    its interval need one set of columns, whatever columns and classifier the refit took.

    Parameters
    ----------
    refits : Refits
    columns : ndarray of float, shape (n_resolved, n_columns)
    """
    if not len(refits.risk):
        return ()
    design = np.column_stack([np.ones(len(columns)), columns])
    held = np.clip(refits.risk, CLOSEST, 1 - CLOSEST)
    log_odds = np.log(held) - np.log1p(-held)
    gram = design.T @ design
    gram[np.diag_indices_from(gram)] += RIDGE * len(columns)
    found = np.linalg.solve(gram, design.T @ log_odds.T)
    return tuple(tuple(refit) for refit in found.T.tolist())
