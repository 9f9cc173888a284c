"""Beta calibration: a line in two logarithms, so that low and high risks may bend apart.

It assumes that the uncalibrated risk has a beta distribution with either outcome; three numbers are
enough then. It fails as logistic recalibration fails: on linear predictors that were made on the
very rows that it is fitted to.
"""

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .calibration import calibration_rows
from .calibration_map import BetaMap

__all__ = ["BetaCalibration"]

Floats = npt.NDArray[np.float64]

RIDGE = 1e-6  # a normal prior with mean 1 and standard deviation 1000, as in the logistic line
TOLERANCE = 1e-12  # Newton decrement per unit of weight
NEWTON_STEPS = 100
HALVINGS = 30


class BetaCalibration(BaseEstimator):  # type: ignore[misc]
    """Weighted maximum-likelihood beta calibration [1]_.

    ``log-odds = intercept_ + low_ log(s) - high_ log(1 - s)``, with ``s`` the uncalibrated risk.
    Both are held at 0 or above, so that a higher linear predictor is never a lower risk.

    Attributes
    ----------
    intercept_, low_, high_ : float
        `low_` rules how the risk goes to 0, `high_` how it goes to 1.

    References
    ----------
    .. [1] Kull M, Silva Filho T, Flach P. Beyond sigmoids: how to obtain well-calibrated
       probabilities from binary classifiers with beta calibration. Electron J Stat
       2017;11:5052-5080.

    Examples
    --------
    >>> linear_predictor = [-3.0, -1.0, -1.0, 0.0, 1.0, 1.0]
    >>> calibration = BetaCalibration().fit(linear_predictor, [0, 0, 1, 0, 0, 1])
    >>> calibration.predict([-1.0, 1.0]).round(2)
    array([0.29, 0.46])
    """

    intercept_: float
    low_: float
    high_: float

    def fit(self, linear_predictor: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the three numbers.

        Parameters
        ----------
        linear_predictor, y, sample_weight : array-like of shape (n_rows,)
            As in :meth:`~lnrisk.model.calibration.LogisticCalibration.fit`, errors included.

        Returns
        -------
        BetaCalibration
            The fitted calibration itself.
        """
        x, outcome, weight = calibration_rows(linear_predictor, y, sample_weight)
        columns = np.column_stack([np.ones_like(x), -np.logaddexp(0, -x), np.logaddexp(0, x)])
        fits = [_fit(columns, outcome, weight, list(free)) for free in ((1, 2), (1,), (2,), ())]
        allowed = [fit for fit in fits if np.isfinite(fit[0]) and fit[1][1:].min() >= 0]
        if not allowed:
            raise ValueError(
                f"Beta calibration did not converge: the {len(x)} linear predictors lie between "
                f"{x.min():.3g} and {x.max():.3g}; values of the order of log-odds are expected."
            )
        _, line = min(allowed, key=lambda fit: fit[0])
        self.intercept_, self.low_, self.high_ = (float(value) for value in line)
        if self.low_ == self.high_ == 0:
            warnings.warn(
                "The linear predictor ranks patients no better than chance; every risk will be "
                "the share of the outcome.",
                stacklevel=2,
            )
        return self

    def predict(self, linear_predictor: Any) -> Floats:
        """Return the calibrated risk, shape (n_rows,)."""
        return self.map_.risk(linear_predictor)

    @property
    def map_(self) -> BetaMap:
        """The calibration as plain data."""
        check_is_fitted(self)
        return BetaMap(self.intercept_, self.low_, self.high_)


def _fit(columns: Floats, y: Floats, weight: Floats, free: list[int]) -> tuple[float, Floats]:
    """Return the loss and the three numbers, those not free being 0; Newton with step halving."""
    used = columns[:, [0, *free]]
    share = float(weight @ y / weight.sum())
    prior = np.ones(len(free) + 1)
    penalty = np.full(len(free) + 1, RIDGE)
    penalty[0] = 0.0
    line = np.zeros(len(free) + 1)
    line[0] = np.log(share / (1 - share))

    def loss(at: Floats) -> float:
        predictor = used @ at
        misfit = weight @ (np.logaddexp(0, predictor) - y * predictor)
        return float(misfit + penalty @ (at - prior) ** 2 / 2)

    now = loss(line)
    for _ in range(NEWTON_STEPS):
        risk = expit(used @ line)
        gradient = used.T @ (weight * (y - risk)) - penalty * (line - prior)
        information = (used * (weight * risk * (1 - risk))[:, None]).T @ used + np.diag(penalty)
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        if step @ gradient <= TOLERANCE * weight.sum():
            break
        for _ in range(HALVINGS):
            if loss(line + step) <= now * (1 + TOLERANCE):
                break
            step = step / 2
        line = line + step
        now = loss(line)
    else:
        now = np.nan
    whole = np.zeros(3)
    whole[[0, *free]] = line
    held = [column for column in (1, 2) if column not in free]
    return now + RIDGE / 2 * len(held), whole
