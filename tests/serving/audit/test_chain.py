"""One line: any changed byte is seen, and bytes of any kind are refused in words."""

import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.audit.chain import AuditError, Entry, Head, opened, sealed

CONTENT = {"kind": "answer", "time": "2026-11-25T12:00:00.000Z", "risk": 0.1 + 0.2, "who": "ward"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_an_entry_follows_the_one_before():
    line, head = sealed(CONTENT, Head())
    second, _ = sealed(CONTENT, head)
    entry = opened(second)
    assert (entry.head.number, entry.previous) == (2, head.hash)
    assert opened(line).content["risk"] == 0.1 + 0.2


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_was_sealed_is_opened_again(content):
    whole = {**content, "kind": "answer", "time": "now"}
    whole.pop("entry", None)
    whole.pop("previous", None)
    line, head = sealed(whole, Head(4, "a" * 64))
    entry = opened(line)
    assert entry.head == head
    assert {k: entry.content[k] for k in whole} == json.loads(json.dumps(whole))


@given(st.data())
def test_any_changed_byte_is_seen(data):
    line, _ = sealed(CONTENT, Head())
    place = data.draw(st.integers(0, len(line) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != line[place]))
    with pytest.raises(AuditError):
        opened(line[:place] + bytes([byte]) + line[place + 1 :])


@given(st.binary(max_size=300))
def test_bytes_that_are_no_entry_are_refused_in_words(line):
    with pytest.raises(AuditError):
        opened(line)


@given(JSON)
def test_a_right_hash_over_something_else_is_no_entry(value):
    body = json.dumps(value, separators=(",", ":")).encode()
    if not body.endswith(b"}"):
        body = b'{"x":' + body + b"}"
    seal = b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}'
    with pytest.raises(AuditError):
        opened(body[:-1] + seal)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_only_json_is_sealed(value):
    with pytest.raises(AuditError):
        sealed({**CONTENT, "value": value}, Head())


@given(st.text(max_size=90))
def test_a_head_is_parsed_or_refused(text):
    with contextlib.suppress(AuditError):
        assert Head.parse(str(Head.parse(text))) == Head.parse(text)


def test_a_head_is_written_and_read():
    _, head = sealed(CONTENT, Head())
    assert Head.parse(str(head)) == head
    assert isinstance(opened(sealed(CONTENT, head)[0]), Entry)
