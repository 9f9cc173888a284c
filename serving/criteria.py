"""The questions that the rule puts to a course, each with what it compared and the rows behind it.

Assumes that a reader wants to check the rule by hand: value, threshold, day, and the row of the
table as it was given, counted from 1.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from ..features.days import NEVER
from ..features.vocabulary import drugs
from ..model.adherent import Vote
from ..model.definition import Arm, Condition, Definition, Rule
from ..model.judgement import Judgement
from ..model.kleene import UNKNOWN, words
from ..model.response import ArmValues, condition_answer, condition_value
from .evidence import Evidence, Source

__all__ = ["MEASURES", "Answer", "Criterion", "Fact", "criteria_of", "date_of", "number_of"]

Answer = Literal["yes", "no", "unknown"]
Question = Literal["failed", "adequate", "adherent"]
Comparison = Literal[">", ">=", "<", "<="]

EPOCH = datetime.date(1970, 1, 1)
_FILTRATION = "mL/min/{1.73_m2}"
_SIGNS: dict[str, Comparison] = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
_ARMS = {"proteinuria": ("upcr", "UPCR", "g/g"), "egfr": ("egfr", "eGFR", _FILTRATION)}
_ENDS = {"": ("window",), "baseline": ("baseline",), "ratio": ("baseline", "window")}
_ANALYTES = {
    "upcr": ("upcr", "UPCR", "g/g"),
    "protein_24h": ("protein_24h", "24-hour proteinuria", "g/d"),
    "creatinine": ("egfr", "eGFR", _FILTRATION),
    "egfr": ("egfr", "eGFR", _FILTRATION),
}
_DOSES = {
    "mean_dose": ("mean daily dose of mycophenolate mofetil or its equivalent", "mg/d"),
    "cumulative_dose": ("cumulative cyclophosphamide", "mg"),
    "share_of_days": ("share of days on a calcineurin inhibitor", "1"),
    "median_trough": ("median tacrolimus trough", "ng/mL"),
}
_VOTES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "refills": ("refills (pdc, mpr), share of days", "1", ("pdc", "mpr")),
    "hcq_blood": ("hydroxychloroquine in blood, median", "ng/mL", ()),
    "hcq_serum": ("hydroxychloroquine in serum, median", "ng/mL", ()),
    "missed_infusions": ("missed infusions", "1", ("missed_infusions",)),
    "infusions_recorded": ("every drug given by infusion and recorded", "1", ()),
    "self_report": ("doses taken by own report, share", "1", ("self_report",)),
    "clinician": ("clinician's judgement", "1", ("clinician",)),
}
NO_DOSE, NO_EVIDENCE = "no_dose", "no_evidence"
MEASURES: tuple[str, ...] = (
    *(f"{name}_{end}" for name in ("upcr", "egfr") for end in ("window", "baseline", "ratio")),
    *(f"protein_24h_{end}" for end in ("window", "baseline")),
    *_DOSES,
    *_VOTES,
    NO_DOSE,
    NO_EVIDENCE,
)
"""Names of what criteria compare and facts are."""


@dataclass(frozen=True)
class Fact:
    """One value that a criterion looked at."""

    measure: Annotated[
        str,
        Field(description="What it is, as a name that does not change.", examples=["upcr_window"]),
    ]
    name: Annotated[str, Field(description="What it is, in words.", examples=["UPCR at baseline"])]
    value: Annotated[float | None, Field(description="In `unit`; null where it is missing.")]
    unit: Annotated[str, Field(description="UCUM; `1` for a ratio, share or count.")]
    date: Annotated[datetime.date | None, Field(description="Day of the value.")]
    sources: Annotated[tuple[Source, ...], Field(description="Rows that it was read from.")]


@dataclass(frozen=True)
class Criterion:
    """One comparison behind an answer about a course."""

    question: Annotated[Question, Field(description="Which answer of the course it belongs to.")]
    measure: Annotated[
        str,
        Field(
            description="What is compared, as a name that does not change; `no_dose` and "
            "`no_evidence` where there is nothing to compare.",
            examples=["upcr_ratio"],
        ),
    ]
    text: Annotated[
        str,
        Field(
            description="The comparison in words.",
            examples=["UPCR in the window over UPCR at baseline > 0.75"],
        ),
    ]
    answer: Annotated[Answer, Field(description="Three-valued; missing data makes `unknown`.")]
    value: Annotated[float | None, Field(description="What was compared, in `unit`.")]
    comparison: Annotated[
        Comparison | None,
        Field(description="With `threshold`; null where nothing is compared with a number."),
    ]
    threshold: Annotated[float | None, Field(description="Of the definition, in `unit`.")]
    no_below: Annotated[
        float | None,
        Field(description="A value below is a no, one between is unknown; null where none is."),
    ]
    unit: Annotated[str, Field(description="UCUM; `1` for a ratio, share or count.")]
    counted: Annotated[
        bool, Field(description="false where objective evidence of adherence decides instead.")
    ]
    facts: Annotated[
        tuple[Fact, ...], Field(description="Values that it rests on, each with its rows.")
    ]


def date_of(day: Any) -> datetime.date | None:
    """Return a day number as a date; None for `NEVER`.

    Examples
    --------
    >>> date_of(1)
    datetime.date(1970, 1, 2)
    """
    return None if abs(day) >= NEVER else EPOCH + datetime.timedelta(days=int(day))


def number_of(value: Any) -> float | None:
    """Return a number; None for nan."""
    return float(value) if np.isfinite(value) else None


def _word(answers: Any, at: int) -> Answer:
    word: Answer = words(answers[at : at + 1]).tolist()[0]
    return word


def criteria_of(
    judgement: Judgement, definition: Definition, evidence: Evidence, at: int
) -> tuple[Criterion, ...]:
    """Return the criteria of the course at one position of a judgement."""
    return (
        *_failed(judgement, definition, evidence, at),
        *_adequate(judgement, evidence, at),
        *_adherent(judgement, definition, evidence, at),
    )


def _conditions(rule: Rule | Condition) -> Iterator[Condition]:
    if isinstance(rule, Condition):
        yield rule
    else:
        for part in rule.join[1]:
            yield from _conditions(part)


def _failed(
    judgement: Judgement, definition: Definition, evidence: Evidence, at: int
) -> Iterator[Criterion]:
    response = judgement.response
    arms: dict[Arm, ArmValues] = {"proteinuria": response.proteinuria, "egfr": response.egfr}
    patient = int(judgement.courses.patient[at])
    for condition in _conditions(definition.failed):
        arm, (short, said, unit) = condition.arm, _ARMS[condition.arm]
        part = condition.measure.partition("_")[2]
        name, threshold = condition.comparison
        compared = {
            "": f"{said} in the window",
            "baseline": f"{said} at baseline",
            "ratio": f"{said} in the window over {said} at baseline",
        }[part]
        yield Criterion(
            question="failed",
            measure=f"{short}_{part or 'window'}",
            text=f"{compared} {_SIGNS[name]} {threshold:g}{'' if part == 'ratio' else f' {unit}'}",
            answer=_word(condition_answer(condition, arms), at),
            value=number_of(condition_value(condition, arms)[at]),
            comparison=_SIGNS[name],
            threshold=threshold,
            no_below=None,
            unit="1" if part == "ratio" else unit,
            counted=True,
            facts=tuple(_fact(evidence, patient, arm, arms[arm], end, at) for end in _ENDS[part]),
        )


def _fact(evidence: Evidence, patient: int, arm: str, values: ArmValues, end: str, at: int) -> Fact:
    value, day = values.assessed[at], int(values.assessed_on[at])
    if end == "baseline":
        value, day = values.baseline[at], int(values.baseline_on[at])
    found = evidence.measured(patient, arm, day, value)
    short, said, unit = _ANALYTES[found[0]] if found else _ARMS[arm]
    where = "at baseline" if end == "baseline" else "in the window"
    sources = (Source("measurements", found[1]),) if found else ()
    measure = f"{short}_{end}"
    return Fact(measure, f"{said} {where}", number_of(value), unit, date_of(day), sources)


def _adequate(judgement: Judgement, evidence: Evidence, at: int) -> Iterator[Criterion]:
    patient, start = int(judgement.courses.patient[at]), int(judgement.courses.start[at])
    end = int(judgement.span_end[at])
    some = False
    for check in judgement.doses:
        if not check.applies[at]:
            continue
        some = True
        said, unit = _DOSES[check.measure]
        if check.measure == "median_trough":
            sources = evidence.between(patient, "tacrolimus_trough", start, end)
        else:
            names = {d.name for d in drugs().values() if d.anchor_class == check.anchor_class}
            sources = evidence.doses(patient, frozenset(names), start, end)
        value, threshold = number_of(check.value[at]), float(check.threshold[at])
        yield Criterion(
            question="adequate",
            measure=check.measure,
            text=f"{said} >= {threshold:g}{'' if unit == '1' else f' {unit}'}",
            answer=_word(check.answer, at),
            value=value,
            comparison=">=",
            threshold=threshold,
            no_below=None,
            unit=unit,
            counted=True,
            facts=(Fact(check.measure, said, value, unit, date_of(end), sources),),
        )
    if not some:
        text = "no drug of the regimen has a dose that the definition asks for"
        yield _nothing("adequate", NO_DOSE, text, "no")


def _adherent(
    judgement: Judgement, definition: Definition, evidence: Evidence, at: int
) -> Iterator[Criterion]:
    voted = [vote for vote in judgement.votes if _voted(vote, at)]
    decided = any(vote.objective and vote.answer[at] != UNKNOWN for vote in voted)
    for vote in voted:
        yield _vote(judgement, definition, evidence, vote, at, not decided or vote.objective)
    if not voted:
        text = "refills, drug levels, infusions or reports of what was taken: none recorded"
        yield _nothing("adherent", NO_EVIDENCE, text, "unknown")


def _nothing(question: Question, measure: str, text: str, answer: Answer) -> Criterion:
    return Criterion(question, measure, text, answer, None, None, None, None, "1", True, ())


def _voted(vote: Vote, at: int) -> bool:
    return bool(vote.answer[at] != UNKNOWN or not np.isnan(vote.value[at]))


def _vote(
    judgement: Judgement,
    definition: Definition,
    evidence: Evidence,
    vote: Vote,
    at: int,
    counted: bool,
) -> Criterion:
    limits, measure = definition.adherent, vote.measure
    said, unit, measures = _VOTES[measure]
    text, threshold, low = said, None, None
    comparison: Comparison | None = None
    if measure.startswith("hcq"):
        low, threshold = (getattr(limits, f"{measure}_{end}") for end in ("no_below", "yes_from"))
        comparison, text = ">=", f"{said} >= {threshold:g} {unit}; below {low:g} {unit} is a no"
    elif measure == "missed_infusions":
        comparison, threshold = "<", float(limits.missed_infusions_no_from)
        text = f"{said} < {threshold:g}"
    elif measures:
        comparison, threshold = ">=", 1.0 if measure == "clinician" else limits.share
        text = f"{said} >= {threshold:g}"
    patient, start = int(judgement.courses.patient[at]), int(judgement.courses.start[at])
    end, value = int(judgement.span_end[at]), number_of(vote.value[at])
    sources = _vote_sources(evidence, measure, measures, (patient, start, end))
    return Criterion(
        question="adherent",
        measure=measure,
        text=text,
        answer=_word(vote.answer, at),
        value=value,
        comparison=comparison,
        threshold=threshold,
        no_below=low,
        unit=unit,
        counted=counted,
        facts=(Fact(measure, said, value, unit, date_of(end), sources),),
    )


def _vote_sources(
    evidence: Evidence, measure: str, measures: tuple[str, ...], span: tuple[int, int, int]
) -> tuple[Source, ...]:
    patient, start, end = span
    if measure.startswith("hcq"):
        return evidence.between(patient, measure, start, end)
    if measures:
        return evidence.reports(patient, measures, start, end)
    infused = frozenset(d.name for d in drugs().values() if d.anchor_class)
    return evidence.doses(patient, infused, start, end)
