"""Rows of patients: which is the latest landmark of each, how many have the rarer outcome.

Assumes that a patient's rows share an identifier; a patient under two identifiers is two.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import check_classification_targets

from ..features.laboratory import LANDMARK_MONTH

__all__ = ["fewest_patients", "latest_rows", "two_outcomes"]


def latest_rows(rows: Any, patient: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return 1 for the rows of each patient's latest landmark and 0 for the others.

    Parameters
    ----------
    rows : DataFrame or array-like of shape (n_rows, n_columns)
        Without a column of landmarks every row counts.
    patient : ndarray of shape (n_rows,)

    Examples
    --------
    >>> import pandas as pd
    >>> latest_rows(pd.DataFrame({"landmark_month": [0.0, 3.0, 0.0]}), np.array(["a", "a", "b"]))
    array([0., 1., 1.])
    """
    if not hasattr(rows, "columns") or LANDMARK_MONTH not in rows.columns:
        return np.ones(len(patient))
    month = rows[LANDMARK_MONTH].to_numpy()
    _, which = np.unique(patient, return_inverse=True)
    last = np.full(which.max(initial=-1) + 1, -np.inf)
    np.maximum.at(last, which, month)
    latest: npt.NDArray[np.float64] = (month == last[which]).astype(np.float64)
    return latest


def fewest_patients(
    outcome: npt.NDArray[np.intp], patient: npt.NDArray[Any], weight: npt.NDArray[np.float64]
) -> int:
    """Return the number of patients with the rarer outcome, each counted once.

    A patient with rows of both outcomes counts for either by their share of the patient's weight.

    Examples
    --------
    >>> fewest_patients(np.array([1, 1, 0, 0]), np.array(["a", "a", "b", "c"]), np.ones(4))
    1
    """
    _, which = np.unique(patient, return_inverse=True)
    with_outcome = np.bincount(which, weight * outcome) / np.bincount(which, weight)
    events = with_outcome.sum()
    return int(np.round(min(events, len(with_outcome) - events)))


def two_outcomes(
    y: npt.NDArray[Any], patient: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    """Return the two classes and the outcome as 0/1, each class having at least two patients.

    Raises
    ------
    ValueError
        The message says which classes were found, in how many patients.
    """
    check_classification_targets(y)
    classes, outcome = np.unique(y, return_inverse=True)
    if len(classes) > 2:
        raise ValueError(
            f"Only binary classification is supported. The type of the target is multiclass: "
            f"found the {len(classes)} classes {classes}."
        )
    patients = {str(c): len(np.unique(patient[outcome == k])) for k, c in enumerate(classes)}
    if len(classes) < 2 or min(patients.values()) < 2:
        raise ValueError(
            f"Two classes are needed, each in at least 2 patients of positive weight; found "
            f"{len(classes)} class(es), in so many patients: {patients}."
        )
    return classes, outcome
