"""Cross-validation folds made of whole patients.

A fold is a function of who the patients are, of each patient's outcome and of the seed, so that
neither the order of the rows nor the number of rows of a patient moves anybody. It assumes that
patients are independent of one another, and fails when they are not, as with relatives or with
centres whose patients resemble each other: give the centre as the group instead.
"""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

__all__ = ["PatientFolds"]


class PatientFolds(BaseCrossValidator):  # type: ignore[misc]
    """Split whole patients into folds with the same share of the outcome in each.

    1. The distinct patients are sorted and shuffled with the seed.
    2. They are put in order of outcome, and dealt out like cards, one fold after the other.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    random_state : int, default=0
        Seed of the shuffle; the same seed always gives the same folds.

    Examples
    --------
    >>> patients = ["ann", "bea", "ann", "cat", "dot"]
    >>> outcome = [0, 1, 0, 0, 1]
    >>> for train, test in PatientFolds(n_splits=2).split(patients, outcome, patients):
    ...     print([patients[row] for row in test])
    ['cat', 'dot']
    ['ann', 'bea', 'ann']
    """

    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(self, n_splits: int = 5, random_state: int = 0) -> None:
        validate_parameter_constraints(
            {
                "n_splits": [Interval(Integral, 2, None, closed="left")],
                "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
            },
            {"n_splits": n_splits, "random_state": random_state},
            caller_name=type(self).__name__,
        )
        self.n_splits = n_splits
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored; scikit-learn passes them.

        Returns
        -------
        int
        """
        return self.n_splits

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Yield the rows to train on and the rows to test on, once for each fold.

        Parameters
        ----------
        X : array-like of length n_rows
            Only its length is used.
        y : array-like of shape (n_rows,)
            Outcome. A patient whose rows disagree has the largest of their values.
        groups : array-like of shape (n_rows,), default=None
            Patient of each row; without it every row is a patient of its own.

        Yields
        ------
        train, test : ndarray of int
            Row positions in ascending order.

        Raises
        ------
        ValueError
            If `y` is missing or there are fewer patients than folds.
        """
        yield from super().split(X, y, groups)

    def _iter_test_masks(
        self, X: Any = None, y: Any = None, groups: Any = None
    ) -> Iterator[npt.NDArray[np.bool_]]:
        if y is None:
            raise ValueError("PatientFolds needs the outcome `y` to keep its share in each fold.")
        _, outcome = np.unique(check_array(y, ensure_2d=False, dtype=None), return_inverse=True)
        row_ids = np.arange(len(outcome)) if groups is None else groups
        patients, patient = np.unique(
            check_array(row_ids, ensure_2d=False, dtype=None), return_inverse=True
        )
        if len(patients) < self.n_splits:
            raise ValueError(
                f"{len(patients)} patients cannot fill n_splits={self.n_splits} folds: "
                f"give more patients or fewer folds."
            )
        patient_outcome = np.zeros(len(patients), dtype=np.intp)
        np.maximum.at(patient_outcome, patient, outcome)
        fold = self._deal(patient_outcome)[patient]
        for number in range(self.n_splits):
            yield fold == number

    def _deal(self, patient_outcome: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return the fold of each patient, the patients being sorted by identifier."""
        shuffled = check_random_state(self.random_state).permutation(len(patient_outcome))
        by_outcome = shuffled[np.argsort(patient_outcome[shuffled], kind="stable")]
        fold = np.empty(len(patient_outcome), dtype=np.intp)
        fold[by_outcome] = np.arange(len(patient_outcome)) % self.n_splits
        return fold
