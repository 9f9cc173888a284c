"""Risks from columns of features, without tables: what a program that has its features asks for.

Assumes that the columns are the model's inputs, all of the same length. The rows that the model
must not score by their features alone get no number but a status.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..model.artifact import RiskModel
from .audit.journal import note_columns

__all__ = ["ColumnScores", "score_columns"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ColumnScores:
    """Answers for rows; every field has shape (n_rows,).

    Parameters
    ----------
    risk, risk_lower, risk_upper : ndarray of float
        nan where the status is not ``ok``, and for the ends where the model has no refits.
    status : ndarray of str
        ``ok`` or ``outside_model``.
    """

    risk: Floats
    risk_lower: Floats
    risk_upper: Floats
    status: npt.NDArray[np.str_]


def score_columns(model: RiskModel, columns: Mapping[str, Floats]) -> ColumnScores:
    """Return risks.

    Parameters
    ----------
    model : RiskModel
    columns : mapping of str to ndarray of float, shape (n_rows,)
        The model's `input_names`; nan where missing.
    """
    frame = pd.DataFrame(columns)
    values = model.term_values(frame)
    ok = ~np.isnan(frame[model.required_feature].to_numpy())
    ok &= ~model.outside_range(frame).any(axis=1) & ~model.unseen_missing(frame)
    lower, upper = model.interval(frame)
    scores = ColumnScores(
        np.where(ok, model.predict(frame), np.nan),
        np.where(ok, lower, np.nan),
        np.where(ok, upper, np.nan),
        np.where(ok, "ok", "outside_model"),
    )
    figures = (scores.risk, scores.risk_lower, scores.risk_upper)
    note_columns(scores.status.tolist(), figures, model.feature_names, values.to_numpy)
    return scores
