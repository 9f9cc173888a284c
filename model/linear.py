"""Sums of columns times coefficients that do not depend on the batch.

Assumes finite numbers; every row is added up in the same order, so that it is the same to the last
bit alone, in any batch and in any language with IEEE doubles.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["inverse_logit", "linear_predictor"]

Floats = npt.NDArray[np.float64]


def linear_predictor(X: Any, coefficients: Any, intercept: float) -> Floats:
    """Add up intercept and columns, always in the same order.

    ``X @ coefficients`` may round differently when the number of rows changes. Here every row is
    ``((intercept + x_1 b_1) + x_2 b_2) + ...``, so that it is the same to the last bit alone, in
    any batch and in any language with IEEE doubles.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_columns)
        Finite numbers.
    coefficients : array-like of shape (n_columns,)
        One for each column.
    intercept : float
        Value of a row of zeros.

    Returns
    -------
    ndarray of shape (n_rows,)
        The sum for each row.

    Raises
    ------
    ValueError
        If there is not one coefficient for each column.

    Examples
    --------
    >>> linear_predictor([[1.0, 2.0], [0.0, 1.0]], [0.5, -1.0], 3.0)
    array([1.5, 2. ])
    """
    columns = np.asarray(X, dtype=np.float64).T
    total = np.full(columns.shape[1], intercept, dtype=np.float64)
    for column, coefficient in zip(columns, np.asarray(coefficients, np.float64), strict=True):
        total += column * coefficient
    return total


def inverse_logit(log_odds: Floats) -> Floats:
    """Return probabilities from log-odds.

    Examples
    --------
    >>> inverse_logit(np.array([-800.0, 0.0, 800.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(log_odds))
    probability: Floats = np.where(log_odds >= 0, 1.0, small) / (1.0 + small)
    return probability
