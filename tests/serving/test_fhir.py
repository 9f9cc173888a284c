"""A Bundle in, a RiskAssessment out that keeps to R4; errors as OperationOutcomes."""

import json
import re
from pathlib import Path

import pytest
from client import Client
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.riskassessment import RiskAssessment
from hypothesis import HealthCheck, settings
from hypothesis import given as property_of
from hypothesis import strategies as st
from lnrisk.serving.app import create_app
from lnrisk.serving.settings import Settings
from records import biopsy, bundle, dosage, given, observation, order, person
from served import patient, small_model

SYNTHEA = Path(__file__).parents[3] / "shared" / "data" / "fhir-r4-synthea"
DAY = "2015-11-01"
UPCR = [("2015-05-27", 3), ("2015-07-10", 2.25), ("2015-08-20", 2), ("2015-10-20", 2.9)]


@pytest.fixture(scope="module")
def client():
    return Client(create_app(small_model(), Settings()))


def records(*more, upcr=UPCR):
    """Return the patient of the native API as FHIR resources."""
    return [
        person(birthDate="1985"),
        order("2015-06-01", dosage(1000)),
        *(observation("upcr", day, value, "g/g") for day, value in upcr),
        *more,
    ]


def on(day, *resources):
    parameters = [
        {"name": "asOf", "valueDate": day},
        {"name": "bundle", "resource": bundle(*resources)},
    ]
    return {"resourceType": "Parameters", "parameter": parameters}


def assess(client, content, **more):
    return client.post("/fhir/$assess", json=content, **more)


ELEMENTS = {
    "resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "identifier",
    "basedOn", "parent", "status", "method", "code", "subject", "encounter", "occurrenceDateTime",
    "condition", "performer", "reasonCode", "reasonReference", "basis", "prediction", "note",
}  # fmt: skip
PREDICTION = {
    "outcome", "probabilityDecimal", "probabilityRange", "qualitativeRisk", "relativeRisk",
    "whenPeriod", "whenRange", "rationale",
}  # fmt: skip
STATUSES = {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "unknown"}
REFERENCE = re.compile(r"#[A-Za-z0-9.-]{1,64}|[A-Za-z]+/[A-Za-z0-9.-]{1,64}|urn:uuid:\S+")


def empty_parts(part):
    if part in ("", [], {}) or part is None:
        yield part
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for child in children:
        yield from empty_parts(child)


def keeps_to_r4(resource):
    """Hold a RiskAssessment to http://hl7.org/fhir/R4/riskassessment.html, by hand."""
    assert resource["resourceType"] == "RiskAssessment"
    assert set(resource) <= ELEMENTS
    assert "mitigation" not in resource
    assert resource["status"] in STATUSES
    assert not list(empty_parts(resource))
    references = [resource["subject"], resource["performer"], *resource["basis"]]
    assert all(REFERENCE.fullmatch(each["reference"]) for each in references)
    held = {f"#{each['id']}" for each in resource["contained"]}
    assert held == {r["reference"] for r in references if r["reference"].startswith("#")}
    for prediction in resource.get("prediction", []):
        assert set(prediction) <= PREDICTION
        assert ("probabilityDecimal" in prediction) != ("probabilityRange" in prediction)
        assert 0 <= prediction.get("probabilityDecimal", 0) <= 100  # ras-2
        for end in prediction.get("probabilityRange", {}).values():  # ras-1
            assert (end["code"], end["system"]) == ("%", "http://unitsofmeasure.org")
            assert 0 <= end["value"] <= 100
        assert prediction["outcome"]["text"]
    RiskAssessment.model_validate(resource)
    return resource


def test_the_risk_is_that_of_the_native_api_as_a_percentage(client):
    native = client.post("/v1/risk", json=patient()).json()
    answer = assess(client, on(DAY, *records()))
    assert answer.headers["content-type"] == "application/fhir+json"
    resource = keeps_to_r4(answer.json())
    risk, interval = resource["prediction"]
    assert risk["probabilityDecimal"] == pytest.approx(100 * native["risk"], abs=1e-6)
    assert risk["whenPeriod"] == {"start": DAY, "end": native["horizon"]["date"]}
    ends = interval["probabilityRange"]
    assert ends["low"]["value"] == pytest.approx(100 * native["interval"]["lower"], abs=1e-6)
    assert ends["high"]["value"] == pytest.approx(100 * native["interval"]["upper"], abs=1e-6)
    assert resource["status"] == "final"
    assert native["model"]["version"] in resource["method"]["text"]


def test_the_basis_is_what_was_known_on_the_day(client):
    late = observation("c3", "2015-07-10", 90, "mg/dL", issued="2015-12-01T00:00:00Z")
    future = observation("upcr", "2015-12-24", 1, "g/g")
    resource = assess(client, on(DAY, *records(late, future, biopsy("2015-05-20")))).json()
    assert [each["reference"] for each in resource["basis"]] == [
        "#rule",
        *(f"Observation/upcr-{day}" for day, _ in UPCR),
        "MedicationRequest/order-2015-06-01",
        "Procedure/biopsy-2015-05-20",
    ]


def test_the_rule_stands_beside_the_risk(client):
    resource = assess(client, on(DAY, *records())).json()
    (rule,) = (each for each in resource["contained"] if each["id"] == "rule")
    assert rule["valueCodeableConcept"]["text"] == "not refractory"


def notes(resource):
    return " ".join(note["text"] for note in resource["note"])


