"""One line per request, and failures without their words: no patient value reaches a log.

A line names the route, not the address that was asked, since an address may hold anything; and an
exception is logged by kind and place, since its message may quote what was sent.
"""

import logging
import time
import traceback
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import Problem, problem_response

__all__ = ["AccessLog", "Failures", "failures", "place_of", "route_of"]

NO_ROUTE = "(no such address)"
logger = logging.getLogger("lnrisk.access")
failures = logging.getLogger("lnrisk.failures")


def route_of(scope: Scope) -> str:
    """Return the template of the route that answered."""
    return str(getattr(scope.get("route"), "path", "")) or NO_ROUTE


@dataclass(frozen=True)
class AccessLog:
    """Logs method, route, status, duration, who asked, and the request's identifier."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and log."""
        if scope["type"] != "http" or not logger.isEnabledFor(logging.INFO):
            return await self.app(scope, receive, send)
        began, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            state = scope.get("state", {})
            logger.info(
                "%s %s %s %.1fms who=%s request=%s",
                scope["method"],
                route_of(scope),
                status or "aborted",
                (time.perf_counter() - began) * 1000,
                state.get("who", "-"),
                state.get("request_id", "-"),
            )


def place_of(error: BaseException) -> str:
    """Return where an exception came from, innermost last: files and lines, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)


@dataclass(frozen=True)
class Failures:
    """Answers an exception that nobody expected with a bare 500, and logs its kind and place."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = finished = False

        async def watched(message: Message) -> None:
            nonlocal started, finished
            started = True
            finished = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:  # the last place that can keep its words out of the logs
            scope.setdefault("state", {})["refused"] = "failure"
            failures.error(
                "%s %s: %s at %s, request=%s",
                scope["method"],
                route_of(scope),
                type(error).__name__,
                place_of(error),
                scope["state"].get("request_id", "-"),
            )
            if not started:
                detail = "The service failed; the request's identifier is in its log."
                await problem_response(Problem(500, detail))(scope, receive, send)
            elif not finished:
                raise ConnectionAbortedError("cut short, see lnrisk.failures") from None
