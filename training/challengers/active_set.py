"""An elastic net finished to rounding by Newton's method on the columns that are in.

Assumes a rough solution from which few columns still come in, leave or change sign: with signs held
the objective is smooth, and columns that are much alike cost no more than others.
"""

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

__all__ = ["LEAST_INFORMATION", "newton_on_active_set"]

Floats = npt.NDArray[np.float64]

STEPS = 60
LAST_STEP = 1e-15  # squared, in units of the linear predictor's variance
SLACK = 1e-9  # of a penalty, within which a slope is not called larger
LEAST_INFORMATION = 1e-10  # of a row's p (1 - p), so that no row's weight vanishes


def newton_on_active_set(
    columns: Floats,
    y: Floats,
    weight: Floats,
    l1: Floats,
    l2: Floats,
    start: Floats,
    chosen: npt.NDArray[np.intp],
) -> Floats | None:
    """Minimise the weighted log loss + l1 |b| + l2 b^2 / 2.

    A step ends where a coefficient reaches 0, and that column leaves; at the minimum of those that
    are in, the column with the largest slope beyond its penalty comes in.

    Parameters
    ----------
    columns : ndarray of shape (n_columns, n_rows)
    y, weight : ndarray of shape (n_rows,)
        The weights add up to 1.
    l1, l2 : ndarray of shape (n_columns,)
    start : ndarray of shape (1 + n_columns,)
        Intercept and coefficients near the solution.
    chosen : ndarray of int
        Columns that may come in.

    Returns
    -------
    ndarray of shape (1 + n_columns,)
        None where it is not found in a few dozen steps.
    """
    b, sign = start.copy(), np.sign(start[1:])
    free = chosen[l1[chosen] == 0]
    for _ in range(STEPS):
        used = np.union1d(np.flatnonzero(sign), free)
        risk = expit(b[0] + b[1 + used] @ columns[used])
        try:
            step, moved = _step(columns[used], y - risk, weight, l1, l2, b, sign, used, risk)
        except LinAlgError:
            return None
        share = _until_zero(b[1 + used], step[1:], sign[used] * (l1[used] > 0))
        whole = share.min(initial=1.0)
        b[0] += whole * step[0]
        b[1 + used] += whole * step[1:]
        if whole < 1:
            left = used[share == whole]
            b[1 + left], sign[left] = 0.0, 0.0
        elif moved <= LAST_STEP:
            slope = columns[chosen] @ (weight * (y - expit(b[0] + b[1 + used] @ columns[used])))
            beyond = np.where(sign[chosen] == 0, np.abs(slope) - l1[chosen] * (1 + SLACK), -1.0)
            beyond[l1[chosen] == 0] = -1.0
            if beyond.max(initial=-1.0) <= 0:
                return b
            sign[chosen[beyond.argmax()]] = np.sign(slope[beyond.argmax()])
    return None


def _step(
    columns: Floats,
    residual: Floats,
    weight: Floats,
    l1: Floats,
    l2: Floats,
    b: Floats,
    sign: Floats,
    used: npt.NDArray[np.intp],
    risk: Floats,
) -> tuple[Floats, float]:
    """Return Newton's step of the intercept and the columns in, and its size."""
    design = np.vstack([np.ones(columns.shape[1]), columns])
    ridge = np.append(0.0, l2[used])
    slope = design @ (weight * residual) - ridge * b[np.append(0, 1 + used)]
    slope[1:] -= l1[used] * sign[used]
    information = weight * np.maximum(risk * (1 - risk), LEAST_INFORMATION)
    curvature = (design * information) @ design.T + np.diag(ridge)
    step: Floats = cho_solve(cho_factor(curvature), slope)
    return step, float(step @ curvature @ step)


def _until_zero(b: Floats, step: Floats, sign: Floats) -> Floats:
    """Return which share of the step takes each coefficient to 0; 1 where it keeps its sign."""
    share = np.ones(len(b))
    crosses = (sign != 0) & (np.sign(b + step) != sign)
    share[crosses] = np.clip(-b[crosses] / step[crosses], 0.0, 1.0)
    return share
