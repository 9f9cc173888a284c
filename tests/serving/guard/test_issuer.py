"""Tokens of an issuer: everything has to be right, and nothing that is sent is an error."""

import datetime
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.guard.issuer import Issuer, keys_from
from lnrisk.serving.guard.tokens import AccessError

OURS = ec.generate_private_key(ec.SECP256R1())
THEIRS = ec.generate_private_key(ec.SECP256R1())
NOW = datetime.datetime.now(tz=datetime.UTC)
CLAIMS = {
    "iss": "https://id.example",
    "aud": "lnrisk",
    "sub": "dr.who",
    "exp": NOW + datetime.timedelta(hours=1),
}


def jwks(*keys):
    found = [jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) for key in keys]
    return json.dumps({"keys": [{**k, "kid": f"k{i}", "use": "sig"} for i, k in enumerate(found)]})


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(jwks(OURS))
    return Issuer("https://id.example", "lnrisk", keys_from(str(file)))


def token(key=OURS, algorithm="ES256", kid="k0", without=(), **claims):
    content = {k: v for k, v in {**CLAIMS, **claims}.items() if k not in without}
    return jwt.encode(content, key, algorithm, headers={"kid": kid} if kid else {})


def test_a_good_token_has_a_name(issuer):
    assert issuer.name_of(token()) == "oidc:dr.who"
    assert issuer.name_of(token(kid=None)) == "oidc:dr.who"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"aud": "another"},
        {"exp": NOW - datetime.timedelta(minutes=2)},
        {"nbf": NOW + datetime.timedelta(days=2)},
        {"key": THEIRS},
        {"kid": "k9"},
        {"without": ["exp"]},
        {"without": ["sub"]},
        {"without": ["aud"]},
        {"sub": "a b\n"},
        {"sub": ""},
        {"key": "x" * 64, "algorithm": "HS256"},
        {"key": rsa.generate_private_key(65537, 2048), "algorithm": "RS256"},
    ],
    ids="-".join,
)
def test_one_thing_wrong_is_enough(issuer, changes):
    assert issuer.name_of(token(**changes)) is None


def test_an_unsigned_token_is_none(issuer):
    assert issuer.name_of(jwt.encode(CLAIMS, None, "none")) is None


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,9}"))
def test_no_text_is_an_error(issuer, text):
    assert issuer.name_of(text) is None


@given(st.binary(max_size=60))
def test_no_payload_is_an_error(issuer, payload):
    assert issuer.name_of(jwt.PyJWS().encode(payload, OURS, "ES256", {"kid": "k0"})) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"keys": []}', '{"keys": [{"kty": "oct"}]}'])
def test_a_file_that_is_no_jwks(tmp_path, text):
    file = tmp_path / "jwks.json"
    file.write_text(text)
    with pytest.raises(AccessError, match="not a JWKS file"):
        keys_from(str(file))


def test_keys_are_not_read_in_the_clear():
    with pytest.raises(AccessError, match="https"):
        keys_from("http://id.example/jwks")
    assert keys_from("http://127.0.0.1:9/jwks")
