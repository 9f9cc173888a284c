"""Small cells: counts of people that a table must not show.

Assumes that a reader knows the total, so that one hidden count among shown ones could be
reckoned; then a second one is hidden with it.
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
    [True, True, False]
    """
    number = np.asarray(counts, dtype=np.int64)
    small = (number > 0) & (number < smallest)
    if small.sum() == 1 and (number >= smallest).sum() > 0:
        others = np.where(number >= smallest, number, np.iinfo(np.int64).max)
        small[others.argmin()] = True
    return small
