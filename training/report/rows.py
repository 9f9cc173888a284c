"""The report's tables: results as rows of words, ready to be shown.

Assumes that a table is read by people: numbers are rounded, what is not known says so, and a table
with nothing in it has no rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..schema.measures import Comparator
from ..schema.patients import BaselineRow
from ..schema.results import PLP_MEASURES, Results
from .words import (
    ANALYSES,
    MEASURES,
    VERDICTS,
    count,
    defined,
    duration,
    few,
    number,
    percent,
    percent_span,
    span,
    unit_text,
    value_text,
)

__all__ = [
    "Table",
    "agreement",
    "attrition",
    "baseline",
    "candidates",
    "changed_class",
    "choice_repeated",
    "comparators",
    "criteria",
    "flagged",
    "inputs",
    "landmark_list",
    "landmarks",
    "measures",
    "optimism",
    "overlap",
    "sensitivity",
    "spread",
    "worked",
]

FIGURES_SHOWN = ("auroc", "brier", "calibration_slope", "observed_expected", "ici")


@dataclass(frozen=True)
class Table:
    """A table of words.

    Parameters
    ----------
    columns : tuple of str
    rows : list of tuple of str
    texts : int
        How many of the first columns are text; the others are numbers.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    texts: int = 1

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.rows)


def attrition(results: Results) -> Table:
    """Who was left out, step by step."""
    rows = [(r.step, r.why, count(r.left_out), count(r.remaining)) for r in results.attrition]
    return Table(("Condition", "Left out because", "Left out", "Remaining"), rows, 2)


def _whole(value: float | None) -> float | None:
    return None if value is None else round(value)


def landmarks(results: Results) -> Table:
    """Patients and outcomes at every landmark."""
    found = results.cohort.landmarks if results.cohort else []
    columns = (
        "Landmark",
        "At risk",
        "Outcome",
        "Competing",
        "Without",
        "Ended",
        "Cannot tell",
        "Of these expected",
    )
    rows = [
        (
            f"week {r.landmark_days / 7:.3g}",
            *(
                count(value)
                for value in (
                    r.patients,
                    r.events,
                    r.competing,
                    r.event_free,
                    r.censored,
                    r.indeterminate,
                    _whole(r.expected_of_indeterminate),
                )
            ),
        )
        for r in found
    ]
    return Table((*columns, "Weighted rate"), _with(rows, [r.weighted_event_rate for r in found]))


def baseline(results: Results) -> Table:
    """Baseline values of everyone, of those with the outcome and of those without."""
    groups = [
        g for g in ("all", "event", "event_free") if any(r.group == g for r in results.baseline)
    ]
    names = {"all": "Everyone", "event": "With the outcome", "event_free": "Without"}
    by = {(r.variable, r.level, r.group): r for r in results.baseline}
    rows = []
    for variable, level in dict.fromkeys((r.variable, r.level) for r in results.baseline):
        found = [by.get((variable, level, group)) for group in groups]
        first = next(row for row in found if row is not None)
        label = first.meaning or variable
        if level is not None:
            label += f": {level}"
        unit = unit_text(first.unit)
        rows.append((label + unit, *(_baseline_cell(row) for row in found), _known(found[0])))
    columns = ("", *(names[g] for g in groups), "Known")
    return Table(columns, rows)


def criteria(results: Results) -> Table:
    """Sample size criteria."""
    found = results.sample_size.criteria if results.sample_size else []
    rows = [(r.criterion, count(r.needed_patients), count(r.needed_events)) for r in found]
    return Table(("Criterion", "Patients needed", "Events needed"), rows)


def measures(results: Results) -> Table:
    """All measures with what PatientLevelPrediction calls them."""
    rows = [
        (
            MEASURES[r.measure].short if r.measure in MEASURES else r.measure,
            PLP_MEASURES.get(r.measure, ""),
            number(r.estimate, 3),
            span(r.lower, r.upper, 3),
        )
        for r in results.performance
    ]
    return Table(("Measure", "In PatientLevelPrediction", "Estimate", "Interval"), rows, 2)


