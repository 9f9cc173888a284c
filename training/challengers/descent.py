"""Coordinate descent as a loop for the compiler.

Assumes what `lnrisk.training.challengers.penalised` assumes; where numba cannot write its cache
beside this file, it compiles anew in each process, which costs about a second.
"""

from typing import Any

import numba
import numpy as np

__all__ = ["curvature_of", "descend"]


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})  # type: ignore[untyped-decorator]
def curvature_of(columns: Any, information: Any, chosen: Any) -> Any:
    """Return the curvature along each chosen column, 0 for others; shape (n_columns,)."""
    curvature = np.zeros(len(columns))
    for k in chosen:
        column, total = columns[k], 0.0
        for row in range(len(information)):
            total += information[row] * column[row] * column[row]
        curvature[k] = total
    return curvature


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})  # type: ignore[untyped-decorator]
def _sweep(
    columns: Any,
    information: Any,
    residual: Any,
    curvature: Any,
    l1: Any,
    l2: Any,
    solution: Any,
    chosen: Any,
    active_only: bool,
) -> float:
    """Move the intercept and every chosen coefficient once; return the largest squared move."""
    rows = len(information)
    total, slope = 0.0, 0.0
    for row in range(rows):
        total += information[row]
        slope += residual[row]
    step = slope / total
    solution[0] += step
    for row in range(rows):
        residual[row] -= step * information[row]
    largest = total * step * step
    for k in chosen:
        old = solution[k + 1]
        if (active_only and old == 0.0) or curvature[k] == 0.0:
            continue
        column = columns[k]
        slope = curvature[k] * old
        for row in range(rows):
            slope += column[row] * residual[row]
        size = abs(slope) - l1[k]
        new = 0.0
        if size > 0.0:
            new = (size if slope > 0.0 else -size) / (curvature[k] + l2[k])
        if new != old:
            step = new - old
            for row in range(rows):
                residual[row] -= step * information[row] * column[row]
            solution[k + 1] = new
            largest = max(largest, curvature[k] * step * step)
    return largest


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def descend(
    columns: Any,
    information: Any,
    residual: Any,
    curvature: Any,
    l1: Any,
    l2: Any,
    solution: Any,
    chosen: Any,
    tolerance: float,
    cycles: int,
) -> int:
    """Minimise the penalised quadratic in `solution`, in place; -1 where the cycles did not do.

    Between two sweeps over all chosen columns only those that are not 0 are moved.
    """
    cycle = 0
    while cycle < cycles:
        cycle += 1
        moved = _sweep(columns, information, residual, curvature, l1, l2, solution, chosen, False)
        if moved <= tolerance:
            return cycle
        while cycle < cycles:
            cycle += 1
            moved = _sweep(
                columns, information, residual, curvature, l1, l2, solution, chosen, True
            )
            if moved <= tolerance:
                break
    return -1
