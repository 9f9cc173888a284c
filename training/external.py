"""A model tried on somebody else's registry: aggregates that may leave the site, and nothing else.

Assumes that a site's data cannot be sent. Every count of fewer than ten people is withheld, and so
is one that could be reckoned from it; figures of fewer than ten with or without the outcome are not
given at all.
"""

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..features.errors import LnriskError
from ..features.registry import Registry
from ..model.artifact import RiskModel
from .at_risk import AtRisk, people, rows_at_risk
from .config import TrainingConfig
from .curves import calibration_error
from .metrics import auroc, brier, calibration_slope, observed_expected, scaled_brier
from .progress import Step
from .records import plain
from .standard_errors import auroc_error, log_observed_expected_error, slope_error
from .unmeasured import unmeasured
from .validation.cells import hidden

__all__ = [
    "SCHEMA",
    "SMALLEST_CELL",
    "external_validation",
    "safe_groups",
    "site_config",
    "site_rows",
    "withheld",
]

SCHEMA = "lnrisk.external/1"
SMALLEST_CELL = 10
GROUPS = 10

Floats = npt.NDArray[np.float64]

_WEIGHTING = ("censoring", "indeterminate")
_STATUSES = ("event", "competing", "event_free", "censored", "indeterminate")


def site_config(model: RiskModel) -> TrainingConfig:
    """Return the configuration under which a model's question is asked of another registry.

    Who left and whom the rule cannot judge are weighted for as in training.
    """
    trained = model.training.get("config", {})
    return TrainingConfig.model_validate(
        {
            **{name: trained[name] for name in _WEIGHTING if name in trained},
            "outcome": model.outcome,
            "landmark_days": list(model.landmarks),
            "horizon_days": model.horizon_days,
            "analytes": model.analytes,
        }
    )


def site_rows(model: RiskModel, registry: Registry) -> AtRisk:
    """Return the site's patients at risk under the model's question.

    Raises
    ------
    LnriskError
        When there is nobody.
    """
    rows = rows_at_risk(registry, model.definition, site_config(model))
    if not len(rows.y):
        raise LnriskError(f"{registry.source.name}: nobody is at risk at any landmark.")
    return rows


def withheld(counts: Mapping[str, int], smallest: int = SMALLEST_CELL) -> dict[str, int | None]:
    """Return counts that add up to a published total, small ones as None.

    Where one alone is small, or the small ones together are, the next smallest is withheld too,
    since it could be had by subtraction.

    Examples
    --------
    >>> withheld({"event": 4, "event_free": 80, "censored": 15})
    {'event': None, 'event_free': 80, 'censored': None}
    >>> withheld({"event": 0, "event_free": 80})
    {'event': 0, 'event_free': 80}
    """
    kept_back = hidden(list(counts.values()), smallest)
    return {
        name: None if hide else count
        for (name, count), hide in zip(counts.items(), kept_back, strict=True)
    }


def external_validation(
    model: RiskModel, registry: Registry, site: str, created_on: datetime.date, step: Step
) -> dict[str, Any]:
    """Return how a model does in a registry, as plain aggregates.

    Parameters
    ----------
    model : RiskModel
    registry : Registry
    site : str
        What the site wishes to be called.
    created_on : date
    step : callable
        Told of the progress.

    Returns
    -------
    dict
        Of schema `SCHEMA`: for each landmark counts, measures with their standard errors, and
        groups of calibration, see `safe_groups`; and remarks on the registry.

    Raises
    ------
    LnriskError
        When nobody is at risk in the registry.
    """
    rows = site_rows(model, registry)
    risk, inside = model.predict(rows.features), _inside(model, rows)
    landmarks = []
    for done, day in enumerate(model.landmarks):
        step("landmarks", done, len(model.landmarks))
        landmarks.append(_at_landmark(rows, risk, inside, day))
    step("landmarks", len(model.landmarks), len(model.landmarks))
    return {
        "schema": SCHEMA,
        "site": site,
        "created_on": created_on.isoformat(),
        "synthetic": registry.source.synthetic,
        "smallest_cell": SMALLEST_CELL,
        "model": {
            "sha256": model.sha256,
            "outcome": model.outcome,
            "definition": model.definition.name,
            "definition_version": model.definition.version,
            "horizon_days": model.horizon_days,
            "synthetic": model.synthetic,
        },
        "landmarks": landmarks,
        "remarks": unmeasured(registry, model.definition) if model.outcome == "rule" else [],
    }


