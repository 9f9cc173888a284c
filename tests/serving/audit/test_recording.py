"""Recording: nothing leaves before it is in the log, and what is in the log says enough."""

import hashlib
import json
import logging
import os
import re

import numpy as np
import pytest
from client import Client
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from lnrisk.features.laboratory import DAYS_PER_MONTH, LANDMARK_MONTH
from lnrisk.serving.app import create_app
from lnrisk.serving.audit.archive import Archive
from lnrisk.serving.audit.chain import AuditError
from lnrisk.serving.audit.journal import about, keeping, note, now
from lnrisk.serving.audit.log import AuditLog, segments
from lnrisk.serving.audit.pseudonyms import Pseudonyms, load_pseudonyms
from lnrisk.serving.audit.recording import HELD_BYTES
from lnrisk.serving.audit.verify import entries, verify
from lnrisk.serving.monitor.recorded import read_log
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.settings import Settings
from served import RANGES, patient, small_model, upcr

MODEL = small_model()
HOSTS = ("test",)


@pytest.fixture
def log(tmp_path):
    log = AuditLog(tmp_path / "audit")
    yield log
    log.close()


def service(log, app=None, **how):
    app = app or create_app(MODEL, Settings())
    return Client(operate(app, MODEL, Operation(allowed_hosts=HOSTS, log=log, **how)))


def recorded(log):
    return [entry.content for entry in entries(log.folder)] if segments(log.folder) else []


