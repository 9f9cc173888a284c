"""Tokens: shown once, compared by hash, named in words when a file is wrong."""

import contextlib
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.guard.tokens import AccessError, Tokens, load_tokens, new_token, read_tokens

DAY = datetime.date(2026, 11, 25)


def test_a_token_is_known_by_its_name():
    token, kept = new_token("ward-7")
    other, _ = new_token("ward-7")
    tokens = read_tokens(f"# ours\n{kept}\n", "file")
    assert tokens.name_of(token) == "ward-7"
    assert tokens.name_of(other) is None
    assert token not in str(kept)
    assert len(token) >= 43


@pytest.mark.parametrize(("today", "name"), [(DAY, "a"), (DAY + datetime.timedelta(1), None)])
def test_a_token_ends_after_its_last_day(today, name):
    token, kept = new_token("a", DAY)
    assert read_tokens(str(kept), "file").name_of(token, today) == name


@given(st.text())
def test_no_text_is_a_token_that_is_not_known(text):
    assert Tokens((new_token("a")[1],)).name_of(text) is None


@given(st.text())
def test_any_file_is_read_or_refused_without_its_content(text):
    with contextlib.suppress(AccessError):
        read_tokens(text, "file")
    secret = "Zq" + "9" * 62
    with pytest.raises(AccessError) as refusal:
        read_tokens(f"{text.replace('#', '')} {secret}", "file")
    assert secret not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no token"),
        ("a", "line 1"),
        ("a sha256:12", "line 1"),
        (f"\na sha256:{'0' * 64} tomorrow", "line 2: the last day"),
        (f"a sha256:{'0' * 64}\na sha256:{'1' * 64}", "same name"),
        (f"a sha256:{'0' * 64}\nb sha256:{'0' * 64}", "same digest"),
    ],
)
def test_a_wrong_file_names_the_line(text, said):
    with pytest.raises(AccessError, match=said):
        read_tokens(text, "file")


def test_tokens_come_from_a_file_or_the_environment(tmp_path):
    token, kept = new_token("a")
    file = tmp_path / "tokens"
    file.write_text(f"{kept}\n")
    file.chmod(0o600)
    assert load_tokens(file, {}).name_of(token) == "a"
    assert load_tokens(None, {"LNRISK_TOKENS": f"{kept};"}).name_of(token) == "a"
    assert load_tokens(None, {}) is None
    file.chmod(0o620)
    with pytest.raises(AccessError, match="written by others"):
        load_tokens(file, {})
    with pytest.raises(AccessError, match="not a readable"):
        load_tokens(tmp_path / "none", {})


@pytest.mark.parametrize("name", ["", "a b", "ä", "-a", "a" * 65])
def test_a_name_is_plain(name):
    with pytest.raises(AccessError):
        new_token(name)
