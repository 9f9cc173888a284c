"""Small cells: counts of people that a table must not show.

Assumes that a reader knows the total, so that what is hidden could be reckoned together; then as
many others are hidden with it as make that no small number either.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["hidden"]


def hidden(counts: Sequence[int] | npt.NDArray[np.int64], smallest: int) -> npt.NDArray[np.bool_]:
    """Return which counts must not be shown.

    Parameters
    ----------
    counts : array-like of int, shape (n_cells,)
        Parts of one total.
    smallest : int
        That may be shown; 0 may be, for it is nobody.

    Examples
    --------
    >>> hidden([3, 40, 0, 25], smallest=10).tolist()
    [True, False, False, True]
    >>> hidden([3, 4, 40], smallest=10).tolist()
    [True, True, True]
    """
    number = np.asarray(counts, dtype=np.int64)
    small = (number > 0) & (number < smallest)
    for next_smallest in np.argsort(number, kind="stable"):
        if not small.any() or (small.sum() > 1 and number[small].sum() >= smallest):
            break
        small[next_smallest] |= number[next_smallest] >= smallest
    return small
