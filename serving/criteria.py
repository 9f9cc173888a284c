"""The label of one patient with every course and criterion, and the rows that each rests on.

Assumes that a reader wants to check the rule by hand: each criterion says what was compared with
what, on which day, from which row. A row number counts from 1 within its table as it was given.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from ..features.days import NEVER
from ..features.registry import Registry
from ..model.definition import Condition, Definition, Rule
from ..model.kleene import words
from ..model.label import COURSE_REASONS, Judgement
from ..model.regimen import regimen_names
from ..model.response import ArmValues, condition_answer, condition_value

__all__ = [
    "Answer",
    "Course",
    "Criterion",
    "Fact",
    "Label",
    "Source",
    "courses_of",
    "date_of",
    "number_of",
]

Answer = Literal["yes", "no", "unknown"]
Verdict = Literal["not_refractory", "pseudo_refractory", "indeterminate", "refractory"]

EPOCH = datetime.date(1970, 1, 1)
UNITS = {"proteinuria": "g/g", "egfr": "mL/min/{1.73_m2}"}
SIGNS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
MEASURES = {
    "proteinuria": "UPCR in the window",
    "proteinuria_ratio": "UPCR in the window over UPCR at baseline",
    "proteinuria_baseline": "UPCR at baseline",
    "egfr": "eGFR in the window",
    "egfr_ratio": "eGFR in the window over eGFR at baseline",
    "egfr_baseline": "eGFR at baseline",
}


@dataclass(frozen=True)
class Source:
    """One row of the patient's tables."""

    table: Annotated[str, Field(description="Name of the table.", examples=["measurements"])]
    row: Annotated[int, Field(description="Row of that table, from 1.", examples=[7])]


@dataclass(frozen=True)
class Fact:
    """One value that a criterion looked at."""

    name: Annotated[str, Field(description="What it is, in words.", examples=["UPCR at baseline"])]
    value: Annotated[float | None, Field(description="In `unit`; null where it is missing.")]
    unit: Annotated[str, Field(description="UCUM; `1` for a ratio, share or count.")]
    date: Annotated[datetime.date | None, Field(description="Day of the value.")]
    sources: Annotated[tuple[Source, ...], Field(description="Rows that it was read from.")]


@dataclass(frozen=True)
class Criterion:
    """One question that the rule puts to a course."""

    question: Annotated[
        Literal["failed", "adequate", "adherent"],
        Field(description="Which of the three questions about the course it belongs to."),
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
        Literal[">", ">=", "<", "<="], Field(description="How it was compared with `threshold`.")
    ]
    threshold: Annotated[float, Field(description="Of the definition, in `unit`.")]
    unit: Annotated[str, Field(description="UCUM; `1` for a ratio, share or count.")]
    facts: Annotated[tuple[Fact, ...], Field(description="Values that it rests on.")]


@dataclass(frozen=True)
class Course:
    """One course of induction and the rule's answers about it."""

    number: Annotated[int, Field(description="1 for the first course.")]
    regimen: Annotated[
        tuple[str, ...], Field(description="Anchor classes: BEL, CNI, CYC, MPA, OBI.")
    ]
    start_date: datetime.date
    window_first: Annotated[datetime.date, Field(description="First day that may be assessed.")]
    window_last: Annotated[datetime.date, Field(description="Last day that may be assessed.")]
    assessed_on: Annotated[
        datetime.date | None, Field(description="Day of the later of the assessed values.")
    ]
    proteinuria: Annotated[
        Literal["at_target", "improved", "unchanged", "worsened", "unknown"],
        Field(description="Response of proteinuria."),
    ]
    egfr: Annotated[
        Literal["improved", "unchanged", "worsened", "unknown"],
        Field(description="Response of eGFR."),
    ]
    failed: Annotated[Answer, Field(description="Failed at the window of the definition?")]
    adequate: Annotated[Answer, Field(description="Adequately treated?")]
    adherent: Annotated[Answer, Field(description="Taken as prescribed?")]
    counts: Annotated[Answer, Field(description="Failed, adequate and adherent?")]
    reasons: Annotated[
        tuple[str, ...], Field(description="Names of docs/definition.md.", examples=[["too_short"]])
    ]
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True)
class Label:
    """The verdict of the rule and all that it rests on."""

    verdict: Annotated[Verdict, Field(description="By the definition, as of the day asked for.")]
    met_on: Annotated[
        datetime.date | None, Field(description="Assessment day of the failure that decided.")
    ]
    index_date: Annotated[
        datetime.date | None, Field(description="First start of an anchor drug; null without one.")
    ]
    reasons: Annotated[tuple[str, ...], Field(description="Why the verdict is what it is.")]
    consider: Annotated[
        tuple[str, ...],
        Field(
            description="What is to be weighed whatever the verdict, in the order of the paper: "
            "nonadherence, undertreatment, chronic_damage, genetic, rescue_given."
        ),
    ]
    courses: tuple[Course, ...]
    definition: Annotated[str, Field(description="Name of the definition.")]
    definition_version: str


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
    return None if np.isnan(value) else float(value)


