"""CDS Hooks 2.0: a card with risk and rule when a patient's record is opened.

Assumes that the client sends what the prefetch templates ask for; the service asks no FHIR server
itself. Where something is missing, or is one page of several, the answer is 412, since a risk on
part of a record would be a risk of somebody else.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from ..features.errors import RegistryError
from ..features.sources.codes import load_codes
from ..features.sources.fhir_source import resources_of
from ..model.artifact import RiskModel
from .audit.journal import note, now
from .cds_cards import card_of
from .feedback import Feedback, kept
from .fhir import json_of
from .from_fhir import RecordError, Resource, assess_record
from .problems import FieldError, Problem, documented, pointer
from .settings import Settings
from .work import Work

__all__ = ["SERVICE", "SERVICE_PATH", "prefetch_templates", "router"]

SERVICE = "ln-refractory-risk"
SERVICE_PATH = f"/cds-services/{SERVICE}"
NEEDED = ("patient", "observations", "medications", "procedures", "reports")
OF_PATIENT = "patient={{context.patientId}}"
_SYSTEMS = {"loinc": "http://loinc.org", "snomed": "http://snomed.info/sct"}


def _tokens(kinds: tuple[str, ...], system: str) -> str:
    codes = sorted({code for kind in kinds for code in load_codes().codes_of(kind, system)})
    return ",".join(f"{_SYSTEMS[system]}|{code}" for code in codes)


@cache
def prefetch_templates() -> dict[str, str]:
    """Return what a client is asked to send, by key.

    Infusions are best told by administrations, and the end of the kidneys by conditions; they are
    read where they are sent, and not needed.
    """
    observed = _tokens(("analyte",), "loinc")
    done = _tokens(("procedure",), "snomed")
    return {
        "patient": "Patient/{{context.patientId}}",
        "observations": f"Observation?{OF_PATIENT}&code={observed}",
        "medications": f"MedicationRequest?{OF_PATIENT}",
        "procedures": f"Procedure?{OF_PATIENT}&code={done}",
        "reports": f"DiagnosticReport?{OF_PATIENT}&code={done}",
        "administrations": f"MedicationAdministration?{OF_PATIENT}",
        "conditions": f"Condition?{OF_PATIENT}",
    }


class Context(BaseModel):
    """Who looks at whom."""

    model_config = ConfigDict(extra="ignore")

    patientId: Annotated[str, Field(min_length=1, max_length=128)]
    userId: str = ""


class HookRequest(BaseModel):
    """A call of the service."""

    model_config = ConfigDict(extra="ignore")

    hook: Literal["patient-view"]
    hookInstance: UUID
    context: Context
    prefetch: dict[str, dict[str, Any] | None] = Field(default_factory=dict)


class Card(BaseModel):
    """An information card."""

    uuid: UUID
    summary: Annotated[str, Field(max_length=139)]
    detail: str
    indicator: Literal["info"]
    source: dict[str, str]
    links: list[dict[str, str]]
    overrideReasons: list[dict[str, str]]


class Cards(BaseModel):
    """The answer: one card, or none where the patient has nothing to do with the question."""

    cards: list[Card]


class Service(BaseModel):
    """What the service is and what it needs."""

    hook: str
    id: str
    title: str
    description: str
    prefetch: dict[str, str]
    usageRequirements: str


class Services(BaseModel):
    """The services of this address."""

    services: list[Service]


def _discovery() -> Services:
    return Services(
        services=[
            Service(
                hook="patient-view",
                id=SERVICE,
                title="Early risk of refractory lupus nephritis",
                description="Calibrated risk of refractory lupus nephritis beside what the "
                "rule-based definition says, with reasons. Information only.",
                prefetch=prefetch_templates(),
                usageRequirements="Send every prefetch key up to `reports`, all pages in one "
                "Bundle; `administrations` and `conditions` where the client has them.",
            )
        ]
    )


def _prefetched(asked: HookRequest) -> Iterator[tuple[str, Resource]]:
    """Yield the resources of a call.

    Raises
    ------
    Problem
        412 where something that is needed was not sent, 400 where it is of another patient.
    """
    lacking = [key for key in NEEDED if key not in asked.prefetch]
    if asked.prefetch.get("patient", {}) is None:
        lacking.append("patient")
    if lacking:
        raise Problem(412, f"The prefetch lacks {', '.join(lacking)}.")
    for key in prefetch_templates():
        content = asked.prefetch.get(key)
        if content is None:
            continue
        try:
            found = list(resources_of(content))
        except RegistryError as error:
            raise Problem(412, f"The prefetch {key} cannot be used: {error}") from error
        for url, resource in found:
            if resource.get("resourceType") == "OperationOutcome" and _failed(resource):
                raise Problem(412, f"The prefetch {key} is an OperationOutcome.")
            patient = resource.get("resourceType") == "Patient"
            if patient and resource.get("id") != asked.context.patientId:
                raise Problem(400, "The Patient of the prefetch is not that of the context.")
            yield url, resource


def _failed(outcome: Mapping[str, Any]) -> bool:
    """Return whether an OperationOutcome tells of a failure, not of a hint beside results."""
    issues = outcome.get("issue")
    severities = [
        issue.get("severity")
        for issue in (issues if isinstance(issues, list) else ())
        if isinstance(issue, Mapping)
    ]
    return not severities or bool({"error", "fatal"} & {*map(str, severities)})


def _parsed(body: bytes, kind: type[Any]) -> Any:
    try:
        return kind.model_validate(json_of(body))
    except ValidationError as error:
        errors = [
            FieldError(pointer=pointer(each["loc"]), detail=str(each["msg"]))
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise Problem(422, f"{len(errors)} fields are not accepted.", errors) from error
    except ValueError as error:
        raise Problem(400, f"The body is not JSON: {error}.") from error


def _body(kind: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    schema = kind.model_json_schema()
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _inlined(schema, schema), "example": example}
            },
        }
    }


def _inlined(part: Any, schema: Mapping[str, Any]) -> Any:
    """Return a JSON schema without references, so that it can stand inside another document."""
    if isinstance(part, list):
        return [_inlined(each, schema) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(schema["$defs"][part["$ref"].rsplit("/", 1)[1]], schema)
    return {key: _inlined(value, schema) for key, value in part.items() if key != "$defs"}


_CALL: dict[str, Any] = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/example", "patientId": "example"},
    "prefetch": {
        "patient": {
            "resourceType": "Patient",
            "id": "example",
            "gender": "female",
            "birthDate": "1991-04-12",
        },
        **{key: {"resourceType": "Bundle", "type": "searchset"} for key in NEEDED[1:]},
    },
}
_BACK = {
    "feedback": [
        {
            "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
            "outcome": "overridden",
            "overrideReason": {"reason": {"code": "known", "system": "urn:lnrisk:override-reason"}},
            "outcomeTimestamp": "2024-09-02T10:05:31Z",
        }
    ]
}
_BARE: dict[int | str, dict[str, Any]] = {401: {"description": "The client is not believed."}}


def _answered(
    model: RiskModel, asked: HookRequest, resources: list[tuple[str, Resource]], page: str
) -> Response:
    try:
        record = assess_record(model, resources, now().date())
    except RecordError as error:
        raise Problem(422, str(error)) from error
    uuid = uuid5(NAMESPACE_URL, f"{asked.hookInstance}/{model.sha256}/{now().isoformat()}")
    card = card_of(record, uuid, page)
    cards = [] if card is None else [card]
    if cards:
        note({"note": "card", "card": str(uuid)})
    body = json.dumps({"cards": cards}, ensure_ascii=False).encode()
    return Response(body, media_type="application/json")


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    work = Work(settings.longest_seconds)
    discovery = _discovery()

    @routes.get("/cds-services")
    async def services() -> Services:
        """List the services, and what each needs."""
        return discovery

    @routes.post(
        SERVICE_PATH,
        response_class=Response,
        responses={
            200: {"model": Cards, "description": "One information card, or none."},
            **_BARE,
            **documented(400, 412, 413, 422, 504),
        },
        openapi_extra=_body(HookRequest, _CALL),
    )
    async def service(request: Request) -> Response:
        """Answer a patient-view with risk and rule as an information card."""
        asked = _parsed(await request.body(), HookRequest)
        resources = list(_prefetched(asked))
        if len(resources) > settings.most_rows:
            text = f"{len(resources)} resources; at most {settings.most_rows} are accepted."
            raise Problem(413, text)
        return await work.run(partial(_answered, model, asked, resources, str(request.base_url)))

    @routes.post(
        f"{SERVICE_PATH}/feedback",
        response_class=Response,
        status_code=200,
        responses={
            200: {"description": "It is kept."},
            **_BARE,
            **documented(400, 404, 413, 422, 503),
        },
        openapi_extra=_body(Feedback, _BACK),
    )
    async def feedback(request: Request) -> Response:
        """Keep what became of a card: its uuid, outcome, time and reason, no comment."""
        entries = kept(_parsed(await request.body(), Feedback))
        if settings.feedback is None:
            raise Problem(404, "This service was started without a place to keep feedback.")
        try:
            settings.feedback(entries)
        except OSError as error:
            raise Problem(503, "The feedback cannot be kept now.") from error
        note(*({"note": "feedback", **entry} for entry in entries))
        return Response(status_code=200)

    return routes
