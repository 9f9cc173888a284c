"""Calibration by a table: isotonic regression, and the Venn-Abers pair made of two of them.

Both assume no shape but that a higher linear predictor is no lower risk, and therefore need many
outcomes; with few the table follows chance. Both forget the patients that they were fitted to but
for a rounded linear predictor, which is all that a model file holds of them.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .calibration import calibration_rows
from .calibration_map import IsotonicMap, VennAbersMap

__all__ = ["IsotonicCalibration", "VennAbersCalibration"]

Floats = npt.NDArray[np.float64]

DECIMALS = 2
"""Of the linear predictors in a table: 0.01 log-odds change no risk by more than 0.0025."""


class IsotonicCalibration(BaseEstimator):  # type: ignore[misc]
    """Weighted isotonic regression of the outcome on the linear predictor [1]_.

    Between two levels the risk is a straight line. Risks are held at ``1 / (n + 2)`` and its
    complement, with ``n`` the effective number of patients (Kish): none among so many does not
    show that the risk is 0.

    Attributes
    ----------
    map_ : IsotonicMap
        The calibration as plain data.

    References
    ----------
    .. [1] Zadrozny B, Elkan C. Transforming classifier scores into accurate multiclass
       probability estimates. KDD 2002.

    Examples
    --------
    >>> calibration = IsotonicCalibration().fit([-2.0, -1.0, 0.0, 1.0], [0, 1, 0, 1])
    >>> calibration.predict([-1.0, 0.0, 1.0]).round(3)
    array([0.5  , 0.5  , 0.833])
    """

    map_: IsotonicMap

    def fit(self, linear_predictor: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the table.

        Parameters
        ----------
        linear_predictor, y, sample_weight : array-like of shape (n_rows,)
            As in :meth:`~lnrisk.model.calibration.LogisticCalibration.fit`, errors included.

        Returns
        -------
        IsotonicCalibration
            The fitted calibration itself.
        """
        rows = calibration_rows(linear_predictor, y, sample_weight)
        at, share, mass = _levels(*rows)
        lowest = 1 / (_effective(rows[2]) + 2)
        risks = np.clip(isotonic_regression(share, weights=mass).x, lowest, 1 - lowest)
        same_as_before = np.diff(risks, prepend=-1.0) == 0
        same_as_after = np.diff(risks, append=2.0) == 0
        knot = ~(same_as_before & same_as_after)
        self.map_ = IsotonicMap(tuple(at[knot].tolist()), tuple(risks[knot].tolist()))
        return self

    def predict(self, linear_predictor: Any) -> Floats:
        """Return the calibrated risk, shape (n_rows,)."""
        check_is_fitted(self)
        return self.map_.risk(linear_predictor)


class VennAbersCalibration(BaseEstimator):  # type: ignore[misc]
    """Weighted inductive Venn-Abers calibration [1]_.

    For each possible linear predictor the isotonic regression is fitted twice more, with one
    patient added who is free of the outcome (``p0``), and who has it (``p1``). Without weights and
    with exchangeable patients one of the two is perfectly calibrated, whichever the outcome; how
    far they lie apart says how much one patient would change the answer. That is neither a
    confidence interval for the patient nor valid in another centre. The added patient weighs what
    one of the effective number of patients does, ``sum(w**2) / sum(w)``, which is 1 without
    weights.

    Attributes
    ----------
    map_ : VennAbersMap
        The calibration as plain data.

    References
    ----------
    .. [1] Vovk V, Petej I, Fedorova V. Large-scale probabilistic predictors with and without
       guarantees of validity. NeurIPS 2015.

    Examples
    --------
    >>> calibration = VennAbersCalibration().fit([-2.0, -1.0, 0.0, 1.0], [0, 1, 0, 1])
    >>> p0, p1 = calibration.pair([0.0])
    >>> print(round(p0[0], 3), round(p1[0], 3), calibration.predict([0.0]).round(3))
    0.333 0.667 [0.5]
    """

    map_: VennAbersMap

    def fit(self, linear_predictor: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the two tables.

        Parameters
        ----------
        linear_predictor, y, sample_weight : array-like of shape (n_rows,)
            As in :meth:`~lnrisk.model.calibration.LogisticCalibration.fit`, errors included.

        Returns
        -------
        VennAbersCalibration
            The fitted calibration itself.
        """
        rows = calibration_rows(linear_predictor, y, sample_weight)
        at, share, mass = _levels(*rows)
        one = len(rows[2]) / _effective(rows[2]) * rows[2].mean()
        without = np.concatenate([[0.0], _with_one_more(share, mass, one, 0.0)])
        with_outcome = np.concatenate([_with_one_more(share, mass, one, 1.0), [1.0]])
        step = (np.diff(without) != 0) | (np.diff(with_outcome) != 0)
        self.map_ = VennAbersMap(
            tuple(at[step].tolist()),
            tuple(without[np.concatenate([[True], step])].tolist()),
            tuple(with_outcome[np.concatenate([step, [True]])].tolist()),
        )
        return self

    def predict(self, linear_predictor: Any) -> Floats:
        """Return the single risk ``p1 / (1 - p0 + p1)``, shape (n_rows,)."""
        check_is_fitted(self)
        return self.map_.risk(linear_predictor)

    def pair(self, linear_predictor: Any) -> tuple[Floats, Floats]:
        """Return ``p0`` and ``p1``, both of shape (n_rows,)."""
        check_is_fitted(self)
        return self.map_.pair(linear_predictor)


def _levels(x: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the distinct rounded linear predictors, share of the outcome and weight at each."""
    at, level = np.unique(np.round(x, DECIMALS) + 0.0, return_inverse=True)
    mass: Floats = np.bincount(level, weights=weight).astype(np.float64)
    share: Floats = np.bincount(level, weights=weight * y) / mass
    return at, np.clip(share, 0, 1), mass


def _effective(weight: Floats) -> float:
    return float(weight.sum() ** 2 / (weight @ weight))


def _with_one_more(share: Floats, mass: Floats, one: float, outcome: float) -> Floats:
    """Return the fit at each level when one more patient with this outcome is added there."""
    fitted = np.empty(len(share))
    for level in range(len(share)):
        more, heavier = share.copy(), mass.copy()
        heavier[level] += one
        more[level] = (share[level] * mass[level] + outcome * one) / heavier[level]
        fitted[level] = isotonic_regression(more, weights=heavier).x[level]
    return np.clip(np.maximum.accumulate(fitted), 0, 1)
