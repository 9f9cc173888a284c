"""Trajectories as a scikit-learn transformer: statistics in, shrunken levels and slopes out.

Assumes one row per patient, as `lnrisk.features.pipeline` makes them. What is learned in `fit`
comes from the rows given there alone, so that in cross-validation no test patient shapes the curve
that others are shrunken towards.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from .laboratory import LANDMARK_MONTH, statistic_name
from .summaries import STATISTICS
from .trajectories import Trajectory, matrix_of, shrunken_dictionary, shrunken_features
from .trajectory_fit import fit_trajectory, has_enough

__all__ = ["TrajectoryFeatures"]


class TrajectoryFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replace sufficient statistics by what a mixed model makes of them.

    1. For each series a random-intercept, random-slope model is fitted by maximum likelihood to
       the statistics of the rows (:func:`~lnrisk.features.trajectory_fit.fit_trajectory`).
    2. Each row gets its posterior level and slope at the landmark, their standard deviations,
       the change since the index date, and the probabilities that follow from them.
    3. Columns that are no statistics pass through unchanged, before the new ones; with `keep`,
       only the columns named there are returned, in that order.

    Needs column names, hence a data frame, unless `series` is empty; then it passes everything
    through, which is what arrays without names can be given.

    Parameters
    ----------
    series : sequence of str, default=()
        Names of the series, for example ``("log_upcr", "egfr")``.
    groups : sequence of str, default=()
        0/1 columns that shift the mean curve.
    knots : sequence of float, default=()
        Month from which each series' mean curve may bend, inf for none; empty for none at all.
    keep : sequence of str, default=None
        Names of the columns to return; all by default. One of a series without values in the fit
        is nan throughout.

    Attributes
    ----------
    trajectories_ : tuple of Trajectory
        One for each series of which enough patients had a value.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when fitted on a data frame.

    Examples
    --------
    >>> import pandas as pd
    >>> import pandas as pd
    >>> TrajectoryFeatures().fit_transform(pd.DataFrame({"age": [31.0, 44.0]}))
    array([[31.],
           [44.]])
    """

    trajectories_: tuple[Trajectory, ...]
    n_features_in_: int

    def __init__(
        self,
        series: Sequence[str] = (),
        groups: Sequence[str] = (),
        knots: Sequence[float] = (),
        keep: Sequence[str] | None = None,
    ) -> None:
        self.series = series
        self.groups = groups
        self.knots = knots
        self.keep = keep

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit a trajectory model to each series.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_columns)
        y : object
            Ignored.
        sample_weight : array-like of shape (n_patients,), default=None
            Non-negative weights; a row of weight 0 has no influence.

        Returns
        -------
        TrajectoryFeatures
            The fitted transformer itself.

        Raises
        ------
        ValueError
            If a column of a series or group is absent.
        """
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        weight = _check_sample_weight(
            sample_weight, values, dtype=np.float64, ensure_non_negative=True
        )
        self._check_columns()
        columns = self._columns(values)
        knots = self.knots or [np.inf] * len(self.series)
        given = matrix_of(columns, self.groups, len(values))
        fitted = []
        for name, knot in zip(self.series, knots, strict=True):
            sums = matrix_of(columns, [statistic_name(name, s) for s in STATISTICS], len(values))
            if has_enough(sums, weight):
                fitted.append(fit_trajectory(name, sums, given, tuple(self.groups), knot, weight))
        self.trajectories_ = tuple(fitted)
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the columns that pass through and the shrunken ones.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_columns)
            The columns of the fit.

        Returns
        -------
        ndarray of shape (n_patients, n_columns_out)
            nan where an analyte was never measured; each row depends on that row alone.
        """
        check_is_fitted(self)
        values = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        if self.keep is None and not self.trajectories_:
            passed: npt.NDArray[np.float64] = values[:, self._passed()]
            return passed
        given = self._columns(values)
        made = {f.name: v for f, v in shrunken_features(self.trajectories_, given).items()}
        columns = [
            made[name] if name in made else given.get(name, np.full(len(values), np.nan))
            for name in self.get_feature_names_out()
        ]
        stacked: npt.NDArray[np.float64] = np.column_stack([np.empty((len(values), 0)), *columns])
        return stacked

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns that `transform` makes.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns when the fit was not on a data frame.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        if self.keep is not None:
            return np.array(self.keep, dtype=object)
        passed = list(names[self._passed()])
        shrunken = shrunken_dictionary([model.name for model in self.trajectories_])
        return np.array([*passed, *(feature.name for feature in shrunken)], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "trajectories_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _statistics(self) -> list[str]:
        own = [statistic_name(name, s) for name in self.series for s in STATISTICS]
        return [LANDMARK_MONTH, *own] if own else []

    def _check_columns(self) -> None:
        if not len(self.series):
            return
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            raise ValueError("TrajectoryFeatures with series needs a data frame with column names.")
        absent = [c for c in (*self._statistics(), *self.groups) if c not in set(names)]
        if absent:
            raise ValueError(f"TrajectoryFeatures needs column {absent[0]!r}, which X has not.")

    def _columns(self, values: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        names = getattr(self, "feature_names_in_", range(self.n_features_in_))
        return dict(zip(names, values.T, strict=True))

    def _passed(self) -> npt.NDArray[np.bool_]:
        names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))
        return ~np.isin(names.astype(str), self._statistics())
