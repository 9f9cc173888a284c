"""What is missing, and how far the risk could move once it is known: which test to order next.

Assumes that a missing feature could hold any value of the range seen in training, whatever else is
known of the patient; features that one test would give together are looked at one by one.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from ..model.artifact import RiskModel, Term

__all__ = ["Missing", "missing_of"]


@dataclass(frozen=True)
class Missing:
    """One value that is not known."""

    name: Annotated[str, Field(description="Feature or analyte.", examples=["chronicity_index"])]
    meaning: Annotated[str, Field(description="In the words of a clinician.")]
    table: Annotated[str, Field(description="Table that it would be recorded in.")]
    lowest: Annotated[str, Field(description="Low end of the plausible values, with its unit.")]
    highest: Annotated[str, Field(description="High end of the plausible values, with its unit.")]
    risk_lowest: Annotated[
        float, Field(ge=0, le=1, description="Least risk over the plausible values.")
    ]
    risk_highest: Annotated[
        float, Field(ge=0, le=1, description="Greatest risk over the plausible values.")
    ]
    text: Annotated[str, Field(description="All of it as one sentence.")]


def missing_of(model: RiskModel, features: pd.DataFrame) -> list[tuple[Missing, ...]]:
    """Return what each patient lacks, what would move the risk most first.

    Parameters
    ----------
    model : RiskModel
    features : DataFrame, shape (n_patients, n_columns)
    """
    values = model.term_values(features)
    found: list[list[Missing]] = [[] for _ in range(len(features))]
    for term in model.terms:
        rows = np.flatnonzero(values[term.name].isna().to_numpy())
        if not len(rows) or term.name not in features.columns:
            continue
        some = features.iloc[rows]
        risks = np.stack(
            [model.predict(some.assign(**{term.name: end})) for end in (term.lowest, term.highest)]
        )
        for row, low, high in zip(rows, risks.min(axis=0), risks.max(axis=0), strict=True):
            found[row].append(_missing(term, float(low), float(high)))
    return [tuple(sorted(each, key=lambda m: m.risk_lowest - m.risk_highest)) for each in found]


def _missing(term: Term, low: float, high: float) -> Missing:
    lowest, highest = term.shown(term.lowest), term.shown(term.highest)
    return Missing(
        term.name,
        term.meaning,
        term.table,
        lowest,
        highest,
        low,
        high,
        f"{term.meaning} is missing; from {lowest} to {highest} the risk would be "
        f"{100 * low:.1f} to {100 * high:.1f} %",
    )
