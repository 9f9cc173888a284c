"""The validation report: plain results in, one self-contained HTML page out.

Assumes results of the schema `lnrisk.results/1`; any other is refused. The page asks nothing of the
network, so what it shows cannot change after it was written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...features.errors import LnriskError
from ..results import SCHEMA
from . import words
from .figures import calibration_figure, distribution_figure, effects_figure, roc_figure

__all__ = ["render_report"]

HERE = Path(__file__).parent


def _measures(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the table of performance, each value with its interval and place on a scale."""
    rows = []
    for row in results["performance"]:
        measure = words.MEASURES[row["measure"]]
        low, high = measure.lowest, measure.highest
        shown = [row[name] for name in ("estimate", "lower", "upper")]
        known = [value for value in shown if words.defined(value)]
        low, high = min([low, *known]), max([high, *known])

        def place(value: float, low: float = low, high: float = high) -> str:
            return f"{100 * (value - low) / (high - low):.2f}"

        rows.append(
            {
                "name": measure.name,
                "meaning": measure.meaning,
                "good": measure.good,
                "digits": 3 if "brier" in row["measure"] else 2,
                **dict(zip(("estimate", "lower", "upper"), shown, strict=True)),
                "at": [place(value) for value in known] if len(known) == len(shown) else [],
                "best": place(measure.best),
            }
        )
    return rows


def _scored(patients: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return scored patients as rows of words."""
    if patients is None:
        return []
    rows = []
    for record in patients.to_dict("records"):
        verdict, status = str(record["verdict"]), str(record["status"])
        known = words.defined(record["risk"])
        rows.append(
            {
                "patient": record["patient_id"],
                "risk": words.percent(record["risk"]) if known else "none given",
                "width": f"{100 * record['risk']:.1f}" if known else "0",
                "interval": _interval(record["risk_lower"], record["risk_upper"]),
                "verdict": words.VERDICTS.get(verdict, verdict),
                "kind": verdict,
                "status": "" if status == "ok" else words.STATUSES.get(status, status),
                "drivers": _split(record["drivers"]),
                "warnings": _split(record["warnings"]),
            }
        )
    return rows


def _interval(lower: float, upper: float) -> str:
    if not (words.defined(lower) and words.defined(upper)):
        return ""
    return f"{words.percent(lower)} to {words.percent(upper)}"


def _split(text: Any) -> list[str]:
    return [part.strip() for part in str(text or "").split(";") if part.strip()]


def _headline(results: Mapping[str, Any]) -> str:
    """Return in a sentence how many patients had the outcome."""
    cohort, task = results["cohort"], results["task"]
    said = words.wording(task)
    rate = words.percent(cohort["weighted_event_rate"])
    return (
        f"Of {words.count(cohort['patients'])} patients at risk on day {task['landmark_days']}, "
        f"{words.count(cohort['events'])} {said.had} by day {task['horizon_days']}; allowing for "
        f"those whose outcome is not known, {rate} would."
    )


def render_report(results: Mapping[str, Any], scored: pd.DataFrame | None = None) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    results : mapping
        Of schema `lnrisk.results/1`.
    scored : DataFrame, optional
        Rows of the table ``risks`` to show; without them the page has no patient in it.

    Raises
    ------
    LnriskError
        When the results have another schema.
    """
    if results.get("schema") != SCHEMA:
        raise LnriskError(f"results of schema {results.get('schema')!r}; expected {SCHEMA!r}.")
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "percent": words.percent,
        "count": words.count,
    }
    task = results["task"]
    return environment.get_template("report.html").render(
        results,
        style=Markup((HERE / "report.css").read_text(encoding="utf-8")),
        said=words.wording(task),
        headline=_headline(results),
        landmark=words.duration(task["landmark_days"]),
        horizon=words.duration(task["horizon_days"]),
        measures=_measures(results),
        figures={
            "calibration": Markup(calibration_figure(results)),
            "roc": Markup(roc_figure(results)),
            "distribution": Markup(distribution_figure(results)),
            "effects": Markup(effects_figure(results)),
        },
        scored=_scored(scored),
    )
