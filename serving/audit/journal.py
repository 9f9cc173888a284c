"""What one request found out about patients, on its way from the assessment to the audit log.

Every interface answers through `lnrisk.serving.assessment.assess`, which notes each answer here; so
an interface needs to do nothing to be audited, counted and replayable. Outside a request that is
recorded, notes go nowhere.

An interface that was told whom it is about says so, for one patient or for several in order::

    with about(identifier):
        answers = assess(model, registry, as_of)

and one that needs the time of day asks `now`, so that a replay gives the same answer.
"""

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ..assessment import Assessment

__all__ = [
    "Journal",
    "about",
    "keeping",
    "named",
    "note",
    "note_assessments",
    "note_columns",
    "now",
]

_journal: ContextVar["Journal | None"] = ContextVar("journal", default=None)
_identifiers: ContextVar[tuple[str, ...]] = ContextVar("identifiers", default=())


@dataclass
class Journal:
    """The notes of one request.

    Parameters
    ----------
    moment : datetime
        When the request came in.
    pseudonym : callable or None
        Makes a keyed hash of an identifier; None where identifiers are not to be kept in any form.
    notes : list of dict
        JSON values, one for each patient assessed and each feedback.
    """

    moment: datetime.datetime
    pseudonym: Callable[[str], str] | None = None
    notes: list[dict[str, Any]] = field(default_factory=list)

    def take(self) -> list[dict[str, Any]]:
        """Return the notes so far, and begin anew."""
        notes, self.notes = self.notes, []
        return notes


@contextmanager
def keeping(journal: Journal) -> Iterator[Journal]:
    """Collect in a journal what is noted inside."""
    token = _journal.set(journal)
    try:
        yield journal
    finally:
        _journal.reset(token)


@contextmanager
def about(*identifiers: str | None) -> Iterator[None]:
    """Say which patients are assessed inside, in order; None for one who was not named."""
    token = _identifiers.set(tuple(each or "" for each in identifiers))
    try:
        yield
    finally:
        _identifiers.reset(token)


@contextmanager
def named(identifier: str | None) -> Iterator[None]:
    """Say which patient is assessed inside, where one is named; else whoever was said before."""
    if identifier is None:
        yield
        return
    with about(identifier):
        yield


def now() -> datetime.datetime:
    """Return the moment at which the current request came in; UTC."""
    journal = _journal.get()
    return journal.moment if journal else datetime.datetime.now(tz=datetime.UTC)


def note(*found: dict[str, Any]) -> None:
    """Note what was found out; with a pseudonym where it is known about whom, and there is a key.

    Parameters
    ----------
    *found : dict
        JSON values, one for each patient.
    """
    journal = _journal.get()
    if journal is None:
        return
    named = _identifiers.get()
    subjects: Sequence[str] = named if len(named) == len(found) else [""] * len(found)
    for each, identifier in zip(found, subjects, strict=True):
        known = identifier and journal.pseudonym
        journal.notes.append({**each, "subject": known(identifier)} if known else each)


def note_assessments(
    answers: "Sequence[Assessment]",
    names: Sequence[str],
    values: Callable[[], npt.NDArray[np.float64]],
) -> None:
    """Note assessments with what the model saw.

    Parameters
    ----------
    answers : sequence of Assessment
    names : sequence of str
        Of the model's terms.
    values : callable
        Gives their values, shape (n_patients, n_terms), nan where missing; kept only of who was
        given a risk by the model.
    """
    if _journal.get() is None:
        return
    note(
        *(
            {
                "note": "assessment",
                "as_of": answer.as_of.isoformat(),
                "landmark": answer.landmark.day if answer.landmark else None,
                "status": answer.status,
                "risk": answer.risk,
                "lower": answer.interval.lower if answer.interval else None,
                "upper": answer.interval.upper if answer.interval else None,
                "verdict": answer.label.verdict,
                **({"terms": _terms(names, row)} if answer.status == "ok" else {}),
            }
            for answer, row in zip(answers, values(), strict=True)
        )
    )


def note_columns(
    status: Sequence[str],
    figures: Sequence[npt.NDArray[np.float64]],
    names: Sequence[str],
    values: Callable[[], npt.NDArray[np.float64]],
    landmarks: Callable[[], Sequence[int | None]],
) -> None:
    """Note rows of features that were scored: of nobody in particular, as of today.

    Parameters
    ----------
    status : sequence of str
    figures : three ndarray of float, shape (n_rows,)
        Risk, lower and upper end; nan where there is none.
    names : sequence of str
        Of the model's terms.
    values : callable
        Gives their values, shape (n_rows, n_terms), nan where missing.
    landmarks : callable
        Gives the day after the index date that each row's risk rests on; None where there is none.
    """
    if _journal.get() is None:
        return
    day = now().date().isoformat()
    plain = [[each if isfinite(each) else None for each in part.tolist()] for part in figures]
    note(
        *(
            {
                "note": "assessment",
                "as_of": day,
                "landmark": landmark,
                "status": said,
                "risk": risk,
                "lower": lower,
                "upper": upper,
                "verdict": "",
                **({"terms": _terms(names, row)} if said == "ok" else {}),
            }
            for said, risk, lower, upper, row, landmark in zip(
                status, *plain, values(), landmarks(), strict=True
            )
        )
    )


def _terms(names: Sequence[str], row: npt.NDArray[np.float64]) -> dict[str, float | None]:
    finite = zip(names, row.tolist(), np.isfinite(row).tolist(), strict=True)
    return {name: value if there else None for name, value, there in finite}
