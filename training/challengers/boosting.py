"""Gradient boosting that may only rise where medicine is sure.

Assumes that risk is built from steps in one or a few columns at a time. With few patients with the
outcome its steps follow chance; small trees, few of them, and constraints hold that back, and a
straight line costs it many steps.

Where the direction is sure, given everything else that the model sees: proteinuria that is higher
or has fallen less, a higher probability that it fell by less than a quarter or a half, and more
chronic damage never lower the risk. Three that one might add are left out on purpose:

- adherence. Poor adherence makes failing likelier, but the definition counts a failure only in a
  patient who adheres: what it calls refractory rises with adherence at one end and falls at the
  other. The data must say, and a constraint would put the risk of one of the two groups wrong.
  Where the outcome is a registry's own, which may not ask for adherence, add
  ``adherence_probability`` to `decreasing`.
- mean and first proteinuria. With the last value given, a higher earlier one is a larger fall.
- eGFR. A low one is a sicker kidney, but the definition asks whether it falls by a fifth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils._param_validation import HasMethods, Interval
from threadpoolctl import threadpool_limits

from ...model.crossfitted import CrossFittedRisk, Predictor, Rows

__all__ = ["INCREASING", "BoostedRisk"]

Floats = npt.NDArray[np.float64]

INCREASING = (
    "log_upcr_last",
    "log_upcr_level",
    "log_upcr_change",
    "log_upcr_shrunken_change",
    "upcr_fall_below_25",
    "upcr_fall_below_50",
    "chronicity_index_shrunken",
    "failure_shown",
)
"""Columns that never lower the risk when they rise, everything else being equal."""


BINS = 32


@dataclass(frozen=True)
class _Setting:
    leaves: int
    trees: int


@dataclass(frozen=True)
class _Bins:
    """Columns cut at weighted quantiles: with more cuts than this, trees only take longer."""

    cuts: tuple[Floats, ...]

    @classmethod
    def of(cls, rows: Rows) -> "_Bins":
        shares = np.arange(1, BINS) / BINS
        return cls(tuple(_quantiles(column, rows.weight, shares) for column in rows.X.T))

    def number(self, X: Floats) -> Floats:
        """Return the number of the bin that each value falls in, nan where it is missing."""
        numbers = [
            np.searchsorted(cuts, column, side="left")
            for cuts, column in zip(self.cuts, X.T, strict=True)
        ]
        unknown = np.isnan(X) & self._ever_known
        return np.where(unknown, np.nan, np.column_stack(numbers))

    @property
    def _ever_known(self) -> npt.NDArray[np.bool_]:
        """Which columns had a value in training; one without is the same for all."""
        return np.array([len(cuts) > 0 for cuts in self.cuts])


@dataclass(frozen=True)
class _Booster:
    bins: _Bins
    trees: HistGradientBoostingClassifier

    def linear_predictor(self, X: Floats) -> Floats:
        with _one_thread():
            predictor: Floats = self.trees.decision_function(self.bins.number(X))
        return predictor

    def staged(self, X: Floats) -> list[Floats]:
        """Return the linear predictor after each tree."""
        with _one_thread():
            return list(self.trees.staged_decision_function(self.bins.number(X)))


class BoostedRisk(CrossFittedRisk):
    """Calibrated risk from gradient-boosted trees with monotone constraints.

    A missing value takes a side of its own at each split. How many trees, and of how many leaves,
    is chosen out of fold: one fit of the most trees gives all the smaller numbers too. How that
    goes on is said by :class:`~lnrisk.model.crossfitted.CrossFittedRisk`.

    Parameters
    ----------
    features : transformer, default=None
        Makes columns from columns; its `fit` takes `sample_weight`.
    increasing, decreasing : sequence of str
        Columns that may only raise or lower the risk when they rise, those that are there.
    leaves : sequence of int, default=(2, 4)
        Sizes of tree to choose from; with 2 there are no interactions.
    trees : sequence of int, default=(10, 20, 40, 60, 80, 120)
        Numbers of trees to choose from, ascending.
    learning_rate : float, default=0.1
    patients_per_leaf : int, default=15
        Least number of patients at the end of a tree; with several landmarks, their rows.
    l2 : float, default=1.0
        Penalty on a leaf's value.
    folds : int, default=5
    random_state : int, default=0
        Seed of the folds, the only chance in the fit.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    booster_ : object
        `trees`, fitted on everything to the numbers of the `bins` that values fall in.
    setting_ : object
        `leaves` and `trees` taken.
    calibration_ : Calibration
    cv_log_loss_ : ndarray of shape (n_leaves * n_trees,)
    out_of_fold_linear_predictor_ : ndarray of shape (n_rows,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = rng.uniform(size=400) < 1 / (1 + np.exp(2 - 2 * X[:, 0]))
    >>> low, high = BoostedRisk().fit(X, y).predict_proba([[-1.0, 0, 0], [1.0, 0, 0]])[:, 1]
    >>> bool(low < 0.2 < high)
    True
    """

    _parameter_constraints = {  # noqa: RUF012
        "features": [None, HasMethods(["fit", "transform"])],
        "increasing": ["array-like"],
        "decreasing": ["array-like"],
        "leaves": ["array-like"],
        "trees": ["array-like"],
        "learning_rate": [Interval(Real, 0, 1, closed="right")],
        "patients_per_leaf": [Interval(Integral, 1, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "folds": [Interval(Integral, 2, None, closed="left")],
        "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    }

    booster_: _Booster

    def __init__(
        self,
        features: Any = None,
        *,
        increasing: Sequence[str] = INCREASING,
        decreasing: Sequence[str] = (),
        leaves: Sequence[int] = (2, 4),
        trees: Sequence[int] = (10, 20, 40, 60, 80, 120),
        learning_rate: float = 0.1,
        patients_per_leaf: int = 15,
        l2: float = 1.0,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.increasing = increasing
        self.decreasing = decreasing
        self.leaves = leaves
        self.trees = trees
        self.learning_rate = learning_rate
        self.patients_per_leaf = patients_per_leaf
        self.l2 = l2
        self.folds = folds
        self.random_state = random_state

    def _settings(self, rows: Rows) -> Sequence[_Setting]:
        trees = list(self.trees)
        if not trees or trees != sorted(set(trees)) or trees[0] < 1:
            raise ValueError(f"`trees` must be ascending whole numbers from 1, found {trees}.")
        if not len(self.leaves) or min(self.leaves) < 2:
            raise ValueError(f"`leaves` must be whole numbers from 2, found {self.leaves}.")
        both = set(self.increasing) & set(self.decreasing)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} cannot be both increasing and decreasing.")
        return [_Setting(int(leaves), int(n)) for leaves in self.leaves for n in trees]

    def _boosted(self, rows: Rows, leaves: int, trees: int) -> _Booster:
        up, down = set(self.increasing), set(self.decreasing)
        per_leaf = round(self.patients_per_leaf * len(rows.X) / rows.patients)
        bins = _Bins.of(rows)
        booster = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=trees,
            max_leaf_nodes=leaves,
            min_samples_leaf=max(1, per_leaf),
            l2_regularization=self.l2,
            monotonic_cst=[(name in up) - (name in down) for name in rows.names],
            early_stopping=False,
            random_state=self.random_state,
        )
        with _one_thread():
            booster.fit(bins.number(rows.X), rows.y, sample_weight=_one_each(rows))
        return _Booster(bins, booster)

    def _fit_settings(self, rows: Rows, settings: Sequence[_Setting]) -> Predictor:
        most = max(setting.trees for setting in settings)
        boosters = {
            leaves: self._boosted(rows, leaves, most)
            for leaves in dict.fromkeys(setting.leaves for setting in settings)
        }

        def predictors(X: Floats) -> Floats:
            staged = {leaves: booster.staged(X) for leaves, booster in boosters.items()}
            return np.column_stack([staged[s.leaves][s.trees - 1] for s in settings])

        return predictors

    def _fit_shares(self, rows: Rows, settings: Sequence[_Setting], shares: Floats) -> None:
        setting = settings[int(shares.argmax())]
        self.booster_ = self._boosted(rows, setting.leaves, setting.trees)

    def _linear_predictor(self, X: Floats) -> Floats:
        return self.booster_.linear_predictor(X)


def _quantiles(values: Floats, weight: Floats, shares: Floats) -> Floats:
    known = ~np.isnan(values)
    if not known.any():
        return np.zeros(0)
    cuts = np.quantile(values[known], shares, weights=weight[known], method="inverted_cdf")
    return np.unique(cuts)


def _one_thread() -> Any:
    """Hold OpenMP to one thread: on trees this small, threads wait for one another."""
    return threadpool_limits(limits=1, user_api="openmp")


def _one_each(rows: Rows) -> Floats:
    """Return weights that add up to the patients, so that `l2` means the same everywhere."""
    scaled: Floats = rows.weight * (rows.patients / rows.weight.sum())
    return scaled
