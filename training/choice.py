"""The fit that is repeated on other patients, who choose the classifier where it is to be chosen.

Assumes contenders whose settings were chosen out of fold: the log-odds of that choice are at hand,
each from a fit without the patient, so that no further fit is needed. They are not yet calibrated
and flatter a little who has more settings to choose from; the choice for the model file, by
`lnrisk.training.challengers.candidates`, is made in folds around all of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from ..model.crossfitted import CrossFittedRisk
from .cohort import Cohort
from .fitting import fit_classifier
from .pieces import Arrays
from .selection import Candidate, choose

__all__ = ["Fits", "Fold", "choose_anew", "fit_all", "fit_and_predict", "fit_one", "lean"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.bool_]
Fits = Mapping[str, CrossFittedRisk]
"""By the name of the classifier, fitted to all patients."""


@dataclass(frozen=True)
class Fold:
    """Which rows of the cohort are fitted, and which then get a risk."""

    train: Rows
    test: Rows


def lean(cohort: Cohort) -> Cohort:
    """Return the cohort with the columns that the fit needs, as other processes get it."""
    return replace(cohort, features=cohort.inputs, rivals=tuple(map(lean, cohort.rivals)))


def fit_all(cohort: Cohort, seed: int) -> Fits:
    """Fit every contender to all rows with an outcome.

    Parameters
    ----------
    cohort : Cohort
    seed : int
    """
    return {
        one.classifier: fit_classifier(one, one.has_outcome, seed)[0] for one in cohort.contenders
    }


def fit_and_predict(
    cohort: Cohort,
    seed: int,
    fold: Fold,
    near: Fits | None = None,
    times: Floats | None = None,
) -> Arrays:
    """Fit to some patients, who choose among the contenders, and give others their risk.

    Parameters
    ----------
    cohort : Cohort
    seed : int
    fold : Fold
    near : mapping of str to CrossFittedRisk, optional
        Where settings take long to try, only those near its own are.
    times : ndarray of float, shape (n_rows,), optional
        How often each row was drawn.

    Returns
    -------
    dict of str to ndarray
        As `choose_anew` returns it.
    """
    made = {one.classifier: fit_one(one, seed, fold, near, times) for one in cohort.contenders}
    return choose_anew(cohort, fold.train, made, times)


def fit_one(
    cohort: Cohort,
    seed: int,
    fold: Fold,
    near: Fits | None = None,
    times: Floats | None = None,
) -> Arrays:
    """Fit the cohort's own classifier and return what is needed of it.

    Parameters
    ----------
    cohort, seed, fold, near, times
        See `fit_and_predict`.

    Returns
    -------
    dict of str to ndarray
        risk of the tested rows, remarks of the fit, and log_odds of the fitted rows by fits without
        the patient.
    """
    settings = None if near is None else near.get(cohort.classifier)
    classifier, remarks = fit_classifier(cohort, fold.train, seed, times, settings)
    return {
        "risk": classifier.predict_proba(cohort.inputs[fold.test])[:, 1],
        "remarks": np.array(remarks, dtype=str),
        "log_odds": classifier.out_of_fold_linear_predictor_,
    }


def choose_anew(
    cohort: Cohort, train: Rows, made: Mapping[str, Arrays], times: Floats | None = None
) -> Arrays:
    """Return what was made by the contender that the fitted patients choose.

    The rule is that of `lnrisk.training.selection.choose`. A patient who was drawn twice is two, as
    in the sample that the draw stands for: taken as one, the standard error of the difference would
    be too large by nearly half, and the simpler be chosen too often.

    Parameters
    ----------
    cohort : Cohort
    train : ndarray of bool, shape (n_rows,)
        Which rows were fitted.
    made : mapping of str to dict of str to ndarray
        By classifier, the simplest first, as `fit_one` returns it.
    times : ndarray of float, shape (n_rows,), optional
        How often each row was drawn.

    Returns
    -------
    dict of str to ndarray
        risk, remarks, and classifier: the name of it.
    """
    taken = next(iter(made)) if len(made) == 1 else _chosen(cohort, train, made, times)
    return {
        "risk": made[taken]["risk"],
        "remarks": made[taken]["remarks"],
        "classifier": np.array(taken),
    }


def _chosen(cohort: Cohort, train: Rows, made: Mapping[str, Arrays], times: Floats | None) -> str:
    y, weight = cohort.y[train], cohort.weights.weight[train]
    _, patient = np.unique(cohort.patient_id[train].astype(str), return_inverse=True)
    drawn = np.ones(len(y)) if times is None else times[train]
    often: npt.NDArray[np.intp] = np.where(weight > 0, drawn, 0).astype(np.intp)
    rows = np.repeat(np.arange(len(y)), often)
    copy = np.arange(len(rows)) - np.repeat(np.cumsum(often) - often, often)
    people = patient[rows] * (often.max() + 1) + copy
    contenders = [Candidate(name, "", expit(one["log_odds"][rows])) for name, one in made.items()]
    judged = choose(contenders, y[rows], weight[rows], people)
    return next(str(row["name"]) for row in judged if row["chosen"])
