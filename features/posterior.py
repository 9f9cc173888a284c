"""What is known of a patient's line, given their values and the lines of all: posterior moments.

Assumes what `lnrisk.features.trajectories` does; a value beyond a detection limit is replaced by
what is expected of it. Rows of several series are computed at once where they are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .summaries import COMPILE_FROM_ROWS

if TYPE_CHECKING:
    from .trajectories import Trajectory

__all__ = ["Posterior", "posterior", "posteriors", "with_limits"]

Numbers = npt.NDArray[np.float64]
Curve = tuple[Numbers, Numbers, Numbers]


@dataclass(frozen=True)
class Posterior:
    """What is known of patients' lines; fields of shape (n_patients,), nan without any value.

    Parameters
    ----------
    level, slope : ndarray of float
        Posterior mean of the true level at the landmark and of the slope there, per month.
    level_sd, slope_sd : ndarray of float
    change : ndarray of float
        Posterior mean of the true level at the landmark minus that at the index date.
    change_sd : ndarray of float
    """

    level: Numbers
    slope: Numbers
    level_sd: Numbers
    slope_sd: Numbers
    change: Numbers
    change_sd: Numbers


@dataclass(frozen=True)
class _Line:
    """Posterior of intercept and slope deviations: means and covariance."""

    intercept: Numbers
    slope: Numbers
    v11: Numbers
    v12: Numbers
    v22: Numbers


@dataclass(frozen=True)
class _Prior:
    """What is known of each row before its values; fields of shape (n_rows,).

    Parameters
    ----------
    curve : three ndarray of float
        Mean level, slope and bend.
    variance : three ndarray of float
        Of the intercepts, covariance, and of the slopes, between patients.
    error, knot : ndarray of float
        The knot is inf where there is none.
    """

    curve: Curve
    variance: Curve
    error: Numbers
    knot: Numbers

    @classmethod
    def of(cls, models: "Sequence[Trajectory]", given: Sequence[Numbers]) -> "_Prior":
        """Return those of the patients of the first series, then of the next."""
        known = (np.where(np.isnan(each), 0.0, each) for each in given)
        curves = [model.curve(each) for model, each in zip(models, known, strict=True)]
        level, slope, bend = np.concatenate(curves, axis=1)
        told = [
            (*model.variance, model.error, np.inf if model.knot is None else model.knot)
            for model in models
        ]
        counts = [len(each) for each in given]
        v11, v12, v22, error, knot = np.repeat(np.array(told).T, counts, axis=1)
        return cls((level, slope, bend), (v11, v12, v22), error, knot)


def _line(prior: _Prior, sums: Numbers) -> _Line:
    """Return the posterior given the values that are known exactly."""
    n, t, k, tt, tk, _, y, ty = sums.T[:8]
    level, slope, bend = prior.curve
    error = prior.error
    r1 = (y - (n * level + t * slope + k * bend)) / error
    r2 = (ty - (t * level + tt * slope + tk * bend)) / error
    v11, v12, v22 = _covariance(prior.variance, n / error, t / error, tt / error)
    return _Line(v11 * r1 + v12 * r2, v12 * r1 + v22 * r2, v11, v12, v22)


def _covariance(
    variance: Curve, n: Numbers, t: Numbers, tt: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return ``inv(inv(D) + G)`` for 2 x 2 matrices, also where D is singular."""
    d11, d12, d22 = variance
    m11, m12 = 1.0 + d11 * n + d12 * t, d11 * t + d12 * tt
    m21, m22 = d12 * n + d22 * t, 1.0 + d12 * t + d22 * tt
    determinant = m11 * m22 - m12 * m21
    v11 = (m22 * d11 - m12 * d12) / determinant
    v12 = (m22 * d12 - m12 * d22) / determinant
    v22 = (m11 * d22 - m21 * d12) / determinant
    return v11, v12, v22


