"""The OpenAPI description and the service agree: no 5xx, no answer that is not described."""

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from lnrisk.serving.app import create_app
from lnrisk.serving.settings import Settings
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

APP = create_app(small_model(), Settings(most_patients=3, most_rows=200))
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


@schema.parametrize()
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case):
    case.call_and_validate(checks=CHECKS)


def test_every_field_of_a_request_says_what_it_is():
    description = APP.openapi()
    assert description["openapi"].startswith("3.1")
    parts = description["components"]["schemas"]
    for name in ("PatientRow", "MeasurementRow", "TreatmentRow", "AdherenceRow"):
        for field, content in parts[name]["properties"].items():
            said = content.get("description") or content.get("enum") or content.get("anyOf")
            assert said, f"{name}.{field}"
    assert "UCUM" in parts["MeasurementRow"]["properties"]["unit"]["description"]
