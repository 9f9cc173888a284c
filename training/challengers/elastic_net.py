"""Elastic net on everything, drawn towards what foretells earlier steps to the outcome.

Assumes that the log-odds are a sum of columns, few of which matter, and that what foretells later
proteinuria and treatment as it should be, known of nearly all, and a first failure that counts,
which is common, foretells the outcome, which is rare, in much the same proportions. How far that
holds is for the data to say; where it does not, the elastic net goes its own way. With about as
many columns as patients with the outcome, which ones it keeps is largely chance; the risks are
steadier than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from ...model.earlier_steps import STEP, as_columns, drawn_to, steps_of
from ...model.linear import linear_predictor
from .penalised import elastic_net_path, strongest_penalty

__all__ = ["ElasticNetRisk"]

Floats = npt.NDArray[np.float64]

STEPS_AROUND, STEPS_DOWN = 1, 4
STEP_PENALTY = 0.02
"""Of each step but the last, as a share of its strongest."""
LEAST_SHARE = 1e-3
FAVOUR = 0.3
"""Of the penalty, for columns that were named beforehand."""


@dataclass(frozen=True)
class _Setting:
    toward: float | None
    l1_ratio: float
    penalty: float

    @property
    def path(self) -> tuple[float | None, float]:
        """What settings of one path have in common."""
        return self.toward, self.l1_ratio

    @property
    def drawn(self) -> bool:
        """Whether it is drawn to an earlier step."""
        return self.toward is not None


class ElasticNetRisk(CrossFittedRisk):
    """Calibrated risk from logistic regression with an elastic-net penalty.

    What it leaves is what :class:`~lnrisk.model.classifier.LogisticRisk` leaves, so that it can be
    written as a model file in the same way.

    1. Where `fit` is given earlier steps towards the outcome, an elastic net of the first is fitted
       to the same columns.
    2. The coefficients of each later step are those of all steps before it, each times one number,
       which is free, plus differences, which are penalised; those of the outcome come from the last
       step in the same way. Each difference that is 0 leaves the proportions as they were [1]_.
    3. A path of penalties is fitted for each mixture, and for each penalty of the last step.
    4. The fits are averaged, each with a share that falls with its loss out of fold, a patient
       counted once [2]_: a share of exp(-patients * loss). How the losses are found and the average
       is calibrated is said by :class:`~lnrisk.model.crossfitted.CrossFittedRisk`.

    Parameters
    ----------
    features : transformer, default=None
        Makes columns from columns before the design; its `fit` takes `sample_weight`.
    design : transformer, default=None
        Makes the columns of the regression, on comparable scales and without nan; by default a
        :class:`~lnrisk.model.classifier.MissingAwareScaler`. Its `fit` takes `sample_weight`.
    l1_ratios : sequence of float, default=(0.25,)
        Mixtures to choose from, 1 for the lasso; above 0.
    penalties : int, default=8
        Length of the path.
    smallest : float, default=0.015
        Weakest penalty as a share of the strongest.
    towards : sequence of float or None, default=(None, 0.05, 0.015)
        Penalties of the last step to choose from, as shares of its strongest; None for a fit that
        is not drawn to any step.
    around : object, default=None
        A setting; only its penalty and one on either side, as far apart as on the path, are tried,
        at each of `towards`: which of those is best hangs on who happens to be in the sample.
    unpenalised : sequence of str, default=("landmark_month", "landmark_month:hat")
        Columns that are left free, if there: risks stay calibrated at each landmark.
    favoured : sequence of str, default=()
        Columns that were named beforehand: they are held back at 0.3 of the penalty.
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
        `toward`, `l1_ratio` and `penalty` of the fit with the largest share.
    calibration_ : Calibration
    cv_log_loss_ : ndarray of shape (n_towards * n_l1_ratios * n_penalties,)
    out_of_fold_linear_predictor_ : ndarray of shape (n_rows,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 30))
    >>> y = rng.uniform(size=400) < 1 / (1 + np.exp(2 - 2 * X[:, 0]))
    >>> model = ElasticNetRisk(l1_ratios=(1.0,)).fit(X, y)
    >>> int(np.argmax(np.abs(model.coef_))), model.coef_[0].round(1) > 1
    (0, np.True_)

    References
    ----------
    .. [1] Li S, Cai TT, Li H. Transfer learning for high-dimensional linear regression. J R Stat
       Soc B 2022;84:149, for the idea of penalising what differs from a related model.
    .. [2] Yao Y, Vehtari A, Simpson D, Gelman A. Using stacking to average Bayesian predictive
       distributions. Bayesian Anal 2018;13:917, where such weights are called pseudo-BMA.
    """

    learns_from_steps = True

    _parameter_constraints = {  # noqa: RUF012
        "features": [None, HasMethods(["fit", "transform"])],
        "design": [None, HasMethods(["fit", "transform"])],
        "l1_ratios": ["array-like"],
        "penalties": [Interval(Integral, 2, None, closed="left")],
        "smallest": [Interval(Real, 0, 1, closed="neither")],
        "towards": ["array-like"],
        "around": [None, _Setting],
        "unpenalised": ["array-like"],
        "favoured": ["array-like"],
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
        l1_ratios: Sequence[float] = (0.25,),
        penalties: int = 8,
        smallest: float = 0.015,
        towards: Sequence[float | None] = (None, 0.05, 0.015),
        around: _Setting | None = None,
        unpenalised: Sequence[str] = (LANDMARK_MONTH, f"{LANDMARK_MONTH}:hat"),
        favoured: Sequence[str] = (),
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.features = features
        self.design = design
        self.l1_ratios = l1_ratios
        self.penalties = penalties
        self.smallest = smallest
        self.towards = towards
        self.around = around
        self.unpenalised = unpenalised
        self.favoured = favoured
        self.folds = folds
        self.random_state = random_state

    def _design(self) -> Any:
        return MissingAwareScaler() if self.design is None else clone(self.design)

    def _factor(self, rows: Rows) -> Floats:
        factor = dict.fromkeys(self.favoured, FAVOUR) | dict.fromkeys(
            (*self.unpenalised, STEP), 0.0
        )
        return np.array([factor.get(name, 1.0) for name in rows.names])

    def _settings(self, rows: Rows) -> Sequence[_Setting]:
        towards = [toward for toward in self.towards if toward is not None]
        for name, given in (("l1_ratios", self.l1_ratios), ("towards", towards)):
            if not len(given) or not all(0 < one <= 1 for one in given):
                raise ValueError(f"`{name}` must lie above 0 and at most at 1, found {given}.")
        shares = np.geomspace(1, self.smallest, self.penalties)
        several = tuple(self.towards) if steps_of(rows) else (None,)
        if self.around is not None:
            apart = shares[1] ** np.arange(-STEPS_AROUND, STEPS_AROUND + 1)
            near = [replace(self.around, penalty=self.around.penalty * s) for s in apart.tolist()]
            return [replace(one, toward=toward) for toward in several for one in near]
        return [
            _Setting(toward, float(ratio), strongest * share)
            for toward, direction in self._directions(rows, several).items()
            for ratio in self.l1_ratios
            for strongest in [self._strongest(drawn_to(rows, direction), ratio)]
            for share in shares.tolist()
        ]

    def _strongest(self, rows: Rows, l1_ratio: float) -> float:
        return strongest_penalty(rows.X, rows.y, rows.weight, l1_ratio, self._factor(rows))

    def _path(
        self, rows: Rows, penalties: Sequence[float], l1_ratio: float, *, exact: bool
    ) -> Floats:
        given = (rows.X, rows.y, rows.weight, np.array(penalties), l1_ratio, self._factor(rows))
        return elastic_net_path(*given, exact=exact)

    def _directions(
        self, rows: Rows, towards: Sequence[float | None]
    ) -> dict[float | None, list[Floats]]:
        """Return the coefficients of the last earlier step at each penalty; none without one."""
        steps, shares = steps_of(rows), [toward for toward in towards if toward is not None]
        found: dict[float | None, list[Floats]] = {toward: [] for toward in towards}
        if not steps or not shares:
            return found
        *earlier, last = steps
        before: list[Floats] = []
        for step in earlier:
            before += self._at_shares(step, before, [STEP_PENALTY])
        solved = self._at_shares(last, before, shares)
        return found | {share: [one] for share, one in zip(shares, solved, strict=True)}

    def _at_shares(
        self, rows: Rows, before: Sequence[Floats], shares: Sequence[float]
    ) -> list[Floats]:
        """Return the coefficients of a step at some shares of its strongest penalty."""
        drawn, ratio = drawn_to(rows, before), self.l1_ratios[0]
        down = sorted({*np.geomspace(1, min(shares), STEPS_DOWN).tolist(), *shares}, reverse=True)
        strongest = self._strongest(rows, ratio)
        solved = self._path(drawn, [strongest * share for share in down], ratio, exact=False)
        found = as_columns(solved, before)
        return [found[down.index(share), 1:] for share in shares]

    def _solutions(
        self, rows: Rows, settings: Sequence[_Setting], *, exact: bool
    ) -> npt.NDArray[np.float64]:
        """Return intercept and coefficients of each setting, shape (n_settings, 1 + n_columns)."""
        directions = self._directions(rows, list(dict.fromkeys(one.toward for one in settings)))
        found = []
        for (toward, ratio), path in groupby(settings, key=lambda setting: setting.path):
            direction, penalties = directions[toward], [setting.penalty for setting in path]
            solved = self._path(drawn_to(rows, direction), penalties, ratio, exact=exact)
            found.append(as_columns(solved, direction))
        return np.concatenate(found)

    def _shares(self, losses: Floats, patients: int) -> Floats:
        shares: Floats = np.exp(-patients * (losses - losses.min()))
        shares[shares < LEAST_SHARE * shares.sum()] = 0.0
        shares /= shares.sum()
        return shares

    def _fit_settings(self, rows: Rows, settings: Sequence[_Setting]) -> Predictor:
        solutions = self._solutions(rows, settings, exact=False)
        return lambda X: np.column_stack(
            [linear_predictor(X, solution[1:], solution[0]) for solution in solutions]
        )

    def _fit_shares(self, rows: Rows, settings: Sequence[_Setting], shares: Floats) -> None:
        last = {one.path: k for k, one in enumerate(settings) if shares[k] > 0}
        upto = [k for k, one in enumerate(settings) if k <= last.get(one.path, -1)]
        solutions = self._solutions(rows, [settings[k] for k in upto], exact=True)
        solution = shares[upto] @ solutions
        self.column_names_ = rows.names
        self.intercept_, self.coef_ = float(solution[0]), solution[1:]

    def _linear_predictor(self, X: Floats) -> Floats:
        return linear_predictor(X, self.coef_, self.intercept_)
