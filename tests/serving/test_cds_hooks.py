"""CDS Hooks 2.0: discovery, an information card, 412 without prefetch, and feedback."""

import copy
import json
import re
from uuid import UUID, uuid4

import pytest
from client import Client
from lnrisk.features.errors import LnriskError
from lnrisk.serving import cds_hooks
from lnrisk.serving.app import create_app
from lnrisk.serving.audit.log import AuditLog
from lnrisk.serving.audit.verify import entries
from lnrisk.serving.feedback import OVERRIDE_REASONS, FeedbackFile, in_the_audit_log
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.replay import replay
from lnrisk.serving.settings import Settings
from records import bundle, dosage, observation, order, person
from served import broad_model, patient, small_model

SERVICE = "/cds-services/ln-refractory-risk"
UPCR = [("2015-05-27", 3), ("2015-07-10", 2.25), ("2015-08-20", 2), ("2015-10-20", 2.9)]
PREFETCH = {
    "patient": person(birthDate="1985"),
    "observations": bundle(*(observation("upcr", day, value, "g/g") for day, value in UPCR)),
    "medications": bundle(order("2015-06-01", dosage(1000))),
    "procedures": bundle(),
    "reports": None,
}


@pytest.fixture
def today(monkeypatch):
    """Make it the day on which the patient can be assessed."""
    import datetime

    moment = datetime.datetime(2015, 11, 1, 9, tzinfo=datetime.UTC)
    monkeypatch.setattr(cds_hooks, "now", lambda: moment)


@pytest.fixture(scope="module")
def client():
    return Client(create_app(small_model(), Settings()))


def call(**prefetch):
    sent = {**copy.deepcopy(PREFETCH), **prefetch}
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": "anna"},
        "prefetch": {key: value for key, value in sent.items() if value != "absent"},
    }


def test_discovery_names_the_hook_and_the_prefetch(client):
    (service,) = client.get("/cds-services").json()["services"]
    assert (service["hook"], service["id"]) == ("patient-view", "ln-refractory-risk")
    templates = service["prefetch"]
    kinds = {key: re.split("[?/]", template)[0] for key, template in templates.items()}
    assert kinds == {
        "patient": "Patient",
        "observations": "Observation",
        "medications": "MedicationRequest",
        "procedures": "Procedure",
        "reports": "DiagnosticReport",
        "administrations": "MedicationAdministration",
        "conditions": "Condition",
    }
    assert all("{{context.patientId}}" in template for template in templates.values())
    assert "http://loinc.org|2890-2" in templates["observations"]


def keeps_to_cds_hooks(card):
    """Hold a card to https://cds-hooks.hl7.org/2.0/#card-attributes, by hand."""
    assert 0 < len(card["summary"]) < 140
    assert card["indicator"] == "info"
    assert card["source"]["label"]
    assert "suggestions" not in card
    assert all(link["type"] == "absolute" and link["url"] for link in card["links"])
    assert {reason["code"] for reason in card["overrideReasons"]} == set(OVERRIDE_REASONS)
    assert all(r["system"] and r["display"] for r in card["overrideReasons"])
    UUID(card["uuid"])
    return card


@pytest.mark.usefixtures("today")
def test_a_card_has_risk_and_rule_in_one_line(client):
    (card,) = client.post(SERVICE, json=call()).json()["cards"]
    keeps_to_cds_hooks(card)
    risk = client.post("/v1/risk", json=patient()).json()["risk"]
    assert card["summary"] == (
        f"Simulated model. Lupus nephritis: {100 * risk:.0f} % risk of refractory disease by "
        "2016-11-30. Rule today: not refractory."
    )
    assert "adherent unknown" in card["detail"]
    assert "the risk says nothing about real people" in card["detail"]
    assert card["links"][0]["url"] == "http://test/"
    assert "anna" not in json.dumps(card)


def test_where_there_is_no_risk_the_card_says_why(client):
    (card,) = client.post(SERVICE, json=call()).json()["cards"]
    assert "no risk given (too late" in keeps_to_cds_hooks(card)["summary"]


def test_a_patient_without_induction_gets_no_card(client):
    assert client.post(SERVICE, json=call(medications=bundle())).json() == {"cards": []}


def test_a_treatment_that_cannot_be_used_is_said(client):
    over = order("2015-06-01", dosage(1000), status="stopped")
    (card,) = client.post(SERVICE, json=call(medications=bundle(over))).json()["cards"]
    assert "since when is not stated" in keeps_to_cds_hooks(card)["detail"]


FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "security"}]}


@pytest.mark.parametrize(
    "prefetch",
    [
        {"observations": "absent"},
        {"patient": "absent"},
        {"patient": None},
        {"medications": "absent", "reports": "absent"},
        {"observations": FAILED},
        {"observations": bundle(FAILED)},
        {"observations": bundle(link=[{"relation": "next", "url": "x"}])},
        {"observations": {}},
    ],
)
def test_a_prefetch_that_is_not_whole_is_412(client, prefetch):
    answer = client.post(SERVICE, json=call(**prefetch))
    assert answer.status_code == 412
    assert answer.json()["type"] == "urn:lnrisk:problem:prefetch-missing"


def test_a_hint_beside_results_is_no_failure(client):
    hint = {"resourceType": "OperationOutcome", "issue": [{"severity": "information"}]}
    whole = copy.deepcopy(PREFETCH["observations"])
    whole["entry"].append({"resource": hint, "search": {"mode": "outcome"}})
    assert client.post(SERVICE, json=call(observations=whole)).status_code == 200


