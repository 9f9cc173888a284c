"""From requests to answers: patients are checked, assessed together, and answered one by one.

Assumes nothing about who else is in a batch: a patient's answer, or problem, is the same alone.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ..features.asof import as_of_days, known_on
from ..features.days import day_of
from ..model.artifact import RiskModel
from ..model.label import label_known
from .assessment import Assessment, assess
from .audit.journal import Journal, about, keeping, named, note, now
from .cautions import Caution
from .explained_label import Label, explained
from .patient_input import CheckedPatient, check_patient, check_patients
from .problems import Problem
from .rows import PatientTables

__all__ = [
    "LabelAnswer",
    "Noted",
    "assess_request",
    "assess_requests",
    "assess_together",
    "label_request",
]


@dataclass(frozen=True)
class LabelAnswer:
    """The rule-based label of one patient, as of one day."""

    as_of: Annotated[datetime.date, Field(description="What is dated later was not looked at.")]
    label: Label
    warnings: Annotated[tuple[str, ...], Field(description="Rows that look odd.")]


def assess_request(model: RiskModel, request: PatientTables) -> Assessment:
    """Check one patient and assess them.

    Raises
    ------
    Problem
        422 where a row is wrong.
    """
    checked = check_patient(request.tables)
    with named(request.identifier):
        (answer,) = assess(model, checked.registry, request.day)
    return _cautioned(answer, checked.cautions)


def assess_requests(
    model: RiskModel, requests: Sequence[PatientTables]
) -> list[Assessment | Problem]:
    """Check and assess many patients, each with what `assess_request` gives or raises."""
    checked = check_patients([request.tables for request in requests])
    answers: list[Assessment | Problem | None] = [None] * len(requests)
    if len(checked.registry):
        days = np.array([day_of(request.day) for request in requests])[checked.position]
        with about(*(requests[at].identifier for at in checked.position)):
            found = assess(model, checked.registry, days)
        for at, answer, cautions in zip(checked.position, found, checked.cautions, strict=True):
            answers[at] = _cautioned(answer, cautions)
    for at in checked.apart:
        try:
            with about(requests[at].identifier):
                answers[at] = assess_request(model, requests[at])
        except Problem as problem:
            answers[at] = problem
    return [answer for answer in answers if answer is not None]


@dataclass(frozen=True)
class Noted:
    """An answer, or what is wrong, and what the caller's own journal is to hold of it."""

    answer: Assessment | Problem
    notes: tuple[dict[str, Any], ...]

    def given(self, request: PatientTables) -> Assessment:
        """Note the answer where the request is recorded, and return it.

        Raises
        ------
        Problem
            422 where a row is wrong.
        """
        with named(request.identifier):
            for each in self.notes:
                note(each)
        if isinstance(self.answer, Problem):
            raise self.answer
        return self.answer


def assess_together(model: RiskModel, requests: Sequence[PatientTables]) -> list[Noted]:
    """Assess requests of different callers; what is noted of each is kept apart from the others."""
    numbered = [
        request.model_copy(update={"identifier": str(at)}) for at, request in enumerate(requests)
    ]
    with keeping(Journal(now(), pseudonym=str)) as journal:
        answers = assess_requests(model, numbered)
    notes: list[list[dict[str, Any]]] = [[] for _ in requests]
    for each in journal.take():
        notes[int(each.pop("subject"))].append(each)
    return [Noted(*found) for found in zip(answers, map(tuple, notes), strict=True)]


def label_request(model: RiskModel, request: PatientTables) -> LabelAnswer:
    """Check one patient and label them by the model's definition.

    Raises
    ------
    Problem
        422 where a row is wrong.
    """
    checked: CheckedPatient = check_patient(request.tables)
    days = as_of_days(checked.registry, request.day)
    known = known_on(checked.registry, days)
    (said,) = explained(known, label_known(known, model.definition, days), model.definition)
    with named(request.identifier):
        note({"note": "label", "as_of": request.day.isoformat(), "verdict": said.verdict})
    return LabelAnswer(request.day, said, checked.warnings)


def _cautioned(answer: Assessment, more: tuple[Caution, ...]) -> Assessment:
    cautions = (*more, *answer.cautions)
    return replace(answer, cautions=cautions, warnings=tuple(each.text for each in cautions))
