"""Fitting the design: means, scales and knots of its columns, learned from training rows.

Assumes one row per patient and landmark, the landmark in months in the first column. A scale
learned from few values is poor: a column that does not vary in training is only centred.
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

from .columns import Column, Piece, design_columns, raw_column
from .terms import only_where_shown

__all__ = ["LandmarkDesign", "name_of"]

Floats = npt.NDArray[np.float64]

KNOT_QUANTILES = (0.1, 0.5, 0.9)  # Harrell's positions for three knots
HAT_SCALE = 0.1
"""Of a landmark's own columns: the prior of their coefficients is ten times wider, so that risks
stay calibrated at each landmark whatever the penalty."""


class LandmarkDesign(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn terms into the columns of the regression.

    1. Each piece gets the weighted mean and standard deviation of its training values; a bend gets
       knots at their weighted quantiles 0.1, 0.5 and 0.9.
    2. A bend without three distinct knots is left out.
    3. A missing value becomes 0, that is the training mean; what is missing is said by the pieces
       of shape ``missing``.

    Parameters
    ----------
    names : sequence of str
        Of the columns given: the landmark's month first, then the terms.
    pieces : sequence of Piece

    Attributes
    ----------
    columns_ : tuple of Column
    n_features_in_ : int

    Examples
    --------
    >>> rows = [[0.0, 1.0], [3.0, np.nan], [6.0, 3.0]]
    >>> LandmarkDesign(["month", "upcr"], [Piece("upcr"), Piece("upcr", "missing")]).fit_transform(
    ...     rows
    ... )
    array([[-1.,  0.],
           [ 0.,  1.],
           [ 1.,  0.]])
    """

    columns_: tuple[Column, ...]
    n_features_in_: int

    def __init__(self, names: Sequence[str], pieces: Sequence[Piece]) -> None:
        self.names = names
        self.pieces = pieces

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn means, scales and knots.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_names)
            nan where missing.
        y : object
            Ignored.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights; a row of weight 0 has no influence.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if X.shape[1] != len(self.names):
            raise ValueError(f"LandmarkDesign names {len(self.names)} columns, X has {X.shape[1]}.")
        used = weight > 0
        values = dict(zip(self.names, X[used].T, strict=True))
        learned = (_learn(piece, values[piece.term], weight[used]) for piece in self.pieces)
        self.columns_ = tuple(column for column in learned if column is not None)
        return self

    def transform(self, X: Any) -> Floats:
        """Return the design, shape (n_rows, n_columns); each row depends on that row alone."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        values = dict(zip(self.names, X.T, strict=True))
        return design_columns(self.columns_, values, X[:, 0])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return a name for each column, such as ``age`` or ``log_upcr_level:bend``."""
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return np.array([name_of(column) for column in self.columns_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def name_of(piece: Piece | Column) -> str:
    """Return a name for a column."""
    shape = "" if piece.shape == "value" else f":{piece.shape}"
    return f"{piece.term}{shape}{':in_time' if piece.in_time else ''}"


def _learn(piece: Piece, values: Floats, weight: Floats) -> Column | None:
    if piece.shape == "missing":
        return Column(piece.term, piece.shape, piece.in_time, (), 0.0, 1.0)
    if piece.shape == "hat":
        return Column(piece.term, piece.shape, piece.in_time, piece.knots, 0.0, HAT_SCALE)
    known = ~np.isnan(values)
    if not known.any():
        return Column(piece.term, piece.shape, piece.in_time, (), 0.0, 1.0)
    values, weight = values[known], weight[known]
    knots: tuple[float, ...] = ()
    if piece.shape == "bend":
        at = np.quantile(values, KNOT_QUANTILES, weights=weight, method="inverted_cdf")
        knots = tuple(at.tolist())
        if len(set(knots)) < len(knots):
            return None
    raw = raw_column(values, piece.shape, knots)
    mean = float(np.average(raw, weights=weight))
    spread = float(np.sqrt(np.average((raw - mean) ** 2, weights=weight)))
    constant = not raw.min() < raw.max() or spread == 0.0
    centre = 0.0 if only_where_shown(piece.term) else mean
    scale = 1.0 if constant else spread
    return Column(piece.term, piece.shape, piece.in_time, knots, centre, scale)
