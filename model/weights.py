"""Weights of the outcomes: inverse probability of not being censored and of being determinable.

Assumes that censoring is unrelated to what is to come, or, with a Cox model, is so given what that
model sees; and that among those whose
treatment failed, or may have, whether the rule can tell depends only on the covariates given; where
sicker patients leave more often, or adherence is recorded because it is doubted, the weighted risk
is wrong.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["CensoringCurve", "Weights", "fit_censoring", "outcome_weights"]

Numbers = npt.NDArray[np.float64]

LARGEST_WEIGHT = 20.0
FEWEST_TO_FIT = 10
"""Patients on either side below which everyone gets the share instead of a fitted probability."""


@dataclass(frozen=True)
class CensoringCurve:
    """Kaplan-Meier estimate of the probability of not yet being censored.

    Parameters
    ----------
    days : ndarray of float, shape (n_steps,)
        Ascending days on which someone was censored.
    probability : ndarray of float, shape (n_steps,)
        Just after each of them.
    """

    days: Numbers
    probability: Numbers

    def just_before(self, days: Numbers) -> Numbers:
        """Return the probability of being uncensored up to, not including, a day."""
        position = np.searchsorted(self.days, days, side="left")
        before: Numbers = np.concatenate([[1.0], self.probability])[position]
        return before


def fit_censoring(
    days: Numbers, censored: npt.NDArray[np.bool_], chance: Numbers | None = None
) -> CensoringCurve:
    """Fit the censoring curve; an event on the day of a censoring comes before it.

    Parameters
    ----------
    days : ndarray of float, shape (n_rows,)
    censored : ndarray of bool, shape (n_rows,)
    chance : ndarray of float, shape (n_rows,), optional
        Of each row, where a patient has one for each possible outcome; 1 by default.

    References
    ----------
    Graf et al., Stat Med 1999;18:2529.

    Examples
    --------
    >>> curve = fit_censoring(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, False]))
    >>> curve.just_before(np.array([2.0, 3.0])).tolist()
    [1.0, 0.5]
    """
    people = np.ones(len(days)) if chance is None else chance
    steps = np.unique(days[censored])
    lost = np.array([people[censored & (days == step)].sum() for step in steps], dtype=float)
    events = np.array([people[~censored & (days == step)].sum() for step in steps], dtype=float)
    at_risk = np.array([people[days >= step].sum() for step in steps], dtype=float) - events
    return CensoringCurve(steps, np.cumprod(1 - lost / at_risk))


@dataclass(frozen=True)
class Weights:
    """Weights and what they are made of; fields of shape (n_rows,).

    Parameters
    ----------
    weight : ndarray of float
        0 for the unresolved.
    uncensored, determinable : ndarray of float
        Probabilities.
    chance : ndarray of float
        Of the row's outcome; 1 where it is known.
    truncated : int
        How many weights were cut to the largest allowed.
    """

    weight: Numbers
    uncensored: Numbers
    determinable: Numbers
    chance: Numbers
    truncated: int


def _determinable(covariates: pd.DataFrame, known: npt.NDArray[np.bool_]) -> Numbers:
    """Return the probability that the rule can tell, of patients among whom it cannot always."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from .classifier import MissingAwareScaler

    if min(known.sum(), (~known).sum()) < FEWEST_TO_FIT:
        return np.full(len(known), max(known.mean(), 1.0 / LARGEST_WEIGHT) if len(known) else 1.0)
    model = make_pipeline(MissingAwareScaler(), LogisticRegression(C=1.0, max_iter=1000))
    probability: Numbers = model.fit(covariates, known).predict_proba(covariates)[:, 1]
    return probability


def _uncensored(
    days: Numbers,
    censored: npt.NDArray[np.bool_],
    leaving: pd.DataFrame | None,
    chance: Numbers,
) -> Numbers:
    """Return the probability of being uncensored just before each row's own day."""
    if leaving is None or not censored.any():
        return fit_censoring(days, censored, chance).just_before(days)
    from .censoring import fit_cox_censoring
    from .classifier import MissingAwareScaler

    columns = MissingAwareScaler().fit(leaving).transform(leaving)
    return fit_cox_censoring(days, censored, columns, chance).just_before(days, columns)


def outcome_weights(
    status: npt.NDArray[np.str_],
    days: Numbers,
    covariates: pd.DataFrame,
    may_have_failed: npt.NDArray[np.bool_] | None = None,
    leaving: pd.DataFrame | None = None,
    chance: Numbers | None = None,
) -> Weights:
    """Return the weights of the outcomes.

    A response is told by one value, a failure needs proof of dose and adherence in each course;
    so the determinable among those who may have failed stand in for the others of them alone, and
    never for responders. What came after the landmark may be used for that, as it may for any
    weight of a missing outcome: it enters no feature.

    Parameters
    ----------
    status : ndarray of str, shape (n_rows,)
        As in `lnrisk.model.outcome.Outcome`, of patients at risk at the landmark.
    days : ndarray of float, shape (n_rows,)
        On one clock for all, for example from the index date.
    covariates : DataFrame, shape (n_rows, n_covariates)
        Known at the landmark; missing values are allowed.
    may_have_failed : ndarray of bool, shape (n_rows,), optional
        As in `lnrisk.model.outcome.Outcome`; by default anyone may.
    leaving : DataFrame, shape (n_rows, n_columns), optional
        What the hazard of leaving may depend on (a Cox model); without it all leave alike
        (Kaplan-Meier).
    chance : ndarray of float, shape (n_rows,), optional
        Of each row, where a patient whom the rule cannot judge has one for each possible outcome,
        with the status that goes with it; 1 by default.
    """
    share = np.ones(len(status)) if chance is None else chance
    doubtful = np.ones(len(status), bool) if may_have_failed is None else may_have_failed
    censored, unclear = status == "censored", status == "indeterminate"
    uncensored = _uncensored(days, censored, leaving, share)
    determinable = np.ones(len(status))
    asked = ~censored & (doubtful | unclear)
    determinable[asked] = _determinable(covariates[asked], ~unclear[asked])
    raw = np.where(censored | unclear, 0.0, 1.0 / (uncensored * determinable))
    held = np.minimum(raw, LARGEST_WEIGHT)
    return Weights(held * share, uncensored, determinable, share, int((raw > held).sum()))
