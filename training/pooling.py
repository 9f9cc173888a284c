"""Random-effects pooling of one figure from several centres, and what a new centre may show.

Assumes that the centres are a sample of those to come and that their figures are normal on the
scale pooled: AUROC on the log-odds scale, observed/expected on the log scale. With few centres the
spread between them is hardly known; the prediction interval is then wide, as it should be.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from .metrics import Floats

__all__ = ["Pooled", "pool", "pool_measure"]

Scale = Literal["identity", "log", "logit"]
SCALES: dict[str, Scale] = {
    "auroc": "logit",
    "observed_expected": "log",
    "calibration_slope": "identity",
    "calibration_intercept": "identity",
}
LARGEST_RATIO = 1e6
SMALLEST_SHARE, GRID = 1e-3, 60
"""Of the least variance within a centre, and points, where the likelihood is searched for peaks."""


@dataclass(frozen=True)
class Pooled:
    """A pooled figure.

    Parameters
    ----------
    estimate, lower, upper : float
        Mean over centres with its Hartung-Knapp interval; nan limits with one centre.
    prediction_lower, prediction_upper : float
        Of the true figure in a new centre; nan with fewer than three centres.
    tau_squared : float
        Variance between centres, on the scale pooled.
    centres : int
    """

    estimate: float
    lower: float
    upper: float
    prediction_lower: float
    prediction_upper: float
    tau_squared: float
    centres: int


def pool(estimates: Any, standard_errors: Any, level: float = 0.95) -> Pooled:
    """Pool by restricted maximum likelihood, with Hartung-Knapp and prediction intervals [1]_ [2]_.

    The Hartung-Knapp variance is not let fall below the usual one, so that centres that happen to
    agree do not make the interval narrower than their numbers allow. The prediction interval rests
    on Student's t with two degrees of freedom fewer than centres.

    Parameters
    ----------
    estimates, standard_errors : array-like of shape (n_centres,)
        Centres whose figure or error is not defined are left out.
    level : float, default=0.95

    Raises
    ------
    ValueError
        If no centre is left, or a standard error is negative.

    References
    ----------
    .. [1] IntHout J, Ioannidis JPA, Borm GF. The Hartung-Knapp-Sidik-Jonkman method for random
       effects meta-analysis is straightforward and considerably outperforms the standard
       DerSimonian-Laird method. BMC Med Res Methodol 2014;14:25.
    .. [2] Debray TPA, et al. A framework for meta-analysis of prediction model studies with binary
       and time-to-event outcomes. Stat Methods Med Res 2019;28:2768-2786.

    Examples
    --------
    >>> found = pool([0.2, 0.4, 0.9], [0.1, 0.1, 0.1])
    >>> round(found.estimate, 3), round(found.tau_squared, 3)
    (0.5, 0.12)
    """
    y, error = np.asarray(estimates, float), np.asarray(standard_errors, float)
    known = np.isfinite(y) & np.isfinite(error)
    y, variance = y[known], error[known] ** 2
    if not len(y) or (error[known] <= 0).any():
        raise ValueError("pooling needs a figure and a positive standard error of one centre.")
    if len(y) == 1:
        return Pooled(float(y[0]), np.nan, np.nan, np.nan, np.nan, np.nan, 1)
    tau_squared = _restricted_maximum_likelihood(y, variance)
    weight = 1 / (variance + tau_squared)
    mean = float(weight @ y / weight.sum())
    scatter = weight @ (y - mean) ** 2 / (len(y) - 1)
    of_mean = float(max(scatter, 1.0) / weight.sum())
    half = student.ppf((1 + level) / 2, len(y) - 1) * np.sqrt(of_mean)
    wide = np.nan
    if len(y) > 2:
        wide = student.ppf((1 + level) / 2, len(y) - 2) * np.sqrt(tau_squared + of_mean)
    return Pooled(mean, mean - half, mean + half, mean - wide, mean + wide, tau_squared, len(y))


def pool_measure(measure: str, estimates: Any, standard_errors: Any, level: float = 0.95) -> Pooled:
    """Pool a figure on its own scale and give it back on the one it is read on.

    Parameters
    ----------
    measure : str
        "auroc" (standard errors of the AUROC itself), "observed_expected" (of its logarithm),
        "calibration_slope" or "calibration_intercept".
    estimates, standard_errors : array-like of shape (n_centres,)
    level : float, default=0.95

    Returns
    -------
    Pooled
        `tau_squared` stays on the scale pooled.
    """
    scale = SCALES[measure]
    y, error = np.asarray(estimates, float), np.asarray(standard_errors, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "logit":
            y, error = np.log(y / (1 - y)), error / (y * (1 - y))
        elif scale == "log":
            y = np.log(y)
    found = pool(y, error, level)
    return Pooled(
        _back(found.estimate, scale),
        _back(found.lower, scale),
        _back(found.upper, scale),
        _back(found.prediction_lower, scale),
        _back(found.prediction_upper, scale),
        found.tau_squared,
        found.centres,
    )


def _back(value: float, scale: Scale) -> float:
    if scale == "log":
        return float(np.exp(value))
    return float(1 / (1 + np.exp(-value))) if scale == "logit" else value


def _restricted_maximum_likelihood(y: Floats, variance: Floats) -> float:
    """Return the variance between centres at which the restricted likelihood is greatest.

    It may have a peak at 0 and another beyond it, so all peaks on a grid are compared.
    """

    def weighted(tau_squared: float) -> tuple[Floats, Floats]:
        weight = 1 / (variance + tau_squared)
        return weight, (y - weight @ y / weight.sum()) ** 2

    def score(tau_squared: float) -> float:
        weight, squares = weighted(tau_squared)
        return float(weight**2 @ squares - weight.sum() + weight @ weight / weight.sum())

    def deviance(tau_squared: float) -> float:
        weight, squares = weighted(tau_squared)
        return float(np.log(weight.sum()) - np.log(weight).sum() + weight @ squares)

    widest = float(np.ptp(y) ** 2 + variance.max())
    upper = widest
    while score(upper) > 0:
        upper *= 2
        if upper > LARGEST_RATIO * widest:
            raise ValueError("the variance between centres could not be found.")
    grid = [0.0, *np.geomspace(SMALLEST_SHARE * variance.min(), upper, GRID).tolist()]
    rises = [score(tau_squared) > 0 for tau_squared in grid]
    peaks = [
        float(brentq(score, grid[at], grid[at + 1], xtol=1e-14, rtol=1e-12))
        for at in range(GRID)
        if rises[at] and not rises[at + 1]
    ]
    return min([0.0, *peaks], key=deviance)
