"""Whether all methods give the same columns, before any timing counts."""

from pathlib import Path

import numpy as np

TOLERANCE = 1e-9


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference over the largest size; inf where only one is missing."""
    one, other = one.astype(float), other.astype(float)
    if one.shape != other.shape or not np.array_equal(np.isnan(one), np.isnan(other)):
        return float("inf")
    return float(np.nanmax(np.abs(one - other)) / np.nanmax(np.abs(other)))


def largest_difference(results: dict[str, Path], reference: str) -> float:
    """Return the largest difference of any method's column from the reference's, or stop."""
    truth, largest = np.load(results[reference]), 0.0
    for name, path in results.items():
        columns = np.load(path)
        for column in columns.files:
            found = difference(columns[column], truth[column])
            if not found <= TOLERANCE:
                raise SystemExit(
                    f"{name} and {reference} differ in {column!r} by {found:.3g} of its largest "
                    f"value; at most {TOLERANCE:g} is accepted, so nothing was timed"
                )
            largest = max(largest, found)
    return largest
