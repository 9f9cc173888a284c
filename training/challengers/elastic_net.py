"""Elastic net on everything: many columns, most of them with a coefficient of exactly 0.

Assumes that the log-odds are a sum of columns, few of which matter. With about as many columns as
patients with the outcome, which ones it keeps is largely chance; the risks are steadier than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval

from ...features.laboratory import LANDMARK_MONTH
from ...model.classifier import MissingAwareScaler
from ...model.crossfitted import CrossFittedRisk, Predictor, Rows
from ...model.linear import linear_predictor
from .penalised import elastic_net_path, strongest_penalty

__all__ = ["ElasticNetRisk"]

Floats = npt.NDArray[np.float64]

ROUGHLY = 1e-8  # tolerance while the penalty is being chosen


@dataclass(frozen=True)
class _Setting:
    l1_ratio: float
    penalty: float


class ElasticNetRisk(CrossFittedRisk):
    """Calibrated risk from logistic regression with an elastic-net penalty.

    What it leaves is what :class:`~lnrisk.model.classifier.LogisticRisk` leaves, so that it can be
    written as a model file in the same way. Of each mixture a path of penalties is
    fitted, from the one that leaves no column in to a hundredth of it, or whatever `smallest`
    says. How a fit is chosen and calibrated is said by
    :class:`~lnrisk.model.crossfitted.CrossFittedRisk`.

    Parameters
    ----------
    features : transformer, default=None
        Makes columns from columns before the design; its `fit` takes `sample_weight`.
    design : transformer, default=None
        Makes the columns of the regression, on comparable scales and without nan; by default a
        :class:`~lnrisk.model.classifier.MissingAwareScaler`. Its `fit` takes `sample_weight`.
    l1_ratios : sequence of float, default=(1.0, 0.3)
        Mixtures to choose from, 1 for the lasso; above 0.
    penalties : int, default=20
        Length of the path.
    smallest : float, default=0.01
        Weakest penalty as a share of the strongest.
    unpenalised : sequence of str, default=("landmark_month",)
        Columns that are left free, if there: risks stay calibrated at each landmark.
    folds : int, default=5
        Number of folds, at least 2.
    random_state : int, default=0
        Seed of the folds, the only chance in the fit.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    preparation_ : sklearn.pipeline.Pipeline
        Steps ``features`` (where given) and ``design``, fitted on everything.
    column_names_ : tuple of str
    coef_ : ndarray of shape (n_columns,)
        Log-odds per standard deviation.
    intercept_ : float
    setting_ : object
        `l1_ratio` and `penalty` taken.
    calibration_ : Calibration
    cv_log_loss_ : ndarray of shape (n_l1_ratios * n_penalties,)
    out_of_fold_linear_predictor_ : ndarray of shape (n_rows,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 30))
    >>> y = rng.uniform(size=400) < 1 / (1 + np.exp(2 - 2 * X[:, 0]))
    >>> model = ElasticNetRisk(l1_ratios=(1.0,)).fit(X, y)
    >>> int(np.argmax(np.abs(model.coef_))), model.coef_[0].round(1) > 1
    (0, np.True_)
    """

    _parameter_constraints = {  # noqa: RUF012
        "features": [None, HasMethods(["fit", "transform"])],
        "design": [None, HasMethods(["fit", "transform"])],
        "l1_ratios": ["array-like"],
        "penalties": [Interval(Integral, 2, None, closed="left")],
        "smallest": [Interval(Real, 0, 1, closed="neither")],
        "unpenalised": ["array-like"],
        "folds": [Interval(Integral, 2, None, closed="left")],
        "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    }

    column_names_: tuple[str, ...]
    coef_: Floats
    intercept_: float

    def __init__(
        self,
        features: Any = None,
        design: Any = None,
        *,
        l1_ratios: Sequence[float] = (1.0, 0.3),
        penalties: int = 20,
        smallest: float = 0.01,
        unpenalised: Sequence[str] = (LANDMARK_MONTH,),
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.design = design
        self.l1_ratios = l1_ratios
        self.penalties = penalties
        self.smallest = smallest
        self.unpenalised = unpenalised
        self.folds = folds
        self.random_state = random_state

    def _design(self) -> Any:
        return MissingAwareScaler() if self.design is None else clone(self.design)

    def _factor(self, rows: Rows) -> Floats:
        return np.array([name not in set(self.unpenalised) for name in rows.names], dtype=float)

    def _settings(self, rows: Rows) -> Sequence[_Setting]:
        if not len(self.l1_ratios) or not all(0 < ratio <= 1 for ratio in self.l1_ratios):
            raise ValueError(
                f"`l1_ratios` must lie above 0 and at most at 1, found {self.l1_ratios}."
            )
        shares = np.geomspace(1, self.smallest, self.penalties)
        return [
            _Setting(float(ratio), float(strongest * share))
            for ratio in self.l1_ratios
            for strongest in [
                strongest_penalty(rows.X, rows.y, rows.weight, ratio, self._factor(rows))
            ]
            for share in shares
        ]

    def _path(self, rows: Rows, settings: Sequence[_Setting], tolerance: float) -> Floats:
        """Fit settings of one mixture, the strongest penalty first."""
        return elastic_net_path(
            rows.X,
            rows.y,
            rows.weight,
            np.array([setting.penalty for setting in settings]),
            settings[0].l1_ratio,
            self._factor(rows),
            tolerance,
        )

    def _fit_settings(self, rows: Rows, settings: Sequence[_Setting]) -> Predictor:
        paths = []
        for first in range(0, len(settings), self.penalties):
            paths.append(self._path(rows, settings[first : first + self.penalties], ROUGHLY))
        solutions = np.concatenate(paths)
        return lambda X: np.column_stack(
            [linear_predictor(X, solution[1:], solution[0]) for solution in solutions]
        )

    def _fit_chosen(self, rows: Rows, settings: Sequence[_Setting], chosen: int) -> None:
        first = chosen - chosen % self.penalties
        solution = self._path(rows, settings[first : chosen + 1], 1e-14)[-1]
        self.column_names_ = rows.names
        self.intercept_, self.coef_ = float(solution[0]), solution[1:]

    def _linear_predictor(self, X: Floats) -> Floats:
        return linear_predictor(X, self.coef_, self.intercept_)
