"""Risks from columns of features, without tables: what a program that has its features asks for.

Assumes that the columns are the model's inputs, all of the same length. The rows that the model
must not score by their features alone get no number but a status.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..features.laboratory import DAYS_PER_MONTH, LANDMARK_MONTH
from ..model.artifact import RiskModel

__all__ = ["ColumnScores", "landmarks_of", "score_columns", "score_together"]

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
    terms : ndarray of float, shape (n_rows, n_terms)
        Values of the model's terms, nan where missing.
    """

    risk: Floats
    risk_lower: Floats
    risk_upper: Floats
    status: npt.NDArray[np.str_]
    terms: Floats

    def of(self, rows: slice) -> "ColumnScores":
        """Return the answers for some of the rows."""
        return ColumnScores(
            self.risk[rows],
            self.risk_lower[rows],
            self.risk_upper[rows],
            self.status[rows],
            self.terms[rows],
        )


def score_columns(model: RiskModel, columns: Mapping[str, Floats]) -> ColumnScores:
    """Return risks.

    Parameters
    ----------
    model : RiskModel
    columns : mapping of str to ndarray of float, shape (n_rows,)
        The model's `input_names`; nan where missing.
    """
    terms = model.terms_of(columns)
    months = columns[LANDMARK_MONTH]
    values = np.column_stack([np.empty((len(months), 0)), *terms.values()])
    design = model.design_of(terms, np.where(np.isnan(months), 0.0, months))
    ok = ~np.isnan(columns[model.required_feature]) & _between_landmarks(model, months)
    ok &= ~model.outside_of(values).any(axis=1) & ~model.unseen_of(values)
    risk = model.risk_of(design)
    lower, upper = model.range_of(risk, months, model.interval_of(design))
    return ColumnScores(
        np.where(ok, risk, np.nan),
        np.where(ok, lower, np.nan),
        np.where(ok, upper, np.nan),
        np.where(ok, "ok", "outside_model"),
        values,
    )


def score_together(model: RiskModel, matrices: Sequence[Floats]) -> list[ColumnScores]:
    """Return the risks of several callers' rows.

    Parameters
    ----------
    model : RiskModel
    matrices : sequence of ndarray of float, shape (n_inputs, n_rows)
        A row for each of the model's `input_names`, in their order.
    """
    together = matrices[0] if len(matrices) == 1 else np.concatenate(matrices, axis=1)
    scores = score_columns(model, dict(zip(model.input_names, together, strict=True)))
    edges = np.cumsum([0, *(matrix.shape[1] for matrix in matrices)]).tolist()
    return [scores.of(slice(first, last)) for first, last in pairwise(edges)]


def landmarks_of(model: RiskModel, months: Floats) -> list[int | None]:
    """Return the day after the index date that each row's risk rests on.

    Parameters
    ----------
    model : RiskModel
    months : ndarray of float, shape (n_rows,)
        From the index date to the landmark; nan where missing.

    Returns
    -------
    list of int or None
        None where the model does not score at that time.
    """
    inside = _between_landmarks(model, months).tolist()
    days = (months * DAYS_PER_MONTH).tolist()
    return [round(day) if there else None for day, there in zip(days, inside, strict=True)]


def _between_landmarks(model: RiskModel, months: Floats) -> npt.NDArray[np.bool_]:
    """Return which months after the index date the model scores at."""
    day = np.round(months * DAYS_PER_MONTH)
    inside: npt.NDArray[np.bool_] = (day >= model.landmarks[0]) & (day <= model.landmarks[-1])
    return inside
