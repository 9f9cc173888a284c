"""The columns of the regression: values, bends, missingness, and effects that change in time.

Assumes that a term acts on the log-odds along a straight line, or one with a single smooth bend,
and that its effect changes evenly with the landmark; beyond the outer knots a line goes on
straight, which is a guess where no training patient was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "LANDMARK_MONTHS",
    "Column",
    "Piece",
    "Shape",
    "design_columns",
    "landmark_clock",
    "raw_column",
]

Floats = npt.NDArray[np.float64]
Shape = Literal["value", "bend", "missing", "hat"]

LANDMARK_MONTHS = 3.0
"""The landmark clock is 0 at three months and moves by 1 in three months."""


@dataclass(frozen=True)
class Piece:
    """A column before it has seen data.

    Parameters
    ----------
    term : str
        Name of the feature.
    shape : {"value", "bend", "missing", "hat"}
        The value itself; the part of a restricted cubic spline with three knots that is not a
        straight line; 1 where the value is missing; or a hat, 1 at the middle one of three knots
        and 0 from the outer ones on.
    in_time : bool
        Times the landmark clock: how the effect changes from landmark to landmark.
    knots : tuple of float
        Of a hat; those of a bend are learned.
    """

    term: str
    shape: Shape = "value"
    in_time: bool = False
    knots: tuple[float, ...] = ()


@dataclass(frozen=True)
class Column:
    """A column of the design: ``(shape(value) - mean) / scale``, and 0 where the value is missing.

    Parameters
    ----------
    term : str
    shape : {"value", "bend", "missing", "hat"}
    in_time : bool
        Times the landmark clock, after scaling.
    knots : tuple of float
        Three for a bend or a hat, none otherwise.
    mean, scale : float
        Of the training rows.
    """

    term: str
    shape: Shape
    in_time: bool
    knots: tuple[float, ...]
    mean: float
    scale: float


def raw_column(values: Floats, shape: Shape, knots: Sequence[float]) -> Floats:
    """Return values in a shape, before scaling; nan where missing, but for missingness itself.

    References
    ----------
    Harrell FE. Regression Modeling Strategies, 2nd edition. Springer 2015, section 2.4.5.

    Examples
    --------
    >>> raw_column(np.array([0.0, 1.0, 2.0, 3.0]), "bend", (0.0, 1.0, 2.0)).round(3)
    array([0.  , 0.25, 1.5 , 3.  ])
    >>> raw_column(np.array([0.0, 1.0, 2.0, 3.0]), "hat", (0.0, 2.0, 4.0))
    array([0. , 0.5, 1. , 0.5])
    """
    if shape == "missing":
        return np.isnan(values).astype(np.float64)
    if shape == "value":
        return values
    first, middle, last = knots
    if shape == "hat":
        rising = (values - first) / (middle - first)
        falling = (last - values) / (last - middle) if last > middle else np.ones(len(values))
        return np.maximum(np.minimum(np.minimum(rising, falling), 1.0), 0.0)
    cubes = [np.maximum(values - knot, 0.0) ** 3 for knot in knots]
    width = last - middle
    bend: Floats = cubes[0] - cubes[1] * ((last - first) / width)
    return (bend + cubes[2] * ((middle - first) / width)) / (last - first) ** 2


def landmark_clock(months: Floats) -> Floats:
    """Return the landmark clock, 0 at three months."""
    return months / LANDMARK_MONTHS - 1.0


def design_columns(
    columns: Sequence[Column], values: Mapping[str, Floats], months: Floats
) -> Floats:
    """Return the design.

    Parameters
    ----------
    columns : sequence of Column
    values : mapping of str to ndarray of shape (n_rows,)
        Of each term, nan where missing.
    months : ndarray of shape (n_rows,)
        From the index date to the landmark.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Each row depends on that row alone.
    """
    made = np.empty((len(months), len(columns)), order="F")
    for position, column in enumerate(columns):
        made[:, position] = raw_column(values[column.term], column.shape, column.knots)
    made -= np.array([column.mean for column in columns])
    made /= np.array([column.scale for column in columns])
    made[np.isnan(made)] = 0.0
    in_time = [position for position, column in enumerate(columns) if column.in_time]
    made[:, in_time] *= landmark_clock(months)[:, None]
    return made
