"""Why a risk is what it is: how far it would move if one feature were put to its mean.

Assumes that a reader wants effects in percentage points of risk, not in log-odds. Effects of single
features do not add up to the risk, and features that move together share what one of them shows.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..model.artifact import RiskModel
from ..model.linear import linear_predictor

__all__ = ["Driver", "drivers_of"]

SMALLEST_POINTS = 0.05
"""Changes below, in percentage points, are not shown."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Driver:
    """One feature and what it does to this patient's risk."""

    feature: Annotated[str, Field(description="Name in the feature dictionary.")]
    meaning: Annotated[str, Field(description="In the words of a clinician.")]
    value: Annotated[str, Field(description="With its unit, or `missing`.", examples=["2.1 g/g"])]
    points: Annotated[
        float,
        Field(
            description="Risk minus the risk with this feature at the mean of the training "
            "patients, in percentage points; above 0 raises the risk.",
            examples=[4.2],
        ),
    ]
    text: Annotated[
        str,
        Field(
            description="All of it as one sentence.",
            examples=["UPCR: level at the landmark 2.1 g/g raises the risk by 4.2 points"],
        ),
    ]


def drivers_of(model: RiskModel, terms: Floats, design: Floats) -> list[tuple[Driver, ...]]:
    """Return every patient's drivers, the largest first.

    Parameters
    ----------
    model : RiskModel
    terms : ndarray of float, shape (n_patients, n_terms)
        Values, nan where missing.
    design : ndarray of float, shape (n_patients, n_columns)
        The columns of the regression.
    """
    parts = model.contributions_of(design)
    total = linear_predictor(design, model.coefficients, model.intercept)
    risk = model.calibration.risk(total)
    without = model.calibration.risk((total[:, None] - parts).ravel()).reshape(parts.shape)
    points = 100.0 * (risk[:, None] - without)
    order = np.argsort(-np.abs(points), axis=1, kind="stable")
    return [
        tuple(
            _driver(model, int(column), terms[row, column], points[row, column])
            for column in columns
            if abs(points[row, column]) >= SMALLEST_POINTS
        )
        for row, columns in enumerate(order)
    ]


def _driver(model: RiskModel, column: int, value: float, points: float) -> Driver:
    term = model.terms[column]
    shown = term.shown(value)
    effect = "raises" if points > 0 else "lowers"
    by = f"{abs(points):.1f} percentage points"
    return Driver(
        term.name,
        term.meaning,
        shown,
        float(points),
        f"{term.meaning} {shown} {effect} the risk by {by}",
    )
