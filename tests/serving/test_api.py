"""The native API: what is answered, what is refused, and how."""

import json

import pytest
from client import Client
from lnrisk.serving.app import create_app
from lnrisk.serving.settings import Settings
from served import patient, small_model, upcr


@pytest.fixture(scope="module")
def client():
    return Client(create_app(small_model(), Settings()))


def test_a_patient_gets_risk_rule_and_reasons(client):
    answer = client.post("/v1/risk", json=patient()).json()
    assert answer["status"] == "ok"
    assert 0 < answer["risk"] < 1
    alike, steady = answer["interval"], answer["steadiness"]
    assert (alike["kind"], steady["kind"]) == ("patients alike", "refits")
    assert alike["lower"] <= steady["lower"] <= steady["upper"] <= alike["upper"]
    assert alike["lower"] <= answer["risk"] <= alike["upper"]
    assert answer["landmark"] == {"day": 84, "date": "2015-08-24"}
    assert answer["label"]["verdict"] == "not_refractory"
    (course,) = answer["label"]["courses"]
    above, ratio, egfr, dose, adherent = course["criteria"]
    assert (above["value"], above["threshold"], above["answer"]) == (2.9, 0.5, "yes")
    assert [fact["date"] for fact in ratio["facts"]] == ["2015-05-27", "2015-10-20"]
    assert [fact["sources"][0]["row"] for fact in ratio["facts"]] == [1, 4]
    assert egfr["answer"] == "unknown"
    assert (dose["value"], dose["threshold"], dose["answer"]) == (2000, 2000, "yes")
    assert dose["facts"][0]["sources"] == [{"table": "treatments", "row": 1}]
    assert (adherent["question"], adherent["answer"]) == ("adherent", "unknown")
    assert answer["missing"][0]["name"] == "refill_share"
    assert answer["model"]["trained_on_simulated_data"]


def test_what_is_wrong_is_named_by_table_row_and_field(client):
    sent = patient(measurements=[upcr("2015-05-27", 3), upcr("2015-07-10", 2, "mg/L")])
    answer = client.post("/v1/risk", json=sent)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/measurements/1/unit"
    assert "measurements, row 2, unit 'mg/L': upcr is accepted in g/g" in error["detail"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/nowhere", "GET", 404), ("/v1/risk", "GET", 405)],
)
def test_every_error_is_a_problem(client, path, method, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == status


def test_the_request_id_comes_back(client):
    answer = client.get("/healthz", headers={"X-Request-ID": "abc"})
    assert answer.headers["x-request-id"] == "abc"


def test_a_batch_streams_one_line_per_patient_and_one_error_stops_nobody(client):
    wrong = patient(measurements=[upcr("2015-07-10", 2, "mg/L")])
    sent = {"requests": [patient(), wrong, patient(as_of="2015-07-01")]}
    answer = client.post("/v1/risk:batch", json=sent)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    first, second, third = (json.loads(line) for line in answer.text.splitlines())
    assert first["answer"] == client.post("/v1/risk", json=patient()).json()
    assert second["answer"] is None
    assert second["problem"]["errors"][0]["pointer"] == "/measurements/0/unit"
    assert third["position"] == 2
    assert third["answer"]["status"] == "outside_model"
    assert third["answer"]["risk"] is None
    assert "too early" in third["answer"]["why"]


def test_the_label_alone_is_that_of_the_risk(client):
    label = client.post("/v1/label", json=patient()).json()
    assert label["label"] == client.post("/v1/risk", json=patient()).json()["label"]


def test_too_many_rows_or_patients_are_refused():
    few = Client(create_app(small_model(), Settings(most_rows=3, most_patients=1)))
    answer = few.post("/v1/risk", json=patient())
    assert answer.status_code == 413
    assert answer.json()["detail"] == "7 rows; at most 3 are accepted."
    assert few.post("/v1/risk:batch", json={"requests": [patient()] * 2}).status_code == 413


def test_an_answer_that_takes_too_long_is_a_problem():
    hasty = Client(create_app(small_model(), Settings(longest_seconds=0.001)))
    answer = hasty.post("/v1/risk", json=patient())
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:lnrisk:problem:too-slow"


@pytest.mark.parametrize(
    ("row", "pointer", "accepted"),
    [
        ({"sex": "F", "birth_date": "1985"}, "/patients/0/sex", "'female' or 'male'"),
        ({"sex": "female", "birth_date": "1985-13-01"}, "/patients/0/birth_date", "YYYY-MM-DD"),
        ({"sex": "female", "birthdate": "1985"}, "/patients/0/birthdate", "not permitted"),
    ],
)
def test_a_field_that_is_wrong_is_named(client, row, pointer, accepted):
    answer = client.post("/v1/risk", json=patient(patients=[row]))
    assert answer.status_code == 422
    (error,) = (e for e in answer.json()["errors"] if e["pointer"] == pointer)
    assert accepted in error["detail"]


def test_a_number_written_as_text_is_refused(client):
    answer = client.post("/v1/risk", json=patient(measurements=[upcr("2015-05-27", "3,1")]))
    assert answer.json()["errors"][0]["pointer"] == "/measurements/0/value"


def test_the_card_says_what_the_model_is(client):
    card = client.get("/v1/model").json()
    assert card["trained_on_simulated_data"]
    assert card["trained_on_too_few"] == []
    assert card["definition"] == "arora-2022"
    assert "log_upcr_last" in card["inputs"]


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health(client, path):
    assert client.get(path).json() == {"status": "ok"}


def test_a_model_that_cannot_score_the_example_is_not_ready():
    broken = small_model(required_feature="no such feature")
    answer = Client(create_app(broken, Settings())).get("/readyz")
    assert answer.status_code == 503
