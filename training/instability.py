"""Instability: how far each patient's risk would have moved had other patients been trained on.

Assumes refits to bootstrap samples of whole patients with every step of the fit repeated; a refit
that holds classifier, penalty or calibration looks steadier than the model is. It says nothing
about how the model does elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .metrics import Floats

__all__ = ["Instability", "instability"]

LOWER, UPPER = 0.05, 0.95
FEWEST_IN_A_POINT = 10
POINTS = 40


@dataclass(frozen=True)
class Instability:
    """How the refits' risks lie about the model's.

    Parameters
    ----------
    refits : int
    mean_absolute_error : float
        Mean over refits and patients of the distance to the model's risk.
    points : DataFrame
        quantile, risk, lower, upper: in patients of similar risk, the median of it and of the
        5th and 95th percentile of the refits' risks.
    changed_class : DataFrame
        threshold, share: how often a patient is on the other side of the threshold in a refit.
    """

    refits: int
    mean_absolute_error: float
    points: pd.DataFrame
    changed_class: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as the results file holds it."""
        return {
            "refits": self.refits,
            "mean_absolute_error": self.mean_absolute_error,
            "points": self.points.to_dict("records"),
            "changed_class": self.changed_class.to_dict("records"),
        }


def instability(
    risk: Any,
    refitted: Any,
    sample_weight: Any = None,
    thresholds: Sequence[float] = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5),
) -> Instability:
    """Measure instability [1]_.

    Parameters
    ----------
    risk : array-like of shape (n_patients,)
        By the model.
    refitted : array-like of shape (n_patients, n_refits)
        By each refit.
    sample_weight : array-like of shape (n_patients,), default=None
        How many patients each stands for.
    thresholds : sequence of float

    Raises
    ------
    ValueError
        If lengths differ or a risk does not lie in 0 to 1.

    References
    ----------
    .. [1] Riley RD, Collins GS. Stability of clinical prediction models developed using
       statistical or machine learning methods. Biom J 2023;65:2200302.

    Examples
    --------
    >>> found = instability([0.2, 0.4], [[0.1, 0.3], [0.4, 0.6]], thresholds=[0.5])
    >>> print(round(found.mean_absolute_error, 3), found.changed_class["share"].tolist())
    0.1 [0.25]
    """
    original, refits = np.asarray(risk, float), np.asarray(refitted, float)
    if original.ndim != 1 or refits.ndim != 2 or len(refits) != len(original):
        raise ValueError(
            f"`risk` must have shape (n,) and `refitted` (n, refits), found {original.shape} and "
            f"{refits.shape}."
        )
    if not (((original >= 0) & (original <= 1)).all() and ((refits >= 0) & (refits <= 1)).all()):
        raise ValueError("risks must lie in 0 to 1.")
    weight = np.ones(len(original)) if sample_weight is None else np.asarray(sample_weight, float)
    moved = np.abs(refits - original[:, None]).mean(axis=1)
    at = np.asarray(thresholds, float)
    other_side = [((refits >= one) != (original >= one)[:, None]).mean(axis=1) for one in at]
    return Instability(
        refits=refits.shape[1],
        mean_absolute_error=float(np.average(moved, weights=weight)),
        points=_points(original, refits),
        changed_class=pd.DataFrame(
            {
                "threshold": at,
                "share": [float(np.average(each, weights=weight)) for each in other_side],
            }
        ),
    )


def _points(risk: Floats, refits: Floats) -> pd.DataFrame:
    """Return the band in groups of ascending risk that hold ten patients or more."""
    groups = int(np.clip(len(risk) // FEWEST_IN_A_POINT, 1, POINTS))
    rank = np.argsort(np.argsort(risk, kind="stable"), kind="stable")
    lower, upper = np.quantile(refits, [LOWER, UPPER], axis=1)
    table = pd.DataFrame({"risk": risk, "lower": lower, "upper": upper})
    points = table.groupby(rank * groups // len(risk)).median().reset_index(drop=True)
    points.insert(0, "quantile", (np.arange(len(points)) + 0.5) / len(points))
    return points
