"""Silent mode: a site that is still evaluating scores and logs, and is shown nothing.

Every successful answer to what was sent is replaced by one of the same interface that says so; what
is wrong with a request is still said, since that tells of the request and not of the patient. The
risk is in the audit log, where `lnrisk monitor` reads it.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SILENT", "Silent", "describe_silence", "silent_answer"]

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


class SilentAnswer(BaseModel):
    """What stands in place of an answer."""

    status: Literal["silent"] = "silent"
    detail: str = SILENT


class SilentCards(BaseModel):
    """No card."""

    cards: Annotated[list[Any], Field(max_length=0)] = []


class SilentIssue(BaseModel):
    """That the answer is suppressed."""

    severity: Literal["information"] = "information"
    code: Literal["suppressed"] = "suppressed"
    diagnostics: str = SILENT


class SilentOutcome(BaseModel):
    """An OperationOutcome in place of a RiskAssessment."""

    resourceType: Literal["OperationOutcome"] = "OperationOutcome"
    issue: Annotated[list[SilentIssue], Field(min_length=1, max_length=1)] = [SilentIssue()]


class SilentInference(BaseModel):
    """An inference without outputs."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: Literal["lnrisk"] = "lnrisk"
    model_version: Literal[""] = ""
    parameters: SilentAnswer = SilentAnswer()
    outputs: Annotated[list[Any], Field(max_length=0)] = []


_INTERFACES: tuple[tuple[str, str, BaseModel], ...] = (
    ("/cds-services", JSON, SilentCards()),
    ("/fhir", FHIR, SilentOutcome()),
    ("/v2/", JSON, SilentInference()),
)
"""How routes begin, with media type and content of what is shown instead."""


def _said(route: str) -> tuple[str, BaseModel]:
    for beginning, kind, content in _INTERFACES:
        if route.startswith(beginning):
            return kind, content
    return JSON, SilentAnswer()


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
    b'{"cards":[]}'
    """
    interface = route.startswith(("/v1/", *(beginning for beginning, _, _ in _INTERFACES)))
    if not interface and "text/html" in accept:
        return HTML, PAGE.encode()
    kind, content = _said(route)
    return kind, content.model_dump_json().encode()


def describe_silence(app: FastAPI) -> None:
    """Let the OpenAPI description say what a silent service answers to what is sent."""
    usual = app.openapi

    def described() -> dict[str, Any]:
        description = usual()
        schemas = description["components"]["schemas"]
        for route, methods in description["paths"].items():
            if "post" not in methods or route.endswith(SHOWN):
                continue
            kind, content = _said(route)
            name = type(content).__name__
            schema = type(content).model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= {**schema.pop("$defs", {}), name: schema}
            said = {"$ref": f"#/components/schemas/{name}"}
            methods["post"]["responses"]["200"] = {
                "description": SILENT,
                "headers": {"x-lnrisk-mode": {"schema": {"const": "silent"}, "required": True}},
                "content": {kind: {"schema": said, "example": content.model_dump()}},
            }
        return description

    app.openapi = described  # type: ignore[method-assign]


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
