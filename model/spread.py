"""How far apart the risks of patients lie who look alike to the model.

Assumes that the risks of patients alike follow a beta distribution around the risk given, and that
what sets them apart shows itself at a later look, to which the spread was fitted. The range is too
narrow where it shows later still, and too wide where much of what comes is pure chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..features.laboratory import DAYS_PER_MONTH
from .linear import inverse_logit

__all__ = ["LEVEL", "Spread", "shortest_ranges", "spread_with"]

Floats = npt.NDArray[np.float64]

LEVEL = 0.9
LOG_ODDS = tuple(np.linspace(-9.0, 6.0, 61).tolist())
TAILS = 40


@dataclass(frozen=True)
class Spread:
    """The range that holds most risks of patients alike, as a table to look up.

    Parameters
    ----------
    landmarks : tuple of int
        Days after the index date, ascending.
    shares : tuple of float
        At each: of the variance of the outcome among patients of one risk, the share that lies
        between them (their intraclass correlation); the rest is chance.
    later_day : int
        When they were looked at again to find it.
    level : float
        Share of patients inside the range.
    log_odds : tuple of float
        Of the risks that the table has.
    lower, upper : tuple of tuple of float
        Ends of the range, at each landmark and risk.
    """

    landmarks: tuple[int, ...]
    shares: tuple[float, ...]
    later_day: int
    level: float
    log_odds: tuple[float, ...]
    lower: tuple[tuple[float, ...], ...]
    upper: tuple[tuple[float, ...], ...]

    def range_of(self, risk: Floats, months: Floats) -> tuple[Floats, Floats]:
        """Return both ends of the range, shape (n_patients,), interpolated in risk and landmark.

        Parameters
        ----------
        risk : ndarray of float, shape (n_patients,)
        months : ndarray of float, shape (n_patients,)
            From the index date to the landmark.
        """
        with np.errstate(divide="ignore"):
            at = np.log(risk) - np.log1p(-risk)
        column, along = _place(self._log_odds, at)
        row, between = _place(self._days, months * DAYS_PER_MONTH)
        next_row = np.minimum(row + 1, len(self.landmarks) - 1)

        def end(table: Floats) -> Floats:
            before, after = (
                table[line, column] * (1 - along) + table[line, column + 1] * along
                for line in (row, next_row)
            )
            blended: Floats = before * (1 - between) + after * between
            return blended

        lower, upper = self._tables
        return end(lower), end(upper)

    @cached_property
    def _log_odds(self) -> Floats:
        return np.array(self.log_odds)

    @cached_property
    def _days(self) -> Floats:
        return np.array(self.landmarks, dtype=np.float64)

    @cached_property
    def _tables(self) -> tuple[Floats, Floats]:
        return np.array(self.lower), np.array(self.upper)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Spread":
        """Return it from what a model file holds."""
        tables = {name: tuple(map(tuple, content[name])) for name in ("lower", "upper")}
        lists = {name: tuple(content[name]) for name in ("landmarks", "shares", "log_odds")}
        return cls(**{**content, **lists, **tables})


def _place(grid: Floats, at: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return the grid point below each value, and how far along to the next; ends hold beyond."""
    position = np.interp(np.fmax(at, grid[0]), grid, np.arange(len(grid)))
    below = np.minimum(position.astype(np.intp), max(len(grid) - 2, 0))
    return below, position - below


def spread_with(
    landmarks: Sequence[int], shares: Sequence[float], later_day: int, level: float = LEVEL
) -> Spread:
    """Return the spread with these shares, its table reckoned.

    Parameters
    ----------
    landmarks : sequence of int
    shares : sequence of float
        Between 0 and 1, one for each landmark.
    later_day : int
    level : float, default=0.9
    """
    risk = inverse_logit(np.array(LOG_ODDS))
    ends = [shortest_ranges(risk, share, level) for share in shares]
    return Spread(
        landmarks=tuple(landmarks),
        shares=tuple(shares),
        later_day=later_day,
        level=level,
        log_odds=LOG_ODDS,
        lower=tuple(tuple(lower.tolist()) for lower, _ in ends),
        upper=tuple(tuple(upper.tolist()) for _, upper in ends),
    )


def shortest_ranges(mean: Floats, share: float, level: float) -> tuple[Floats, Floats]:
    """Return the shortest ranges that hold a share of beta distributions.

    Where most of the risks lie next to 0, the range begins there: to cut off the lowest ones would
    leave out the very risks that are commonest.

    Parameters
    ----------
    mean : ndarray of float, shape (n,)
    share : float
        Variance over ``mean * (1 - mean)``, between 0 and 1.
    level : float

    Examples
    --------
    >>> lower, upper = shortest_ranges(np.array([0.05, 0.5]), share=0.2, level=0.9)
    >>> lower.round(2).tolist(), upper.round(2).tolist()
    ([0.0, 0.14], [0.16, 0.86])
    """
    from scipy.special import betaincinv

    if not 0 < share < 1:
        raise ValueError(f"share is {share}; expected above 0 and below 1.")
    precision = 1 / share - 1
    tails = np.linspace(0, 1 - level, TAILS + 1)[:, None]
    below, above = (
        betaincinv(mean * precision, (1 - mean) * precision, tail)
        for tail in (tails, np.minimum(tails + level, 1.0))
    )
    shortest = np.argmin(above - below, axis=0), np.arange(len(mean))
    return below[shortest], above[shortest]