def test_an_answer_is_recorded(log):
    answer = service(log).post("/v1/risk", json=patient(), headers={"x-request-id": "r-1"})
    (entry,) = recorded(log)
    (note,) = entry["notes"]
    assert entry["who"] == "local"
    assert (entry["route"], entry["status"], entry["request"]) == ("/v1/risk", 200, "r-1")
    assert entry["model"] == MODEL.sha256
    assert entry["answer"]["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert entry["complete"]
    assert note["risk"] == answer.json()["risk"]
    assert note["terms"]["refill_share"] is None
    assert note["terms"]["log_upcr_last"] is not None
    assert "subject" not in note
    assert verify(log.folder).intact


def test_the_input_is_there_by_its_hash_alone(log):
    sent = json.dumps(patient()).encode()
    service(log).post("/v1/risk", content=sent, headers={"content-type": "application/json"})
    (entry,) = recorded(log)
    assert entry["input"]["sha256"] == hashlib.sha256(sent).hexdigest()
    assert not entry["input"]["archived"]
    assert not (log.folder / "inputs").exists()


def test_the_input_is_kept_where_that_is_wanted(log):
    sent = json.dumps(patient()).encode()
    headers = {"content-type": "application/json"}
    service(log, archive_inputs=True).post("/v1/risk", content=sent, headers=headers)
    (entry,) = recorded(log)
    assert Archive(log.folder).input(entry["input"]["sha256"]) == sent
    kept = [path for path in (log.folder / "inputs").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in kept} == {0}
    assert Archive(log.folder).model(MODEL.sha256) == MODEL


def test_an_archive_that_was_changed_is_refused(log):
    archive = Archive(log.folder)
    digest = archive.keep_input(b"{}")
    (log.folder / "inputs" / digest[:2] / digest).write_bytes(b"[]")
    with pytest.raises(AuditError, match="was changed"):
        archive.input(digest)
    for none in ("0" * 64, "../../etc/passwd"):
        with pytest.raises(AuditError):
            archive.input(none)
        with pytest.raises(AuditError):
            archive.model(none)


def test_a_refused_request_is_recorded_too(log):
    service(log).post("/v1/risk", content=b"{")
    (entry,) = recorded(log)
    assert entry["status"] == 422
    assert entry["notes"] == []


def test_reading_is_not_recorded(log):
    service(log).get("/healthz")
    assert recorded(log) == []


def test_a_patient_is_known_by_a_keyed_hash(log):
    headers = {"x-patient-identifier": "MRN-0042"}
    make = Pseudonyms(bytes(range(32)))
    service(log, pseudonym=make).post("/v1/risk", json=patient(), headers=headers)
    service(log).post("/v1/risk", json=patient(), headers=headers)
    with_key, without = recorded(log)
    assert with_key["notes"][0]["subject"] == make("MRN-0042")
    assert "subject" not in without["notes"][0]
    assert b"MRN-0042" not in b"".join(p.read_bytes() for p in log.folder.rglob("*.jsonl"))
    assert Pseudonyms(bytes(32))("MRN-0042") != make("MRN-0042")


def test_each_patient_of_a_batch_has_a_pseudonym_of_their_own(log):
    """Also one whose rows make them be looked at apart; the header names nobody of several."""
    make, headers = Pseudonyms(bytes(32)), {"x-patient-identifier": "header"}
    odd = patient(identifier="c", measurements=[upcr("2015-05-27", 3, "mg/L")])
    requests = [patient(identifier="a"), patient(), odd, patient(identifier="d")]
    app = service(log, pseudonym=make)
    assert app.post("/v1/risk:batch", json={"requests": requests}, headers=headers).is_success
    (entry,) = recorded(log)
    found = [note.get("subject") for note in entry["notes"]]
    assert found == [make("a"), None, make("d")]


def test_columns_that_are_scored_are_recorded(log):
    given = {name: [float(np.mean(RANGES.get(name, (0, 1))))] * 2 for name in MODEL.input_names}
    given[LANDMARK_MONTH] = [MODEL.landmarks[0] / DAYS_PER_MONTH] * 2
    seen, given["log_upcr_last"][1] = given["log_upcr_last"][0], None
    inputs = [
        {"name": name, "shape": [2, 1], "datatype": "FP64", "data": values}
        for name, values in given.items()
    ]
    answer = service(log).post("/v2/models/lnrisk/infer", json={"inputs": inputs}).json()
    assert read_log(log.folder).assessments["landmark"].tolist() == [MODEL.landmarks[0]] * 2
    (entry,) = recorded(log)
    risks = next(each["data"] for each in answer["outputs"] if each["name"] == "risk")
    assert [note["risk"] for note in entry["notes"]] == risks
    assert [note["status"] for note in entry["notes"]] == ["ok", "outside_model"]
    assert entry["notes"][0]["terms"]["log_upcr_last"] == seen


def test_a_label_alone_is_recorded(log):
    service(log).post("/v1/label", json=patient())
    (entry,) = recorded(log)
    assert entry["notes"][0]["verdict"] == "not_refractory"
    assert "risk" not in entry["notes"][0]


def test_several_patients_are_named_in_order():
    from lnrisk.serving.audit.journal import Journal

    journal = Journal(now(), Pseudonyms(bytes(32)))
    with keeping(journal):
        with about("a", None):
            note({"n": 1}, {"n": 2})
            note({"n": 3})
        assert now() == journal.moment
    found = journal.take()
    assert ["subject" in each for each in found] == [True, False, False]
    note({"n": 4})
    assert journal.take() == []


def test_without_a_record_there_is_no_answer(log, monkeypatch):
    app = service(log)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer = app.post("/v1/risk", json=patient())
        assert app.get("/readyz").status_code == 503
    assert answer.status_code == 503
    assert "risk" not in answer.json()
    metrics = app.get("/metrics").text
    assert "lnrisk_audit_failures_total 1.0" in metrics
    assert 'lnrisk_refusals_total{reason="audit"} 1.0' in metrics
    assert "lnrisk_ready 0.0" in metrics
    assert app.get("/readyz").status_code == 200
    assert "lnrisk_ready 1.0" in app.get("/metrics").text
    assert app.post("/v1/risk", json=patient()).status_code == 200


PART = b"x" * (HELD_BYTES // 2 + 1)


def streaming(fails=False):
    app = FastAPI()

    @app.post("/stream")
    async def stream(request: Request):
        await request.body()

        async def parts():
            for number in range(5):
                note({"n": number})
                yield PART
                if fails and number == 2:
                    raise RuntimeError("3.75 g/g")

        return StreamingResponse(parts())

    return app


def test_every_part_of_a_stream_is_recorded_before_it_leaves(log):
    assert service(log, streaming()).post("/stream", content=b"x").content == 5 * PART
    found = recorded(log)
    assert [entry["kind"] for entry in found] == ["part", "part", "answer"]
    assert [[note["n"] for note in entry["notes"]] for entry in found] == [[0, 1], [2, 3], [4]]
    assert found[-1]["answer"]["sha256"] == hashlib.sha256(5 * PART).hexdigest()


def test_a_stream_that_was_cut_short_is_recorded_as_such(log, caplog):
    with pytest.raises(ConnectionAbortedError):
        service(log, streaming(fails=True)).post("/stream", content=b"x")
    found = recorded(log)
    assert [entry["kind"] for entry in found] == ["part", "answer"]
    assert [entry["complete"] for entry in found] == [False, False]
    assert "RuntimeError at" in caplog.text
    assert "3.75" not in caplog.text


VALUES = ["2.9", "2.25", "1985", "2015-05-27", "mycophenolate", "2000", "MRN-0042", "female"]


def test_no_value_of_a_patient_is_in_any_log(log, caplog, monkeypatch):
    caplog.set_level("DEBUG")
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", True)
    app = service(log, archive_inputs=True, pseudonym=Pseudonyms(bytes(32)))
    headers = {"x-patient-identifier": "MRN-0042", "x-request-id": "MRN-0042 Jane"}
    address = "/v1/risk?name=Jane&upcr=2.9"
    assert app.post(address, json=patient(), headers=headers).status_code == 200
    wrong = patient(treatments=[{"drug": "mycophenolate", "start_date": "2015-02-30"}])
    assert app.post(address, json=wrong, headers=headers).status_code == 422
    assert app.post("/patients/MRN-0042", json=patient()).status_code == 404
    assert app.get("/patients/MRN-0042").status_code == 404
    assert "POST /v1/risk 200" in caplog.text
    said = re.sub(r"[0-9.]+ms|request=\w+", "", caplog.text)
    for value in [*VALUES, "Jane", "?"]:
        assert value not in said


def test_an_unexpected_failure_keeps_its_words_to_itself(log, caplog):
    app = FastAPI()

    @app.post("/fails")
    def fails():
        raise ValueError("UPCR 3.75 g/g of Jane")

    answer = service(log, app).post("/fails", content=b"x")
    assert answer.status_code == 500
    assert "Jane" not in answer.text + caplog.text
    assert "ValueError at" in caplog.text
    assert recorded(log)[0]["status"] == 500


def test_a_key_is_read_from_a_file_that_only_its_owner_reads(tmp_path):
    file = tmp_path / "key"
    file.write_text("ab" * 32 + "\n")
    file.chmod(0o600)
    assert load_pseudonyms(file, {}) == Pseudonyms(b"\xab" * 32)
    assert load_pseudonyms(None, {"LNRISK_PSEUDONYM_KEY": "ab" * 32}).key == b"\xab" * 32
    assert load_pseudonyms(None, {}) is None
    file.chmod(0o640)
    with pytest.raises(AuditError, match="read by others"):
        load_pseudonyms(file, {})
    with pytest.raises(AuditError, match="no key") as refusal:
        load_pseudonyms(None, {"LNRISK_PSEUDONYM_KEY": "secret"})
    assert "secret" not in str(refusal.value)
