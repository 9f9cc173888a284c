"""Access: this machine needs no login; any other address needs one, and encryption."""

import base64
from pathlib import Path

import pytest
from client import Client
from lnrisk.serving.guard.access import Access, Login, must_not_start
from lnrisk.serving.guard.headers import Headers
from lnrisk.serving.guard.tokens import AccessError, Tokens, new_token
from starlette.responses import PlainTextResponse

TOKEN, KEPT = new_token("ward-7")
LOGIN = Login(Tokens((KEPT,)))
FILE = Path("file.pem")


async def who(scope, receive, send):
    await PlainTextResponse(scope["state"].get("who", "-"))(scope, receive, send)


def guarded(login=LOGIN):
    return Client(Headers(Access(who, login)))


def basic(name, token):
    return "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()


def test_without_login_everybody_is_local():
    assert guarded(Login()).get("/").text == "local"


@pytest.mark.parametrize(
    "shown",
    [f"Bearer {TOKEN}", f"bearer  {TOKEN}", basic("ward-7", TOKEN)],
    ids=["bearer", "lower case", "basic"],
)
def test_a_token_gives_its_name(shown):
    assert guarded().get("/", headers={"authorization": shown}).text == "ward-7"


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer x",
        TOKEN,
        f"Token {TOKEN}",
        basic("ward-8", TOKEN),
        "Basic !",
        "Basic eA",
    ],
    ids=range(8),
)
def test_anything_else_gives_nothing(shown):
    answer = guarded().get("/", headers={"authorization": shown})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_browser_is_asked_for_a_token():
    answer = guarded().get("/", headers={"accept": "text/html"})
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_two_authorizations_are_none():
    shown = [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")]
    assert guarded().get("/", headers=shown).status_code == 401


def test_health_needs_no_login():
    assert guarded().get("/readyz").status_code == 200


def test_guessing_is_slowed_down():
    app = guarded()
    statuses = [app.get("/", headers={"authorization": "Bearer x"}).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_this_machine_needs_nothing(host):
    must_not_start(host, Login(), None, None, False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "risk.hospital.org", ""])
@pytest.mark.parametrize(
    ("login", "certificate", "proxy", "lacking"),
    [
        (Login(), FILE, False, "a login"),
        (Login(), None, True, "a login"),
        (LOGIN, None, False, "encryption"),
        (Login(), None, False, "a login.*encryption"),
    ],
)
def test_another_address_is_refused(host, login, certificate, proxy, lacking):
    with pytest.raises(AccessError, match=lacking):
        must_not_start(host, login, certificate, certificate, proxy)


@pytest.mark.parametrize(("certificate", "proxy"), [(FILE, False), (None, True)])
def test_another_address_with_login_and_encryption(certificate, proxy):
    must_not_start("0.0.0.0", LOGIN, certificate, certificate, proxy)


def test_behind_a_proxy_this_machine_is_not_alone():
    with pytest.raises(AccessError, match="behind a proxy"):
        must_not_start("127.0.0.1", Login(), None, None, True)
    must_not_start("127.0.0.1", LOGIN, None, None, True)


def test_half_a_certificate():
    with pytest.raises(AccessError, match="belong together"):
        must_not_start("127.0.0.1", Login(), FILE, None, False)
