"""Curves and groups: how risk and outcome agree across the whole range of risks.

Assumes weights as `lnrisk.training.metrics` does. A smooth curve is an estimate: where few patients
have such a risk it follows the few, so it is drawn only between outer quantiles of the risk.
"""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_curve as _sklearn_roc_curve
from sklearn.utils._param_validation import Interval, validate_params

from .metrics import (
    Floats,
    checked_rows,
    clustered_rows,
    drawn_counts,
    log_odds,
    percentile_interval,
)
from .spline import Spline, logistic_shares

__all__ = [
    "calibration_band",
    "calibration_curve",
    "calibration_error",
    "calibration_error_intervals",
    "grouped_calibration",
    "roc_curve",
]

KNOT_QUANTILES = (0.05, 0.35, 0.65, 0.95)  # Harrell's positions for four knots
CURVE_QUANTILES = (0.005, 0.995)
CURVE_DECIMALS = 3  # of the ends, so that neither is the risk of one patient


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
    predicted = _grid(risk, weight, points)
    observed = _Smooth(risk, weight).shares(y, weight, at=predicted)
    return pd.DataFrame({"predicted": predicted, "observed": observed})


def calibration_band(
    y: Any,
    risk: Any,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    points: int = 101,
    resamples: int = 500,
    random_state: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Smooth calibration curve with a pointwise interval.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.
    groups : array-like of shape (n_rows,), default=None
        Patient of each row, resampled whole.
    points : int, default=101
    resamples, random_state, level
        As in :func:`~lnrisk.training.metrics.bootstrap_intervals`; the knots are held.

    Returns
    -------
    DataFrame
        `predicted`, `observed`, `lower`, `upper`.
    """
    y, risk, weight, patient = clustered_rows(y, risk, sample_weight, groups)
    predicted = _grid(risk, weight, points)
    smooth = _Smooth(risk, weight)
    drawn = np.concatenate(
        [
            smooth.shares(y, counts * weight, at=predicted)
            for counts in drawn_counts(patient, resamples, random_state)
        ]
    )
    observed = smooth.shares(y, weight, at=predicted)
    band = [
        percentile_interval(one, column, level)
        for one, column in zip(observed, drawn.T, strict=True)
    ]
    table = pd.DataFrame(band, columns=["observed", "lower", "upper", "resamples"])
    table.insert(0, "predicted", predicted)
    return table.drop(columns="resamples")


def calibration_error(y: Any, risk: Any, sample_weight: Any = None) -> dict[str, Any]:
    """Distance between the patients' risks and the smooth calibration curve [1]_.

    Parameters
    ----------
    y, risk : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.
    sample_weight : array-like of shape (..., n_rows), default=None
        Each leading index, as of a bootstrap, is answered by values of its own; the knots of the
        curve are those of the mean weight.

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
    together = weight.reshape(-1, len(y)).sum(axis=0)
    return _errors(_Smooth(risk, together), y, risk, weight)


def calibration_error_intervals(
    y: Any,
    risk: Any,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    resamples: int = 500,
    random_state: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Percentile intervals of ICI, E50 and E90, resampling whole patients.

    A distance is never negative and chance only adds to it, so that the bootstrap, which adds
    chance again, lies above the estimate; an interval that does not reach 0 is no proof of
    miscalibration.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Outcome, 0 or 1.
    risk : array-like of shape (n_rows,) or (n_rows, n_repeats)
        Predicted risk; each measure is the mean over repeats.
    sample_weight, groups, resamples, random_state, level
        As in :func:`~lnrisk.training.metrics.bootstrap_intervals`; the curve's knots are held.

    Returns
    -------
    DataFrame
        One row per measure with `estimate`, `lower`, `upper` and `resamples`.
    """
    repeats = np.atleast_2d(np.asarray(risk, dtype=np.float64).T)
    prepared = [clustered_rows(y, repeat, sample_weight, groups) for repeat in repeats]
    curves = [_Smooth(predicted, weight) for _, predicted, weight, _ in prepared]

    def errors(counts: Any) -> Any:
        each = [
            _errors(curve, outcome, predicted, weight * counts)
            for curve, (outcome, predicted, weight, _) in zip(curves, prepared, strict=True)
        ]
        return {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}

    estimate = errors(1.0)
    drawn = [errors(counts) for counts in drawn_counts(prepared[0][3], resamples, random_state)]
    return pd.DataFrame.from_dict(
        {
            name: percentile_interval(
                float(value), np.concatenate([block[name] for block in drawn]), level
            )
            for name, value in estimate.items()
        },
        orient="index",
        columns=["estimate", "lower", "upper", "resamples"],
    )


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


class _Smooth:
    """The smooth calibration curve of some risks, its knots and columns made once."""

    def __init__(self, risk: Floats, weight: Floats) -> None:
        position = log_odds(risk)
        self.spline = Spline(np.unique(_quantile(position, KNOT_QUANTILES, weight)))
        self.columns = self.spline.columns(position)

    def shares(self, y: Floats, weight: Floats, at: Floats | None = None) -> Floats:
        """Return the curve at the risks, or at others, shape (..., n) for weights (..., n_rows)."""
        columns = self.columns if at is None else self.spline.columns(log_odds(at))
        return logistic_shares(self.columns, y, weight, columns)


def _errors(curve: _Smooth, y: Floats, risk: Floats, weight: Floats) -> dict[str, Any]:
    distance = np.abs(curve.shares(y, weight) - risk)
    defined = np.isfinite(distance).all(axis=-1)
    filled = np.where(np.isfinite(distance), distance, 0.0)
    ici = (filled * weight).sum(axis=-1) / weight.sum(axis=-1)
    e50, e90 = _weighted_quantiles(filled, weight, (0.5, 0.9))
    found = {"ici": ici, "e50": e50, "e90": e90}
    return {name: np.where(defined, value, np.nan)[()] for name, value in found.items()}


def _weighted_quantiles(
    values: Floats, weight: Floats, shares: Sequence[float]
) -> list[npt.NDArray[np.float64]]:
    """Return along the last axis the smallest values at which each share of the weight lies."""
    order = np.argsort(values, axis=-1, kind="stable")
    total = np.cumsum(np.take_along_axis(weight, order, axis=-1), axis=-1)
    ranked = np.take_along_axis(values, order, axis=-1)
    found = []
    for share in shares:
        enough = total >= share * total[..., -1:] * (1 - 1e-12)
        first = enough.argmax(axis=-1)
        found.append(np.take_along_axis(ranked, first[..., None], axis=-1)[..., 0])
    return found


def _grid(risk: Floats, weight: Floats, points: int) -> Floats:
    ends = np.round(_quantile(risk, CURVE_QUANTILES, weight), CURVE_DECIMALS)
    first, last = np.clip(ends, 10.0**-CURVE_DECIMALS, 1 - 10.0**-CURVE_DECIMALS)
    return np.linspace(first, last, points)


def _quantile(values: Floats, at: Sequence[float], weight: Floats) -> Floats:
    """Return the smallest values below or at which each share of the weight lies."""
    return np.quantile(values, at, weights=weight, method="inverted_cdf")
