"""What all classifiers share: settings chosen out of fold, calibration on those same predictions.

Assumes that patients are independent and that the sample weights
make the rows stand for the patients whose risk is asked.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .calibrations import Calibration, calibrations_for, likeliest_calibration
from .folds import PatientFolds
from .patient_rows import fewest_patients, latest_rows, two_outcomes

__all__ = ["CrossFittedRisk", "Predictor", "Rows"]

Floats = npt.NDArray[np.float64]
Predictor = Callable[[Floats], Floats]
"""From prepared columns to linear predictors, shape (n_rows, n_settings)."""

TIE = 1e-9  # nats; losses nearer than this are equal, and the setting named first is taken


@dataclass(frozen=True)
class Rows:
    """Prepared rows to fit to.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    names : tuple of str
        Of the columns.
    y, weight : ndarray of shape (n_rows,)
    patients : int
        How many there are; fewer than rows where a patient has several landmarks.
    steps : ndarray of shape (n_rows, n_steps), optional
        Earlier steps towards the outcome, between 0 and 1; nan where unknown.
    """

    X: Floats
    names: tuple[str, ...]
    y: Floats
    weight: Floats
    patients: int
    steps: Floats | None = None

    def of(self, rows: npt.NDArray[np.intp], patient: npt.NDArray[Any]) -> "Rows":
        """Return some of the rows, of whose patients there are fewer."""
        steps = None if self.steps is None else self.steps[rows]
        patients = len(np.unique(patient))
        return Rows(self.X[rows], self.names, self.y[rows], self.weight[rows], patients, steps)


@dataclass(frozen=True)
class _Data:
    """Rows before their preparation."""

    X: Floats
    y: npt.NDArray[np.intp]
    weight: Floats
    patient: npt.NDArray[Any]
    steps: Floats | None

    def of(self, rows: npt.NDArray[Any]) -> "_Data":
        steps = None if self.steps is None else self.steps[rows]
        return _Data(self.X[rows], self.y[rows], self.weight[rows], self.patient[rows], steps)


def _best(losses: Floats) -> int:
    """Return the position of the first of those with the least loss."""
    return int(np.flatnonzero(losses <= losses.min() + TIE)[0])


class CrossFittedRisk(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Calibrated risk from a family of fits, of which the data choose one.

    1. The preparation is fitted once, to all rows; it does not see the outcome.
    2. Whole patients are dealt into folds (:class:`~lnrisk.model.folds.PatientFolds`). All settings
       of the family are fitted without each fold in turn, and give the linear predictors of the
       rows in it; the setting with the least weighted log loss is taken, of equal ones the first.
       A family whose linear predictors may be averaged says what share each setting has.
    3. A calibration is fitted to those out-of-fold linear predictors
       (:mod:`~lnrisk.model.calibrations`), unless told otherwise by the number of outcomes.
    4. The settings that have a share are fitted again to everything.

    Weights reach every step; a row of weight 0 is left out before the first. Where a patient has
    a row at each of several landmarks, the features step is fitted to the latest.
    """

    features: Any
    folds: int
    random_state: int
    calibration: str = "auto"
    learns_from_steps = False
    """Whether `fit` takes `steps`."""

    classes_: npt.NDArray[Any]
    preparation_: Pipeline
    calibration_: Calibration
    setting_: Any
    cv_log_loss_: Floats
    out_of_fold_linear_predictor_: Floats
    n_features_in_: int

    @abstractmethod
    def _settings(self, rows: Rows) -> Sequence[Any]:
        """Return the settings to choose from, the simplest first."""

    @abstractmethod
    def _fit_settings(self, rows: Rows, settings: Sequence[Any]) -> Predictor:
        """Fit every setting; return what gives a column of linear predictors for each."""

    @abstractmethod
    def _fit_shares(self, rows: Rows, settings: Sequence[Any], shares: Floats) -> None:
        """Fit for good the settings that have a share."""

    @abstractmethod
    def _linear_predictor(self, X: Floats) -> Floats:
        """Return the linear predictor of what `_fit_shares` fitted, shape (n_rows,)."""

    def _shares(self, losses: Floats, patients: int) -> Floats:
        """Return the share of each setting in the linear predictor; they add up to 1."""
        shares = np.zeros(len(losses))
        shares[_best(losses)] = 1.0
        return shares

    def _design(self) -> Any:
        """Return an unfitted transformer that follows the features; None without."""
        return None

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        groups: Any = None,
        steps: Any = None,
    ) -> Self:
        """Choose the setting, calibrate, and fit on everything.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            Numbers, NaN where missing.
        y : array-like of shape (n_rows,)
            Two distinct outcomes; the larger is the one whose risk is predicted.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights, such as inverse probabilities of a known outcome.
        groups : array-like of shape (n_rows,), default=None
            Patient of each row; without it every row is a patient of its own.
        steps : array-like of shape (n_rows, n_steps), default=None
            Earlier steps towards the outcome, one after the other: the chance of each, or how far
            a patient is along, between 0 and 1; NaN where unknown. For a classifier that learns
            from them too.

        Raises
        ------
        ValueError
            If `steps` are given to a classifier that does not learn from them, if fewer than two
            patients have one of the outcomes, if there are fewer patients than folds, or if a value
            is infinite or a weight negative.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        patient = np.arange(len(X)) if groups is None else groups
        patient = check_array(patient, ensure_2d=False, dtype=None)
        check_consistent_length(X, patient)
        used = weight > 0
        data = _Data(X, y, weight, patient, self._checked(steps, X)).of(used)
        weight, patient = data.weight, data.patient
        self.classes_, outcome = two_outcomes(data.y, patient)
        data = replace(data, y=outcome)
        preparation, everything = self._fit_preparation(data)
        settings = self._settings(everything)
        out_of_fold, losses = self._try(everything, patient, settings)
        shares = self._shares(losses, everything.patients)
        predictor = out_of_fold @ shares
        names: tuple[str, ...] = (self.calibration,)
        if self.calibration == "auto":
            names = calibrations_for(fewest_patients(outcome, patient, weight))
        self.calibration_ = likeliest_calibration(names, predictor, outcome, weight)
        self.cv_log_loss_, self.setting_ = losses, settings[_best(losses)]
        self.preparation_ = Pipeline(preparation or [("features", "passthrough")])
        self._fit_shares(everything, settings, shares)
        self.out_of_fold_linear_predictor_ = np.full(len(used), np.nan)
        self.out_of_fold_linear_predictor_[used] = predictor
        return self

    def _checked(self, steps: Any, X: Floats) -> Floats | None:
        if steps is None:
            return None
        if not self.learns_from_steps:
            raise ValueError(f"{type(self).__name__} learns from the outcome alone.")
        taken: Floats = check_array(steps, dtype=np.float64, ensure_all_finite="allow-nan")
        check_consistent_length(X, taken)
        if np.nanmin(taken, initial=0) < 0 or np.nanmax(taken, initial=1) > 1:
            raise ValueError("`steps` must lie between 0 and 1, or be NaN.")
        return taken

    def _try(
        self, rows: Rows, patient: npt.NDArray[Any], settings: Sequence[Any]
    ) -> tuple[Floats, Floats]:
        """Return what each setting predicts out of fold, and its weighted log loss."""
        out_of_fold = np.empty((len(rows.X), len(settings)))
        folds = PatientFolds(self.folds, self.random_state)
        for train, test in folds.split(rows.X, rows.y, patient):
            predictor = self._fit_settings(rows.of(train, patient[train]), settings)
            out_of_fold[test] = predictor(rows.X[test])
        losses = np.logaddexp(0, out_of_fold) - rows.y[:, None] * out_of_fold
        return out_of_fold, rows.weight @ losses / rows.weight.sum()

    def decision_function(self, X: Any) -> Floats:
        """Return the linear predictor before calibration.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            The columns of the fit, NaN where missing.

        Returns
        -------
        ndarray of shape (n_rows,)
            Log-odds; 0 is not the boundary between the classes, which is a calibrated risk of 0.5.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self._linear_predictor(self._prepare(self._steps, X))

    @property
    def _steps(self) -> list[tuple[str, Any]]:
        return [(name, step) for name, step in self.preparation_.steps if step != "passthrough"]

    def predict_proba(self, X: Any) -> Floats:
        """Return the calibrated probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            The columns of the fit, NaN where missing.

        Returns
        -------
        ndarray of shape (n_rows, 2)
            In the order of `classes_`; the second column is the risk.
        """
        predictor = self.decision_function(X)
        risk = self.calibration_.predict(predictor)
        return np.column_stack([1 - risk, risk])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likelier class, the second where the risk is above 0.5."""
        likelier = self.predict_proba(X).argmax(axis=1)
        classes: npt.NDArray[Any] = self.classes_[likelier]
        return classes

    def _fit_preparation(self, data: "_Data") -> tuple[list[tuple[str, Any]], Rows]:
        """Fit step by step, because a pipeline hands weights on only where it is told to."""
        X, y, weight, patient = data.X, data.y, data.weight, data.patient
        steps: list[tuple[str, Any]] = []
        made: Any = self._named(X)
        names = [str(name) for name in getattr(self, "feature_names_in_", range(X.shape[1]))]
        if self.features is not None:
            latest = weight * latest_rows(made, patient)
            features = clone(self.features).fit(made, sample_weight=latest)
            steps.append(("features", features))
            made = features.transform(made)
            names = [str(name) for name in features.get_feature_names_out()]
        design = self._design()
        if design is not None:
            steps.append(("design", design.fit(made, sample_weight=weight)))
            made = design.transform(made)
            names = [str(name) for name in design.get_feature_names_out(np.array(names, object))]
        prepared = np.asarray(made, dtype=np.float64)
        patients = len(np.unique(patient))
        rows = Rows(prepared, tuple(names), y.astype(float), weight, patients, data.steps)
        return steps, rows

    def _prepare(self, steps: list[tuple[str, Any]], X: Floats) -> Floats:
        made: Any = self._named(X)
        for _, step in steps:
            made = step.transform(made)
        return np.asarray(made, dtype=np.float64)

    def _named(self, X: Floats) -> Any:
        """Return the columns with their names where a step looks for them."""
        if self.features is None or not hasattr(self, "feature_names_in_"):
            return X
        return pd.DataFrame(X, columns=self.feature_names_in_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags
