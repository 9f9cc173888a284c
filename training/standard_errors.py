"""Standard errors of AUROC, observed/expected and calibration slope, for weighted clusters.

All three are sums of each patient's influence on the figure, so that rows of one patient may depend
on one another in any way. They assume some thirty patients with the outcome or more; the weights
are taken as known.
"""

from typing import Any

import numpy as np

from ..model.calibration import logistic_line
from ..model.linear import inverse_logit
from .metrics import Floats, auroc, clustered_rows, log_odds, observed_expected

__all__ = ["auroc_error", "log_observed_expected_error", "slope_error"]


def auroc_error(y: Any, risk: Any, sample_weight: Any = None, groups: Any = None) -> float:
    """Return the standard error of the AUROC, which is DeLong's [1]_ without weights and clusters.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.
    groups : array-like of shape (n_rows,), default=None
        Patient of each row.

    Returns
    -------
    float
        nan with fewer than two patients of either outcome.

    References
    ----------
    .. [1] DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics 1988;44:837-845.
    """
    outcome, predicted, weight, patient = clustered_rows(y, risk, sample_weight, groups)
    case = outcome == 1
    if min(len(np.unique(patient[case])), len(np.unique(patient[~case]))) < 2:
        return np.nan
    area = auroc(outcome, predicted, weight)
    influence = np.empty(len(outcome))
    for mine, other in ((case, ~case), (~case, case)):
        below, tied = _shares(predicted[other], weight[other], predicted[mine])
        placed = below + tied / 2
        placed = placed if mine is case else 1 - placed
        part = weight[mine] / weight[mine].sum()
        effective = 1 / (part @ part)
        influence[mine] = part * (placed - area) * np.sqrt(effective / (effective - 1))
    return float(np.sqrt(_clustered(influence[:, None], patient)[0, 0]))


def log_observed_expected_error(
    y: Any, risk: Any, sample_weight: Any = None, groups: Any = None
) -> float:
    """Return the standard error of the logarithm of observed/expected.

    Parameters
    ----------
    y, risk, sample_weight, groups
        As in :func:`auroc_error`.

    Returns
    -------
    float
        nan where nobody has the outcome.
    """
    outcome, predicted, weight, patient = clustered_rows(y, risk, sample_weight, groups)
    observed = weight @ outcome
    if observed == 0:
        return np.nan
    ratio = observed_expected(outcome, predicted, weight)
    influence = weight * (outcome - ratio * predicted) / observed
    return float(np.sqrt(_clustered(influence[:, None], patient)[0, 0]))


def slope_error(y: Any, risk: Any, sample_weight: Any = None, groups: Any = None) -> float:
    """Sandwich standard error of the calibration slope.

    Parameters
    ----------
    y, risk, sample_weight, groups
        As in :func:`auroc_error`.

    Returns
    -------
    float
        nan where the slope is not defined.
    """
    outcome, predicted, weight, patient = clustered_rows(y, risk, sample_weight, groups)
    x = log_odds(predicted)
    intercept, slope = logistic_line(x, outcome, weight)
    if not np.isfinite(slope) or np.ptp(predicted) == 0:
        return np.nan
    fitted = inverse_logit(intercept + slope * x)
    columns = np.column_stack([np.ones_like(x), x])
    information = (columns * (weight * fitted * (1 - fitted))[:, None]).T @ columns
    influence = (columns * (weight * (outcome - fitted))[:, None]) @ np.linalg.inv(information)
    return float(np.sqrt(_clustered(influence, patient)[1, 1]))


def _shares(values: Floats, weight: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Return the share of the weight below, and at, each of some values."""
    order = np.argsort(values, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weight[order])])
    below = total[np.searchsorted(values[order], at, side="left")]
    up_to = total[np.searchsorted(values[order], at, side="right")]
    return below / total[-1], (up_to - below) / total[-1]


def _clustered(influence: Floats, patient: Any) -> Floats:
    """Return the sum over patients of the outer product of their influence."""
    _, position = np.unique(patient, return_inverse=True)
    sums = np.zeros((position.max() + 1, influence.shape[1]))
    np.add.at(sums, position, influence)
    total: Floats = sums.T @ sums
    return total
