"""Three-valued answers after Kleene: no < unknown < yes; *and* is the least, *or* the most.

Assumes that what is missing could have been either; a criterion without data is unknown, never no.
"""

from functools import reduce

import numpy as np
import numpy.typing as npt

__all__ = ["NO", "UNKNOWN", "YES", "Answers", "all_of", "answer", "any_of", "not_", "words"]

Answers = npt.NDArray[np.int8]

NO, UNKNOWN, YES = np.int8(0), np.int8(1), np.int8(2)


def answer(truth: npt.ArrayLike, known: npt.ArrayLike = True) -> Answers:
    """Return answers from truths; unknown where not known.

    Examples
    --------
    >>> words(answer([True, False, False], known=[True, True, False])).tolist()
    ['yes', 'no', 'unknown']
    """
    decided = np.where(np.asarray(truth, dtype=bool), YES, NO)
    return np.where(np.asarray(known, dtype=bool), decided, UNKNOWN).astype(np.int8)


def all_of(*answers: Answers) -> Answers:
    """Return Kleene's *and*.

    Examples
    --------
    >>> words(all_of(answer([True, False]), answer([True, True], known=False))).tolist()
    ['unknown', 'no']
    """
    return reduce(np.minimum, answers)


def any_of(*answers: Answers) -> Answers:
    """Return Kleene's *or*."""
    return reduce(np.maximum, answers)


def not_(answers: Answers) -> Answers:
    """Return Kleene's *not*."""
    return (YES - answers).astype(np.int8)


def words(answers: Answers) -> npt.NDArray[np.str_]:
    """Return ``no``, ``unknown`` or ``yes`` for each answer."""
    return np.array(["no", "unknown", "yes"])[answers]