def _conditions(rule: Rule | Condition) -> Iterator[Condition]:
    if isinstance(rule, Condition):
        yield rule
    else:
        for part in rule.join[1]:
            yield from _conditions(part)


@dataclass(frozen=True)
class _Rows:
    """Row numbers of measurements by patient, analyte and day."""

    found: dict[tuple[int, str, int], int]

    @classmethod
    def of(cls, registry: Registry) -> "_Rows":
        table = registry.measurements
        days = table["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
        keys = zip(
            registry.positions("measurements").tolist(),
            table["analyte"].astype(str),
            days.tolist(),
            strict=True,
        )
        return cls(dict(zip(keys, table["row"].tolist(), strict=True)))

    def sources(self, patient: int, analytes: tuple[str, ...], day: int) -> tuple[Source, ...]:
        """Return the row of the first of some analytes that was measured on a day."""
        for analyte in analytes:
            row = self.found.get((patient, analyte, day))
            if row is not None:
                return (Source("measurements", row),)
        return ()


_ANALYTES = {"proteinuria": ("upcr", "protein_24h"), "egfr": ("creatinine", "egfr")}


def _failed_criteria(
    judgement: Judgement, definition: Definition, rows: _Rows, at: int
) -> tuple[Criterion, ...]:
    response, patient = judgement.response, int(judgement.courses.patient[at])
    arms: dict[Any, ArmValues] = {"proteinuria": response.proteinuria, "egfr": response.egfr}
    criteria = []
    for condition in _conditions(definition.failed):
        arm, unit = arms[condition.arm], UNITS[condition.arm]
        name, threshold = condition.comparison
        value = number_of(condition_value(condition, arms)[at])
        ends = {
            "baseline": (arm.baseline[at], int(arm.baseline_on[at])),
            "window": (arm.assessed[at], int(arm.assessed_on[at])),
        }
        part = condition.measure.partition("_")[2]
        wanted = {"": ("window",), "baseline": ("baseline",), "ratio": ("baseline", "window")}[part]
        said = "UPCR" if condition.arm == "proteinuria" else "eGFR"
        facts = tuple(
            Fact(
                f"{said} at baseline" if end == "baseline" else f"{said} in the window",
                number_of(ends[end][0]),
                unit,
                date_of(ends[end][1]),
                rows.sources(patient, _ANALYTES[condition.arm], ends[end][1]),
            )
            for end in wanted
        )
        criteria.append(
            Criterion(
                question="failed",
                text=f"{MEASURES[condition.measure]} {SIGNS[name]} {threshold:g}",
                answer=str(words(condition_answer(condition, arms))[at]),  # type: ignore[arg-type]
                value=value,
                comparison=SIGNS[name],  # type: ignore[arg-type]
                threshold=threshold,
                unit="1" if part == "ratio" else unit,
                facts=facts,
            )
        )
    return tuple(criteria)


def courses_of(
    registry: Registry, judgement: Judgement, definition: Definition
) -> list[list[Course]]:
    """Return every patient's courses, in the registry's order.

    Parameters
    ----------
    registry : Registry
        As known on the day of the judgement.
    judgement : Judgement
    definition : Definition
    """
    courses, response = judgement.courses, judgement.response
    rows = _Rows.of(registry)
    regimens = regimen_names(courses.regimen)
    answers = {
        name: words(getattr(judgement, name))
        for name in ("failed", "adequate", "adherent", "counts")
    }
    found: list[list[Course]] = [[] for _ in range(len(registry))]
    for at, patient in enumerate(courses.patient.tolist()):
        start = int(courses.start[at])
        found[patient].append(
            Course(
                number=int(courses.number[at]),
                regimen=tuple(str(regimens[at]).split("+")),
                start_date=_day(start),
                window_first=_day(start + definition.window.first_day),
                window_last=_day(start + definition.window.last_day),
                assessed_on=date_of(response.assessed_on[at]),
                proteinuria=str(response.proteinuria_word[at]),  # type: ignore[arg-type]
                egfr=str(response.egfr_word[at]),  # type: ignore[arg-type]
                **{name: str(values[at]) for name, values in answers.items()},  # type: ignore[arg-type]
                reasons=tuple(name for name in COURSE_REASONS if judgement.reasons[name][at]),
                criteria=_failed_criteria(judgement, definition, rows, at),
            )
        )
    return found


def _day(day: int) -> datetime.date:
    return EPOCH + datetime.timedelta(days=day)
