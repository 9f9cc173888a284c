"""Observed over expected and calibration-in-the-large with intervals that hold for few events.

Weights stand for patients whose outcome could not be told; they are taken as known, which makes the
intervals too narrow where they were estimated from few.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from .drift import Shift

__all__ = ["Agreement", "agreement", "observed_expected"]

Numbers = npt.NDArray[np.float64]
EXTREME = 1e-10


@dataclass(frozen=True)
class Agreement:
    """How well risks agree with outcomes.

    Parameters
    ----------
    patients : int
        With a known outcome.
    events : int
        Of them, unweighted.
    expected : float
        Weighted sum of the risks.
    observed_expected : Shift
    intercept : Shift or None
        To be added to the log-odds, slope held at 1; None where one class is absent.
    """

    patients: int
    events: int
    expected: float
    observed_expected: Shift
    intercept: Shift | None


def observed_expected(y: Numbers, risk: Numbers, weight: Numbers) -> Shift:
    """Return observed over expected events with a 95 % interval.

    The gamma interval for weighted sums of Poisson counts; with equal weights it is Garwood's exact
    interval. It covers at least as often as it says, and is wide where events are few.

    Parameters
    ----------
    y, risk, weight : ndarray of float, shape (n_patients,)

    References
    ----------
    Fay & Feuer, Stat Med 1997;16:791.

    Examples
    --------
    >>> y = np.array([1.0] * 10 + [0.0] * 90)
    >>> found = observed_expected(y, np.full(100, 0.1), np.ones(100))
    >>> round(found.value, 2), round(found.lower, 2), round(found.upper, 2)
    (1.0, 0.48, 1.84)
    """
    expected = float(weight @ risk)
    observed, variance = float(weight @ y), float(weight**2 @ y)
    largest = float(weight.max())
    lower = 0.0
    if observed > 0:
        lower = variance / (2 * observed) * stats.chi2.ppf(0.025, 2 * observed**2 / variance)
    above, spread = observed + largest, variance + largest**2
    upper = spread / (2 * above) * stats.chi2.ppf(0.975, 2 * above**2 / spread)
    return Shift(observed / expected, float(lower) / expected, float(upper) / expected)


def _intercept(y: Numbers, risk: Numbers, weight: Numbers) -> Shift | None:
    """Return calibration-in-the-large with a 95 % interval that allows for the weights."""
    from .calibration import logistic_line

    held = np.clip(risk, EXTREME, 1 - EXTREME)
    line = np.log(held) - np.log1p(-held)
    value = float(logistic_line(line, y, weight, slope=1.0)[0])
    if not np.isfinite(value):
        return None
    fitted = 1 / (1 + np.exp(-(value + line)))
    information = float(weight @ (fitted * (1 - fitted)))
    error = stats.norm.ppf(0.975) * np.sqrt(weight**2 @ (y - fitted) ** 2) / information
    return Shift(value, float(value - error), float(value + error))


def agreement(y: Numbers, risk: Numbers, weight: Numbers) -> Agreement:
    """Return how well risks agree with outcomes.

    Parameters
    ----------
    y : ndarray of float, shape (n_patients,)
        0 or 1.
    risk, weight : ndarray of float, shape (n_patients,)
        Weights above 0.
    """
    both = 0 < y.sum() < len(y)
    return Agreement(
        len(y),
        int(y.sum()),
        float(weight @ risk),
        observed_expected(y, risk, weight),
        _intercept(y, risk, weight) if both else None,
    )
