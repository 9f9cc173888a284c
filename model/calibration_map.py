"""Calibration as plain data: from a linear predictor to a risk, with numpy alone.

Assumes the scale of linear predictor that the map was fitted on. A linear predictor that is not a
number has no risk; one beyond all that were seen gets the risk of the outermost, where the map is
a table, because a table says nothing about what lies outside.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from .linear import inverse_logit

__all__ = [
    "BetaMap",
    "CalibrationMap",
    "CeilingMap",
    "IsotonicMap",
    "LogisticMap",
    "VennAbersMap",
    "calibration_map",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LogisticMap:
    """A straight line from linear predictor to log-odds.

    Parameters
    ----------
    intercept, slope : float

    Examples
    --------
    >>> LogisticMap(intercept=0.0, slope=2.0).risk([-1.0, 0.0]).round(3)
    array([0.119, 0.5  ])
    """

    kind: ClassVar[str] = "logistic"
    intercept: float
    slope: float

    def risk(self, linear_predictor: Any) -> Floats:
        """Return the risk of each linear predictor, shape (n_rows,)."""
        return inverse_logit(self.intercept + self.slope * np.asarray(linear_predictor, np.float64))

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON can hold it."""
        return _as_dict(self)


@dataclass(frozen=True)
class BetaMap:
    """Log-odds ``intercept + low log(s) - high log(1 - s)``, with ``s`` the uncalibrated risk.

    Parameters
    ----------
    intercept, low, high : float
        `low` and `high` are not negative, so that the map does not fall; equal, they are the
        slope of a logistic map.

    Examples
    --------
    >>> BetaMap(intercept=0.0, low=2.0, high=2.0).risk([-1.0, 0.0]).round(3)
    array([0.119, 0.5  ])
    """

    kind: ClassVar[str] = "beta"
    intercept: float
    low: float
    high: float

    def risk(self, linear_predictor: Any) -> Floats:
        """Return the risk of each linear predictor, shape (n_rows,)."""
        x = np.asarray(linear_predictor, np.float64)
        log_odds = self.intercept - self.low * np.logaddexp(0, -x) + self.high * np.logaddexp(0, x)
        return inverse_logit(log_odds)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON can hold it."""
        return _as_dict(self)


@dataclass(frozen=True)
class CeilingMap:
    """A line of log-odds under a ceiling: ``ceiling * expit(intercept + slope * x)``.

    Parameters
    ----------
    intercept, slope : float
    ceiling : float
        Above 0 and at most 1.
    outer_intercept, outer_slope : float
        A line along which the log-odds of that risk have been moved since.

    Examples
    --------
    >>> CeilingMap(intercept=0.0, slope=2.0, ceiling=0.5).risk([-1.0, 0.0, 9.0]).round(3)
    array([0.06, 0.25, 0.5 ])
    """

    kind: ClassVar[str] = "ceiling"
    intercept: float
    slope: float
    ceiling: float
    outer_intercept: float = 0.0
    outer_slope: float = 1.0

    def risk(self, linear_predictor: Any) -> Floats:
        """Return the risk of each linear predictor, shape (n_rows,)."""
        x = np.asarray(linear_predictor, np.float64)
        line = self.intercept + self.slope * x
        never = np.log1p(-self.ceiling) if self.ceiling < 1 else -np.inf
        log_odds = np.log(self.ceiling) - np.logaddexp(-line, never)
        return inverse_logit(self.outer_intercept + self.outer_slope * log_odds)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON can hold it."""
        return _as_dict(self)


