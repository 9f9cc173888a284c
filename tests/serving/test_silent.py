"""Silent mode: everything is logged, nothing about a patient is shown."""

import pytest
from client import Client
from lnrisk.serving.app import create_app
from lnrisk.serving.audit.log import AuditLog
from lnrisk.serving.audit.verify import entries
from lnrisk.serving.cds_hooks import SERVICE_PATH
from lnrisk.serving.feedback import in_the_audit_log
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.settings import Settings
from lnrisk.serving.silent import SILENT, silent_answer
from served import patient, small_model

MODEL, FEEDBACK = small_model(), f"{SERVICE_PATH}/feedback"


@pytest.fixture
def log(tmp_path):
    log = AuditLog(tmp_path / "audit")
    yield log
    log.close()


def service(log, silent):
    how = Operation(allowed_hosts=("test",), log=log, silent=silent)
    return Client(operate(create_app(MODEL, Settings()), MODEL, how))


def test_the_risk_is_logged_and_not_shown(log):
    shown = service(log, False).post("/v1/risk", json=patient()).json()
    answer = service(log, True).post("/v1/risk", json=patient())
    assert answer.json() == {"status": "silent", "detail": SILENT}
    assert answer.headers["x-lnrisk-mode"] == "silent"
    first, second = (entry.content for entry in entries(log.folder))
    assert second["notes"] == first["notes"]
    assert second["notes"][0]["risk"] == shown["risk"]
    assert second["answer"] == first["answer"]
    assert (first["shown"], second["shown"]) == (True, False)


def test_what_is_wrong_with_a_request_is_still_said(log):
    assert service(log, True).post("/v1/risk", content=b"{").status_code == 422


def test_what_is_no_answer_about_a_patient_is_shown(log):
    assert service(log, True).get("/healthz").json()["status"] == "ok"


def test_feedback_is_taken_as_ever(log):
    sent = {
        "feedback": [
            {
                "card": "4e0a3a1e-3099-4652-ae0b-7d1e3c4a1b11",
                "outcome": "accepted",
                "outcomeTimestamp": "2026-11-25T12:00:00Z",
            }
        ]
    }
    how = Operation(allowed_hosts=("test",), log=log, silent=True)
    app = create_app(MODEL, Settings(feedback=in_the_audit_log))
    answer = Client(operate(app, MODEL, how)).post(FEEDBACK, json=sent)
    assert answer.status_code == 200
    assert "x-lnrisk-mode" not in answer.headers
    (entry,) = entries(log.folder)
    assert entry.content["notes"][0]["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("route", "accept", "kind", "part"),
    [
        ("/cds-services/{id}", "", "application/json", b'"cards":[]'),
        ("/fhir/$assess", "", "application/fhir+json", b'"suppressed"'),
        ("/v2/models/{name}/infer", "", "application/json", b'"outputs":[]'),
        ("/v1/risk", "text/html", "application/json", b'"silent"'),
        ("/", "text/html,*/*", "text/html; charset=utf-8", b"<h1>lnrisk"),
    ],
)
def test_each_interface_says_so_in_its_own_form(route, accept, kind, part):
    media, body = silent_answer(route, accept)
    assert media == kind
    assert part in body
