"""What anybody may send, or put beside the service: an answer, or a refusal in words."""

import contextlib
import hashlib
import json

import pytest
from client import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lnrisk.features.errors import DefinitionError, ModelError
from lnrisk.model.artifact import MODEL_FILE
from lnrisk.model.definition import load_definition, presets
from lnrisk.model.loading import load_model
from lnrisk.serving.app import create_app
from lnrisk.serving.audit.archive import Archive
from lnrisk.serving.audit.chain import AuditError, Head, sealed
from lnrisk.serving.audit.log import AuditLog
from lnrisk.serving.audit.verify import verify
from lnrisk.serving.cds_hooks import SERVICE_PATH
from lnrisk.serving.monitor.recorded import read_log
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.replay import replay
from lnrisk.serving.settings import Settings
from served import patient, small_model

MODEL = small_model()
NUMBERS = [0, -1, 1e308, 10**30, -0.0, True]
TEXTS = ["", "\x00", "NaN", "2015-02-30", "a" * 5000, "\ud800"]
ODD = st.sampled_from([None, *NUMBERS, *TEXTS, [], {}, [[]]])
JSON = st.recursive(
    ODD | st.text(max_size=8) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value, path=()):
    """Yield the path to every part of a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    if isinstance(value, list):
        for key, inner in enumerate(value):
            yield from places(inner, (*path, key))


def changed(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def mutated(value):
    """Return a strategy of values in which one part is something else."""
    return st.builds(
        lambda path, new: changed(value, path, new), st.sampled_from([*places(value)][1:]), JSON
    )


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    log = AuditLog(tmp_path_factory.mktemp("audit"))
    how = Operation(allowed_hosts=("test",), log=log, archive_inputs=True)
    yield Client(operate(create_app(MODEL, Settings()), MODEL, how))
    log.close()
    assert verify(log.folder).intact


FEW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def sent(service, path, body):
    """Send JSON with escapes, which may stand for what no text can hold."""
    headers = {"content-type": "application/json"}
    return service.post(path, content=json.dumps(body), headers=headers)


PATHS = st.sampled_from(
    [
        "/v1/risk",
        "/v1/label",
        "/v1/risk:batch",
        "/v2/models/lnrisk/infer",
        "/fhir/$assess",
        SERVICE_PATH,
        f"{SERVICE_PATH}/feedback",
        "/",
    ]
)


@FEW
@given(PATHS, st.binary(max_size=200), st.sampled_from(["application/json", "text/x", ""]))
def test_bytes(service, path, body, kind):
    assert 400 <= service.post(path, content=body, headers={"content-type": kind}).status_code < 500


@FEW
@given(PATHS, JSON)
def test_json(service, path, body):
    assert 400 <= sent(service, path, body).status_code < 500


@FEW
@given(mutated(patient()))
def test_a_patient_with_something_odd(service, body):
    answer = sent(service, "/v1/risk", body)
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 200:
        assert answer.json()["status"] in ("ok", "met", "no_induction", "outside_model")


@FEW
@given(mutated({"requests": [patient(), patient()]}))
def test_a_batch_with_something_odd(service, body):
    answer = sent(service, "/v1/risk:batch", body)
    assert answer.status_code in (200, 422), answer.text


@FEW
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_headers(service, value):
    headers = dict.fromkeys(["authorization", "x-patient-identifier", "x-request-id"], value)
    assert service.get("/healthz", headers=headers).status_code == 200


def resealed(content):
    plain = {key: value for key, value in content.items() if key != "sha256"}
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return {**plain, "sha256": hashlib.sha256(canonical.encode()).hexdigest()}


@FEW
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_model_file_of_anything(tmp_path, content):
    (tmp_path / MODEL_FILE).write_bytes(content)
    with pytest.raises(ModelError):
        load_model(tmp_path)


@FEW
@given(mutated(json.loads(MODEL.to_json())).map(resealed))
def test_a_model_file_with_something_odd_and_a_right_hash(tmp_path, content):
    (tmp_path / MODEL_FILE).write_text(json.dumps(content))
    with contextlib.suppress(ModelError):
        load_model(tmp_path)


PRESET = st.sampled_from(sorted(presets()))


@FEW
@given(
    st.text(max_size=200) | st.builds("based_on = '{}'\n{}".format, PRESET, st.text(max_size=60))
)
def test_a_definition_of_anything(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_bytes(text.encode("utf-8", "replace"))
    with contextlib.suppress(DefinitionError):
        load_definition(file)


ENTRY = {
    "kind": "answer",
    "time": "2026-11-25T12:00:00.000Z",
    "exchange": "x",
    "received": "2026-11-25T12:00:00.000Z",
    "who": "a",
    "request": "r",
    "method": "POST",
    "path": "/v1/label",
    "scheme": "http",
    "headers": {"content-type": "application/json", "host": "test"},
    "status": 200,
    "model": MODEL.sha256,
    "software": "0",
    "input": {"sha256": "0" * 64, "bytes": 0, "whole": True},
    "answer": {"sha256": "0" * 64, "bytes": 0},
    "complete": True,
    "shown": True,
    "notes": [
        {
            "note": "assessment",
            "as_of": "2026-01-01",
            "status": "ok",
            "risk": 0.1,
            "verdict": "",
            "terms": {"age": 1.0},
        }
    ],
}


@FEW
@given(mutated(ENTRY))
@example({**ENTRY, "software": "\ud800"})
@example({**ENTRY, "notes": [{**ENTRY["notes"][0], "verdict": "\ud800"}]})
@example({**ENTRY, "notes": [{"note": "feedback", "outcome": "\ud800"}]})
def test_a_log_whose_entries_say_something_odd(tmp_path, content):
    """Somebody who may write the log sealed it; reading it is a message, never a crash."""
    whole = {**content, "kind": str(content["kind"]), "time": "now"}
    Archive(tmp_path).keep_model(MODEL)
    (tmp_path / "2026-11.jsonl").write_bytes(sealed(whole, Head())[0])
    with contextlib.suppress(AuditError):
        read_log(tmp_path)
    with contextlib.suppress(AuditError):
        list(replay(tmp_path))
    verify(tmp_path)