def test_a_treatment_that_ended_after_the_last_result_is_over(client):
    resources = records()
    period = {"start": "2015-06-01", "end": "2015-08-01"}
    resources[1] = order("2015-06-01", dosage(1000, boundsPeriod=period))
    said = notes(assess(client, on("2015-12-20", *resources)).json())
    assert "so it is a plan" not in said
    native = patient(as_of="2015-12-20")
    native["treatments"][0]["end_date"] = "2015-08-01"
    risk = client.post("/v1/risk", json=native).json()
    got = assess(client, on("2015-12-20", *resources)).json()["prediction"][0]
    assert got["probabilityDecimal"] == pytest.approx(100 * risk["risk"], abs=1e-6)


def test_simulated_training_is_said(client):
    assert "trained on simulated patients" in notes(assess(client, on(DAY, *records())).json())


@pytest.mark.parametrize(
    ("day", "resources", "why"),
    [
        ("2015-07-01", records(), "too early"),
        ("2025-07-01", records(), "too late"),
        (DAY, records(upcr=[]), "too little data"),
        (DAY, [person()], "no induction treatment"),
    ],
)
def test_where_there_is_no_risk_there_is_no_probability_and_a_reason(client, day, resources, why):
    resource = keeps_to_r4(assess(client, on(day, *resources)).json())
    assert resource["status"] == "cancelled"
    assert "prediction" not in resource
    assert why in notes(resource)


def test_what_was_not_used_is_said(client):
    wrong = observation("upcr", "2015-08-21", 2, "mg/L")
    over = order("2015-01-01", dosage(50, "mg", 1), medication={"text": "azathioprine"})
    over["status"] = "stopped"
    said = notes(assess(client, on(DAY, *records(wrong, over))).json())
    assert "Not used: Observation upcr: unit 'mg/L' is not known" in said
    assert "Not used: MedicationRequest azathioprine: it is over" in said
    assert "Assumed: MedicationRequest azathioprine: no known code" in said


def test_a_bundle_alone_is_assessed_today(client):
    resource = keeps_to_r4(assess(client, bundle(*records())).json())
    assert "too late" in notes(resource)


@pytest.mark.parametrize(
    ("content", "status", "code", "said"),
    [
        (bundle(), 422, "required", "0 Patient resources"),
        (bundle(person(), person(id="bert")), 422, "multiple-matches", "2 Patient resources"),
        (bundle(person(gender="other")), 422, "value", "eGFR needs female or male"),
        (person(), 422, "invalid", "expected a Bundle"),
        ([], 422, "invalid", "expected a Bundle"),
        (bundle(link=[{"relation": "next"}]), 422, "incomplete", "one page of several"),
        (on("2015-11", *records()), 422, "value", "asOf: expected valueDate"),
        ({"resourceType": "Parameters", "parameter": [{"name": "x"}]}, 422, "not-supported", "'x'"),
        (bundle(*records(*records()[2:] * 4)), 413, "too-costly", "at most 20 are accepted"),
    ],
)
def test_an_error_is_an_operation_outcome(content, status, code, said):
    answer = assess(Client(create_app(small_model(), Settings(most_rows=20))), content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/fhir+json"
    OperationOutcome.model_validate(answer.json())
    (issue,) = answer.json()["issue"]
    assert issue["code"] == code
    assert said in issue["diagnostics"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/fhir+json", 400),
        (b"\xff", "application/fhir+json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"<Bundle/>", "application/fhir+xml", 415),
    ],
)
def test_what_is_no_json_is_refused(client, body, kind, status):
    answer = client.post("/fhir/$assess", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_an_answer_that_takes_too_long_is_a_timeout():
    hasty = Client(create_app(small_model(), Settings(longest_seconds=0.001)))
    answer = assess(hasty, on(DAY, *records()))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (504, "timeout")


def infusions(drug, *dates):
    return [given(day, {"text": drug}, 500, id=f"{drug}-{day}") for day in dates]


def test_a_rule_that_is_met_is_a_hundred_by_the_rule(client):
    first = [f"2015-{day}" for day in ("06-01", "06-15", "06-29", "07-13", "07-27", "08-10")]
    second = [f"2016-{day}" for day in ("01-12", "01-26", "02-09", "02-23", "03-08", "03-22")]
    values = [*UPCR, ("2015-12-10", 3.1), ("2016-05-20", 3.2)]
    resources = [
        person(birthDate="1985"),
        *infusions("cyclophosphamide", *first, *second),
        *infusions("obinutuzumab", "2015-12-15"),
        *(observation("upcr", day, value, "g/g") for day, value in values),
    ]
    resource = keeps_to_r4(assess(client, on("2016-06-01", *resources)).json())
    (risk,) = resource["prediction"]
    assert risk["probabilityDecimal"] == 100
    assert "by the rule, not by the model" in risk["rationale"]
    assert "whenPeriod" not in risk


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="needs ../shared/data/fhir-r4-synthea")
def test_bundles_made_by_others_are_answered(client):
    for file in SYNTHEA.glob("*.json"):
        answer = assess(client, json.loads(file.read_text()))
        assert answer.status_code == 200, file
        assert keeps_to_r4(answer.json())["status"] == "cancelled"


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@property_of(
    st.lists(st.tuples(st.dates(), st.floats(0, 1e6), st.sampled_from(["g/g", "mg/g", "x"])))
)
def test_whatever_is_measured_the_answer_keeps_to_r4(client, measured):
    some = [observation("upcr", str(day), value, unit) for day, value, unit in measured]
    answer = assess(client, on(DAY, *records(*some)))
    assert answer.status_code == 200
    keeps_to_r4(answer.json())
