"""Which terms were missing together in training: whoever lacks more than that is outside the model.

Assumes that a patient who lacks a part of what some training patient lacked is like enough to them.
One training patient who lacked nearly everything therefore opens the door to many.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["as_flags", "missing_together", "never_together"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WORD = 8
"""Bytes of a whole number."""


def missing_together(values: Floats) -> tuple[str, ...]:
    """Return the sets of terms that some row lacks, without those inside another set.

    Parameters
    ----------
    values : ndarray of float, shape (n_rows, n_terms)
        nan where missing.

    Returns
    -------
    tuple of str
        A 1 for each term that is missing and a 0 for each that is not, in the order of the terms.

    Examples
    --------
    >>> nan = np.nan
    >>> missing_together(np.array([[1.0, nan, nan], [2.0, 3.0, nan], [nan, 3.0, 4.0]]))
    ('011', '100')
    """
    patterns = np.unique(np.isnan(values), axis=0)
    patterns = patterns[np.argsort(-patterns.sum(axis=1), kind="stable")]
    largest = patterns[:0]
    for pattern in patterns:
        if not _inside(pattern[None, :], largest)[0]:
            largest = np.vstack([largest, pattern])
    return tuple("".join("01"[missing] for missing in pattern.tolist()) for pattern in largest)


def as_flags(patterns: Sequence[str], n_terms: int) -> Flags:
    """Return patterns as flags, shape (n_patterns, n_terms)."""
    digits = [[digit == "1" for digit in one] for one in patterns]
    return np.array(digits, dtype=np.bool_).reshape(len(patterns), n_terms)


def never_together(values: Floats, seen: Flags) -> Flags:
    """Return which rows lack terms that were never missing together, shape (n_rows,).

    Parameters
    ----------
    values : ndarray of float, shape (n_rows, n_terms)
    seen : ndarray of bool, shape (n_patterns, n_terms)

    Examples
    --------
    >>> seen = as_flags(["011", "100"], 3)
    >>> never_together(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 3.0]]), seen).tolist()
    [False, True]
    """
    missing = np.isnan(values)
    never = np.zeros(len(values), dtype=np.bool_)
    some = np.flatnonzero(missing.any(axis=1))
    never[some] = ~_inside(missing[some], seen)
    return never


def _inside(missing: Flags, seen: Flags) -> Flags:
    """Return which sets lie inside one of those seen."""
    beyond = np.zeros((len(missing), len(seen)), dtype=np.bool_)
    for lacked, known in zip(_words(missing), ~_words(seen), strict=True):
        np.logical_or(beyond, (lacked[:, None] & known) != 0, out=beyond)
    inside: Flags = np.asarray(~beyond.all(axis=1))
    return inside


def _words(flags: Flags) -> npt.NDArray[np.uint64]:
    """Return flags as bits of whole numbers, shape (n_words, n_rows); what is left over is 0."""
    packed = np.packbits(flags, axis=1)
    filled = np.zeros((len(flags), -(-packed.shape[1] // WORD) * WORD), dtype=np.uint8)
    filled[:, : packed.shape[1]] = packed
    words: npt.NDArray[np.uint64] = filled.view(np.uint64).T
    return words