def optimism(results: Results) -> Table:
    """Measures before and after the optimism is taken off."""
    rows = [
        (
            MEASURES[r.measure].short if r.measure in MEASURES else r.measure,
            number(r.apparent, 3),
            number(r.optimism, 3),
            number(r.corrected, 3),
            span(r.lower, r.upper, 3),
        )
        for r in results.optimism
    ]
    return Table(("Measure", "Apparent", "Optimism", "Corrected", "Interval"), rows)


def flagged(results: Results) -> Table:
    """Give what thresholds would do."""
    columns = (
        "Risk from",
        "Flagged",
        "Of those with the outcome, found",
        "Of those without, not flagged",
        "Of the flagged, with the outcome",
        "Of the others, without it",
    )
    rows = [
        (
            f"{100 * r.threshold:g}%",
            percent(r.share),
            percent(r.sensitivity),
            percent(r.specificity),
            percent(r.positive_predictive_value),
            percent(r.negative_predictive_value),
        )
        for r in results.flagged
    ]
    return Table(columns, rows)


def comparators(results: Results) -> Table:
    """Give comparators, each with the model on the same patients."""
    by: dict[str, dict[str | None, Comparator]] = {}
    for row in results.comparators:
        by.setdefault(row.name, {})[row.measure] = row
    found = []
    for name, of in by.items():
        first, auroc, brier = next(iter(of.values())), of.get("auroc"), of.get("brier")
        ends = span(auroc.lower, auroc.upper) if auroc else ""
        found.append(
            (
                name,
                _about(first),
                percent(first.computable_share),
                _or_dash(auroc.raw if auroc else None, 2),
                _or_dash(auroc.recalibrated if auroc else None, 2) + (f" ({ends})" if ends else ""),
                _or_dash(auroc.model if auroc else None, 2),
                _or_dash(brier.recalibrated if brier else None, 3),
                _or_dash(brier.model if brier else None, 3),
            )
        )
    columns = ("Comparator", "What it is", "Known for", "AUROC as published", "AUROC recalibrated")
    return Table((*columns, "The model on them", "Brier score", "The model on them"), found, 2)


def candidates(results: Results) -> Table:
    """Candidates of the nested comparison."""
    rows = [
        (
            r.name + (" (in the model file)" if r.served else ""),
            r.meaning,
            r.why,
            number(r.log_loss, 4),
            number(r.standard_error, 4),
            number(r.auroc, 3),
            count(r.parameters),
        )
        for r in results.candidates
    ]
    columns = ("Candidate", "What it is", "Why", "Log loss", "Standard error", "AUROC")
    return Table((*columns, "Parameters"), rows, 3)


def choice_repeated(results: Results) -> str:
    """Return how often each candidate was chosen anew; empty where the choice was not repeated."""
    rows = [r for r in results.candidates if r.chosen_in_folds is not None]
    folds = sum(r.chosen_in_folds or 0 for r in rows)
    refits = sum(r.chosen_in_refits or 0 for r in rows)
    shares = [
        f"{r.name} in {count(r.chosen_in_folds)} of {count(folds)} folds"
        + (f" and {count(r.chosen_in_refits)} of {count(refits)} refits" if refits else "")
        for r in rows
    ]
    if not shares:
        return ""
    return (
        "Wherever the fit was repeated for the validation, the patients who were fitted chose anew "
        f"between those that a model file can hold: {', '.join(shares)}."
    )


def sensitivity(results: Results) -> Table:
    """Figures under changed assumptions, one line per setting."""
    names = [m for m in FIGURES_SHOWN if any(r.measure == m for r in results.sensitivity)]
    by = {(r.analysis, r.setting, r.measure): r for r in results.sensitivity}
    rows = []
    for analysis, setting in dict.fromkeys((r.analysis, r.setting) for r in results.sensitivity):
        found = [by.get((analysis, setting, name)) for name in names]
        first = next((row for row in found if row is not None), None)
        if first is None:
            continue
        note = f" ({first.note})" if first.note else ""
        cells = [
            f"{number(row.estimate)} ({span(row.lower, row.upper)})".replace(" ()", "")
            if row
            else "–"
            for row in found
        ]
        what = ANALYSES.get(analysis, analysis)
        rows.append((setting + note, what, count(first.patients), count(first.events), *cells))
    columns = ("Setting", "What is varied", "Patients", "Events")
    return Table((*columns, *(MEASURES[name].short for name in names)), rows, 2)


