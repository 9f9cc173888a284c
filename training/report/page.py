"""The validation report: plain results in, one self-contained HTML page out.

Assumes results of a schema that `lnrisk.training.schema` reads; any other is refused. The page asks
nothing of the network, so what it shows cannot change after it was written. A section that a run
left out is named as not done.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..schema.patients import AttritionStep
from ..schema.results import Results, as_results
from . import checklists, probast, rows, summary, tripod, words
from .figures import (
    calibration,
    certainty,
    discrimination,
    effects,
    forest,
    stability,
    usefulness,
)
from .figures.drawing import Drawing

__all__ = ["render_report"]

HERE = Path(__file__).parent
FIGURES: Mapping[str, Callable[[Results], Drawing | None]] = {
    "calibration": calibration.calibration,
    "calibration_by_landmark": calibration.calibration_by_landmark,
    "calibration_by_centre": calibration.calibration_by_centre,
    "roc": discrimination.roc,
    "distribution": discrimination.distribution,
    "auroc_by_landmark": discrimination.auroc_by_landmark,
    "auroc_in_time": discrimination.auroc_in_time,
    "decision": usefulness.decision_curves,
    "comparators": forest.comparators,
    "candidates": forest.candidates,
    "instability": stability.instability,
    "effects": effects.partial_effects,
    "odds": effects.odds,
    "certainty": certainty.label_certainty,
}
TABLES: Mapping[str, Callable[[Results], rows.Table]] = {
    "attrition": rows.attrition,
    "landmarks": rows.landmarks,
    "baseline": rows.baseline,
    "criteria": rows.criteria,
    "measures": rows.measures,
    "optimism": rows.optimism,
    "flagged": rows.flagged,
    "comparators": rows.comparators,
    "candidates": rows.candidates,
    "sensitivity": rows.sensitivity,
    "changed_class": rows.changed_class,
    "spread": rows.spread,
    "agreement": rows.agreement,
    "overlap": rows.overlap,
    "inputs": rows.inputs,
}


def render_report(results: Mapping[str, Any] | Results, scored: pd.DataFrame | None = None) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    results : mapping or Results
        Of schema `lnrisk.results/2`, or `/1`.
    scored : DataFrame, optional
        Rows of the table ``risks`` to show; without them the page has no patient in it.

    Raises
    ------
    LnriskError
        When the results have another schema.
    """
    found = results if isinstance(results, Results) else as_results(results)
    return (
        _environment()
        .get_template("report.html")
        .render(
            r=found,
            style=Markup((HERE / "report.css").read_text(encoding="utf-8")),
            said=words.wording(found.task),
            headline=summary.headline(found),
            tiles=summary.tiles(found),
            doubts=summary.doubts(found),
            not_done=summary.not_done(found),
            landmark=words.duration(found.task.primary_landmark),
            landmarks=rows.landmark_list(found.task.landmarks),
            horizon=words.duration(found.task.horizon_days),
            measures=_measures(found),
            figures={name: draw(found) for name, draw in FIGURES.items()} | _by_measure(found),
            tables={name: rows_of(found) for name, rows_of in TABLES.items()},
            flow=_flow(found),
            outcomes=_outcomes(found),
            worked=rows.worked(found),
            choice_repeated=rows.choice_repeated(found),
            tripod=tripod.tripod(found),
            probast=probast.probast(found),
            classifier=checklists.classifier(found),
            keeps_every_column=checklists.keeps_every_column(found),
            scored=_scored(scored),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "percent": words.percent,
        "count": words.count,
        "duration": words.duration,
    }
    return environment


def _by_measure(results: Results) -> dict[str, list[Drawing]]:
    """Return figures that there is one of per measure, in the order of the measures."""
    makers: Mapping[str, Callable[[Results, str], Drawing | None]] = {
        "centres": forest.centres,
        "subgroups": forest.subgroups,
        "learning": stability.learning_curve,
    }
    drawn = {
        name: [make(results, measure) for measure in words.MEASURES]
        for name, make in makers.items()
    }
    return {name: [d for d in each if d is not None] for name, each in drawn.items()}


def _measures(results: Results) -> list[dict[str, Any]]:
    """Return the table of performance, each value with its interval and place on a scale."""
    found = []
    for row in results.performance:
        measure = words.MEASURES.get(row.measure)
        if measure is None:
            continue
        low, high = measure.lowest, measure.highest
        shown = (row.estimate, row.lower, row.upper)
        known = [value for value in shown if words.defined(value)]
        low, high = min([low, *known]), max([high, *known])

        def place(value: float, low: float = low, high: float = high) -> str:
            return f"{100 * (value - low) / (high - low):.2f}"

        found.append(
            {
                "name": measure.name,
                "meaning": measure.meaning,
                "good": measure.good,
                "digits": 3 if measure.highest < 0.5 or "brier" in row.measure else 2,
                **dict(zip(("estimate", "lower", "upper"), shown, strict=True)),
                "at": [place(value) for value in known] if len(known) == len(shown) else [],
                "best": place(measure.best),
            }
        )
    return found


def _flow(results: Results) -> list[AttritionStep]:
    """Return the steps at which patients were left out, up to those at risk.

    What became of those at risk is told by their outcomes; steps that left nobody out are only in
    the table.
    """
    at_risk = results.cohort.patients if results.cohort else None
    rows = results.attrition
    ends = [place for place, row in enumerate(rows, 1) if row.remaining == at_risk]
    return [row for row in rows[: ends[0] if ends else len(rows)] if row.left_out != 0]


def _outcomes(results: Results) -> list[dict[str, str]]:
    """Return what became of the patients at risk, as the last row of the flow."""
    cohort = results.cohort
    if cohort is None or not cohort.patients:
        return []
    said = words.wording(results.task)
    parts = (
        ("event", said.had, cohort.events),
        ("competing", "died or lost kidney function first", cohort.competing),
        ("free", "were followed to the end without it", cohort.event_free),
        ("unknown", "left before the end: not known", cohort.censored),
        ("unclear", "cannot be told by the rule: not known", cohort.indeterminate),
    )
    return [
        {
            "kind": kind,
            "text": text,
            "count": words.count(number),
            "share": f"{100 * (number or 0) / cohort.patients:.1f}",
        }
        for kind, text, number in parts
    ]


def _scored(patients: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return scored patients as rows of words."""
    if patients is None:
        return []
    found = []
    for record in patients.to_dict("records"):
        verdict, status = str(record["verdict"]), str(record["status"])
        known = words.defined(record["risk"])
        found.append(
            {
                "patient": record["patient_id"],
                "risk": words.percent(record["risk"]) if known else "none given",
                "width": f"{100 * record['risk']:.1f}" if known else "0",
                "interval": words.percent_span(record["risk_lower"], record["risk_upper"]),
                "verdict": words.VERDICTS.get(verdict, verdict),
                "status": "" if status == "ok" else words.STATUSES.get(status, status),
                "drivers": _split(record["drivers"]),
                "warnings": _split(record["warnings"]),
            }
        )
    return found


def _split(text: Any) -> list[str]:
    return [part.strip() for part in str(text or "").split(";") if part.strip()]