def test_the_record_of_another_patient_is_refused(client):
    answer = client.post(SERVICE, json=call(patient=person(id="bert")))
    assert answer.status_code == 400
    assert "not that of the context" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"hook": "order-select"}, "/hook"),
        ({"hookInstance": "x"}, "/hookInstance"),
        ({"context": {}}, "/context/patientId"),
        ({"prefetch": {"patient": 3}}, "/prefetch/patient"),
    ],
)
def test_what_is_wrong_with_a_call_is_named(client, change, pointer):
    answer = client.post(SERVICE, json={**call(), **change})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_what_is_no_json_is_refused(client):
    assert client.post(SERVICE, content=b"{").status_code == 400
    assert client.post("/cds-services/other", json=call()).status_code == 404


def back(**more):
    entry = {
        "card": str(uuid4()),
        "outcome": "overridden",
        "outcomeTimestamp": "2024-09-02T10:05:31Z",
        "overrideReason": {
            "reason": {"code": "known", "system": "urn:lnrisk:override-reason"},
            "userComment": "Anna Smith, born 1985, refused",
        },
    }
    return {"feedback": [{**entry, **more}]}


def test_feedback_is_added_to_a_file_without_a_word_about_the_patient(tmp_path):
    keeper = FeedbackFile(tmp_path / "feedback.jsonl")
    client = Client(create_app(small_model(), Settings(feedback=keeper)))
    first, second = back(), back(outcome="accepted")
    del second["feedback"][0]["overrideReason"]
    for sent in (first, second):
        assert client.post(f"{SERVICE}/feedback", json=sent).status_code == 200
    lines = (tmp_path / "feedback.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "card": first["feedback"][0]["card"],
            "outcome": "overridden",
            "at": "2024-09-02T10:05:31+00:00",
            "reason": "known",
        },
        {
            "card": second["feedback"][0]["card"],
            "outcome": "accepted",
            "at": "2024-09-02T10:05:31+00:00",
        },
    ]
    assert (tmp_path / "feedback.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("reason", [{"code": "Anna Smith"}, {"code": "known", "system": "urn:x"}])
def test_a_reason_that_no_card_offered_is_other(tmp_path, reason):
    keeper = FeedbackFile(tmp_path / "feedback.jsonl")
    client = Client(create_app(small_model(), Settings(feedback=keeper)))
    client.post(f"{SERVICE}/feedback", json=back(overrideReason={"reason": reason}))
    assert json.loads((tmp_path / "feedback.jsonl").read_text())["reason"] == "other"


@pytest.mark.parametrize(
    "change",
    [{"card": "x"}, {"outcome": "ignored"}, {"outcomeTimestamp": "x"}, {"outcome": "accepted"}],
)
def test_feedback_that_is_none_is_refused(change):
    client = Client(create_app(small_model(), Settings(feedback=in_the_audit_log)))
    assert client.post(f"{SERVICE}/feedback", json=back(**change)).status_code == 422


def test_without_a_place_feedback_is_not_pretended_to_be_kept(client, tmp_path):
    answer = client.post(f"{SERVICE}/feedback", json=back())
    assert answer.status_code == 404
    assert "without a place" in answer.json()["detail"]
    with pytest.raises(LnriskError, match="cannot be written"):
        FeedbackFile(tmp_path / "none" / "feedback.jsonl")
    keeper = FeedbackFile(tmp_path / "feedback.jsonl")
    (tmp_path / "feedback.jsonl").unlink()
    (tmp_path / "feedback.jsonl").mkdir()
    full = Client(create_app(small_model(), Settings(feedback=keeper)))
    assert full.post(f"{SERVICE}/feedback", json=back()).status_code == 503


def test_a_card_and_its_feedback_meet_in_the_audit_log_and_are_replayed(tmp_path):
    log, model = AuditLog(tmp_path / "audit"), small_model()
    how = Operation(
        allowed_hosts=("test",),
        log=log,
        archive_inputs=True,
        pseudonym=lambda name: f"<{name}>",
    )
    app = create_app(model, Settings(feedback=in_the_audit_log))
    client = Client(operate(app, model, how))
    (card,) = client.post(SERVICE, json=call()).json()["cards"]
    client.post(f"{SERVICE}/feedback", json=back(card=card["uuid"]))
    assert client.post(SERVICE, json=call(patient=None)).status_code == 412
    assert client.post("/fhir/$assess", json=bundle(PREFETCH["patient"])).status_code == 200
    log.close()
    first, second, *_ = (entry.content["notes"] for entry in entries(tmp_path / "audit"))
    assessment, shown = first
    assert (assessment["note"], assessment["subject"]) == ("assessment", "<anna>")
    assert shown == {"note": "card", "card": card["uuid"]}
    assert second[0]["note"] == "feedback"
    assert second[0]["card"] == card["uuid"]
    assert [each.said for each in replay(tmp_path / "audit")] == [(), (), (), ()]


@pytest.mark.usefixtures("today")
def test_of_many_terms_that_are_missing_the_card_still_tells_the_rule():
    client = Client(create_app(broad_model(missing_patterns=(), landmarks=(0, 182)), Settings()))
    (card,) = client.post(SERVICE, json=call()).json()["cards"]
    assert keeps_to_cds_hooks(card)["summary"] == (
        "Simulated model. Lupus nephritis: no risk given (too much is missing). "
        "Rule: not refractory."
    )
    assert "biopsy" in card["detail"]
    assert len(card["detail"]) < 1000


@pytest.mark.usefixtures("today")
def test_of_many_terms_the_card_tells_what_matters_most_in_a_few_lines():
    client = Client(create_app(broad_model(landmarks=(0, 182)), Settings()))
    (card,) = client.post(SERVICE, json=call()).json()["cards"]
    keeps_to_cds_hooks(card)
    assert len([line for line in card["detail"].splitlines() if "percentage points" in line]) == 3
    assert len(card["detail"]) < 2500
