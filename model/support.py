"""What the training data looked like, in shares: what later data is compared with.

Assumes that shares of bins, missing values and risks tell enough; how values hang together is not
kept, so that a shift in that alone is not seen. The model file holds it under ``training.support``,
by landmark: a patient at week 12 is not to be compared with others at week 52.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from ..features.errors import ModelError

__all__ = ["Bins", "Support", "mixture", "support_in", "support_of"]

Numbers = npt.NDArray[np.float64]
BINS = 10


class Bins(BaseModel):
    """Shares of values between edges; a value on an edge belongs above it.

    Examples
    --------
    >>> bins = Bins(edges=(0.0, 1.0), shares=(0.2, 0.5, 0.3), missing=0.1)
    >>> bins.counts(np.array([-5.0, 0.0, 0.5, 1.0, np.nan])).tolist()
    [1, 2, 1]
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    edges: tuple[float, ...]
    shares: tuple[float, ...] = Field(description="Of the known values, one more than edges.")
    missing: float = Field(ge=0, le=1, description="Share of missing values.")
    mean: float | None = Field(default=None, description="Of the known values.")

    @model_validator(mode="after")
    def _fits(self) -> "Bins":
        if len(self.shares) != len(self.edges) + 1 or list(self.edges) != sorted(self.edges):
            raise ValueError("expected ascending edges, and one more share than edges")
        return self

    def counts(self, values: Numbers) -> npt.NDArray[np.int64]:
        """Return how many values fall into each bin; missing ones into none."""
        known = values[~np.isnan(values)]
        places = np.searchsorted(np.array(self.edges), known, side="right")
        return np.bincount(places, minlength=len(self.shares)).astype(np.int64)


class Support(BaseModel):
    """The training data at one landmark, or a mixture of several.

    Parameters
    ----------
    patients : int
        How many the shares rest on.
    terms : dict of str to Bins
    risk : Bins
        Of the model's own risks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patients: int = Field(gt=0)
    terms: dict[str, Bins]
    risk: Bins


def _edges(values: Numbers, weight: Numbers) -> Numbers:
    """Return the edges of ten bins of equal weight, or of fewer where values are tied."""
    known = ~np.isnan(values)
    if not known.any():
        return np.empty(0)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    found = np.quantile(values[known], inner, weights=weight[known], method="inverted_cdf")
    distinct = np.unique(found)
    edges: Numbers = distinct[distinct > values[known].min()]
    return edges


def _bins(values: Numbers, weight: Numbers, edges: Numbers) -> Bins:
    known = ~np.isnan(values)
    total = weight[known].sum()
    shares, mean = np.zeros(len(edges) + 1), None
    shares[0] = 1.0
    if total > 0:
        places = np.searchsorted(edges, values[known], side="right")
        shares = np.bincount(places, weight[known], len(edges) + 1) / total
        mean = float(weight[known] @ values[known] / total)
    missing = float(weight[~known].sum() / weight.sum())
    return Bins(
        edges=tuple(edges.tolist()), shares=tuple(shares.tolist()), missing=missing, mean=mean
    )


def support_of(
    values: pd.DataFrame,
    risk: Numbers,
    weight: Numbers,
    landmark: npt.NDArray[np.int64],
    each: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Return the support at each landmark as plain data; bins are the same at all.

    Parameters
    ----------
    values : DataFrame, shape (n_rows, n_terms)
        The terms' values in training; nan where missing.
    risk : ndarray of float, shape (n_rows,)
        By the model.
    weight : ndarray of float, shape (n_rows,)
        Above 0.
    landmark : ndarray of int, shape (n_rows,)
        Day of each row.
    each : ndarray of bool, shape (n_rows,), optional
        One row for each patient and landmark, where there are more; all by default.
    """
    counted = np.ones(len(landmark), dtype=bool) if each is None else each
    columns = {str(name): values[name].to_numpy(np.float64) for name in values}
    edges = {name: _edges(column, weight) for name, column in columns.items()}
    risk_edges = _edges(risk, weight)
    found = {}
    for day in np.unique(landmark).tolist():
        here = landmark == day
        terms = {
            name: _bins(column[here], weight[here], edges[name]) for name, column in columns.items()
        }
        at = _bins(risk[here], weight[here], risk_edges)
        support = Support(patients=int((here & counted).sum()), terms=terms, risk=at)
        found[str(day)] = support.model_dump(mode="json")
    return found


_SUPPORTS = TypeAdapter(Annotated[dict[int, Support], Field(min_length=1)])


def support_in(training: Mapping[str, Any]) -> dict[int, Support] | None:
    """Return the support at each landmark that a model file holds; None where it holds none.

    Raises
    ------
    ModelError
        When what it holds is none.
    """
    if "support" not in training:
        return None
    try:
        return _SUPPORTS.validate_python(training["support"])
    except ValidationError as error:
        raise ModelError(f"the model's support is not one: {error.errors()[0]['msg']}") from error


def mixture(supports: Mapping[int, Support], days: Numbers) -> Support:
    """Return what the training data would look like at the landmarks that were asked about.

    Parameters
    ----------
    supports : mapping of int to Support
    days : ndarray of float, shape (n_patients,)
        Each is taken as the nearest landmark; nan, where the day is not known, as all alike.
    """
    landmarks = np.array(list(supports))
    asked = days[~np.isnan(days)]
    nearest = np.abs(asked[:, None] - landmarks).argmin(axis=1)
    share = np.bincount(nearest, minlength=len(landmarks)) + np.isnan(days).sum() / len(landmarks)
    share = share / share.sum() if len(days) else np.full(len(landmarks), 1 / len(landmarks))
    parts = [(support, float(part)) for support, part in zip(supports.values(), share, strict=True)]
    used = [(support, part) for support, part in parts if part > 0]
    terms = {
        name: _mixed([(support.terms[name], part) for support, part in used])
        for name in used[0][0].terms
    }
    return Support(
        patients=min(support.patients for support, _ in used),
        terms=terms,
        risk=_mixed([(support.risk, part) for support, part in used]),
    )


def _mixed(parts: list[tuple[Bins, float]]) -> Bins:
    known = np.array([part * (1 - bins.missing) for bins, part in parts])
    if known.sum() == 0:
        return parts[0][0]
    known /= known.sum()
    shares = known @ np.array([bins.shares for bins, _ in parts])
    means = [bins.mean or 0.0 for bins, _ in parts]
    return Bins(
        edges=parts[0][0].edges,
        shares=tuple(shares.tolist()),
        missing=min(1.0, float(sum(bins.missing * part for bins, part in parts))),
        mean=float(known @ np.array(means)),
    )
