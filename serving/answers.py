"""From requests to answers: patients are checked, assessed together, and answered one by one.

Assumes nothing about who else is in a batch: a patient's answer, or problem, is the same alone.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from ..features.asof import as_of_days, known_on
from ..features.days import day_of
from ..model.artifact import RiskModel
from ..model.label import label_known
from .assessment import Assessment, assess
from .audit.journal import about, named, note
from .explained_label import Label, explained
from .patient_input import CheckedPatient, check_patient, check_patients
from .problems import Problem
from .rows import PatientTables

__all__ = ["LabelAnswer", "assess_request", "assess_requests", "label_request"]


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
    return _warned(answer, checked.warnings)


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
        for at, answer, warnings in zip(checked.position, found, checked.warnings, strict=True):
            answers[at] = _warned(answer, warnings)
    for at in checked.apart:
        try:
            with about(requests[at].identifier):
                answers[at] = assess_request(model, requests[at])
        except Problem as problem:
            answers[at] = problem
    return [answer for answer in answers if answer is not None]


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


def _warned(answer: Assessment, warnings: tuple[str, ...]) -> Assessment:
    return replace(answer, warnings=(*warnings, *answer.warnings))
