"""What an entry about a request must hold, so that whoever reads the log can rely on it.

Assumes nothing about who wrote the entry: a right hash says that it was not changed since, not that
it makes sense.
"""

import datetime
import json
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from .chain import AuditError, Entry

__all__ = ["Answered", "Assessed", "answered", "assessed"]

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Sent(_Part):
    """What came in."""

    sha256: Digest
    bytes: Annotated[int, Field(ge=0)]
    whole: bool


class Given(_Part):
    """What went out."""

    sha256: Digest
    bytes: Annotated[int, Field(ge=0)]


class Answered(_Part):
    """An entry of kind ``answer`` or ``part``."""

    exchange: str
    received: AwareDatetime
    who: str
    request: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    method: Annotated[str, Field(pattern=r"^[A-Z]{1,20}$")]
    path: Annotated[str, Field(pattern=r"^/")] | None
    scheme: Literal["http", "https"]
    headers: dict[Annotated[str, Field(pattern=r"^[a-z-]{1,40}$")], str]
    status: int | None
    model: Digest
    software: str
    input: Sent
    answer: Given
    complete: bool
    shown: bool
    notes: list[dict[str, Any]]

    @field_validator("headers")
    @classmethod
    def _as_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for text in headers.values():
            text.encode("latin-1")
        return headers


class Assessed(_Part):
    """A note of an assessment."""

    as_of: Annotated[
        datetime.date, Field(ge=datetime.date(1900, 1, 1), le=datetime.date(2199, 12, 31))
    ]
    status: str
    risk: Probability | None
    verdict: str
    landmark: Annotated[int, Field(ge=0, le=100_000)] | None = None
    subject: str | None = None
    terms: dict[str, Annotated[float, Field(allow_inf_nan=False)] | None] = {}


def answered(entry: Entry) -> Answered:
    """Return what an entry about a request says.

    Raises
    ------
    AuditError
        Names the first field that is not as it should be, or says that a text is no Unicode: JSON
        can hold half of a surrogate pair, which tables cannot.
    """
    try:
        json.dumps(entry.content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise AuditError(f"entry {entry.head.number}: holds text that is no Unicode.") from error
    try:
        return Answered.model_validate(entry.content)
    except ValidationError as error:
        raise _said(entry, error) from error


def assessed(entry: Entry, note: dict[str, Any]) -> Assessed:
    """Return what a note of an assessment says.

    Raises
    ------
    AuditError
        Names the first field that is not as it should be.
    """
    try:
        return Assessed.model_validate(note)
    except ValidationError as error:
        raise _said(entry, error) from error


def _said(entry: Entry, error: ValidationError) -> AuditError:
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"])
    return AuditError(f"entry {entry.head.number}: {where}: {found['msg']}")
