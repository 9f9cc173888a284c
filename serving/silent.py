"""Silent mode: a site that is still evaluating scores and logs, and is shown nothing.

Every successful answer to what was sent is replaced by one of the same interface that says so; what
is wrong with a request is still said, since that tells of the request and not of the patient. The
risk is in the audit log, where `lnrisk monitor` reads it.
"""

import json
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SILENT", "Silent", "silent_answer"]

SILENT = (
    "Recorded. This site is evaluating the model in silence: risk and rule are logged and not "
    "shown."
)
JSON, HTML, FHIR = "application/json", "text/html; charset=utf-8", "application/fhir+json"
SHOWN = ("/feedback",)
"""How routes end whose answers hold nothing about a patient."""

PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>lnrisk</title>'
    f"<main><h1>lnrisk</h1><p>{SILENT}</p></main></html>"
)


def silent_answer(route: str, accept: str) -> tuple[str, bytes]:
    """Return media type and body of what is shown instead.

    Parameters
    ----------
    route : str
        Template of the route that answered.
    accept : str
        The request's Accept header.

    Examples
    --------
    >>> silent_answer("/cds-services/{service}", "")[1]
    b'{"cards": []}'
    """
    if route.startswith("/cds-services"):
        return JSON, _json({"cards": []})
    if route.startswith("/fhir"):
        issue = {"severity": "information", "code": "suppressed", "diagnostics": SILENT}
        return FHIR, _json({"resourceType": "OperationOutcome", "issue": [issue]})
    if route.startswith("/v2/"):
        silence = {"status": "silent", "detail": SILENT}
        named = {"model_name": "lnrisk", "model_version": ""}
        return JSON, _json({**named, "parameters": silence, "outputs": []})
    if not route.startswith("/v1/") and "text/html" in accept:
        return HTML, PAGE.encode()
    return JSON, _json({"status": "silent", "detail": SILENT})


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


@dataclass(frozen=True)
class Silent:
    """Withholds successful answers to requests that send something.

    Parameters
    ----------
    app : ASGI application
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and withhold."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        withheld = False

        async def instead(message: Message) -> None:
            nonlocal withheld
            if message["type"] == "http.response.start":
                route = str(getattr(scope.get("route"), "path", ""))
                withheld = message["status"] < 300 and not route.endswith(SHOWN)
                if not withheld:
                    await send(message)
            elif not withheld:
                await send(message)
            elif not message.get("more_body"):
                await _say(scope, send)

        return await self.app(scope, receive, instead)


async def _say(scope: Scope, send: Send) -> None:
    accept = next((v for k, v in scope["headers"] if k == b"accept"), b"").decode("latin-1")
    kind, body = silent_answer(str(getattr(scope.get("route"), "path", "")), accept)
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-lnrisk-mode", b"silent"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
