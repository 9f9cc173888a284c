"""A training run: who is left, what is logged, and that it can be had again."""

import json
import socket
import sqlite3

import mlflow
import numpy as np
import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.model.definition import load_definition
from lnrisk.model.loading import find_model
from lnrisk.model.support import support_in
from lnrisk.training.cohort import build_cohort
from lnrisk.training.config import TrainingConfig, load_config
from lnrisk.training.run import Request, run
from lnrisk.training.train import train
from registries import CONFIG, quietly, simulated, trained


def test_attrition_accounts_for_every_patient():
    table = trained().cohort.attrition
    assert table["remaining"].iloc[0] == len(simulated())
    steps = table["remaining"].shift(1) - table["left_out"]
    assert (steps.iloc[1:] == table["remaining"].iloc[1:]).all()
    cohort = trained().cohort
    known = cohort.has_outcome & ~cohort.possible
    assert table["remaining"].iloc[-1] == (known & cohort.primary).sum()


def test_unresolved_patients_have_no_y_and_no_weight():
    cohort = trained().cohort
    unresolved = cohort.status == "censored"
    assert unresolved.any()
    assert np.isnan(cohort.y[unresolved]).all()
    assert (cohort.weights.weight[unresolved] == 0).all()
    assert (cohort.weights.weight[~unresolved] >= cohort.weights.chance[~unresolved]).all()


def test_no_feature_is_race_or_ancestry():
    names = [entry.name for entry in trained().cohort.dictionary]
    assert not [name for name in names if "ancestry" in name or "race" in name or "apol1" in name]


def test_the_same_data_and_seed_give_the_same_model_and_figures():
    again = train(simulated(), load_definition(), CONFIG, quietly, "0.0.0")
    assert again.model.to_json() == trained().model.to_json()
    assert again.results == trained().results


def test_too_few_events_is_said_with_the_attrition():
    with pytest.raises(LnriskError, match=r"(?s)at least 10 with.*in the registry"):
        build_cohort(simulated(20, 1), load_definition(), CONFIG)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A whole run, with every connection that leaves the process refused."""
    folder = tmp_path_factory.mktemp("run")

    def refuse(*_):
        raise AssertionError("a connection was opened")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        done = run(
            Request(
                simulated(),
                load_definition(),
                CONFIG,
                tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
                register="lnrisk",
                alias="champion",
                out=folder / "model",
            ),
            quietly,
            "0.0.0",
        )
    return folder, done


def test_the_run_holds_parameters_figures_hash_and_what_it_was_trained_on(finished):
    folder, done = finished
    logged = mlflow.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}").get_run(done.tracked.run_id)
    assert logged.data.tags["lnrisk.synthetic"] == "true"
    assert "simulated" in logged.data.tags["mlflow.note.content"]
    assert logged.data.tags["lnrisk.data_sha256"] == simulated().source.sha256
    assert logged.data.tags["lnrisk.definition"] == "arora-2022 1.0.0"
    assert logged.data.params["landmark_days"] == "[0, 84, 182]"
    assert logged.data.metrics["auroc"] == done.trained.results["performance"][0]["estimate"]
    assert "brier_upper" in logged.data.metrics


def test_artefacts_lie_beside_the_database(finished):
    folder, done = finished
    names = {path.name for path in (folder / "mlartifacts" / "lnrisk").rglob("*")}
    expected = (
        "report.html",
        "validation.png",
        "results.json",
        "attrition.csv",
        "environment.json",
        "config.toml",
        "calibration.svg",
        "performance.parquet",
    )
    assert names >= {*expected, "lnrisk-model.json", "input_example.json"}
    assert done.tracked.model_uri == "models:/lnrisk@champion"


def test_the_model_knows_what_it_was_trained_on():
    model = trained().model
    supports = support_in(model.training)
    assert set(supports) <= set(model.landmarks)
    for support in supports.values():
        assert list(support.terms) == model.feature_names
        assert max(support.risk.edges) < 1
    assert model.training["patients"] in {support.patients for support in supports.values()}


def test_folder_and_registry_hold_the_same_model(finished):
    folder, done = finished
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    assert find_model(str(folder / "model"), None) == find_model("models:/lnrisk@champion", uri)
    results = json.loads((folder / "model" / "results.json").read_text())
    assert results == done.trained.results


def test_mlflows_model_gives_the_same_risks(finished):
    folder, done = finished
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    loaded = mlflow.pyfunc.load_model("models:/lnrisk@champion")
    features = done.trained.cohort.features.head(20)
    risk = loaded.predict(features)["risk"].to_numpy()
    np.testing.assert_allclose(risk, done.trained.model.predict(features), rtol=0, atol=1e-12)
    inputs = loaded.metadata.signature.inputs.input_names()
    assert inputs == [*done.trained.model.input_names, "tables"]


def test_no_patient_is_in_the_tracking_store(finished):
    folder, _ = finished
    with sqlite3.connect(folder / "mlflow.db") as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    assert "P00001" not in text
    for path in (folder / "mlartifacts").rglob("*"):
        if path.is_file():
            assert b"P00001" not in path.read_bytes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("landmark_days = -1", "landmark_days"),
        ("horizon_days = 30", "horizon_days must be after landmark_days"),
        ("seeed = 1", "seeed"),
        ("[validation]\nfolds = 1", r"validation\.folds"),
        ("landmark_days = ", "not a readable TOML file"),
    ],
)
def test_a_configuration_that_is_wrong_is_refused_by_its_field(tmp_path, text, said):
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(LnriskError, match=said):
        load_config(tmp_path / "config.toml")
    assert load_config(None) == TrainingConfig()
