"""What clinicians did with cards: kept as it came back, without a word about the patient.

A card is known by its uuid alone. What it said stands in the audit log under the same uuid, where
`lnrisk monitor` finds the assessment, and through its pseudonym the patient's later outcome.
"""

import datetime
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..features.errors import LnriskError

__all__ = ["OVERRIDE_REASONS", "Feedback", "FeedbackFile", "Keeper", "in_the_audit_log", "kept"]

SYSTEM = "urn:lnrisk:override-reason"
OVERRIDE_REASONS = {
    "known": "Already known to the team",
    "data-wrong": "The data behind the card are wrong or incomplete",
    "not-applicable": "Not applicable to this patient",
    "disagree": "Clinical judgement differs",
    "not-now": "Not relevant to this visit",
}
"""Code and words of each reason that a card offers."""

Keeper = Callable[[list[dict[str, Any]]], None]
"""Keeps entries of feedback, or raises `OSError`."""


class Coding(BaseModel):
    """A code of a reason."""

    code: Annotated[str, Field(min_length=1, max_length=64)]
    system: Annotated[str, Field(max_length=256)] = ""


class OverrideReason(BaseModel):
    """Why a card was overridden; a comment is not kept, since it may be about the patient."""

    reason: Coding | None = None


class Entry(BaseModel):
    """What became of one card."""

    card: Annotated[UUID, Field(description="The card's uuid.")]
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: Annotated[datetime.datetime, Field(description="When, ISO 8601.")]
    overrideReason: OverrideReason | None = None


class Feedback(BaseModel):
    """A body of the feedback endpoint."""

    model_config = ConfigDict(extra="ignore")

    feedback: Annotated[list[Entry], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _only_an_override_has_a_reason(self) -> "Feedback":
        if any(e.outcome == "accepted" and e.overrideReason is not None for e in self.feedback):
            raise ValueError("an accepted card has no overrideReason")
        return self


def kept(feedback: Feedback) -> list[dict[str, Any]]:
    """Return what is kept of a body.

    Returns
    -------
    list of dict
        card, outcome, at, and of a reason that a card offered its code; any other is ``other``.
    """
    entries = []
    for entry in feedback.feedback:
        at = entry.outcomeTimestamp
        said: dict[str, Any] = {
            "card": str(entry.card),
            "outcome": entry.outcome,
            "at": (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).isoformat(),
        }
        reason = entry.overrideReason.reason if entry.overrideReason else None
        if reason is not None:
            offered = reason.code in OVERRIDE_REASONS and reason.system in ("", SYSTEM)
            said["reason"] = reason.code if offered else "other"
        entries.append(said)
    return entries


def in_the_audit_log(entries: list[dict[str, Any]]) -> None:
    """Keep nothing beside the note that every request leaves in the audit log."""


@dataclass(frozen=True)
class FeedbackFile:
    """A file to which entries are added, one JSON object a line; nothing in it is changed.

    Parameters
    ----------
    path : Path

    Raises
    ------
    LnriskError
        When it cannot be written.
    """

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        try:
            self([])
        except OSError as error:
            raise LnriskError(f"{self.path}: cannot be written: {error.strerror}") from error

    def __call__(self, entries: list[dict[str, Any]]) -> None:
        """Add entries; they are on the disk when this returns."""
        lines = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries)
        with self._lock:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
