"""Metrics: what Prometheus reads, in bounded labels."""

from client import Client
from lnrisk.serving.app import create_app
from lnrisk.serving.operation import Operation, operate
from lnrisk.serving.settings import Settings
from prometheus_client.parser import text_string_to_metric_families
from served import patient, small_model

MODEL = small_model()


def samples(app):
    text = app.get("/metrics").text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_scores_and_refusals_are_counted():
    how = Operation(allowed_hosts=("test",), per_second=1, largest_body=10_000)
    app = Client(operate(create_app(MODEL, Settings()), MODEL, how))
    risk = app.post("/v1/risk", json=patient()).json()["risk"]
    app.post("/v1/risk", json=patient(treatments=[]))
    app.post("/v1/risk", content=b"x" * 10_001)
    app.get("/nowhere/Jane")
    app.get("/healthz", headers={"host": "evil.org"})
    found = samples(app)
    assert found["lnrisk_requests_total", "/v1/risk", "200", "POST"] == 2
    assert found["lnrisk_requests_total", "(no such address)", "404", "GET"] == 1
    assert found["lnrisk_refusals_total", "size"] == 1
    assert found["lnrisk_refusals_total", "host"] == 1
    assert found["lnrisk_assessments_total", "ok"] == 1
    assert found["lnrisk_assessments_total", "no_induction"] == 1
    assert found["lnrisk_risk_sum",] == risk
    assert found["lnrisk_missing_terms_total", "refill_share"] == 1
    assert found["lnrisk_request_seconds_count", "/v1/risk"] == 2
    assert any(MODEL.sha256 in key for key in found)
    assert not any("Jane" in label for key in found for label in key)


def test_who_asks_too_often_is_counted():
    how = Operation(allowed_hosts=("test",), per_second=0.001)
    app = Client(operate(create_app(MODEL, Settings()), MODEL, how))
    assert [app.get("/nowhere").status_code for _ in range(2)] == [404, 429]


def test_two_services_count_apart():
    services = [
        Client(operate(create_app(MODEL, Settings()), MODEL, Operation(allowed_hosts=("test",))))
        for _ in range(2)
    ]
    services[0].post("/v1/risk", json=patient())
    assert samples(services[1]).get(("lnrisk_assessments_total", "ok"), 0) == 0
