"""The rule as a checklist: what each course answers, what would settle it, what to look at first.

Assumes that an unknown answer has a reason that someone can act on, be it only to wait; where
follow-up has ended it says that nothing will settle it any more.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...features.registry import Registry
from ...model.definition import Definition
from ..assessment import Assessment
from ..criteria import Answer, Criterion
from ..explained_label import Course
from .words import Words

__all__ = ["CourseList", "Item", "Question", "consider_of", "courses_of", "regimen_said"]

QUESTIONS = ("failed", "adequate", "adherent", "counts")
REASONS = {
    "failed": ("too_short", "follow_up_ended", "not_measured", "discordant", "mixed_proteinuria"),
    "adequate": ("undertreated", "adequacy_unknown"),
    "adherent": ("nonadherent", "adherence_unknown", "assume_adherent"),
    "counts": (),
}
ENDS = ("death", "kidney_failure", "last_contact")


@dataclass(frozen=True)
class Question:
    """One question about a course: its key, the answer, why, what was compared, what settles it."""

    key: str
    answer: Answer
    reasons: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    settle: tuple[str, ...]


@dataclass(frozen=True)
class CourseList:
    """A course with its questions."""

    course: Course
    regimen: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Item:
    """One thing to look at before disease is called refractory: its key, state and a sentence."""

    key: str
    state: str
    said: str


def regimen_said(regimen: tuple[str, ...], words: Words) -> str:
    """Return a regimen in words.

    Examples
    --------
    >>> from lnrisk.serving.pages.words import load_words
    >>> regimen_said(("CNI", "MPA"), load_words())
    'calcineurin inhibitor with mycophenolate'
    """
    return words.texts["class.with"].join(words.name("class", name) for name in regimen)


def courses_of(
    assessment: Assessment, registry: Registry, definition: Definition, words: Words
) -> tuple[CourseList, ...]:
    """Return the checklist of every course."""
    ended = _ended(registry)
    return tuple(
        CourseList(
            course,
            regimen_said(course.regimen, words),
            tuple(
                Question(
                    key,
                    getattr(course, key),
                    tuple(
                        words.say(f"reason.{reason}")
                        for reason in course.reasons
                        if reason in REASONS[key]
                    ),
                    tuple(c for c in course.criteria if c.question == key),
                    tuple(_settle(key, course, assessment.as_of, ended, definition, words)),
                )
                for key in QUESTIONS
            ),
        )
        for course in assessment.label.courses
    )


def _ended(registry: Registry) -> datetime.date | None:
    """Return the day on which follow-up ended; None while it goes on."""
    events = registry.events
    dates = events.loc[events["event"].isin(ENDS), "date"]
    return None if dates.empty else dates.min().date()


def _settle(
    key: str,
    course: Course,
    as_of: datetime.date,
    ended: datetime.date | None,
    definition: Definition,
    words: Words,
) -> Iterator[str]:
    """Yield what would answer a question that cannot be answered."""
    if key == "counts" or getattr(course, key) != "unknown":
        return
    if ended is not None and ended < course.window_first and key == "failed":
        yield words.say("settle.never", date=words.date(ended))
    elif key == "failed" and as_of < course.window_first:
        yield words.say("settle.wait", date=words.date(course.window_first))
    elif key == "failed":
        yield from _values_to_settle(course, definition, words)
    elif key == "adequate":
        yield words.say("settle.doses")
    else:
        last = min(course.assessed_on or course.window_last, as_of)
        yield words.say(
            "settle.adherence", first=words.date(course.start_date), last=words.date(last)
        )


def _values_to_settle(course: Course, definition: Definition, words: Words) -> Iterator[str]:
    """Yield the values that the unanswered comparisons lack, each once."""
    window = definition.window
    lacking = {
        fact.measure
        for criterion in course.criteria
        if criterion.question == "failed" and criterion.answer == "unknown"
        for fact in criterion.facts
        if fact.value is None
    }
    before = [
        words.date(course.start_date + datetime.timedelta(days=day))
        for day in (window.baseline_first_day, window.baseline_last_day)
    ]
    within = [words.date(course.window_first), words.date(course.window_last)]
    for measure, key, (first, last) in (
        ("upcr_window", "settle.upcr_window", within),
        ("upcr_baseline", "settle.upcr_baseline", before),
        ("egfr_window", "settle.egfr_window", within),
        ("egfr_baseline", "settle.egfr_baseline", before),
    ):
        if measure in lacking:
            yield words.say(key, first=first, last=last)


def consider_of(
    assessment: Assessment, registry: Registry, definition: Definition, words: Words
) -> tuple[Item, ...]:
    """Return what the paper asks to look at first, in its order, found or not."""
    courses, limits = assessment.label.courses, definition.verdict
    biopsies = registry.biopsies[
        ["chronicity_index", "tubular_atrophy", "interstitial_fibrosis"]
    ].to_numpy(dtype=float)
    alleles = registry.patients["apol1_risk_alleles"].to_numpy(dtype=float)[0]
    known = {
        "nonadherence": bool(courses) and all(c.adherent == "yes" for c in courses),
        "undertreatment": bool(courses) and all(c.adequate == "yes" for c in courses),
        "chronic_damage": bool((~np.isnan(biopsies)).any()),
        "genetic": not np.isnan(alleles),
    }
    values = {
        "index": words.number(limits.chronicity_index_from),
        "ifta": words.number(limits.ifta_from),
        "alleles": f"{alleles:g}",
    }
    found = assessment.label.consider
    items = []
    for key, clear in known.items():
        state = "found" if key in found else "clear" if clear else "unknown"
        items.append(Item(key, state, words.say(f"consider.{key}_{state}", **values)))
    if "rescue_given" in found:
        items.append(Item("rescue_given", "found", words.say("consider.rescue_given_found")))
    return tuple(items)
