"""How far data has moved from what a model was trained on, and how far chance alone would move it.

Assumes that patients are drawn one by one; where one patient counts several times, chance is larger
than is said here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["Shift", "population_stability", "share_interval", "standardised_difference"]

Numbers = npt.NDArray[np.float64]
SMALLEST_SHARE = 1e-4
"""An empty bin is taken to hold this share, so that its logarithm is finite."""


@dataclass(frozen=True)
class Shift:
    """A measure, and the interval or the bound that chance gives it.

    Parameters
    ----------
    value : float
    lower, upper : float
        95 % interval.
    """

    value: float
    lower: float
    upper: float


def population_stability(
    shares: Numbers, counts: npt.NDArray[np.int64], trained_on: int
) -> tuple[float, float]:
    """Return the population stability index, and what chance alone exceeds once in twenty times.

    Parameters
    ----------
    shares : ndarray of float, shape (n_bins,)
        In training.
    counts : ndarray of int, shape (n_bins,)
        Now.
    trained_on : int
        Patients behind `shares`.

    References
    ----------
    Yurdakul, Statistical properties of population stability index (thesis), 2018: without a shift
    the index is about (1/n + 1/m) times chi-square with one degree of freedom less than bins.

    Examples
    --------
    >>> index, chance = population_stability(np.array([0.5, 0.5]), np.array([50, 50]), 1000)
    >>> index
    0.0
    """
    now = np.maximum(counts / counts.sum(), SMALLEST_SHARE)
    then = np.maximum(shares, SMALLEST_SHARE)
    index = float(np.sum((now - then) * np.log(now / then)))
    spread = 1 / counts.sum() + 1 / trained_on
    degrees = len(shares) - 1
    return index, float(spread * stats.chi2.ppf(0.95, degrees)) if degrees else 0.0


def standardised_difference(values: Numbers, mean: float, scale: float) -> Shift:
    """Return how far the mean has moved, in standard deviations of the training data.

    Parameters
    ----------
    values : ndarray of float
        At least two known values.
    mean, scale : float
        Of the training data.
    """
    known = values[~np.isnan(values)]
    moved = (known.mean() - mean) / scale
    error = stats.norm.ppf(0.975) * known.std(ddof=1) / np.sqrt(len(known)) / scale
    return Shift(float(moved), float(moved - error), float(moved + error))


def share_interval(count: int, total: int) -> Shift:
    """Return a share with Wilson's 95 % interval.

    Examples
    --------
    >>> share_interval(0, 10).lower
    0.0
    """
    found = stats.binomtest(count, total).proportion_ci(method="wilson")
    return Shift(count / total, max(0.0, float(found.low)), float(found.high))
