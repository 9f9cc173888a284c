"""Calibration below a ceiling: log-odds that go up along a line and level off under a highest risk.

It assumes that even of the patients who look worst a share never has the outcome, for reasons that
the model cannot see: where the outcome needs several things together, as failing twice on drugs
that were taken, one of them may be unknowable. Where there is no such share the ceiling is 1, and
the calibration a logistic one.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .calibration import LogisticCalibration, calibration_rows
from .calibration_map import CeilingMap

__all__ = ["CeilingCalibration"]

Floats = npt.NDArray[np.float64]

START = 0.9
HIGHEST = 15.0
"""Log-odds of a ceiling from which on there is none."""
TOLERANCE = 1e-12  # decrement of a scoring step per unit of weight
STEPS = 200
HALVINGS = 40


class CeilingCalibration(BaseEstimator):  # type: ignore[misc]
    """Weighted maximum likelihood of ``risk = ceiling_ * expit(intercept_ + slope_ * x)``.

    It is the psychometric function with a lapse rate [1]_, three numbers as in beta calibration. A
    higher linear predictor is never a lower risk, and no two are the same risk.

    Attributes
    ----------
    intercept_, slope_ : float
    ceiling_ : float
        Above every risk, at most 1.

    References
    ----------
    .. [1] Wichmann FA, Hill NJ. The psychometric function: I. Fitting, sampling, and goodness of
       fit. Percept Psychophys 2001;63:1293-1313.

    Examples
    --------
    >>> x = np.repeat([-4.0, -2.0, 0.0, 2.0, 4.0], 10)
    >>> y = np.concatenate([np.arange(10) < n for n in (0, 1, 3, 4, 4)])
    >>> float(round(CeilingCalibration().fit(x, y).ceiling_, 2))
    0.39
    """

    intercept_: float
    slope_: float
    ceiling_: float

    def fit(self, linear_predictor: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the three numbers.

        Parameters
        ----------
        linear_predictor, y, sample_weight : array-like of shape (n_rows,)
            As in :meth:`~lnrisk.model.calibration.LogisticCalibration.fit`, errors and warnings
            included.

        Returns
        -------
        CeilingCalibration
            The fitted calibration itself.
        """
        x, outcome, weight = calibration_rows(linear_predictor, y, sample_weight)
        line = LogisticCalibration().fit(x, outcome, weight)
        self.intercept_, self.slope_, self.ceiling_ = line.intercept_, line.slope_, 1.0
        start = np.array([line.intercept_, line.slope_, np.log(START) - np.log1p(-START)])
        found = _score(x, outcome, weight, start) if line.slope_ > 0 else None
        if found is not None:
            self.intercept_, self.slope_ = float(found[0]), float(found[1])
            self.ceiling_ = float(expit(found[2]))
        return self

    def predict(self, linear_predictor: Any) -> Floats:
        """Return the calibrated risk, shape (n_rows,)."""
        return self.map_.risk(linear_predictor)

    @property
    def map_(self) -> CeilingMap:
        """The calibration as plain data."""
        check_is_fitted(self)
        return CeilingMap(self.intercept_, self.slope_, self.ceiling_)


def _score(x: Floats, y: Floats, weight: Floats, start: Floats) -> Floats | None:
    """Return intercept, slope and log-odds of the ceiling by Fisher scoring; None without one."""
    at = start
    loss, step, decrement = _scoring_step(x, y, weight, at)
    for _ in range(STEPS):
        if decrement <= TOLERANCE * weight.sum():
            return at
        for _ in range(HALVINGS):
            new = _scoring_step(x, y, weight, at + step)
            if new[0] <= loss * (1 + TOLERANCE):
                break
            step = step / 2
        at = at + step
        if at[2] > HIGHEST or at[1] <= 0:
            return None
        loss, step, decrement = new
    return None


def _scoring_step(x: Floats, y: Floats, weight: Floats, at: Floats) -> tuple[float, Floats, float]:
    """Return the loss, the scoring step and what it promises."""
    below, ceiling = expit(at[0] + at[1] * x), expit(at[2])
    risk = np.clip(ceiling * below, 1e-300, 1 - 1e-16)
    along = risk * (1 - below)
    slopes = np.column_stack([along, x * along, (1 - ceiling) * risk])
    certainty = weight / (risk * (1 - risk))
    gradient = slopes.T @ (certainty * (y - risk))
    information = (slopes * certainty[:, None]).T @ slopes
    step = np.linalg.lstsq(information, gradient, rcond=None)[0]
    loss = -float(weight @ (y * np.log(risk) + (1 - y) * np.log1p(-risk)))
    return loss, step, float(step @ gradient)
