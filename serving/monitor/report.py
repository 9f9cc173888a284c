"""The report of `lnrisk monitor`: one plain dictionary, as JSON, as a page, as metrics.

Assumes that the report stays in the house: it holds counts of few patients, though no patient.
"""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ... import __version__
from ...model.artifact import RiskModel
from .drift import InputDrift, ScoreDrift
from .outcomes import Calibration, Joined
from .reactions import Reaction
from .recorded import Recorded

__all__ = ["as_json", "as_metrics", "as_page", "summary"]

FOLDER = Path(__file__).parent
_NOT_A_METRIC_NAME = re.compile(r"[^A-Za-z0-9_. /-]")


def summary(
    model: RiskModel,
    recorded: Recorded,
    inputs: list[InputDrift],
    scores: list[ScoreDrift],
    joined: Joined | None,
    calibration: list[Calibration],
    reactions: list[Reaction],
) -> dict[str, Any]:
    """Return everything that is reported.

    Parameters
    ----------
    model : RiskModel
    recorded : Recorded
        The answers of this model.
    inputs, scores, calibration, reactions : list
        As the modules of this package return them.
    joined : Joined or None
        None where no registry was given.
    """
    table = recorded.assessments
    return {
        "lnrisk_version": __version__,
        "model": {
            "version": model.version,
            "sha256": model.sha256,
            "synthetic": model.synthetic,
            "horizon_days": model.horizon_days,
            "definition": f"{model.definition.name} {model.definition.version}",
        },
        "answers": {
            "first": _day(table["as_of"].min()),
            "last": _day(table["as_of"].max()),
            "assessments": len(table),
            "patients": int(table["subject"].nunique()),
            "without_pseudonym": int(table["subject"].isna().sum()),
            "by_status": {str(k): int(n) for k, n in table["status"].value_counts().items()},
            "shown": int(table["shown"].sum()),
            "requests_refused": recorded.refused,
        },
        "feedback": recorded.feedback,
        "reactions": [asdict(each) for each in reactions],
        "inputs": [asdict(each) for each in inputs],
        "scores": [asdict(each) for each in scores],
        "outcomes": None
        if joined is None
        else {
            "known_on": _day(joined.known_on),
            "patients": len(joined.table),
            "left_out": joined.left_out,
        },
        "calibration": [asdict(each) for each in calibration],
    }


def _day(moment: Any) -> str | None:
    return moment.date().isoformat() if moment == moment else None


def as_json(report: dict[str, Any]) -> str:
    """Return the report as JSON."""
    return json.dumps(report, indent=1, allow_nan=False) + "\n"


def as_page(report: dict[str, Any]) -> str:
    """Return the report as one self-contained HTML page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["startingwith"] = str.startswith
    return environment.get_template("monitor.html").render(report=report)


def as_metrics(report: dict[str, Any]) -> list[tuple[str, float, int]]:
    """Return name, value and step of each metric; the step is 0, or the quarter as 4 x year + q."""
    found: list[tuple[str, float | None, int]] = []
    for each in report["inputs"]:
        name = _NOT_A_METRIC_NAME.sub("_", each["name"])
        found.append((f"drift.psi.{name}", each["index"], 0))
        found.append((f"drift.difference.{name}", _part(each["difference"], "value"), 0))
        found.append((f"drift.missing.{name}", _part(each["missing"], "value"), 0))
    moved = sum(each["says"] == "moved" for each in report["inputs"])
    found.append(("drift.moved", float(moved), 0))
    for each in report["scores"]:
        step = _step(each["period"])
        prefix = "scores" if step == 0 else "scores.quarter"
        found.append((f"{prefix}.patients", float(each["patients"]), step))
        found.append((f"{prefix}.mean", each["mean"], step))
        found.append((f"{prefix}.psi", each["index"], step))
    for each in report["calibration"]:
        step = _step(each["period"])
        prefix = "calibration" if step == 0 else "calibration.quarter"
        said = each["agreement"] or {}
        found.append((f"{prefix}.patients", said.get("patients"), step))
        found.append((f"{prefix}.events", said.get("events"), step))
        for measure in ("observed_expected", "intercept"):
            for part, suffix in (("value", ""), ("lower", "_lower"), ("upper", "_upper")):
                value = _part(said.get(measure), part)
                found.append((f"{prefix}.{measure}{suffix}", value, step))
    for outcome, count in report["feedback"].items():
        found.append((f"feedback.{_NOT_A_METRIC_NAME.sub('_', outcome)}", float(count), 0))
    return [(name, float(value), step) for name, value, step in found if value is not None]


def _part(shift: dict[str, float] | None, part: str) -> float | None:
    return None if shift is None else shift[part]


def _step(period: str) -> int:
    """Return 0 for all, else a number that grows by one each quarter.

    Examples
    --------
    >>> _step("2026-Q4") + 1 == _step("2027-Q1")
    True
    """
    if period == "all":
        return 0
    year, _, quarter = period.partition("-Q")
    return 4 * int(year) + int(quarter)
