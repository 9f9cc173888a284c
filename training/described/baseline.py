"""The baseline table: who was at risk, and how those with the outcome differ from those without.

Assumes the primary landmark. The two columns by outcome are of the resolved alone and unweighted:
they describe patients, and test nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...features.registry import Registry
from ..at_risk import AtRisk

__all__ = ["SMALLEST_CELL", "baseline_table"]

SMALLEST_CELL = 10

_NUMBERS = (
    "age",
    "log_upcr_baseline",
    "egfr_baseline",
    "albumin_baseline",
    "c3_baseline",
    "chronicity_index",
    "activity_index",
    "prednisone_mg_per_day",
    "adherence_probability",
)
_YES_OR_NO = (
    "female",
    "class_proliferative",
    "class_membranous",
    "started_with_mpa",
    "started_with_cyc",
    "started_with_cni",
    "started_with_bel",
    "started_with_obi",
)

Rows = npt.NDArray[np.bool_]


def baseline_table(registry: Registry, rows: AtRisk) -> list[dict[str, Any]]:
    """Return one row for each variable, level and group of patients.

    Parameters
    ----------
    registry : Registry
        For ancestry, which is no feature but is reported where it was recorded.
    rows : AtRisk

    Returns
    -------
    list of dict
        As `lnrisk.training.schema` has them; quartiles and shares are given of ten patients or
        more. Values on a log scale are given on their own.
    """
    known = rows.primary & ~rows.possible
    groups = {
        "all": rows.primary & rows.each,
        "event": known & (rows.y == 1),
        "event_free": known & (rows.y == 0),
    }
    entries = {entry.name: entry for entry in rows.entries}
    found: list[dict[str, Any]] = []
    for name in [n for n in _NUMBERS if n in entries and _varies(rows, n)]:
        unit, logged = entries[name].unit, entries[name].unit.startswith("ln(")
        told = {
            "variable": name.removeprefix("log_"),
            "meaning": entries[name].meaning,
            "unit": unit[3:-1] if logged else unit,
            "level": None,
        }
        values = rows.features[name].to_numpy()
        values = np.exp(values) if logged else values
        found += [told | _quartiles(group, values[who]) for group, who in groups.items()]
    for name in [n for n in _YES_OR_NO if n in entries and _varies(rows, n)]:
        told = {"variable": name, "meaning": entries[name].meaning, "unit": None, "level": None}
        values = rows.features[name].to_numpy()
        found += [told | _share(group, values[who]) for group, who in groups.items()]
    return [row for row in found + _ancestry(registry, rows, groups) if row["known"] != 0]


def _varies(rows: AtRisk, name: str) -> bool:
    known = rows.features[name][rows.primary].dropna()
    return len(known) > 0 and known.min() < known.max()


def _quartiles(group: str, values: npt.NDArray[np.float64]) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]) if _enough(known) else [None] * 3
    return {
        "group": group,
        "patients": _count(len(values)),
        "known": _count(len(known)),
        "median": middle,
        "lower_quartile": low,
        "upper_quartile": high,
        "share": None,
    }


def _share(group: str, values: npt.NDArray[np.float64]) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    told = _enough(known) and _shows(known.sum(), len(known))
    return {
        "group": group,
        "patients": _count(len(values)),
        "known": _count(len(known)),
        "median": None,
        "lower_quartile": None,
        "upper_quartile": None,
        "share": float(known.mean()) if told else None,
    }


def _ancestry(registry: Registry, rows: AtRisk, groups: dict[str, Rows]) -> list[dict[str, Any]]:
    if "ancestry" not in registry.patients.columns:
        return []
    own = registry.patients["ancestry"].astype("str").to_numpy()[rows.position]
    recorded = ~np.isin(own, ("", "nan", "<NA>"))
    levels: Sequence[str] = sorted(set(own[recorded & rows.primary]))
    return [
        {"variable": "ancestry", "meaning": "ancestry, no input of the model", "unit": None}
        | {"level": level}
        | _share(group, np.where(recorded[who], own[who] == level, np.nan))
        for level in levels
        for group, who in groups.items()
    ]


def _enough(known: npt.NDArray[np.float64]) -> bool:
    return len(known) >= SMALLEST_CELL


def _shows(count: float, total: int) -> bool:
    """Return whether a share tells of nobody in particular: no small count on either side."""
    return all(part == 0 or part >= SMALLEST_CELL for part in (count, total - count))


def _count(number: int) -> int | None:
    return number if number == 0 or number >= SMALLEST_CELL else None
