"""Curves and groups: how risk and outcome agree across the whole range of risks.

Assumes weights as `lnrisk.training.metrics` does. A smooth curve is an estimate: where few patients
have such a risk it follows the few, so it is drawn only between outer quantiles of the risk.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve as _sklearn_roc_curve
from sklearn.utils._param_validation import Interval, validate_params

from .metrics import Floats, checked_rows, log_odds

__all__ = ["calibration_curve", "calibration_error", "grouped_calibration", "roc_curve"]

KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)  # Harrell's positions for four knots
CURVE_QUANTILES = (0.005, 0.995)
CURVE_DECIMALS = 3  # of the ends, so that neither is the risk of one patient
CURVE_PENALTY = 1e6  # inverse; as good as none unless the outcome is separated


def roc_curve(y: Any, risk: Any, sample_weight: Any = None) -> pd.DataFrame:
    """Sensitivity and specificity at each risk.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.

    Returns
    -------
    DataFrame
        `threshold` from infinity down through each distinct risk, and the `sensitivity` and
        `specificity` of calling a risk at or above it positive.

    Raises
    ------
    ValueError
        As in :func:`~lnrisk.training.metrics.auroc`, or if only one class has weight.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    if len(np.unique(y)) < 2:
        raise ValueError(f"A ROC curve needs both classes, found only y = {y[0]:g} with weight.")
    false_positive, true_positive, threshold = _sklearn_roc_curve(
        y, risk, sample_weight=weight, drop_intermediate=False
    )
    return pd.DataFrame(
        {"threshold": threshold, "sensitivity": true_positive, "specificity": 1 - false_positive}
    )


@validate_params(  # type: ignore[untyped-decorator]
    {"points": [Interval(Integral, 2, None, closed="left")]}, prefer_skip_nested_validation=True
)
def calibration_curve(
    y: Any, risk: Any, sample_weight: Any = None, points: int = 101
) -> pd.DataFrame:
    """Smooth share of the outcome at each risk.

    A logistic regression of the outcome on a natural cubic spline [1]_ of the risk's log-odds,
    with knots at the weighted quantiles 0.05, 0.35, 0.65 and 0.95: a curve with three bends at
    most, straight on the log-odds scale beyond the outer knots.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.
    points : int, default=101
        Number of risks, in even steps between the weighted quantiles 0.005 and 0.995.

    Returns
    -------
    DataFrame
        `predicted` risk and `observed` share, NaN if only one class has weight.

    References
    ----------
    .. [1] Harrell FE. Regression Modeling Strategies, 2nd edition. Springer 2015, section 2.4.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    first, last = np.round(_quantile(risk, CURVE_QUANTILES, weight), CURVE_DECIMALS)
    predicted = np.linspace(first, last, points)
    return pd.DataFrame(
        {"predicted": predicted, "observed": _smooth(y, risk, weight, at=predicted)}
    )


def calibration_error(y: Any, risk: Any, sample_weight: Any = None) -> dict[str, float]:
    """Distance between the patients' risks and the smooth calibration curve [1]_.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.

    Returns
    -------
    dict
        Weighted mean (`ici`, the integrated calibration index), median (`e50`) and 90th
        percentile (`e90`) of the absolute distance; NaN if only one class has weight.

    References
    ----------
    .. [1] Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI) and related metrics.
       Stat Med 2019;38:4051-4065.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    distance = np.abs(_smooth(y, risk, weight, at=risk) - risk)
    e50, e90 = _quantile(distance, [0.5, 0.9], weight)
    ici = np.average(distance, weights=weight)
    return {"ici": float(ici), "e50": float(e50), "e90": float(e90)}


@validate_params(  # type: ignore[untyped-decorator]
    {"groups": [Interval(Integral, 1, None, closed="left")]}, prefer_skip_nested_validation=True
)
def grouped_calibration(
    y: Any, risk: Any, sample_weight: Any = None, groups: int = 10
) -> pd.DataFrame:
    """Mean risk and share of the outcome in groups of ascending risk and equal weight.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.
    groups : int, default=10
        Number of groups; fewer come back where many rows share one risk, since equal risks stay
        together.

    Returns
    -------
    DataFrame
        One row per group: weighted mean `predicted`, weighted share `observed`, sum of `weight`
        and number of `rows`.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    _, level = np.unique(risk, return_inverse=True)
    mass = np.bincount(level, weights=weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    group = np.floor(groups * middle)[level]
    sums = (
        pd.DataFrame(
            {"predicted": weight * risk, "observed": weight * y, "weight": weight, "rows": 1}
        )
        .groupby(group)
        .sum()
        .reset_index(drop=True)
    )
    sums[["predicted", "observed"]] = sums[["predicted", "observed"]].div(sums["weight"], axis=0)
    return sums


def _smooth(y: Floats, risk: Floats, weight: Floats, at: Floats) -> Floats:
    """Return the calibration curve at some risks."""
    if len(np.unique(y)) < 2:
        return np.full(len(at), np.nan)
    position = log_odds(risk)
    knots = np.unique(_quantile(position, KNOT_QUANTILES, weight))
    curve = LogisticRegression(C=CURVE_PENALTY, solver="newton-cholesky", tol=1e-8)
    curve.fit(_natural_spline(position, knots), y, sample_weight=weight)
    observed: Floats = curve.predict_proba(_natural_spline(log_odds(at), knots))[:, 1]
    return observed


def _natural_spline(x: Floats, knots: Floats) -> Floats:
    """Return the columns of a cubic spline that is straight beyond the outer knots."""
    if len(knots) < 3:
        return x[:, None]
    inner, before_last, last = knots[:-2], knots[-2], knots[-1]
    cubes = np.maximum(x[:, None] - knots, 0) ** 3
    bends = (
        cubes[:, :-2]
        - cubes[:, [-2]] * (last - inner) / (last - before_last)
        + cubes[:, [-1]] * (before_last - inner) / (last - before_last)
    )
    return np.column_stack([x, bends / (last - knots[0]) ** 2])


def _quantile(values: Floats, at: Sequence[float], weight: Floats) -> Floats:
    """Return the smallest values below or at which each share of the weight lies."""
    return np.quantile(values, at, weights=weight, method="inverted_cdf")