def _beyond(sums: Numbers, side: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return number, mean time, mean time past the knot and mean limit of values beyond a limit."""
    first = 10 if side < 0 else 14
    n = sums[:, first]
    t, k, limit = sums[:, first + 1 : first + 4].T / np.where(n > 0, n, 1.0)
    return n, t, k, limit


def with_limits(model: "Trajectory", sums: Numbers, given: Numbers) -> tuple[Numbers, Numbers]:
    """Replace values beyond a detection limit by what is expected of them.

    The expectation is that of a normal value, given the patient's exact values, beyond the limit
    (exact for one such value; several on one side are taken at their mean time and limit).

    Parameters
    ----------
    model : Trajectory
    sums : ndarray of float, shape (n_patients, 18)
        As `lnrisk.features.summaries.trajectory_statistics` gives.
    given : ndarray of float, shape (n_patients, n_groups)

    Returns
    -------
    sums : ndarray of float, shape (n_patients, 18)
        With the expected values among the exact ones.
    variance : ndarray of float, shape (n_patients, 2)
        Of the value below and above the limit, 0 where there is none.
    """
    return _with_limits(_Prior.of([model], [given]), sums)


def _with_limits(prior: _Prior, sums: Numbers) -> tuple[Numbers, Numbers]:
    filled, spread = sums, np.zeros((len(sums), 2))
    if not (sums[:, 10].any() or sums[:, 14].any()):
        return filled, spread
    filled = sums.copy()
    level, slope, bend = prior.curve
    line = _line(prior, sums)
    for column, side in enumerate((-1, 1)):
        n, t, k, limit = _beyond(sums, side)
        centre = level + slope * t + bend * k + line.intercept + line.slope * t
        predictive = prior.error + line.v11 + 2.0 * t * line.v12 + t * t * line.v22
        value, variance = _truncated(centre, np.sqrt(predictive), limit, side)
        some = n > 0
        spread[:, column] = np.where(some, variance, 0.0)
        value = np.where(some, value, 0.0)
        products = (np.ones_like(t), t, k, t * t, t * k, k * k)
        with_value = (value, t * value, k * value, value * value + spread[:, column])
        for position, term in enumerate((*products, *with_value)):
            filled[:, position] += n * term
    return filled, spread


def _truncated(
    centre: Numbers, deviation: Numbers, limit: Numbers, side: int
) -> tuple[Numbers, Numbers]:
    """Return mean and variance of normal values below (-1) or above (1) a limit."""
    from scipy.special import log_ndtr

    z = side * (centre - limit) / deviation
    hazard = np.exp(-0.5 * z * z - 0.5 * np.log(2.0 * np.pi) - log_ndtr(z))
    mean = centre + side * deviation * hazard
    variance = deviation * deviation * np.maximum(1.0 - hazard * (hazard + z), 0.0)
    return mean, variance


def posterior(model: "Trajectory", sums: Numbers, given: Numbers, month: Numbers) -> Posterior:
    """Return what is known of patients' lines at their landmark.

    Parameters
    ----------
    model : Trajectory
    sums : ndarray of float, shape (n_patients, 18)
        Sufficient statistics up to the landmark.
    given : ndarray of float, shape (n_patients, n_groups)
        0 or 1; missing counts as 0.
    month : ndarray of float, shape (n_patients,)
        The landmark, months after the index date.

    Returns
    -------
    Posterior
        A patient's figures do not depend on who else is asked about.
    """
    if len(sums) < COMPILE_FROM_ROWS:
        return Posterior(*_posterior(_Prior.of([model], [given]), sums, month))
    known = _without_limits(model, sums, given, month)
    limited = np.flatnonzero(sums[:, 10] + sums[:, 14] > 0)
    prior = _Prior.of([model], [given[limited]])
    known[:, limited] = _posterior(prior, sums[limited], month[limited])
    return Posterior(*known)


def posteriors(
    models: "Sequence[Trajectory]",
    sums: Sequence[Numbers],
    given: Sequence[Numbers],
    month: Numbers,
) -> list[Posterior]:
    """Return what `posterior` does of several series of the same few patients, to the same bits.

    Parameters
    ----------
    models : sequence of Trajectory
    sums, given : sequence of ndarray of float
        Of each series, as `posterior` takes them.
    month : ndarray of float, shape (n_patients,)
    """
    if len(models) < 2:
        return [posterior(*of, month) for of in zip(models, sums, given, strict=True)]
    rows = np.tile(month, len(models))
    known = _posterior(_Prior.of(models, given), np.concatenate(sums), rows)
    return [Posterior(*part) for part in known.reshape(6, len(models), -1).swapaxes(0, 1)]


def _without_limits(model: "Trajectory", sums: Numbers, given: Numbers, month: Numbers) -> Numbers:
    """Return what `_posterior` does for patients without a value beyond a limit, compiled."""
    from .compiled import posterior_without_limits

    known = np.empty((6, len(sums)))
    mean, variance = np.array(model.mean), np.array(model.variance)
    knot = np.inf if model.knot is None else model.knot
    posterior_without_limits(sums, given, month, mean, variance, model.error, knot, known)
    return known


def _posterior(prior: _Prior, sums: Numbers, month: Numbers) -> Numbers:
    """Return the six figures of a posterior, shape (6, n_rows)."""
    filled, spread = _with_limits(prior, sums)
    line = _line(prior, filled)
    v11, v12, v22 = line.v11, line.v12, line.v22
    if spread.any():
        v11, v12, v22 = _widened(prior, line, sums, spread)
    level, slope, bend = prior.curve
    past = np.maximum(month - prior.knot, 0.0)
    change = (slope + line.slope) * month + bend * past
    slope_sd = np.sqrt(v22)
    figures = (
        level + line.intercept + change,
        slope + np.where(past > 0, bend, 0.0) + line.slope,
        np.sqrt(v11 + 2.0 * month * v12 + month * month * v22),
        slope_sd,
        change,
        month * slope_sd,
    )
    return np.where(filled[:, 0] > 0, np.array(figures), np.nan)


def _widened(
    prior: _Prior, line: _Line, sums: Numbers, spread: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the covariance of intercept and slope with that of the values beyond a limit."""
    v11, v12, v22 = line.v11, line.v12, line.v22
    for column, side in enumerate((-1, 1)):
        n, t, _, _ = _beyond(sums, side)
        gain1, gain2 = (
            v * n / prior.error for v in (line.v11 + line.v12 * t, line.v12 + line.v22 * t)
        )
        v11 = v11 + gain1 * gain1 * spread[:, column]
        v12 = v12 + gain1 * gain2 * spread[:, column]
        v22 = v22 + gain2 * gain2 * spread[:, column]
    return v11, v12, v22
