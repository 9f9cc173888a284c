"""The service as a process: how it starts, refuses to start, and stops."""

import json
import re
import threading

import httpx
import pytest
from click.testing import CliRunner
from lnrisk.__main__ import main
from lnrisk.model.artifact import MODEL_FILE
from lnrisk.serving.audit.verify import entries, verify
from lnrisk.serving.guard.tokens import new_token
from process import Service
from served import patient, small_model


@pytest.fixture
def model(tmp_path):
    (tmp_path / MODEL_FILE).write_text(small_model().to_json())
    return tmp_path


def test_a_stop_finishes_what_was_begun(model, tmp_path):
    service = Service(model, "--audit", tmp_path / "audit", "--access-log")
    body = {"requests": [patient() for _ in range(60)]}
    answers = []

    def ask():
        answers.append(httpx.post(f"{service.address}/v1/risk:batch", json=body, timeout=60))

    asking = threading.Thread(target=ask)
    asking.start()
    in_progress = 0
    while in_progress < 2:
        text = httpx.get(f"{service.address}/metrics").text
        (line,) = (x for x in text.splitlines() if x.startswith("lnrisk_requests_in_progress "))
        in_progress = float(line.split()[1])
    said = service.stop()
    asking.join()
    assert service.process.returncode == 0
    assert answers[0].status_code == 200
    lines = [json.loads(line) for line in answers[0].text.splitlines()]
    assert [line["position"] for line in lines] == list(range(60))
    found = [entry for entry in entries(tmp_path / "audit")]
    assert found[0].kind == "start"
    assert [found[-1].kind, found[-2].kind] == ["stop", "answer"]
    assert sum(len(entry.content.get("notes", [])) for entry in found) == 60
    assert verify(tmp_path / "audit").intact
    assert "POST /v1/risk:batch 200" in said
    assert "2.9" not in re.sub(r"[\d.]+ ?ms\b", "", said)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{service.address}/healthz")


def test_a_token_opens_and_is_in_no_log(model, tmp_path):
    token, kept = new_token("ward-7")
    service = Service(model, "--audit", tmp_path / "audit", "--access-log", LNRISK_TOKENS=str(kept))
    bearer = {"authorization": f"Bearer {token}"}
    assert httpx.post(f"{service.address}/v1/risk", json=patient()).status_code == 401
    answer = httpx.post(f"{service.address}/v1/risk", json=patient(), headers=bearer)
    said = service.stop()
    assert answer.status_code == 200
    (entry,) = (entry for entry in entries(tmp_path / "audit") if entry.kind == "answer")
    assert entry.content["who"] == "ward-7"
    logged = b"".join(file.read_bytes() for file in (tmp_path / "audit").glob("*.jsonl"))
    assert token not in said + logged.decode()


def refused(*arguments, **environment):
    result = CliRunner().invoke(main, ["serve", *map(str, arguments)], env=environment)
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--host", "0.0.0.0"], 1, "a login"),
        (["--host", "0.0.0.0", "--behind-proxy"], 1, "a login"),
        (["--behind-proxy"], 1, "behind a proxy"),
        (["--silent"], 2, "--silent needs --audit"),
        (["--archive-inputs"], 2, "--archive-inputs needs --audit"),
        (["--oidc-issuer", "https://id.example"], 2, "belong together"),
        (["--rate", "0"], 2, "--rate"),
    ],
)
def test_what_is_not_safe_does_not_start(model, options, code, said):
    exit_code, stderr = refused(model, *options, LNRISK_TOKENS="")
    assert exit_code == code
    assert said in stderr


def test_tokens_alone_are_not_enough(model):
    _, kept = new_token("a")
    code, said = refused(model, "--host", "0.0.0.0", LNRISK_TOKENS=str(kept))
    assert code == 1
    assert "encryption" in said
    assert kept.digest not in said


def test_a_changed_model_does_not_start(model):
    file = model / MODEL_FILE
    file.write_text(file.read_text().replace("-1.5", "-2.5", 1))
    code, said = refused(model)
    assert code == 1
    assert "does not match its hash" in said


def test_the_token_command_shows_the_token_once():
    result = CliRunner().invoke(main, ["token", "ward-7", "--until", "2030-01-01"])
    token = result.stderr.split()[-1]
    assert token.startswith("lnrisk_")
    assert token not in result.stdout
    assert result.stdout.startswith("ward-7 sha256:")
    assert result.stdout.endswith(" 2030-01-01\n")
