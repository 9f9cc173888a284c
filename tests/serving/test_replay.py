"""Replay: the same answer again, or what differs."""

import json

import pytest
from client import Client
from lnrisk.serving.app import create_app
from lnrisk.serving.audit.chain import AuditError, Head, sealed
from lnrisk.serving.audit.log import AuditLog, segments
from lnrisk.serving.audit.pseudonyms import Pseudonyms
from lnrisk.serving.audit.verify import entries
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.replay import replay
from lnrisk.serving.settings import Settings
from served import patient, small_model

MODEL, OTHER = small_model(), small_model(intercept=-0.5)


def asked(folder, model=MODEL, **how):
    log = AuditLog(folder)
    operation = Operation(allowed_hosts=("test",), log=log, **{"archive_inputs": True, **how})
    app = Client(operate(create_app(model, Settings()), model, operation))
    named = {"x-patient-identifier": "A-1"}
    answers = [
        app.post("/v1/risk", json=patient(), headers=named),
        app.post("/v1/risk", json=patient(measurements=[{"date": "soon"}])),
        app.post("/nowhere", content=b"x"),
    ]
    log.close()
    return answers


def test_answers_are_equal_again(tmp_path):
    first = asked(tmp_path, pseudonym=Pseudonyms(bytes(32)))
    second = asked(tmp_path, OTHER)
    found = list(replay(tmp_path))
    assert [each.equal for each in found] == [True, True, None] * 2
    assert found[0].answer == first[0].content
    assert found[1].answer == first[1].content
    assert found[3].answer == second[0].content != first[0].content


def test_one_answer(tmp_path):
    asked(tmp_path)
    (found,) = replay(tmp_path, 2)
    assert found.number == 2
    with pytest.raises(AuditError, match="entry 9 is no answer"):
        list(replay(tmp_path, 9))


def test_a_silent_answer_is_replayed_as_it_was_scored(tmp_path):
    asked(tmp_path, silent=True)
    found = next(replay(tmp_path))
    assert found.equal
    assert 0 < json.loads(found.answer)["risk"] < 1


def test_without_the_input_there_is_nothing_to_replay(tmp_path):
    asked(tmp_path, archive_inputs=False)
    found = next(replay(tmp_path))
    assert found.equal is None
    assert "was not archived" in found.said[0]


def test_without_the_model_there_is_nothing_to_replay(tmp_path):
    asked(tmp_path)
    (tmp_path / "models" / f"{MODEL.sha256}.json").unlink()
    assert "is not in" in next(replay(tmp_path)).said[0]


@pytest.mark.parametrize(("landmark", "equal"), [(None, True), (7, False)])
def test_only_the_absence_of_what_older_logs_do_not_say_is_no_difference(tmp_path, landmark, equal):
    asked(tmp_path)
    found = [entry.content for entry in entries(tmp_path)]
    assert found[0]["notes"][0].pop("landmark") == MODEL.landmarks[0]
    if landmark is not None:
        found[0]["notes"][0]["landmark"] = landmark
    rewritten(tmp_path, found)
    first = next(replay(tmp_path))
    assert first.equal == equal
    assert first.said == (() if equal else ("note 1: other landmark",))


def rewritten(folder, contents):
    """Write other entries with right hashes."""
    head, lines = Head(), []
    for content in contents:
        line, head = sealed(content, head)
        lines.append(line)
    segments(folder)[0].write_bytes(b"".join(lines))


def test_a_log_that_says_something_else_is_not_equal(tmp_path):
    """Somebody wrote another risk and made every hash anew."""
    asked(tmp_path)
    found = [entry.content for entry in entries(tmp_path)]
    found[0]["notes"][0]["risk"] = 0.01
    found[0]["answer"]["sha256"] = "0" * 64
    found[0]["software"] = "0.0.1"
    rewritten(tmp_path, found)
    first = next(replay(tmp_path))
    assert first.equal is False
    assert "note 1: other risk" in first.said
    assert any("another answer" in said for said in first.said)
    assert "answered by lnrisk 0.0.1" in first.said[-1]


def test_a_changed_log_is_not_replayed(tmp_path):
    asked(tmp_path)
    file = segments(tmp_path)[0]
    file.write_bytes(file.read_bytes().replace(b'"status":"ok"', b'"status":"met"', 1))
    with pytest.raises(AuditError, match="was changed"):
        list(replay(tmp_path))
