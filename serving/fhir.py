"""``POST /fhir/$assess``: one patient as a FHIR R4 Bundle in, a RiskAssessment out.

Assumes that the Bundle holds the whole record that is to be looked at. The day asked about is
today, or the ``asOf`` of a Parameters resource; errors are OperationOutcomes.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..model.artifact import RiskModel
from .audit.journal import now
from .from_fhir import RecordError, asked_of, assess_record, resources_in
from .problems import Problem, documented
from .risk_assessment import risk_assessment
from .settings import Settings
from .work import Work

__all__ = ["MEDIA_TYPE", "json_of", "router"]

MEDIA_TYPE = "application/fhir+json"
_ISSUES = {400: "structure", 413: "too-costly", 415: "not-supported", 504: "timeout"}


class _Refusal(Exception):
    """An error to be answered as an OperationOutcome."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code = status, code


def _answer(content: Mapping[str, Any], status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    return Response(body, status, media_type=MEDIA_TYPE)


def _outcome(refusal: _Refusal) -> Response:
    issue = {"severity": "error", "code": refusal.code, "diagnostics": str(refusal)}
    return _answer({"resourceType": "OperationOutcome", "issue": [issue]}, refusal.status)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def json_of(body: bytes) -> Any:
    """Return the JSON of a body.

    Raises
    ------
    ValueError
        When it is none, or is nested too deeply.
    """
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


_BUNDLE = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": {"type": "string", "enum": ["Bundle", "Parameters"]}},
}
_EXAMPLE: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "asOf", "valueDate": "2024-08-26"},
        {
            "name": "bundle",
            "resource": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [
                    {
                        "resource": {
                            "resourceType": "Patient",
                            "id": "example",
                            "gender": "female",
                            "birthDate": "1991-04-12",
                        }
                    },
                    {
                        "resource": {
                            "resourceType": "MedicationRequest",
                            "id": "mmf",
                            "status": "active",
                            "intent": "order",
                            "medicationCodeableConcept": {
                                "coding": [
                                    {
                                        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                                        "code": "68149",
                                    }
                                ]
                            },
                            "subject": {"reference": "Patient/example"},
                            "authoredOn": "2024-03-01",
                        }
                    },
                    {
                        "resource": {
                            "resourceType": "Observation",
                            "id": "upcr",
                            "status": "final",
                            "code": {"coding": [{"system": "http://loinc.org", "code": "2890-2"}]},
                            "subject": {"reference": "Patient/example"},
                            "effectiveDateTime": "2024-05-21",
                            "valueQuantity": {
                                "value": 2.9,
                                "system": "http://unitsofmeasure.org",
                                "code": "g/g",
                            },
                        }
                    },
                ],
            },
        },
    ],
}
_BODY = {"schema": _BUNDLE, "example": _EXAMPLE}
_OUTCOME_SCHEMA = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
}
_RISK_SCHEMA = {
    "type": "object",
    "required": ["resourceType", "status", "subject"],
    "properties": {
        "resourceType": {"const": "RiskAssessment"},
        "status": {"enum": ["final", "cancelled"]},
        "prediction": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "probabilityDecimal": {
                        "type": "number",
                        "minimum": 0,
                        "maximum": 100,
                        "description": "A percentage.",
                    }
                },
            },
        },
    },
}


def _documented() -> dict[int | str, dict[str, Any]]:
    def of(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}

    refused = {
        400: "The body is no JSON.",
        413: "More than this service accepts.",
        415: "Another media type than JSON.",
        422: "Not one patient who can be assessed.",
        504: "The answer took too long.",
    }
    answers: dict[int | str, dict[str, Any]] = {
        200: of("A RiskAssessment; without prediction where the model gives no risk.", _RISK_SCHEMA)
    }
    for status, text in refused.items():
        answers[status] = of(text, _OUTCOME_SCHEMA)
    answers[413]["content"].update(documented(413)[413]["content"])
    return answers


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the route."""
    routes = APIRouter()
    work = Work(settings.longest_seconds)

    async def assessed(request: Request) -> Response:
        kind = request.headers.get("content-type", MEDIA_TYPE).partition(";")[0].strip().lower()
        if kind not in (MEDIA_TYPE, "application/json"):
            raise _Refusal(415, "not-supported", f"expected {MEDIA_TYPE} or application/json.")
        try:
            content = json_of(await request.body())
        except ValueError as error:
            raise _Refusal(400, "structure", f"the body is not JSON: {error}.") from error
        try:
            bundle, day = asked_of(content)
            resources = resources_in(bundle, settings.most_rows)
            day = day or now().date()
            record = await work.run(partial(assess_record, model, resources, day))
        except RecordError as error:
            status = 413 if error.code == "too-costly" else 422
            raise _Refusal(status, error.code, str(error)) from error
        return _answer(risk_assessment(record))

    @routes.post(
        "/fhir/$assess",
        response_class=Response,
        responses=_documented(),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {MEDIA_TYPE: _BODY, "application/json": _BODY},
            }
        },
    )
    async def assess(request: Request) -> Response:
        """Assess the patient of a FHIR R4 Bundle, or of Parameters with `bundle` and `asOf`.

        `probabilityDecimal` is a percentage, 0 to 100, as FHIR asks for. Where the model gives no
        risk, `status` is `cancelled` and a note says why.
        """
        try:
            return await assessed(request)
        except _Refusal as refusal:
            return _outcome(refusal)
        except Problem as problem:
            code = _ISSUES.get(problem.status, "exception")
            return _outcome(_Refusal(problem.status, code, problem.detail))

    return routes
