"""The classifier: penalised logistic regression on standardised columns, then recalibrated.

It assumes that the log-odds of the outcome are a sum of the columns, each with one coefficient, and
that a missing value says no more than one further coefficient can carry. It fails when columns act
only together, when the reasons for a missing value change after training, and when the sample
weights do not make the rows stand for the patients whose risk is asked. Where earlier steps lead
elsewhere than the outcome, what they teach is left unused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import check_array
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from .calibrations import CALIBRATIONS
from .crossfitted import CrossFittedRisk, Predictor, Rows
from .earlier_steps import as_columns, drawn_to, steps_of
from .linear import linear_predictor
from .ridge import ridge_path

__all__ = ["LogisticRisk", "MissingAwareScaler"]

Floats = npt.NDArray[np.float64]

STEP_C = 0.03
"""Inverse penalty of the earlier steps, which many take."""


class MissingAwareScaler(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Standardise the observed values, and say which ones were missing.

    1. Each column is centred on the weighted mean of its observed values and divided by their
       weighted standard deviation; a constant column is only centred.
    2. A missing value becomes 0, that is the training mean.
    3. Each column with a missing value in training gets a 0/1 column ``<name>_missing``, after
       all others and unscaled. A missing value in any other column just becomes 0.

    A column never observed in training has mean 0 and scale 1, so it is 0 throughout and its
    indicator 1 throughout: a penalised model gives both a coefficient of 0.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_columns,)
        Weighted mean and standard deviation, in the units of the column.
    indicator_columns_ : ndarray of int
        Positions of the columns that were missing at least once.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Their names, when fitted on a data frame.

    Examples
    --------
    >>> import numpy as np
    >>> scaler = MissingAwareScaler().fit([[1.0, 5.0], [3.0, np.nan]])
    >>> scaler.transform([[3.0, np.nan]])
    array([[1., 0., 1.]])
    >>> scaler.get_feature_names_out(["upcr", "c3"])
    array(['upcr', 'c3', 'c3_missing'], dtype=object)
    """

    mean_: Floats
    scale_: Floats
    indicator_columns_: npt.NDArray[np.intp]
    n_features_in_: int

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn means, standard deviations and which columns can be missing.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            Numbers, NaN where missing.
        y : object
            Ignored.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; a row of weight 0 has no influence.

        Returns
        -------
        MissingAwareScaler
            The fitted scaler itself.

        Raises
        ------
        ValueError
            If a value is infinite or a weight negative, or if all weights are 0.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        X, weight = X[weight > 0], weight[weight > 0]
        observed = ~np.isnan(X)
        total = weight @ observed
        total[total == 0] = 1
        self.mean_ = weight @ np.where(observed, X, 0) / total
        deviation = np.where(observed, X - self.mean_, 0)
        spread = np.sqrt(weight @ deviation**2 / total)
        constant = ~(np.fmin.reduce(X) < np.fmax.reduce(X)) | (spread == 0)
        self.scale_ = np.where(constant, 1.0, spread)
        self.indicator_columns_ = np.flatnonzero(~observed.all(axis=0))
        return self

    def transform(self, X: Any) -> Floats:
        """Standardise and append the indicators.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            The columns of the fit, NaN where missing.

        Returns
        -------
        ndarray of shape (n_rows, n_columns + n_indicators)
            Without NaN; each row depends on that row alone.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        missing = np.isnan(X)
        scaled = np.where(missing, 0.0, (X - self.mean_) / self.scale_)
        return np.hstack([scaled, missing[:, self.indicator_columns_].astype(np.float64)])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns that `transform` makes.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns when the fit was not on a data frame.

        Returns
        -------
        ndarray of str
            The names given, then ``<name>_missing`` for each indicator.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        indicators = [f"{name}_missing" for name in names[self.indicator_columns_]]
        return np.array([*names, *indicators], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


@dataclass(frozen=True)
class _Setting:
    drawn: bool
    C: float


class LogisticRisk(CrossFittedRisk):
    """Calibrated risk from penalised logistic regression.

    1. Whole patients are dealt into folds (:class:`~lnrisk.model.folds.PatientFolds`).
    2. Features, design and, for each `C`, regression are fitted without each fold in turn, and
       give the linear predictor of the rows in it. The `C` with the least weighted log loss is
       taken.
    3. A calibration is fitted on those out-of-fold linear predictors; which one depends on how
       many patients had the outcome (:mod:`~lnrisk.model.calibrations`).
    4. Features, design and regression are fitted again on everything.

    The penalty is on the squared coefficients of the standardised columns, and not on the
    intercept. Sample weights reach every step; a row of weight 0 is left out before the first.

    Where `fit` is given earlier steps towards the outcome, fits that are drawn to them compete too:
    the coefficients of each step are those of all steps before it, each times one number, which is
    free, plus differences, which are penalised; those of the outcome come from the last step in the
    same way (:mod:`~lnrisk.model.earlier_steps`).

    A patient may have a row at each of several landmarks. Then the features step is fitted to the
    latest of them, which holds all that the earlier ones hold; everything else to all.

    Parameters
    ----------
    features : transformer, default=None
        Makes columns from columns before the design, such as
        :class:`~lnrisk.features.trajectory_transformer.TrajectoryFeatures`; its `fit` takes
        `sample_weight`. It is cloned for each fit.
    design : transformer, default=None
        Makes the columns of the regression, such as :class:`~lnrisk.model.design.LandmarkDesign`;
        by default a :class:`MissingAwareScaler`. Its `fit` takes `sample_weight`.
    calibration : {"auto", "logistic", "beta", "ceiling", "isotonic", "venn-abers"}, default="auto"
        From the linear predictor to the risk; "auto" goes by the number of outcomes.
    Cs : sequence of float, default=(0.0001, 0.0003, ..., 10.0)
        Inverse penalties to choose from: the prior variance of a coefficient, in log-odds squared
        per standard deviation squared.
    folds : int, default=5
        Number of folds, at least 2.
    random_state : int, default=0
        Seed of the folds, the only chance in the fit.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two outcomes; the risk is that of the second.
    preparation_ : sklearn.pipeline.Pipeline
        Steps ``features`` (where given) and ``design``, fitted on everything.
    coef_ : ndarray of shape (n_design_columns,)
        Log-odds per standard deviation.
    intercept_ : float
        Log-odds of a row of zeros.
    calibration_ : Calibration
        From the linear predictor to the risk.
    C_ : float
        The inverse penalty taken.
    setting_ : object
        `C`, and `drawn`: whether that fit is drawn to earlier steps.
    cv_log_loss_ : ndarray of shape (n_Cs,) or (2 * n_Cs,)
        Weighted mean log loss out of fold, in nats, in ascending order of `Cs`; after those that
        are not drawn to earlier steps, those that are.
    out_of_fold_linear_predictor_ : ndarray of shape (n_rows,)
        At `C_`, before calibration; NaN for rows of weight 0.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Their names, when fitted on a data frame.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> upcr = rng.normal(size=(400, 1))
    >>> refractory = rng.uniform(size=400) < 1 / (1 + np.exp(2 - upcr[:, 0]))
    >>> model = LogisticRisk().fit(upcr, refractory)
    >>> model.predict_proba([[0.0], [np.nan]])[:, 1].round(2)
    array([0.09, 0.09])
    """

    _parameter_constraints = {  # noqa: RUF012
        "features": [None, HasMethods(["fit", "transform"])],
        "design": [None, HasMethods(["fit", "transform"])],
        "calibration": [StrOptions({"auto", *CALIBRATIONS})],
        "Cs": ["array-like"],
        "folds": [Interval(Integral, 2, None, closed="left")],
        "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    }

    learns_from_steps = True

    coef_: Floats
    intercept_: float
    C_: float

    def __init__(
        self,
        features: Any = None,
        design: Any = None,
        *,
        calibration: str = "auto",
        Cs: Sequence[float] = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.design = design
        self.calibration = calibration
        self.Cs = Cs
        self.folds = folds
        self.random_state = random_state

    def _settings(self, rows: Rows) -> Sequence[_Setting]:
        drawn = (False, True) if steps_of(rows) else (False,)
        return [_Setting(one, C) for one in drawn for C in _positive(self.Cs).tolist()]

    def _directions(self, rows: Rows) -> list[Floats]:
        """Return the coefficients of the last earlier step; none where none can be learned."""
        before: list[Floats] = []
        for step in steps_of(rows):
            before.append(_solved(step, before, [STEP_C])[0, 1:])
        return before[-1:]

    def _solutions(self, rows: Rows, settings: Sequence[_Setting]) -> Floats:
        """Return intercept and coefficients of each setting, shape (n_settings, 1 + n_columns)."""
        found = []
        for drawn, several in groupby(settings, key=lambda setting: setting.drawn):
            directions = self._directions(rows) if drawn else []
            found.append(_solved(rows, directions, [setting.C for setting in several]))
        return np.concatenate(found)

    def _fit_settings(self, rows: Rows, settings: Sequence[_Setting]) -> Predictor:
        solutions = self._solutions(rows, settings)
        return lambda X: np.column_stack(
            [linear_predictor(X, one[1:], one[0]) for one in solutions]
        )

    def _fit_shares(self, rows: Rows, settings: Sequence[_Setting], shares: Floats) -> None:
        chosen = settings[int(shares.argmax())]
        upto = [one for one in settings if one.drawn == chosen.drawn and one.C <= chosen.C]
        solution = self._solutions(rows, upto)[-1]
        self.C_ = chosen.C
        self.intercept_, self.coef_ = float(solution[0]), solution[1:]

    def _linear_predictor(self, X: Floats) -> Floats:
        return linear_predictor(X, self.coef_, self.intercept_)

    def _design(self) -> Any:
        return MissingAwareScaler() if self.design is None else clone(self.design)


def _solved(rows: Rows, directions: Sequence[Floats], Cs: Sequence[float]) -> Floats:
    """Return a fit for each C, drawn to some directions."""
    drawn = drawn_to(rows, directions)
    path = ridge_path(drawn.X, drawn.y, drawn.weight, np.asarray(Cs), free=len(directions))
    return as_columns(path, directions)


def _positive(Cs: Sequence[float]) -> Floats:
    values = check_array(Cs, ensure_2d=False, dtype=np.float64)
    if values.ndim != 1 or not (values > 0).all():
        raise ValueError(f"`Cs` must be a list of positive numbers, found {Cs!r}.")
    return np.unique(values)
