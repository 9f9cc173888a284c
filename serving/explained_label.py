"""The label of one patient with every course, its answers and the criteria behind them.

Assumes a registry as known on the day of the question, of few patients: what is explained is read
by people and by programs that show it to people.
"""

import datetime
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from ..features.registry import Registry
from ..model.definition import Definition
from ..model.judgement import COURSE_REASONS
from ..model.kleene import words
from ..model.label import Labels
from ..model.regimen import regimen_names
from .criteria import EPOCH, Answer, Criterion, criteria_of, date_of
from .evidence import Evidence

__all__ = ["Course", "Label", "explained"]

Verdict = Literal["not_refractory", "pseudo_refractory", "indeterminate", "refractory"]


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
    failed: Annotated[Answer, Field(description="Failed in the window of the definition?")]
    adequate: Annotated[Answer, Field(description="Adequately treated?")]
    adherent: Annotated[Answer, Field(description="Taken as prescribed?")]
    counts: Annotated[Answer, Field(description="Failed, adequate and adherent?")]
    reasons: Annotated[
        tuple[str, ...], Field(description="Names of docs/definition.md.", examples=[["too_short"]])
    ]
    criteria: Annotated[tuple[Criterion, ...], Field(description="What the three answers rest on.")]


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


def explained(known: Registry, labels: Labels, definition: Definition) -> list[Label]:
    """Return every patient's label in the registry's order.

    Parameters
    ----------
    known : Registry
        As known on the day of the labels.
    labels : Labels
    definition : Definition
    """
    courses = _courses(known, labels, definition)
    return [_label(said, courses[at]) for at, said in enumerate(labels.labels.to_dict("records"))]


def _label(said: dict[Hashable, Any], courses: list[Course]) -> Label:
    return Label(
        verdict=said["verdict"],
        met_on=None if pd.isna(said["met_on"]) else said["met_on"].date(),
        index_date=None if pd.isna(said["index_date"]) else said["index_date"].date(),
        reasons=tuple(filter(None, said["reasons"].split(";"))),
        consider=tuple(filter(None, said["consider"].split(";"))),
        courses=tuple(courses),
        definition=said["definition"],
        definition_version=said["definition_version"],
    )


def _courses(known: Registry, labels: Labels, definition: Definition) -> list[list[Course]]:
    judgement = labels.judgement
    courses, response = judgement.courses, judgement.response
    evidence = Evidence.of(known)
    regimens = regimen_names(courses.regimen).tolist()
    questions = ("failed", "adequate", "adherent", "counts")
    answers: dict[str, list[Answer]] = {
        name: words(getattr(judgement, name)).tolist() for name in questions
    }
    found: list[list[Course]] = [[] for _ in range(len(known))]
    for at, patient in enumerate(courses.patient.tolist()):
        start = EPOCH + datetime.timedelta(days=int(courses.start[at]))
        found[patient].append(
            Course(
                number=int(courses.number[at]),
                regimen=tuple(regimens[at].split("+")),
                start_date=start,
                window_first=start + datetime.timedelta(days=definition.window.first_day),
                window_last=start + datetime.timedelta(days=definition.window.last_day),
                assessed_on=date_of(response.assessed_on[at]),
                proteinuria=response.proteinuria_word[at].item(),
                egfr=response.egfr_word[at].item(),
                failed=answers["failed"][at],
                adequate=answers["adequate"][at],
                adherent=answers["adherent"][at],
                counts=answers["counts"][at],
                reasons=tuple(name for name in COURSE_REASONS if judgement.reasons[name][at]),
                criteria=criteria_of(judgement, definition, evidence, at),
            )
        )
    return found