@dataclass(frozen=True)
class IsotonicMap:
    """Straight lines between knots, level outside them.

    Parameters
    ----------
    at : tuple of float
        Linear predictors, ascending.
    risks : tuple of float
        Risk at each of them, not falling.

    Examples
    --------
    >>> IsotonicMap(at=(-2.0, 0.0), risks=(0.1, 0.3)).risk([-9.0, -1.0, 9.0])
    array([0.1, 0.2, 0.3])
    """

    kind: ClassVar[str] = "isotonic"
    at: tuple[float, ...]
    risks: tuple[float, ...]

    def risk(self, linear_predictor: Any) -> Floats:
        """Return the risk of each linear predictor, shape (n_rows,)."""
        x = np.asarray(linear_predictor, np.float64)
        at, risks = np.array(self.at), np.array(self.risks)
        held = np.clip(x, at[0], at[-1])
        right = np.clip(np.searchsorted(at, held, side="right"), 1, max(len(at) - 1, 1))
        if len(at) == 1:
            return np.where(np.isnan(x), np.nan, risks[0])
        share = (held - at[right - 1]) / (at[right] - at[right - 1])
        risk: Floats = risks[right - 1] * (1 - share) + risks[right] * share
        return risk

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON can hold it."""
        return _as_dict(self)


@dataclass(frozen=True)
class VennAbersMap:
    """Two step functions: the share of the outcome had the patient been free of it, or had it [1]_.

    Parameters
    ----------
    at : tuple of float, length n
        Linear predictors at which a step may be, ascending.
    without : tuple of float, length n + 1
        ``p0`` below the first, then from each up to, not including, the next.
    with_outcome : tuple of float, length n + 1
        ``p1`` up to and including each, then above the last.

    References
    ----------
    .. [1] Vovk V, Petej I, Fedorova V. Large-scale probabilistic predictors with and without
       guarantees of validity. NeurIPS 2015.

    Examples
    --------
    >>> table = VennAbersMap(at=(0.0,), without=(0.0, 0.25), with_outcome=(0.5, 1.0))
    >>> table.pair([0.0])
    (array([0.25]), array([0.5]))
    >>> table.risk([0.0])
    array([0.4])
    """

    kind: ClassVar[str] = "venn-abers"
    at: tuple[float, ...]
    without: tuple[float, ...]
    with_outcome: tuple[float, ...]

    def pair(self, linear_predictor: Any) -> tuple[Floats, Floats]:
        """Return ``p0`` and ``p1`` of each linear predictor, both of shape (n_rows,)."""
        x, at = np.asarray(linear_predictor, np.float64), np.array(self.at)
        unknown = np.isnan(x)
        p0 = np.array(self.without)[np.searchsorted(at, x, side="right")]
        p1 = np.array(self.with_outcome)[np.searchsorted(at, x, side="left")]
        return np.where(unknown, np.nan, p0), np.where(unknown, np.nan, p1)

    def risk(self, linear_predictor: Any) -> Floats:
        """Return ``p1 / (1 - p0 + p1)``, the risk with the least regret in log loss."""
        p0, p1 = self.pair(linear_predictor)
        return p1 / (1 - p0 + p1)

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON can hold it."""
        return _as_dict(self)


CalibrationMap = LogisticMap | BetaMap | CeilingMap | IsotonicMap | VennAbersMap
"""Any of the maps; each has `kind`, `risk` and `to_dict`."""

_MAPS: dict[str, Any] = {
    each.kind: each for each in (LogisticMap, BetaMap, CeilingMap, IsotonicMap, VennAbersMap)
}


def calibration_map(content: Mapping[str, Any]) -> CalibrationMap:
    """Read a map from what `to_dict` made.

    Raises
    ------
    ValueError
        If the kind is not known, a field is missing or too many, a number is not finite, or a
        table is not in order.

    Examples
    --------
    >>> calibration_map({"kind": "logistic", "intercept": -1.0, "slope": 0.9})
    LogisticMap(intercept=-1.0, slope=0.9)
    """
    given = dict(content)
    kind = given.pop("kind", None)
    if kind not in _MAPS:
        raise ValueError(f"kind of calibration {kind!r}; accepted are {', '.join(_MAPS)}.")
    types = {field.name: field.type for field in fields(_MAPS[kind])}
    if set(given) != set(types):
        raise ValueError(
            f"a {kind} calibration has {', '.join(types)}; found {', '.join(given) or 'nothing'}."
        )
    for name, value in given.items():
        numbers, scalar = np.asarray(value, dtype=np.float64), types[name] is float
        if not np.isfinite(numbers).all() or numbers.ndim != (0 if scalar else 1):
            raise ValueError(
                f"{name} of a {kind} calibration: "
                f"{'a finite number' if scalar else 'a list of finite numbers'} is needed."
            )
        given[name] = float(numbers) if scalar else tuple(numbers.tolist())
    if not 0 < given.get("ceiling", 1.0) <= 1:
        raise ValueError(f"ceiling of a {kind} calibration must lie above 0 and at most at 1.")
    _check_tables(kind, given)
    found: CalibrationMap = _MAPS[kind](**given)
    return found


def _check_tables(kind: str, given: Mapping[str, Any]) -> None:
    at = given.get("at")
    if at is None:
        return
    if len(at) == 0 or (np.diff(at) <= 0).any():
        raise ValueError(f"at of a {kind} calibration must be ascending, with no value twice.")
    for name, values in given.items():
        if name == "at":
            continue
        length = len(at) + (kind == VennAbersMap.kind)
        if len(values) != length:
            raise ValueError(f"{name} of a {kind} calibration has {len(values)}, not {length}.")
        if (np.diff(values) < 0).any() or min(values) < 0 or max(values) > 1:
            raise ValueError(f"{name} of a {kind} calibration must rise from 0 to 1 at most.")


def _as_dict(one: Any) -> dict[str, Any]:
    return {"kind": one.kind} | {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(one).items()
    }
