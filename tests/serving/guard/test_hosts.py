"""Hosts: another name, or another site's page, gets no answer."""

import pytest
from client import Client
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.guard.headers import CONTENT_POLICY, Headers
from lnrisk.serving.guard.hosts import Hosts, names_of
from starlette.responses import PlainTextResponse


async def hello(scope, receive, send):
    await PlainTextResponse("hello")(scope, receive, send)


SERVICE = Client(Headers(Hosts(hello, names_of("127.0.0.1", ("risk.org",))), encrypted=True))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "[::1]:8000", "RISK.org"]
)
def test_a_name_of_its_own(host):
    assert SERVICE.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.org", "risk.org.evil.org", "[::1", "", "127.0.0.2"])
def test_another_name(host):
    assert SERVICE.get("/", headers={"host": host}).status_code == 400


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_no_host_is_an_error(host):
    answer = SERVICE.get("/", headers={"host": host.strip()})
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    ("origin", "method", "status"),
    [
        ("http://localhost:8000", "POST", 200),
        ("https://risk.org", "POST", 200),
        ("https://evil.org", "POST", 403),
        ("null", "POST", 403),
        ("https://evil.org", "GET", 200),
    ],
)
def test_a_page_of_another_site(origin, method, status):
    headers = {"host": "localhost", "origin": origin}
    assert SERVICE.request(method, "/", headers=headers).status_code == status


def test_every_answer_has_its_headers():
    for host in ("localhost", "evil.org"):
        headers = SERVICE.get("/", headers={"host": host}).headers
        assert headers["content-security-policy"] == CONTENT_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "max-age" in headers["strict-transport-security"]


def test_no_policy_for_anything_inline():
    assert "unsafe" not in CONTENT_POLICY
    assert "http" not in CONTENT_POLICY


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-1", True), ("Jane Doe", False), ("x" * 65, False)]
)
def test_a_request_identifier_is_plain(sent, kept):
    answer = SERVICE.get("/", headers={"host": "localhost", "x-request-id": sent})
    assert (answer.headers["x-request-id"] == sent) == kept
    assert len(answer.headers["x-request-id"]) <= 64


def test_names_of_an_address_for_everybody():
    assert names_of("10.0.0.1", ("a.org",)) == ("10.0.0.1", "a.org")
    assert "localhost" in names_of("0.0.0.0")
