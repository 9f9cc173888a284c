"""A natural cubic spline, and logistic regressions on its columns for many weightings at once.

Assumes few columns and finite numbers. A bootstrap is one more weighting of the same rows, so that
five hundred of them cost a few products of matrices.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from .metrics import Floats

__all__ = ["Spline", "logistic_shares"]

RIDGE = 1e-6  # on all but the intercept: as good as none unless the outcome is separated
TOLERANCE = 1e-11  # Newton decrement per unit of weight
NEWTON_STEPS = 60
HALVINGS = 20


@dataclass(frozen=True)
class Spline:
    """A cubic spline that is straight beyond its outer knots [1]_.

    Parameters
    ----------
    knots : ndarray of shape (n_knots,)
        Ascending; with fewer than three the only column is the value itself.

    References
    ----------
    .. [1] Harrell FE. Regression Modeling Strategies, 2nd edition. Springer 2015, section 2.4.

    Examples
    --------
    >>> Spline(np.array([0.0, 1.0, 2.0])).columns(np.array([-1.0, 1.0, 2.0])).round(3).tolist()
    [[-1.0, 0.0], [1.0, 0.25], [2.0, 1.5]]
    """

    knots: Floats

    def columns(self, x: Floats) -> Floats:
        """Return the columns, shape (n_rows, max(1, n_knots - 1))."""
        knots = self.knots
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


def logistic_shares(columns: Floats, y: Floats, weight: Floats, at: Floats) -> Floats:
    """Fit logistic regressions of an outcome on columns, and return their risks elsewhere.

    Parameters
    ----------
    columns : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)
        0.0 or 1.0.
    weight : ndarray of shape (..., n_rows)
        Non-negative; each leading index is a data set of its own.
    at : ndarray of shape (n_points, n_columns)

    Returns
    -------
    ndarray of shape (..., n_points)
        nan where only one class has weight or the fit did not arrive.
    """
    rows = np.column_stack([np.ones(len(columns)), columns])
    flat = weight.reshape(-1, len(y))
    coefficients = _newton(rows, y, flat)
    shares: Floats = expit(coefficients @ np.column_stack([np.ones(len(at)), at]).T)
    shares = shares.reshape(*weight.shape[:-1], len(at))
    return shares


def _newton(rows: Floats, y: Floats, weight: Floats) -> Floats:
    """Fit all weightings together first, then each from there."""
    start = np.zeros((1, rows.shape[1]))
    together = weight.mean(axis=0, keepdims=True)
    share = together @ y / together.sum()
    if not 0 < share[0] < 1:
        return np.full((len(weight), rows.shape[1]), np.nan)
    start[:, 0] = np.log(share / (1 - share))
    if len(weight) > 1:
        found = _newton_from(start, rows, y, together)
        start = found if np.isfinite(found).all() else start
    return _newton_from(np.repeat(start, len(weight), axis=0), rows, y, weight)


def _newton_from(start: Floats, rows: Floats, y: Floats, weight: Floats) -> Floats:
    size = rows.shape[1]
    squares = (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
    penalty = np.full(size, RIDGE)
    penalty[0] = 0.0
    total, cases = weight.sum(axis=1), weight @ y
    found = np.full((len(weight), size), np.nan)
    moving = np.flatnonzero((cases > 0) & (cases < total))
    line, mine = start[moving], weight[moving]
    loss = _loss(line, rows, y, mine, penalty)
    for _ in range(NEWTON_STEPS):
        if not len(moving):
            break
        risk = expit(line @ rows.T)
        gradient = (mine * (y - risk)) @ rows - penalty * line
        information = ((mine * risk * (1 - risk)) @ squares).reshape(-1, size, size)
        information += np.diag(penalty + 1e-12)
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
        arrived = (step * gradient).sum(axis=1) <= TOLERANCE * total[moving]
        found[moving[arrived]] = (line + step)[arrived]
        moving, line, step = moving[~arrived], line[~arrived], step[~arrived]
        mine = weight[moving]
        line, loss = _downhill(line, step, loss[~arrived], rows, y, mine, penalty)
    return found


def _downhill(
    line: Floats,
    step: Floats,
    before: Floats,
    rows: Floats,
    y: Floats,
    weight: Floats,
    penalty: Floats,
) -> tuple[Floats, Floats]:
    """Take the step, halved for each weighting until the loss does not rise."""
    for _ in range(HALVINGS):
        after = _loss(line + step, rows, y, weight, penalty)
        uphill = ~(after <= before * (1 + 1e-12))
        if not uphill.any():
            break
        step = np.where(uphill[:, None], step / 2, step)
    return line + step, after


def _loss(line: Floats, rows: Floats, y: Floats, weight: Floats, penalty: Floats) -> Floats:
    predictor = line @ rows.T
    misfit = np.maximum(predictor, 0) + np.log1p(np.exp(-np.abs(predictor))) - y * predictor
    loss: Floats = np.einsum("ij,ij->i", weight, misfit) + (penalty * line**2).sum(axis=1) / 2
    return loss
