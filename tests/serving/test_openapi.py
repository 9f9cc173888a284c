"""The OpenAPI description and the service agree: no 5xx, no answer that is not described.

A silent service is held to its own description, where it answers otherwise than one that shows.
"""

import json

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from lnrisk.serving.app import create_app
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.settings import Settings
from lnrisk.serving.silent import SILENT, silent_answer
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from served import small_model

MODEL, LIMITS = small_model(), Settings(most_patients=3, most_rows=200)
APP = create_app(MODEL, LIMITS)
SILENT_APP = create_app(MODEL, LIMITS)
OPERATED = operate(SILENT_APP, MODEL, Operation(allowed_hosts=("testserver",), silent=True))
CHECKS = (
    not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
schema = schemathesis.openapi.from_asgi("/openapi.json", APP)
silent = schemathesis.openapi.from_asgi("/openapi.json", OPERATED).include(method="POST")
FEW = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schema.parametrize()
@FEW
def test_every_answer_is_described(case):
    case.call_and_validate(checks=CHECKS)


@silent.parametrize()
@settings(FEW, max_examples=1)
def test_every_answer_of_a_silent_service_is_described(case):
    case.call_and_validate(checks=CHECKS)


def test_only_a_silent_service_describes_silence():
    for app, expected in ((APP, False), (SILENT_APP, True)):
        answer = app.openapi()["paths"]["/v1/risk"]["post"]["responses"]["200"]
        assert ("x-lnrisk-mode" in answer.get("headers", {})) == expected


def test_the_examples_of_silence_are_what_is_answered():
    for route, methods in SILENT_APP.openapi()["paths"].items():
        answer = methods.get("post", {}).get("responses", {}).get("200", {})
        if "headers" in answer:
            kind, body = silent_answer(route, "")
            assert answer["description"] == SILENT
            assert answer["content"][kind]["example"] == json.loads(body)


def test_every_field_of_a_request_says_what_it_is():
    description = APP.openapi()
    assert description["openapi"].startswith("3.1")
    parts = description["components"]["schemas"]
    for name in ("PatientRow", "MeasurementRow", "TreatmentRow", "AdherenceRow"):
        for field, content in parts[name]["properties"].items():
            said = content.get("description") or content.get("enum") or content.get("anyOf")
            assert said, f"{name}.{field}"
    assert "UCUM" in parts["MeasurementRow"]["properties"]["unit"]["description"]
