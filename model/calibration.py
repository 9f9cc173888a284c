"""Logistic recalibration: the risk that belongs to a linear predictor.

It assumes that the log-odds of the outcome are a straight line in the linear predictor, so that two
numbers are enough. It fails when the miscalibration is not a straight line, which the calibration
curve shows, and when the linear predictor was made on the very rows that it is calibrated on.
"""

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from .calibration_map import LogisticMap

__all__ = ["LogisticCalibration", "calibration_rows", "logistic_line"]

Floats = npt.NDArray[np.float64]

RIDGE = 1e-6  # a normal prior with mean 1 and standard deviation 1000 on the slope
TOLERANCE = 1e-12  # Newton decrement per unit of weight
NEWTON_STEPS = 100
HALVINGS = 30


class LogisticCalibration(BaseEstimator):  # type: ignore[misc]
    """Weighted maximum-likelihood line from linear predictor to log-odds [1]_ [2]_.

    ``risk = expit(intercept_ + slope_ * linear_predictor)``. The slope has a ridge of 1e-6 towards
    1, that is a prior standard deviation of 1000: it is felt only where the line is not
    identified, as with perfectly separated outcomes or a constant linear predictor. The slope is
    held at 0 or above: where the likelihood asks for less, the linear predictor ranks patients no
    better than chance, a warning says so, and everyone is given the weighted share of the outcome.

    Attributes
    ----------
    intercept_ : float
        Log-odds of the outcome at a linear predictor of 0.
    slope_ : float
        Log-odds per unit of the linear predictor, at least 0.

    References
    ----------
    .. [1] Cox DR. Two further applications of a model for binary regression.
       Biometrika 1958;45:562-565.
    .. [2] Platt JC. Probabilistic outputs for support vector machines and comparisons to
       regularized likelihood methods. Advances in Large Margin Classifiers 1999:61-74.

    Examples
    --------
    >>> linear_predictor = [-3.0, -1.0, -1.0, 0.0, 1.0, 1.0]
    >>> calibration = LogisticCalibration().fit(linear_predictor, [0, 0, 1, 0, 0, 1])
    >>> calibration.predict([-1.0, 1.0]).round(2)
    array([0.27, 0.48])
    """

    intercept_: float
    slope_: float

    def fit(self, linear_predictor: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit intercept and slope.

        Parameters
        ----------
        linear_predictor : array-like of shape (n_rows,)
            Log-odds scale, made without the row itself (out of fold).
        y : array-like of shape (n_rows,)
            Outcome, 0 or 1.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; a row of weight 0 has no influence.

        Returns
        -------
        LogisticCalibration
            The fitted calibration itself.

        Raises
        ------
        ValueError
            If `y` is not 0/1, if one of the two has no weight, or if Newton's method does not
            arrive at a finite line.

        Warns
        -----
        UserWarning
            If the slope had to be held at 0.
        """
        x, outcome, weight = calibration_rows(linear_predictor, y, sample_weight)
        intercept, slope = logistic_line(x, outcome, weight)
        if not np.isfinite(intercept + slope):
            raise ValueError(
                f"Recalibration did not converge: the {len(x)} linear predictors lie between "
                f"{x.min():.3g} and {x.max():.3g}; values of the order of log-odds are expected."
            )
        if slope < 0:
            warnings.warn(
                f"The linear predictor ranks patients no better than chance (recalibration slope "
                f"{slope:.3g}); every risk will be the share of the outcome.",
                stacklevel=2,
            )
            intercept, slope = logistic_line(x, outcome, weight, slope=0.0)
        self.intercept_, self.slope_ = float(intercept), float(slope)
        return self

    def predict(self, linear_predictor: Any) -> Floats:
        """Return the calibrated risk.

        Parameters
        ----------
        linear_predictor : array-like of shape (n_rows,)
            On the scale that was fitted.

        Returns
        -------
        ndarray of shape (n_rows,)
            Risk between 0 and 1.
        """
        return self.map_.risk(linear_predictor)

    @property
    def map_(self) -> LogisticMap:
        """The calibration as plain data."""
        check_is_fitted(self)
        return LogisticMap(self.intercept_, self.slope_)


def calibration_rows(
    linear_predictor: Any, y: Any, sample_weight: Any = None
) -> tuple[Floats, Floats, Floats]:
    """Return linear predictor, outcome and weight of the rows that have weight.

    Parameters
    ----------
    linear_predictor, y, sample_weight : array-like of shape (n_rows,)
        As in :meth:`LogisticCalibration.fit`.

    Raises
    ------
    ValueError
        If a linear predictor is not finite, `y` is not 0/1, a weight is negative, or one of the
        two outcomes has no weight.
    """
    x = check_array(linear_predictor, ensure_2d=False, dtype=np.float64)
    outcome = check_array(y, ensure_2d=False, dtype=np.float64)
    check_consistent_length(x, outcome)
    weight = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
    used = weight > 0
    found = np.unique(outcome[used])
    if not np.array_equal(found, [0, 1]):
        raise ValueError(f"`y` must hold both classes 0 and 1 with weight, found {found}.")
    return x[used], outcome[used], weight[used]


def logistic_line(
    linear_predictor: Floats, y: Floats, sample_weight: Floats, slope: float | None = None
) -> tuple[Floats, Floats]:
    """Fit ``logit P(y = 1) = intercept + slope * linear_predictor`` for one or many weightings.

    Newton's method with step halving, for all weightings at once.

    Parameters
    ----------
    linear_predictor, y : ndarray of shape (n_rows,)
        Finite log-odds, and the outcome as 0.0 or 1.0.
    sample_weight : ndarray of shape (..., n_rows)
        Non-negative weights; each leading index is a data set of its own, as in a bootstrap.
    slope : float, default=None
        Hold the slope at this value (1 for calibration-in-the-large) instead of fitting it.

    Returns
    -------
    intercept, slope : ndarray of shape (...)
        NaN where the line does not exist or was not reached, as with one class only.
    """
    weight = sample_weight.reshape(-1, len(y))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        line = _start(linear_predictor, y, weight, slope)
        moving = np.flatnonzero(np.isfinite(line).all(axis=0))
        line[:, ~np.isfinite(line).all(axis=0)] = np.nan
        for _ in range(NEWTON_STEPS):
            mine, at = weight[moving], line[:, moving]
            step, decrement = _newton_step(at, linear_predictor, y, mine, slope is None)
            away = ~(decrement <= TOLERANCE * mine.sum(axis=1))
            line[:, moving[~away]] += step[:, ~away]
            moving = moving[away]
            if not len(moving):
                break
            line[:, moving] = _downhill(at[:, away], step[:, away], linear_predictor, y, mine[away])
            moving = moving[np.isfinite(line[:, moving]).all(axis=0)]
        line[:, moving] = np.nan
    intercept, fitted_slope = line.reshape(2, *sample_weight.shape[:-1])
    return intercept, fitted_slope


def _start(x: Floats, y: Floats, weight: Floats, slope: float | None) -> Floats:
    """Return where to start from, shape (2, m): of many weightings the line of them together."""
    total = weight.sum(axis=1)
    first = 0.0 if slope is None else slope
    line = np.stack([logit(weight @ y / total) - first * (weight @ x) / total, 0 * total + first])
    if len(weight) > 1:
        together = np.array(logistic_line(x, y, weight.mean(axis=0), slope))
        defined = np.isfinite(line).all(axis=0)
        if np.isfinite(together).all():
            line[:, defined] = together[:, None]
    return line


def _newton_step(
    line: Floats, x: Floats, y: Floats, weight: Floats, with_slope: bool
) -> tuple[Floats, Floats]:
    """Return the step (2, m) and the decrement (m,), which is twice the loss still to be gained."""
    risk = expit(line[0, :, None] + line[1, :, None] * x)
    residual = weight * (y - risk)
    information = weight * risk * (1 - risk)
    gradient_0, gradient_1 = residual.sum(axis=1), residual @ x - RIDGE * (line[1] - 1)
    h_00, h_01, h_11 = information.sum(axis=1), information @ x, information @ x**2 + RIDGE
    if not with_slope:
        gradient_1, h_01 = np.zeros_like(gradient_1), np.zeros_like(h_01)
    determinant = h_00 * h_11 - h_01**2
    step = (
        np.stack([h_11 * gradient_0 - h_01 * gradient_1, h_00 * gradient_1 - h_01 * gradient_0])
        / determinant
    )
    return step, step[0] * gradient_0 + step[1] * gradient_1


def _downhill(line: Floats, step: Floats, x: Floats, y: Floats, weight: Floats) -> Floats:
    """Take the step, halved for each weighting until the loss does not rise."""
    before = _loss(line, x, y, weight)
    for _ in range(HALVINGS):
        uphill = ~(_loss(line + step, x, y, weight) <= before * (1 + TOLERANCE))
        if not uphill.any():
            break
        step = np.where(uphill, step / 2, step)
    return line + step


def _loss(line: Floats, x: Floats, y: Floats, weight: Floats) -> Floats:
    predictor = line[0, :, None] + line[1, :, None] * x
    misfit = np.maximum(predictor, 0) + np.log1p(np.exp(-np.abs(predictor))) - y * predictor
    misfit = np.einsum("ij,ij->i", weight, misfit)
    loss: Floats = misfit + RIDGE / 2 * (line[1] - 1) ** 2
    return loss
