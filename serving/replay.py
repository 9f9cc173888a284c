"""Past answers again: the archived input, asked of the archived model, at the logged moment.

Assumes that the software is the same; where another version gives another answer, the difference is
said and the versions with it. Nothing is recorded.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from .. import __version__
from .app import create_app
from .audit.answered import Answered, answered
from .audit.archive import Archive
from .audit.chain import AuditError
from .audit.journal import Journal, about, keeping
from .audit.verify import entries
from .feedback import in_the_audit_log
from .guard.access_log import Failures
from .settings import Settings

__all__ = ["Replayed", "replay"]

NOTED_SINCE = ("landmark",)
"""What older logs do not say of each answer, so that its absence is no difference."""


@dataclass(frozen=True)
class Replayed:
    """What became of one entry.

    Parameters
    ----------
    number : int
    equal : bool or None
        None where there is nothing to replay; `said` tells why.
    said : tuple of str
        What differs, or why there is no answer.
    answer : bytes
        Given this time.
    """

    number: int
    equal: bool | None
    said: tuple[str, ...] = ()
    answer: bytes = field(default=b"", repr=False)


class Answers:
    """The applications of archived models, each made once."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._apps: dict[str, ASGIApp] = {}

    def of(self, sha256: str) -> ASGIApp:
        """Return the application of a model."""
        if sha256 not in self._apps:
            settings = Settings(feedback=in_the_audit_log)
            self._apps[sha256] = Failures(create_app(self.archive.model(sha256), settings))
        return self._apps[sha256]


def replay(log: Path, number: int | None = None) -> Iterator[Replayed]:
    """Yield each past answer, or one, with whether it is the same again.

    Parameters
    ----------
    log : Path
        The folder, or one of its files.
    number : int, optional
        Of one entry.

    Raises
    ------
    AuditError
        When the log was changed, or has no such answer.
    """
    answers = Answers(Archive(log if log.is_dir() else log.parent))
    parts: dict[str, list[dict[str, Any]]] = {}
    found = False
    for entry in entries(log):
        if entry.kind not in ("part", "answer"):
            continue
        said = answered(entry)
        notes = parts.setdefault(said.exchange, [])
        notes.extend(said.notes)
        if entry.kind == "answer":
            del parts[said.exchange]
            if number in (None, entry.head.number):
                found = True
                yield _replay(entry.head.number, said, notes, answers)
    if number is not None and not found:
        raise AuditError(f"{log}: entry {number} is no answer of this log.")


def _replay(number: int, said: Answered, was: list[dict[str, Any]], answers: Answers) -> Replayed:
    content = b""
    if not said.input.whole:
        return Replayed(number, None, ("the request was not read to its end",))
    if said.path is None:
        return Replayed(number, None, ("asked for an address that does not exist",))
    if not said.complete:
        return Replayed(number, None, ("the answer was cut short",))
    try:
        if said.input.bytes:
            content = answers.archive.input(said.input.sha256)
        app = answers.of(said.model)
    except AuditError as error:
        return Replayed(number, None, (str(error),))
    with keeping(Journal(said.received)) as journal, about():
        status, body = asyncio.run(_ask(app, said, said.path, content))
    differences = list(_differences(said, was, status, body, journal.take()))
    if differences and said.software != __version__:
        differences.append(f"answered by lnrisk {said.software}, replayed by {__version__}")
    return Replayed(number, not differences, tuple(differences), body)


def _differences(
    said: Answered,
    was: list[dict[str, Any]],
    status: int,
    body: bytes,
    notes: list[dict[str, Any]],
) -> Iterator[str]:
    if status != said.status:
        yield f"status {status}, was {said.status}"
    if len(notes) != len(was):
        yield f"{len(notes)} notes, were {len(was)}"
    for number, (now, note) in enumerate(zip(notes, was, strict=False), start=1):
        then = _without_subject(note)
        now = {key: now[key] for key in now if key in then or key not in NOTED_SINCE}
        changed = sorted(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
        if changed:
            yield f"note {number}: other {', '.join(changed)}"
    if hashlib.sha256(body).hexdigest() != said.answer.sha256:
        yield f"another answer: {len(body)} bytes, were {said.answer.bytes}"


def _without_subject(note: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in note.items() if key != "subject"}


async def _ask(app: ASGIApp, said: Answered, path: str, content: bytes) -> tuple[int, bytes]:
    """Put a logged request to an application, in this process."""
    headers = [(name.encode(), text.encode("latin-1")) for name, text in said.headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": said.method,
        "scheme": said.scheme,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            *headers,
            (b"content-length", str(len(content)).encode()),
            (b"x-request-id", said.request.encode()),
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
        "state": {"who": said.who},
    }
    status, body, asked = 0, bytearray(), False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return status, bytes(body)
