"""Earlier steps towards the outcome, and the direction in which they lie: one column more.

Assumes that what foretells a commoner, earlier step foretells the outcome in much the same
proportions. How far that holds is for the data to say: the column may get no weight, and the
coefficients differ from it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .crossfitted import Rows
from .linear import linear_predictor

__all__ = ["STEP", "as_columns", "drawn_to", "steps_of"]

Floats = npt.NDArray[np.float64]

STEP = "earlier step"
"""Name of the column of a direction."""
FEWEST = 10
"""Rows, or sums of chances, with and without a step that anything is learned from."""


def steps_of(rows: Rows) -> list[Rows]:
    """Return, of each earlier step, the rows that know it; without steps too few took or not.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    list of Rows
        Whose `y` is the step, between 0 and 1.
    """
    found = []
    for step in () if rows.steps is None else rows.steps.T:
        known = np.isfinite(step)
        taken = step[known]
        if min(taken.sum(), (1 - taken).sum()) >= FEWEST:
            found.append(replace(rows, X=rows.X[known], y=taken, weight=rows.weight[known]))
    return found


def drawn_to(rows: Rows, directions: Sequence[Floats]) -> Rows:
    """Return rows with a column for each direction.

    Parameters
    ----------
    rows : Rows
    directions : sequence of ndarray of float, shape (n_columns,)
        Coefficients of earlier steps.
    """
    columns = [linear_predictor(rows.X, direction, 0.0) for direction in directions]
    names = (*rows.names, *[STEP] * len(columns))
    return replace(rows, X=np.column_stack([rows.X, *columns]), names=names)


def as_columns(solved: Floats, directions: Sequence[Floats]) -> Floats:
    """Return intercepts and coefficients with what each direction adds to each column.

    Parameters
    ----------
    solved : ndarray of float, shape (n_fits, 1 + n_columns + n_directions)
        Fits to rows that `drawn_to` made.
    directions : sequence of ndarray of float, shape (n_columns,)

    Returns
    -------
    ndarray of float, shape (n_fits, 1 + n_columns)

    Examples
    --------
    >>> as_columns(np.array([[0.5, 1.0, 0.0, 2.0]]), [np.array([0.1, 0.2])])
    array([[0.5, 1.2, 0.4]])
    """
    if not directions:
        return solved
    multiples = solved[:, -len(directions) :]
    own = solved[:, : -len(directions)].copy()
    own[:, 1:] += multiples @ np.array(directions)
    return own
