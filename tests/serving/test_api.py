"""The native API: what is answered, what is refused, and how."""

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
    assert answer["interval"]["lower"] <= answer["interval"]["upper"]
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
