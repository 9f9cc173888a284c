"""Discrimination by each of several days: who meets the outcome by then, against who has not.

Assumes censoring unrelated to what is to come, given what its curve was fitted on, as
`lnrisk.model.weights` does. Death and kidney failure end the chance of the outcome: such a patient
never met it and is a control from then on, as the risk that is asked about is that of meeting it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..model.weights import CensoringCurve, fit_censoring
from .metrics import Floats, auroc, drawn_counts, percentile_interval

__all__ = ["auroc_in_time", "weights_by"]


def weights_by(
    day: float, status: npt.NDArray[np.str_], days: Floats, censoring: CensoringCurve
) -> tuple[Floats, Floats]:
    """Return who met the outcome by a day, and the weights that make up for the censored [1]_.

    Parameters
    ----------
    day : float
        On the clock of `days`.
    status : ndarray of str, shape (n_rows,)
        "event", "competing", "event_free", "censored" or "indeterminate".
    days : ndarray of float, shape (n_rows,)
        Of the event or of last contact.
    censoring : CensoringCurve

    Returns
    -------
    y, weight : ndarray of shape (n_rows,)
        The weight is 0 for those censored before the day and for the indeterminate.

    References
    ----------
    .. [1] Blanche P, Dartigues JF, Jacqmin-Gadda H. Estimating and comparing time-dependent areas
       under receiver operating characteristic curves for censored event times with competing
       risks. Stat Med 2013;32:5381-5397. Their definition (ii) of a control.
    """
    ended = np.isin(status, ("event", "competing")) & (days <= day)
    known = (ended | (days >= day)) & (status != "indeterminate")
    remaining = censoring.just_before(np.minimum(days, day))
    with np.errstate(divide="ignore"):
        weight: Floats = np.where(known, 1.0 / remaining, 0.0)
    y = ((status == "event") & (days <= day)).astype(np.float64)
    return y, weight


def auroc_in_time(
    status: npt.NDArray[np.str_],
    days: Floats,
    risk: Any,
    at: Sequence[float],
    *,
    censoring: CensoringCurve | None = None,
    sample_weight: Any = None,
    known: Any = None,
    groups: Any = None,
    resamples: int = 500,
    random_state: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Cumulative/dynamic AUROC by each day.

    Parameters
    ----------
    status, days : ndarray of shape (n_rows,)
        As in :func:`weights_by`.
    risk : array-like of shape (n_rows,)
        By the horizon, made without the row.
    at : sequence of float
        Days.
    censoring : CensoringCurve, optional
        By default fitted to these rows; held in the resamples.
    sample_weight : array-like of shape (n_rows,), optional
        Further weights, as for a label that cannot always be told.
    known : array-like of bool, shape (n_rows,), optional
        Rows whose events are counted; all by default.
    groups, resamples, random_state, level
        As in :func:`~lnrisk.training.metrics.bootstrap_intervals`.

    Returns
    -------
    DataFrame
        days, auroc, lower, upper, events (by then, not weighted); nan where there is no event or
        no control yet.
    """
    curve = fit_censoring(days, status == "censored") if censoring is None else censoring
    further = np.ones(len(days)) if sample_weight is None else np.asarray(sample_weight, float)
    counted = np.ones(len(days), bool) if known is None else np.asarray(known, bool)
    patient = np.arange(len(days)) if groups is None else np.asarray(groups)
    predicted = np.asarray(risk, dtype=np.float64)
    rows = []
    for day in at:
        y, weight = weights_by(day, status, days, curve)
        weight = weight * further
        used = weight > 0
        estimate, drawn = np.nan, np.empty(0)
        if 0 < y[used].sum() < used.sum():
            estimate = float(auroc(y, predicted, weight))
            drawn = np.concatenate(
                [
                    auroc(y[used], predicted[used], counts * weight[used])
                    for counts in drawn_counts(patient[used], resamples, random_state)
                ]
            )
        _, lower, upper, _ = percentile_interval(estimate, drawn, level)
        rows.append({"days": day, "auroc": estimate, "lower": lower, "upper": upper})
        rows[-1]["events"] = int(y[used & counted].sum())
    return pd.DataFrame(rows)
