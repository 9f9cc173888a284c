"""Logistic regression with a ridge penalty, along a path of penalties.

Assumes columns on comparable scales, since one penalty holds them all back; each solution starts
from that of the stronger penalty before it, which leaves two or three Newton steps to do. It fails,
and says so, where a penalty is too weak to hold separated outcomes.
"""

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

__all__ = ["ridge_path"]

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-12  # of the Newton decrement, per unit of weight
NEWTON_STEPS = 100
HALVINGS = 30
HARDLY = 1e-6
"""Penalty of a free column: enough to settle one that is 0 throughout."""


def ridge_path(X: Floats, y: Floats, weight: Floats, Cs: Floats, free: int = 0) -> Floats:
    """Fit ``sum(weight * log loss) + |coefficients|^2 / (2 C)`` for each C.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)
        0.0 or 1.0.
    weight : ndarray of shape (n_rows,)
        Positive.
    Cs : ndarray of shape (n_Cs,)
        Inverse penalties, ascending.
    free : int, default=0
        How many of the last columns are as good as not penalised.

    Returns
    -------
    ndarray of shape (n_Cs, 1 + n_columns)
        Intercept, which is not penalised, and coefficients.

    Raises
    ------
    ValueError
        When Newton's method does not arrive.

    References
    ----------
    Friedman, Hastie, Tibshirani, J Stat Softw 2010;33(1), on warm starts along a path.
    """
    columns = np.asfortranarray(np.column_stack([np.ones(len(X)), X]))
    solution = np.zeros(columns.shape[1])
    share = weight @ y / weight.sum()
    solution[0] = np.log(share) - np.log1p(-share)
    path = np.empty((len(Cs), len(solution)))
    for position, C in enumerate(Cs):
        penalty = np.full(len(solution), 1 / C)
        penalty[0] = 0
        penalty[len(solution) - free :] = HARDLY
        solution = _newton(columns, y, weight, penalty, solution)
        path[position] = solution
    return path


def _newton(columns: Floats, y: Floats, weight: Floats, penalty: Floats, start: Floats) -> Floats:
    solution, predictor = start, columns @ start
    for _ in range(NEWTON_STEPS):
        risk = expit(predictor)
        gradient = columns.T @ (weight * (y - risk)) - penalty * solution
        information = columns.T @ (columns * (weight * risk * (1 - risk))[:, None])
        information[np.diag_indices_from(information)] += penalty
        step = cho_solve(cho_factor(information, check_finite=False), gradient, check_finite=False)
        decrement = step @ gradient
        if decrement <= TOLERANCE * weight.sum():
            arrived: Floats = solution + step
            return arrived
        solution, predictor = _downhill(columns, y, weight, penalty, solution, predictor, step)
    raise ValueError(
        f"The regression did not converge in {NEWTON_STEPS} steps; the weakest penalty may be too "
        "weak for outcomes that the columns separate."
    )


def _downhill(
    columns: Floats,
    y: Floats,
    weight: Floats,
    penalty: Floats,
    solution: Floats,
    predictor: Floats,
    step: Floats,
) -> tuple[Floats, Floats]:
    """Take the step, halved until the objective does not rise."""

    def objective(at: Floats, predicted: Floats) -> float:
        misfit = weight @ (np.logaddexp(0, predicted) - y * predicted)
        return float(misfit + 0.5 * penalty @ at**2)

    change = columns @ step
    before = objective(solution, predictor) * (1 + TOLERANCE)
    share = 1.0
    for _ in range(HALVINGS):
        if objective(solution + share * step, predictor + share * change) <= before:
            break
        share /= 2
    return solution + share * step, predictor + share * change
