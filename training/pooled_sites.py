"""What several sites sent, pooled: the figure over sites, and what a new site may expect.

Assumes that sites hold different patients and that each tried the same model on the same question;
files of another model or another definition are refused rather than mixed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from ..features.errors import LnriskError, field_by_field
from .external import SCHEMA as EXTERNAL
from .pooling import SCALES, pool_measure

__all__ = ["SCHEMA", "pool_sites", "pooled_table", "read_site"]

SCHEMA = "lnrisk.pooled/1"


class _Measure(BaseModel):
    measure: str
    estimate: float | None
    standard_error: Annotated[float, Field(ge=0)] | None


class _Landmark(BaseModel):
    landmark_days: int
    measures: list[_Measure]


class _Site(BaseModel):
    site: str
    synthetic: bool
    model: dict[str, Any]
    landmarks: list[_Landmark]
    remarks: list[str] = []


def read_site(path: Path) -> dict[str, Any]:
    """Read what a site sent.

    Raises
    ------
    LnriskError
        When it is no such file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LnriskError(f"{path.name}: not readable as JSON: {error}") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != EXTERNAL:
        raise LnriskError(f"{path.name}: schema {schema!r} is not {EXTERNAL!r}.")
    try:
        _Site.model_validate(content)
    except ValidationError as error:
        what = f"{path.name}: not as `lnrisk validate` writes it."
        raise LnriskError(field_by_field(what, error)) from error
    return dict(content)


def pool_sites(sites: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Pool the measures of several sites, landmark by landmark.

    Parameters
    ----------
    sites : sequence of dict
        As `lnrisk.training.external.external_validation` gives; at least two.

    Returns
    -------
    dict
        Of schema `SCHEMA`: pooled measures with their intervals and prediction intervals, and each
        site's own.

    Raises
    ------
    LnriskError
        When there are fewer than two, two of one name, or they are not about the same model.
    """
    names = [str(site["site"]) for site in sites]
    if len(set(names)) < max(2, len(names)):
        raise LnriskError(
            f"pooling needs two sites or more, each of its own name; found {', '.join(names)}."
        )
    first = sites[0]["model"]
    for name, site in zip(names, sites, strict=True):
        differs = [key for key in first if site["model"].get(key) != first[key]]
        if differs:
            raise LnriskError(
                f"{name}: {differs[0]} is {site['model'].get(differs[0])!r}, that of {names[0]} "
                f"{first[differs[0]]!r}; only trials of one model and definition can be pooled."
            )
    rows = _rows(sites)
    pooled = [
        {"landmark_days": int(group["landmark_days"].iloc[0]), **_pooled(group)}
        for _, group in rows.groupby(["landmark_days", "measure"], sort=False)
    ]
    return {
        "schema": SCHEMA,
        "model": first,
        "synthetic": any(site["synthetic"] for site in sites),
        "sites": names,
        "remarks": [
            f"{site['site']}: {said}" for site in sites for said in site.get("remarks", [])
        ],
        "pooled": pooled,
        "rows": rows.astype(object).where(rows.notna(), None).to_dict("records"),
    }


def _rows(sites: Sequence[dict[str, Any]]) -> pd.DataFrame:
    found = [
        {"site": site["site"], "landmark_days": landmark["landmark_days"], **measure}
        for site in sites
        for landmark in site["landmarks"]
        for measure in landmark["measures"]
        if measure["measure"] in SCALES and measure["standard_error"]
    ]
    if not found:
        raise LnriskError("no site has ten patients with and ten without the outcome anywhere.")
    return pd.DataFrame(found).sort_values("landmark_days", kind="stable", ignore_index=True)


def _pooled(group: pd.DataFrame) -> dict[str, Any]:
    measure = str(group["measure"].iloc[0])
    found = pool_measure(measure, group["estimate"], group["standard_error"])
    plain = {k: None if not np.isfinite(v) else v for k, v in asdict(found).items()}
    return {"measure": measure, **plain}


def pooled_table(pooled: dict[str, Any]) -> str:
    """Return the pooled measures as lines to read."""
    lines = [f"{len(pooled['sites'])} sites: {', '.join(pooled['sites'])}"]
    if pooled["synthetic"]:
        lines.append("SIMULATED PATIENTS: no figure is evidence about real people.")
    lines.extend(f"note: {remark}" for remark in pooled["remarks"])
    for row in pooled["pooled"]:
        span, new = _span(row, ""), _span(row, "prediction_")
        lines.append(
            f"  week {row['landmark_days'] / 7:<4.3g} {row['measure']:<18} {row['estimate']:.3f}"
            f"{span}  new site{new or ' not known'}  "
            f"({row['centres']} site{'' if row['centres'] == 1 else 's'})"
        )
    return "\n".join(lines)


def _span(row: dict[str, Any], prefix: str) -> str:
    lower, upper = row[f"{prefix}lower"], row[f"{prefix}upper"]
    return "" if lower is None or upper is None else f" ({lower:.3f} to {upper:.3f})"