def changed_class(results: Results) -> Table:
    """Patients whose side of a threshold hangs on the sample."""
    found = results.instability.changed_class if results.instability else []
    rows = [(f"{100 * r.threshold:g}%", percent(r.share)) for r in found]
    return Table(("Threshold", "On its other side in a refit"), rows)


def spread(results: Results) -> Table:
    """Where the risks of patients alike lie, at the primary landmark."""
    rows = [
        (percent(r.risk), f"{percent(r.lower)} to {percent(r.upper)}")
        for r in results.spread
        if r.landmark_days == results.task.primary_landmark
    ]
    return Table(("Risk by the model", "Range of patients alike"), rows)


def agreement(results: Results) -> Table:
    """Give the rule's label against the registry's, as a square."""
    others = list(dict.fromkeys(r.registry for r in results.agreement))
    by = {(r.rule, r.registry): r.patients for r in results.agreement}
    rows = [
        (
            VERDICTS.get(rule, rule).split(":")[0],
            *(few(by.get((rule, other), 0)) for other in others),
        )
        for rule in dict.fromkeys(r.rule for r in results.agreement)
    ]
    return Table(("By the rule", *(f"Registry: {other}" for other in others)), rows)


def overlap(results: Results) -> Table:
    """Features that are of the kind that the definition asks for."""
    rows = [(r.feature, r.criterion, r.meaning) for r in results.overlap]
    return Table(("Feature", "Criterion of the definition", "How they touch"), rows, 3)


def inputs(results: Results) -> Table:
    """All inputs of the model."""
    rows = [
        (
            r.name,
            r.meaning,
            unit_text(r.unit).removeprefix(", "),
            r.table or "",
            r.look_back or "",
            percent(r.missing),
        )
        for r in results.features
    ]
    return Table(("Input", "Meaning", "Unit", "Table", "Looks at", "Missing"), rows, 5)


def worked(results: Results) -> list[dict[str, object]]:
    """Invented patients as words."""
    return [
        {
            "name": p.name,
            "risk": percent(p.risk),
            "interval": percent_span(p.lower, p.upper),
            "at": [f"{100 * (v or 0.0):.1f}" for v in (p.lower, p.upper, p.risk)],
            "values": [(v.meaning or v.feature, value_text(v.value)) for v in p.text],
            "drivers": p.drivers,
        }
        for p in results.worked_patients
    ]


def landmark_list(days: Sequence[int]) -> str:
    """Return landmarks as people say them."""
    if len(days) == 1:
        return duration(days[0])
    return "weeks " + ", ".join(f"{day / 7:.3g}" for day in days)


def _with(rows: Sequence[tuple[str, ...]], rates: Sequence[float | None]) -> list[tuple[str, ...]]:
    return [(*row, percent(rate)) for row, rate in zip(rows, rates, strict=True)]


def _baseline_cell(row: BaselineRow | None) -> str:
    if row is None:
        return "–"
    if row.share is not None:
        return percent(row.share)
    if row.median is None:
        return "too few"
    middle = value_text(row.median)
    if row.lower_quartile is None or row.upper_quartile is None:
        return middle
    return f"{middle} ({value_text(row.lower_quartile)} to {value_text(row.upper_quartile)})"


def _known(row: BaselineRow | None) -> str:
    if row is None or row.known is None or not row.patients:
        return ""
    return percent(row.known / row.patients)


def _about(row: Comparator) -> str:
    absent = f"Not in the registry: {', '.join(row.absent)}" if row.absent else None
    unverified = f"Not verified: {row.unverified}" if row.unverified else None
    said = (row.meaning, row.source, row.horizon, unverified, absent)
    return " ".join(f"{text.rstrip('. ')}." for text in said if text)


def _or_dash(value: float | None, digits: int) -> str:
    return number(value, digits) if defined(value) else "–"
