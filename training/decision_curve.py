"""Net benefit: whether acting on a risk, or on a rule, does more good than harm at a threshold.

Assumes that the threshold says how many patients without the outcome one would treat in vain for
one patient with it, and that the weighted rows stand for those who will be asked about. It says
nothing about what the treatment does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .metrics import Floats, checked_rows, clustered_rows, drawn_counts

__all__ = ["DEFAULT_THRESHOLDS", "decision_curve", "net_benefit"]

DEFAULT_THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(1, 51))


def net_benefit(y: Any, flagged: Any, thresholds: Any, sample_weight: Any = None) -> Any:
    """Count true positives less false ones at the threshold's exchange rate, per patient [1]_.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Outcome, 0 or 1.
    flagged : array-like of bool, shape (n_rows,) or (n_rows, n_thresholds)
        Who would be treated, at every threshold alike or at each.
    thresholds : array-like of shape (n_thresholds,)
        Risks, between 0 and 1.
    sample_weight : array-like of shape (..., n_rows), default=None
        Non-negative weights; each leading index, as of a bootstrap, is a data set of its own.

    Returns
    -------
    ndarray of shape (..., n_thresholds)

    Raises
    ------
    ValueError
        If `y` is not 0/1, lengths differ, or a threshold is out of range.

    References
    ----------
    .. [1] Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction
       models. Med Decis Making 2006;26:565-574.

    Examples
    --------
    >>> net_benefit([0, 0, 0, 1], [0, 0, 1, 1], [0.2, 0.5]).tolist()
    [0.1875, 0.0]
    """
    at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((at > 0) & (at < 1)).all():
        raise ValueError(f"thresholds must lie between 0 and 1, found {at.min():g} to {at.max():g}")
    treated = np.asarray(flagged, dtype=np.float64)
    if not np.isin(treated, [0, 1]).all():
        raise ValueError("`flagged` must be yes or no; leave out the rows where it is unknown.")
    if treated.ndim == 1:
        treated = np.broadcast_to(treated[:, None], (len(treated), len(at)))
    weight = np.ones(len(treated)) if sample_weight is None else np.asarray(sample_weight, float)
    outcome = np.asarray(y, dtype=np.float64)
    used = weight.reshape(-1, len(outcome)).any(axis=0)
    outcome, _, weight = checked_rows(outcome, np.zeros(len(outcome)), weight)
    worth = outcome[:, None] - (1 - outcome)[:, None] * (at / (1 - at))
    return (weight @ (treated[used] * worth)) / weight.sum(axis=-1)[..., None]


def decision_curve(
    y: Any,
    risk: Any,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    rules: Mapping[str, Any] | None = None,
    thresholds: Sequence[float] = DEFAULT_THRESHOLDS,
    resamples: int = 500,
    random_state: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Net benefit of the model, of treating all, none, and of each rule, with intervals.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.
    groups : array-like of shape (n_rows,), default=None
        Patient of each row, resampled whole; without it every row is a patient of its own.
    rules : mapping of str to array-like of shape (n_rows,), optional
        Yes or no by the rule's name; a rule that is unknown in some rows cannot be held against
        the model on the same patients, and is refused.
    thresholds : sequence of float
    resamples, random_state, level
        As in :func:`~lnrisk.training.metrics.bootstrap_intervals`.

    Returns
    -------
    DataFrame
        strategy ("model", "treat_all", "treat_none" or the rule's name), threshold, net_benefit,
        lower, upper.
    """
    outcome, predicted, weight, patient = clustered_rows(y, risk, sample_weight, groups)
    used = np.full(len(risk), True) if sample_weight is None else np.asarray(sample_weight) > 0
    at = np.asarray(thresholds, dtype=np.float64)
    everyone = np.ones(len(outcome))
    strategies: dict[str, Any] = {
        "model": predicted[:, None] >= at,
        "treat_all": everyone,
        "treat_none": 0 * everyone,
        **{name: np.asarray(flagged)[used] for name, flagged in (rules or {}).items()},
    }
    drawn: dict[str, list[Floats]] = {name: [] for name in strategies}
    for counts in drawn_counts(patient, resamples, random_state):
        for name, flagged in strategies.items():
            drawn[name].append(net_benefit(outcome, flagged, at, counts * weight))
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "strategy": name,
                    "threshold": at,
                    "net_benefit": net_benefit(outcome, flagged, at, weight),
                    **_band(np.concatenate(drawn[name]), level),
                }
            )
            for name, flagged in strategies.items()
        ],
        ignore_index=True,
    )


def _band(drawn: Floats, level: float) -> dict[str, Floats]:
    lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {"lower": lower, "upper": upper}
