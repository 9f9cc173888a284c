"""Comparators judged like any model: recalibrated without the patients that they are judged on.

Assumes that rows of one patient share a group. A published model keeps its coefficients and their
proportions: only its intercept, or intercept and slope, are fitted here, so that a wrong model
stays wrong and only its level is forgiven.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from ...model.calibration import logistic_line
from ...model.folds import PatientFolds
from ..metrics import bootstrap_intervals, performance
from ..records import plain
from .comparator import Comparator, comparators

__all__ = ["comparator_rows", "recalibrated_risk"]

Numbers = npt.NDArray[np.float64]
Recalibration = Literal["intercept", "intercept and slope"]

FEWEST = 10
"""Patients that must have the rarer outcome before a comparator is recalibrated."""


def recalibrated_risk(
    raw: Numbers,
    y: Numbers,
    weight: Numbers,
    groups: npt.NDArray[Any],
    how: Recalibration = "intercept and slope",
    folds: int = 5,
    random_state: int = 0,
) -> Numbers:
    """Return risks made of a comparator's raw answers, each without the patient's own fold.

    Parameters
    ----------
    raw : ndarray of float, shape (n_rows,)
        From `Comparator.raw`; nan where it is not computable.
    y, weight : ndarray of float, shape (n_rows,)
        Outcome, nan where unresolved, and weights.
    groups : ndarray, shape (n_rows,)
        Patient of each row.
    how : {"intercept and slope", "intercept"}
        The second holds the slope at 1, which only log-odds deserve.
    folds, random_state : int

    Returns
    -------
    ndarray of float, shape (n_rows,)
        nan where raw or outcome is, and everywhere if fewer than ten patients have the rarer
        outcome. Where a training fold ranks the wrong way round, its risks are all the share.
    """
    risk = np.full(len(raw), np.nan)
    usable = np.flatnonzero(np.isfinite(raw) & np.isfinite(y) & (weight > 0))
    x, outcome, weighted, patient = raw[usable], y[usable], weight[usable], groups[usable]
    with_outcome = np.unique(patient[outcome == 1])
    without = np.setdiff1d(patient, with_outcome)
    if min(len(with_outcome), len(without)) < max(FEWEST, folds):
        return risk
    slope = 1.0 if how == "intercept" else None
    for train, test in PatientFolds(folds, random_state).split(x, outcome, patient):
        seen = x[train], outcome[train], weighted[train]
        intercept, fitted = logistic_line(*seen, slope=slope)
        if fitted < 0:
            intercept, fitted = logistic_line(*seen, slope=0.0)
        risk[usable[test]] = expit(intercept + fitted * x[test])
    return risk


def comparator_rows(
    features: pd.DataFrame,
    y: Numbers,
    weight: Numbers,
    groups: npt.NDArray[Any],
    model_risk: Numbers | None = None,
    *,
    resamples: int = 500,
    level: float = 0.95,
    folds: int = 5,
    random_state: int = 0,
) -> list[dict[str, Any]]:
    """Return every comparator's figures at one landmark, raw and recalibrated.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_columns)
    y, weight : ndarray of float, shape (n_rows,)
    groups : ndarray, shape (n_rows,)
    model_risk : ndarray of float, shape (n_rows,), optional
        Out-of-fold risks of the model that all this is for.
    resamples, level
        Of the bootstrap of patients behind `lower` and `upper`, of the recalibrated figure.
    folds, random_state : int

    Returns
    -------
    list of dict
        One row per comparator and measure: name, kind, meaning, source, needs, horizon,
        unverified, patients, computable_share (weighted), absent, measure, raw, recalibrated,
        lower, upper, and model: the model's figure among the patients whom the comparator can be
        computed for, the only one that may be set beside it. A comparator that cannot be computed
        for enough patients has one row without a measure. Raw figures other than AUROC are None
        where the raw answer is no risk. The recalibrated AUROC lies a little below the raw one,
        because the folds' lines differ.
    """
    rows: list[dict[str, Any]] = []
    resolved = np.isfinite(y) & (weight > 0)
    for one in comparators():
        raw = one.raw(features)
        computable = resolved & np.isfinite(raw)
        share = weight[computable].sum() / weight[resolved].sum() if resolved.any() else 0.0
        said = _described(one, features) | {
            "patients": len(np.unique(groups[computable])),
            "computable_share": float(share),
        }
        risk = recalibrated_risk(raw, y, weight, groups, folds=folds, random_state=random_state)
        if np.isnan(risk).all():
            rows.append(said | {"measure": "auroc"} | dict.fromkeys(_FIGURES))
            continue
        outcome, weighted = y[computable], weight[computable]
        as_risk = expit(raw) if one.kind != "rule" else raw
        plain = _figures(outcome, as_risk[computable], weighted)
        if not one.gives_risk:
            plain = {"auroc": plain["auroc"]}
        model: dict[str, float | None] = {}
        if model_risk is not None:
            model = _figures(outcome, model_risk[computable], weighted)
        judged = bootstrap_intervals(
            outcome,
            risk[computable],
            weighted,
            groups[computable],
            resamples=resamples,
            random_state=random_state,
            level=level,
        )
        rows.extend(said | figures for figures in _by_measure(judged, plain, model))
    return rows


def _described(one: Comparator, features: pd.DataFrame) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "meaning": one.meaning,
        "source": one.source,
        "horizon": one.horizon,
        "unverified": one.unverified,
        "needs": list(one.needs),
        "absent": list(one.absent(features)),
    }


def _by_measure(
    judged: pd.DataFrame, raw: Mapping[str, float | None], model: Mapping[str, float | None]
) -> Iterator[dict[str, Any]]:
    for measure, figures in judged.iterrows():
        name = str(measure)
        again = (plain(figures[end]) for end in ("estimate", "lower", "upper"))
        values = (raw.get(name), *again, model.get(name))
        yield {"measure": name} | dict(zip(_FIGURES, values, strict=True))


_FIGURES = ("raw", "recalibrated", "lower", "upper", "model")


def _figures(y: Numbers, risk: Numbers, weight: Numbers) -> dict[str, float | None]:
    return {name: plain(value) for name, value in performance(y, risk, weight).items()}