def _inside(model: RiskModel, rows: AtRisk) -> npt.NDArray[np.bool_]:
    """Return which rows the model would score: neither beyond its data nor with a new gap."""
    beyond = model.outside_range(rows.features).any(axis=1) | model.unseen_missing(rows.features)
    return np.asarray(~beyond)


def _at_landmark(
    rows: AtRisk, risk: Floats, inside: npt.NDArray[np.bool_], day: int
) -> dict[str, Any]:
    at = rows.landmark_days == day
    scored = at & inside
    used, known = scored & rows.has_outcome, scored & ~rows.possible
    status = {name: int((known & (rows.status == name)).sum()) for name in _STATUSES}
    status["indeterminate"] += int((scored & rows.possible & rows.each).sum())
    outside = int((at & ~inside & rows.each).sum())
    y, weight, patient = rows.y[used], rows.weights.weight[used], rows.patient_id[used].astype(str)
    patients, events = people(y, rows.possible[used])
    enough = min(events, patients - events) >= SMALLEST_CELL
    return {
        "landmark_days": day,
        "counts": withheld({**status, "outside_model": outside}),
        "measures": _measures(y, risk[used], weight, patient) if enough else [],
        "calibration_groups": safe_groups(y, risk[used], weight, rows.possible[used]),
        "withheld": not enough,
    }


def _measures(
    y: Floats, risk: Floats, weight: Floats, patient: npt.NDArray[np.str_]
) -> list[dict[str, Any]]:
    """Return measures; the standard error is on the scale that `lnrisk.training.pooling` takes."""
    given = (y, risk, weight)
    error = calibration_error(*given)
    found = [
        ("auroc", auroc(*given), auroc_error(*given, patient)),
        (
            "observed_expected",
            observed_expected(*given),
            log_observed_expected_error(*given, patient),
        ),
        ("calibration_slope", calibration_slope(*given), slope_error(*given, patient)),
        ("brier", brier(*given), None),
        ("scaled_brier", scaled_brier(*given), None),
        *((name, value, None) for name, value in error.items()),
    ]
    return [
        {"measure": name, "estimate": plain(value), "standard_error": plain(spread)}
        for name, value, spread in found
    ]


def safe_groups(
    y: Floats, risk: Floats, weight: Floats, possible: npt.NDArray[np.bool_]
) -> list[dict[str, float]]:
    """Return calibration in groups of ascending risk, none of which tells of a few patients.

    Parameters
    ----------
    y, risk, weight : ndarray of float, shape (n_rows,)
    possible : ndarray of bool, shape (n_rows,)
        Rows of an outcome that is possible and not known.

    Returns
    -------
    list of dict
        Mean risk `predicted`, share with the outcome `observed`, and the group's `share` of all
        weight. Each holds ten patients known to have the outcome and ten known not to, and a tenth
        of either where there are many. None where there are too few for one group.
    """
    levels, level = np.unique(risk, return_inverse=True)
    counts = [np.bincount(level[~possible & (y == v)], minlength=len(levels)) for v in (1, 0)]
    so_far = [np.cumsum(count) for count in counts]
    least = [max(SMALLEST_CELL, -(-int(count.sum()) // GROUPS)) for count in counts]
    ends: list[int] = []
    while True:
        before = [total[ends[-1]] if ends else 0 for total in so_far]
        last = max(
            int(np.searchsorted(total, base + few))
            for total, base, few in zip(so_far, before, least, strict=True)
        )
        if last >= len(levels):
            break
        ends.append(last)
    if not ends:
        return []
    group = np.searchsorted(ends[:-1], level)
    mass = np.bincount(group, weight)
    return [
        {"predicted": float(predicted), "observed": float(observed), "share": float(share)}
        for predicted, observed, share in zip(
            np.bincount(group, weight * risk) / mass,
            np.bincount(group, weight * y) / mass,
            mass / mass.sum(),
            strict=True,
        )
    ]
