"""The open inference protocol: what is offered, answered and refused."""

import asyncio

import httpx
import numpy as np
import pandas as pd
import pytest
from client import Client
from lnrisk.features.laboratory import DAYS_PER_MONTH, LANDMARK_MONTH
from lnrisk.serving.app import create_app
from lnrisk.serving.settings import Settings
from served import RANGES, small_model

MODEL = small_model()
PARTS = ((0, 1), (1, 3), (3, 5))


@pytest.fixture(scope="module")
def client():
    return Client(create_app(MODEL, Settings(most_patients=50)))


def columns(n=3):
    random = np.random.default_rng(1)
    given = {name: random.uniform(*RANGES.get(name, (0, 1)), n) for name in MODEL.input_names}
    given[LANDMARK_MONTH] = np.full(n, MODEL.landmarks[0] / DAYS_PER_MONTH)
    return {name: values.tolist() for name, values in given.items()}


def tensors(given):
    return [
        {"name": name, "shape": [len(values), 1], "datatype": "FP64", "data": values}
        for name, values in given.items()
    ]


def infer(client, given, path="/v2/models/lnrisk/infer", **more):
    return client.post(path, json={"inputs": tensors(given), **more})


def outputs(answer):
    return {each["name"]: each["data"] for each in answer.json()["outputs"]}


def test_risks_are_the_models(client):
    given = columns()
    given["egfr_change"][1] = None
    answer = infer(client, given, id="abc")
    assert answer.json()["id"] == "abc"
    assert answer.json()["model_version"] == MODEL.version
    assert answer.json()["parameters"]["trained_on_simulated_data"] is True
    assert answer.json()["parameters"]["trained_on_too_few"] is False
    frame = pd.DataFrame(given, dtype=float)
    risk, months = MODEL.predict(frame), frame["landmark_month"].to_numpy()
    lower, upper = MODEL.range_of(risk, months, MODEL.interval(frame))
    found = outputs(answer)
    np.testing.assert_allclose(found["risk"], risk, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found["risk_lower"], lower, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found["risk_upper"], upper, rtol=0, atol=1e-15)
    assert found["status"] == ["ok"] * 3


def test_a_row_does_not_depend_on_the_others(client):
    given = columns(5)
    together = outputs(infer(client, given))["risk"]
    for row in range(5):
        alone = {name: values[row : row + 1] for name, values in given.items()}
        assert outputs(infer(client, alone))["risk"] == together[row : row + 1]


def test_callers_who_ask_at_once_are_not_mixed_up():
    given = columns(5)
    app = create_app(MODEL, Settings(most_patients=50))
    parts = [{name: values[row:stop] for name, values in given.items()} for row, stop in PARTS]

    async def ask():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as one:
            bodies = [{"inputs": tensors(part)} for part in parts]
            bodies.insert(1, {"inputs": tensors(parts[0])[1:]})
            posts = [one.post("/v2/models/lnrisk/infer", json=body) for body in bodies]
            return await asyncio.gather(*posts)

    first, refused, *others = asyncio.run(ask())
    assert refused.status_code == 400
    frame = pd.DataFrame(given, dtype=float)
    for answer, (row, stop) in zip([first, *others], PARTS, strict=True):
        assert outputs(answer)["risk"] == MODEL.predict(frame)[row:stop].tolist()


def test_without_the_required_feature_there_is_no_number(client):
    given = columns(2)
    given[MODEL.required_feature][0] = None
    found = outputs(infer(client, given))
    assert found["status"] == ["outside_model", "ok"]
    assert found["risk"][0] is None
    assert found["risk_lower"][0] is None


def test_a_landmark_that_the_model_does_not_know_gets_no_number(client):
    given = columns(3)
    given[LANDMARK_MONTH][1] = 7.0
    given[LANDMARK_MONTH][2] = None
    assert outputs(infer(client, given))["status"] == ["ok", "outside_model", "outside_model"]


def test_rows_may_be_nested_and_outputs_chosen(client):
    given = columns(2)
    nested = [{**each, "data": [[v] for v in each["data"]]} for each in tensors(given)]
    body = {"inputs": nested, "outputs": [{"name": "risk"}]}
    answer = client.post(f"/v2/models/lnrisk/versions/{MODEL.version}/infer", json=body)
    assert outputs(answer) == {"risk": outputs(infer(client, given))["risk"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda given: given.pop("age"), "inputs lack age"),
        (lambda given: given.update(agee=[0.0] * 3), "unknown inputs: agee"),
        (lambda given: given.update(age=[0.0]), "expected [3, 1] and 3 values"),
        (lambda given: given.update(age=["x"] * 3), "inputs."),
    ],
)
def test_what_is_wrong_is_said_in_the_protocols_form(client, change, said):
    given = columns()
    change(given)
    answer = infer(client, given)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert said in answer.json()["error"]


def test_nan_is_no_json(client):
    body = '{"inputs": [{"name": "age", "shape": [1, 1], "datatype": "FP64", "data": [NaN]}]}'
    answer = client.post("/v2/models/lnrisk/infer", content=body)
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_too_many_rows_are_refused(client):
    answer = infer(client, columns(51))
    assert answer.status_code == 400
    assert "at most 50" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    ["/v2/models/other", "/v2/models/lnrisk/versions/0", "/v2/models/other/ready"],
)
def test_another_model_is_not_here(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert MODEL.version in answer.json()["error"]


def test_what_the_server_offers(client):
    assert client.get("/v2").json()["name"] == "lnrisk"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/lnrisk/ready").json() == {"ready": True}
    metadata = client.get("/v2/models/lnrisk").json()
    assert [each["name"] for each in metadata["inputs"]] == MODEL.input_names
    assert metadata["versions"] == [MODEL.version]
