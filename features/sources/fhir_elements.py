"""Elements of FHIR R4 JSON, read without trusting their shape.

Assumes nothing of what it is given: an element of another type than R4's is read as absent, and a
date that does not say the day is no date.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..said import said

__all__ = [
    "codings",
    "date_of",
    "day_after",
    "elements",
    "first_date",
    "label_of",
    "number_of",
    "part",
]

Resource = Mapping[str, Any]

_WITHOUT_CODE = said("what_without_code", "without a code")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T.*)?", re.DOTALL)


def part(element: Any, *path: str) -> Any:
    """Return what is at a path of names, or None.

    Examples
    --------
    >>> part({"code": {"text": "UPCR"}}, "code", "text")
    'UPCR'
    >>> part({"code": ["UPCR"]}, "code", "text") is None
    True
    """
    for name in path:
        if not isinstance(element, Mapping):
            return None
        element = element.get(name)
    return element


def elements(element: Any, *path: str) -> list[Resource]:
    """Return the objects of a list at a path; anything else is left out."""
    found = part(element, *path)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def codings(concept: Any) -> Iterator[tuple[str, str, str]]:
    """Yield system, code and display of a CodeableConcept's codings."""
    for coding in elements(concept, "coding"):
        system, code, display = (coding.get(name) for name in ("system", "code", "display"))
        if isinstance(code, str):
            yield (
                system if isinstance(system, str) else "",
                code,
                display if isinstance(display, str) else "",
            )


def label_of(concept: Any) -> str:
    """Return a CodeableConcept as one would name it in a report: code and words."""
    text = part(concept, "text")
    for _, code, display in codings(concept):
        words = display or (text if isinstance(text, str) else "")
        return f"{code} {words}".strip()
    return text if isinstance(text, str) and text else _WITHOUT_CODE


def date_of(value: Any) -> str | None:
    """Return the day of a date or dateTime as YYYY-MM-DD, in its own time zone; else None.

    Examples
    --------
    >>> date_of("2020-03-01T23:30:00-05:00")
    '2020-03-01'
    >>> date_of("2020-03") is None
    True
    """
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.date.fromisoformat(match[1]).isoformat()
    except ValueError:
        return None


def first_date(resource: Resource, *names: str) -> str | None:
    """Return the day of the first element that has one; of a Period the end, else the start."""
    for name in names:
        value = resource.get(name)
        for candidate in (value, part(value, "end"), part(value, "start")):
            found = date_of(candidate)
            if found is not None:
                return found
    return None


def number_of(value: Any) -> float | None:
    """Return a JSON number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def day_after(date: str, days: int) -> str | None:
    """Return the date some days later, or None beyond the calendar."""
    try:
        return (datetime.date.fromisoformat(date) + datetime.timedelta(days=days)).isoformat()
    except OverflowError:
        return None
