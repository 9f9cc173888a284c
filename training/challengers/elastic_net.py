"""Elastic net on everything: many columns, most of them with a coefficient of exactly 0.

Assumes that the log-odds are a sum of columns, few of which matter. With about as many columns as
patients with the outcome, which ones it keeps is largely chance; the risks are steadier than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
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

ROUGHLY, EXACTLY = 1e-6, 1e-14
"""Tolerance while the penalty is being chosen, and of the fit that is kept."""
STEPS_AROUND = 2
FAVOUR = 0.5
"""Of the penalty, for columns that were named beforehand."""


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
    l1_ratios : sequence of float, default=(0.5,)
        Mixtures to choose from, 1 for the lasso; above 0.
    penalties : int, default=12
        Length of the path.
    smallest : float, default=0.015
        Weakest penalty as a share of the strongest.
    around : float, default=None
        A penalty; only it and two on either side, as far apart as on the path, are then tried.
    favoured : sequence of str, default=()
        Columns named beforehand, which are penalised half as much, those that are there.
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
        "around": [None, Interval(Real, 0, None, closed="neither")],
        "favoured": ["array-like"],
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
        l1_ratios: Sequence[float] = (0.5,),
        penalties: int = 12,
        smallest: float = 0.015,
        around: float | None = None,
        favoured: Sequence[str] = (),
        unpenalised: Sequence[str] = (LANDMARK_MONTH,),
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.design = design
        self.l1_ratios = l1_ratios
        self.penalties = penalties
        self.smallest = smallest
        self.around = around
        self.favoured = favoured
        self.unpenalised = unpenalised
        self.folds = folds
        self.random_state = random_state

    def _design(self) -> Any:
        return MissingAwareScaler() if self.design is None else clone(self.design)

    def _factor(self, rows: Rows) -> Floats:
        favoured, free = set(self.favoured), set(self.unpenalised)
        return np.array(
            [0.0 if name in free else FAVOUR if name in favoured else 1.0 for name in rows.names]
        )

    def _settings(self, rows: Rows) -> Sequence[_Setting]:
        if not len(self.l1_ratios) or not all(0 < ratio <= 1 for ratio in self.l1_ratios):
            raise ValueError(
                f"`l1_ratios` must lie above 0 and at most at 1, found {self.l1_ratios}."
            )
        shares = np.geomspace(1, self.smallest, self.penalties)
        if self.around is not None:
            apart = shares[1] ** np.arange(-STEPS_AROUND, STEPS_AROUND + 1)
            return [_Setting(float(self.l1_ratios[0]), self.around * share) for share in apart]
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
        mixtures = groupby(settings, key=lambda setting: setting.l1_ratio)
        solutions = np.concatenate([self._path(rows, list(one), ROUGHLY) for _, one in mixtures])
        return lambda X: np.column_stack(
            [linear_predictor(X, solution[1:], solution[0]) for solution in solutions]
        )

    def _fit_chosen(self, rows: Rows, settings: Sequence[_Setting], chosen: int) -> None:
        taken = settings[chosen]
        upto = [one for one in settings[: chosen + 1] if one.l1_ratio == taken.l1_ratio]
        solution = self._path(rows, upto, EXACTLY)[-1]
        self.column_names_ = rows.names
        self.intercept_, self.coef_ = float(solution[0]), solution[1:]

    def _linear_predictor(self, X: Floats) -> Floats:
        return linear_predictor(X, self.coef_, self.intercept_)
