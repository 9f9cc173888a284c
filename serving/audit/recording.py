"""Records each request that sends something: nothing leaves before its entry is on the disk.

Assumes that answers depend on the request, the model and the moment alone; the entry holds all that
a replay needs, the input only by its hash. Where the log cannot be written there is no answer.
"""

import asyncio
import datetime
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import __version__
from ...model.artifact import RiskModel
from ..guard.access_log import NO_ROUTE, route_of
from ..guard.headers import header
from ..problems import Problem, problem_response
from .archive import Archive
from .chain import AuditError
from .journal import Journal, about, keeping
from .log import AuditLog, timestamp

__all__ = ["IDENTIFIER_HEADER", "KEPT_HEADERS", "Recorder", "Recording"]

IDENTIFIER_HEADER = b"x-patient-identifier"
KEPT_HEADERS = ("accept", "accept-language", "content-type", "host", "origin")
"""Request headers that an answer may depend on."""

LONGEST_HEADER = 200
READINESS = "/readyz"
HELD_BYTES = 1 << 16
"""A stream leaves in parts of this size, each after its entry."""

Noted = Callable[[list[dict[str, Any]]], None]


@dataclass(frozen=True)
class Recorder:
    """Where and how requests are recorded.

    Parameters
    ----------
    model : RiskModel
    log : AuditLog or None
        Without one, answers are only counted.
    archive : Archive or None
        Where inputs are kept, if at all.
    pseudonym : callable or None
        As in `Journal`.
    silent : bool
        Whether answers are withheld; the log says so.
    noted : callable
        Told of every note, to count it.
    failed : callable
        Told when the log could not be written.
    """

    model: RiskModel
    log: AuditLog | None = None
    archive: Archive | None = None
    pseudonym: Callable[[str], str] | None = None
    silent: bool = False
    noted: Noted = lambda notes: None
    failed: Callable[[], None] = lambda: None

    async def write(self, entry: dict[str, Any], content: bytes | None) -> None:
        """Write an entry, and keep the input first where that is wanted."""
        if self.log is None:
            return
        try:
            if content is not None and self.archive is not None:
                await asyncio.to_thread(self.archive.keep_input, content)
            await asyncio.shield(asyncio.wrap_future(self.log.submit(entry)))
        except AuditError:
            self.failed()
            raise


@dataclass
class _Exchange:
    """What is known of one request and its answer."""

    received: datetime.datetime
    keep: bool
    name: str = field(default_factory=lambda: os.urandom(16).hex())
    body: bytearray = field(default_factory=bytearray)
    asked: Any = field(default_factory=hashlib.sha256)
    asked_bytes: int = 0
    asked_whole: bool = False
    answered: Any = field(default_factory=hashlib.sha256)
    answered_bytes: int = 0
    held: bytearray = field(default_factory=bytearray)
    start: Message | None = None
    started: bool = False
    finished: bool = False

    def take_in(self, message: Message) -> None:
        if message["type"] != "http.request":
            return
        part = message.get("body", b"")
        self.asked.update(part)
        self.asked_bytes += len(part)
        self.asked_whole = not message.get("more_body")
        if self.keep:
            self.body += part

    def give_out(self, message: Message) -> None:
        part = message.get("body", b"")
        self.answered.update(part)
        self.answered_bytes += len(part)
        self.held += part
        self.finished = not message.get("more_body")

    @property
    def content(self) -> bytes | None:
        """The whole input, where it is to be kept."""
        return bytes(self.body) if self.keep and self.asked_whole else None

    def entry(self, recorder: Recorder, scope: Scope) -> dict[str, Any]:
        """Return the entry of the request, but for its notes."""
        state, known = scope.get("state", {}), route_of(scope) != NO_ROUTE
        kept = {name: header(scope, name.encode()) for name in KEPT_HEADERS}
        return {
            "kind": "answer",
            "exchange": self.name,
            "received": timestamp(self.received),
            "who": state.get("who", "-"),
            "request": state.get("request_id", self.name),
            "method": scope["method"],
            "route": route_of(scope),
            "path": scope["path"] if known else None,
            "scheme": scope.get("scheme", "http"),
            "headers": {name: text[:LONGEST_HEADER] for name, text in kept.items() if text},
            "status": self.start["status"] if self.start else None,
            "model": recorder.model.sha256,
            "definition": (f"{recorder.model.definition.name} {recorder.model.definition.version}"),
            "software": __version__,
            "input": {
                "sha256": self.asked.hexdigest(),
                "bytes": self.asked_bytes,
                "whole": self.asked_whole,
                "archived": recorder.archive is not None and self.asked_whole,
            },
            "answer": {"sha256": self.answered.hexdigest(), "bytes": self.answered_bytes},
            "complete": self.finished,
            "shown": not recorder.silent,
        }


@dataclass(frozen=True)
class Recording:
    """Records what goes in and out.

    Parameters
    ----------
    app : ASGI application
    recorder : Recorder
    """

    app: ASGIApp
    recorder: Recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and record before anything leaves."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            if scope.get("path") == READINESS and not await self._log_works():
                refusal = Problem(503, "The audit log cannot be written.")
                return await problem_response(refusal)(scope, receive, send)
            return await self.app(scope, receive, send)
        moment = _to_milliseconds(datetime.datetime.now(tz=datetime.UTC))
        recorder = self.recorder
        exchange = _Exchange(moment, recorder.archive is not None and recorder.log is not None)
        journal = Journal(moment, recorder.pseudonym)

        async def hears() -> Message:
            message = await receive()
            exchange.take_in(message)
            return message

        async def record(kind: str) -> None:
            notes = journal.take()
            recorder.noted(notes)
            if recorder.log is None:
                return
            entry = {**exchange.entry(recorder, scope), "kind": kind, "notes": notes}
            whole = exchange.content if kind == "answer" else None
            await recorder.write(entry, whole)

        async def says(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.start = message
                return
            exchange.give_out(message)
            if not exchange.finished and len(exchange.held) < HELD_BYTES:
                return
            if exchange.finished or journal.notes:
                await record("answer" if exchange.finished else "part")
            if not exchange.started and exchange.start is not None:
                exchange.started = True
                await send(exchange.start)
            body, exchange.held = bytes(exchange.held), bytearray()
            more = not exchange.finished
            await send({"type": "http.response.body", "body": body, "more_body": more})

        identifier = header(scope, IDENTIFIER_HEADER)
        try:
            with keeping(journal), about(*([identifier] if identifier else [])):
                await self.app(scope, hears, says)
        except AuditError:
            if exchange.started:
                raise
            scope.setdefault("state", {})["refused"] = "audit"
            unlogged = Problem(503, "No answer is given that cannot be recorded.")
            return await problem_response(unlogged)(scope, receive, send)
        except BaseException:  # a call that fails or is cancelled has its entry too, and goes on
            if not exchange.finished:
                await record("answer")
            raise
        if not exchange.finished:
            await record("answer")
        return None

    async def _log_works(self) -> bool:
        log = self.recorder.log
        return log is None or await asyncio.to_thread(lambda: log.works)


def _to_milliseconds(moment: datetime.datetime) -> datetime.datetime:
    """Return the moment as an entry can hold it, so that a replay sees the same."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
