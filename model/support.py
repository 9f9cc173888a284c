"""What the training data looked like, in shares: what later data is compared with.

Assumes that shares of bins, missing values and risks tell enough; how values hang together is not
kept, so that a shift in that alone is not seen. The model file holds it under ``training.support``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..features.errors import ModelError

__all__ = ["Bins", "Support", "support_in", "support_of"]

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
    """The training data in shares.

    Parameters
    ----------
    patients : int
        How many the shares rest on.
    terms : dict of str to Bins
    risk : Bins
        Of the model's own risks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patients: int
    terms: dict[str, Bins]
    risk: Bins


def _bins(values: Numbers, weight: Numbers) -> Bins:
    known = ~np.isnan(values)
    if not known.any():
        return Bins(edges=(), shares=(1.0,), missing=1.0)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    found = np.quantile(values[known], inner, weights=weight[known], method="inverted_cdf")
    edges = tuple(edge for edge in np.unique(found).tolist() if edge > values[known].min())
    places = np.searchsorted(np.array(edges), values[known], side="right")
    shares = np.bincount(places, weight[known], len(edges) + 1) / weight[known].sum()
    missing = float(weight[~known].sum() / weight.sum())
    return Bins(edges=edges, shares=tuple(shares.tolist()), missing=missing)


def support_of(
    values: pd.DataFrame, risk: Numbers, weight: Numbers, patients: int
) -> dict[str, Any]:
    """Return the support as plain data.

    Parameters
    ----------
    values : DataFrame, shape (n_rows, n_terms)
        The terms' values in training; nan where missing.
    risk : ndarray of float, shape (n_rows,)
        By the model.
    weight : ndarray of float, shape (n_rows,)
    patients : int
        Whose rows these are.
    """
    terms = {str(name): _bins(values[name].to_numpy(np.float64), weight) for name in values}
    support = Support(patients=patients, terms=terms, risk=_bins(risk, weight))
    return support.model_dump(mode="json")


def support_in(training: Mapping[str, Any]) -> Support | None:
    """Return the support that a model file holds; None where it holds none.

    Raises
    ------
    ModelError
        When what it holds is none.
    """
    if "support" not in training:
        return None
    try:
        return Support.model_validate(training["support"])
    except ValidationError as error:
        raise ModelError(f"the model's support is not one: {error.errors()[0]['msg']}") from error
