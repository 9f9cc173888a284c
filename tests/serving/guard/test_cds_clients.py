"""A CDS Hooks client is believed once, within its time, for this service; else a bare 401."""

import json

import jwt
import pytest
from client import Client
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lnrisk.serving.app import create_app
from lnrisk.serving.audit.log import AuditLog
from lnrisk.serving.audit.verify import entries
from lnrisk.serving.cds_hooks import SERVICE_PATH
from lnrisk.serving.guard.cds_clients import load_clients
from lnrisk.serving.guard.tokens import AccessError
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.settings import Settings
from served import small_model

NOW = 1_700_000_000
EHR, BASE = "https://ehr.example", "https://risk.example"
ES384 = ec.generate_private_key(ec.SECP384R1())
RS384 = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = ec.generate_private_key(ec.SECP384R1())


def public(key, algorithm, kid):
    said = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**said, "kid": kid, "alg": algorithm, "use": "sig"}


@pytest.fixture
def clients(tmp_path):
    keys = [public(ES384, "ES384", "e"), public(RS384, "RS384", "r")]
    (tmp_path / "ehr.json").write_text(json.dumps({"keys": keys}))
    (tmp_path / "clients.toml").write_text(
        f'audience = "{BASE}"\n[issuers]\n"{EHR}" = "ehr.json"\n'
    )
    found = load_clients(tmp_path / "clients.toml", SERVICE_PATH)
    found.clock = lambda: NOW
    return found


CLAIMS = {"iss": EHR, "aud": f"{BASE}{SERVICE_PATH}", "iat": NOW, "exp": NOW + 300, "jti": "1"}


def token(key=ES384, algorithm="ES384", kid="e", **claims):
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return "Bearer " + jwt.encode(said, key, algorithm, {"kid": kid})


@pytest.mark.parametrize(
    "shown",
    [
        token(),
        token(RS384, "RS384", "r"),
        token(aud=BASE),
        token(aud=["https://other.example", f"{BASE}{SERVICE_PATH}/feedback"]),
        token(iat=NOW - 290, exp=NOW + 10),
        token(iat=NOW + 20),
    ],
)
def test_a_token_that_is_in_order_is_accepted_once(clients, shown):
    assert clients.issuer_of(shown) == EHR
    assert clients.issuer_of(shown) is None


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Basic x",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer " + "x" * 20_000,
        token(STRANGER),
        token(kid="unknown"),
        token("secret" * 10, "HS256"),
        token(ES384.private_numbers and None, "none"),
        token(iss="https://stranger.example"),
        token(aud="https://other.example"),
        token(exp=NOW - 31, iat=NOW - 331),
        token(iat=NOW + 31),
        token(nbf=NOW + 31),
        token(exp=NOW + 7200),
        token(exp=NOW, iat=NOW + 1),
        *(token(**{claim: None}) for claim in CLAIMS),
        token(jti=""),
        token(jti=7),
        token(jti="x" * 300),
    ],
)
def test_whatever_is_wrong_it_is_not_believed(clients, shown):
    assert clients.issuer_of(shown) is None


def test_what_was_seen_is_forgotten_when_it_is_over(clients):
    assert clients.issuer_of(token()) == EHR
    clients.clock = lambda: NOW + 400
    assert clients.issuer_of(token(iat=NOW + 400, exp=NOW + 700)) == EHR
    assert len(clients._seen) == 1


def test_the_service_answers_a_bare_401_and_logs_who_it_believed(clients, tmp_path):
    log, model = AuditLog(tmp_path / "audit"), small_model()
    how = Operation(allowed_hosts=("test",), log=log, cds_clients=clients)
    client = Client(operate(create_app(model, Settings()), model, how))
    refused = client.post(SERVICE_PATH, content=b"{")
    assert (refused.status_code, refused.content) == (401, b"")
    assert "www-authenticate" not in refused.headers
    believed = client.post(SERVICE_PATH, content=b"{", headers={"authorization": token()})
    assert believed.status_code == 400
    assert client.get("/cds-services").status_code == 200
    assert client.get("/healthz").status_code == 200
    log.close()
    assert [entry.content["who"] for entry in entries(log.folder)] == [f"cds:{EHR}"]


@pytest.mark.parametrize(
    "text",
    [
        "audience = ",
        'audience = "https://risk.example"',
        'audience = "http://risk.example"\n[issuers]\n"a" = "ehr.json"',
        'audience = "https://risk.example"\n[issuers]',
        'audience = "https://risk.example"\n[issuers]\n"a" = "none.json"',
        'audience = "https://risk.example"\nissuers = 3',
    ],
)
def test_a_file_that_settles_nothing_is_refused(tmp_path, text):
    (tmp_path / "clients.toml").write_text(text)
    with pytest.raises(AccessError):
        load_clients(tmp_path / "clients.toml", SERVICE_PATH)
