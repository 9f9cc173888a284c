"""A run in MLflow: what is logged, the model that is registered, and what is left out."""

import json
import os
from types import SimpleNamespace

import mlflow
import numpy as np
import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.training.tracking import Registered, log_run
from registries import CONFIG, trained

TELEMETRY = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracking")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    run = trained()
    with pytest.MonkeyPatch.context() as patch:
        for name in TELEMETRY:
            patch.delenv(name, raising=False)
        tracked = log_run(
            run.model,
            run.results,
            CONFIG,
            run.cohort.features,
            "<html>report</html>",
            {"picture.png": b"png"},
            experiment="ours",
            tracking_uri=uri,
            registered=Registered("risk", "best"),
        )
        seen = {name: os.environ.get(name) for name in TELEMETRY}
    client = mlflow.MlflowClient(uri)
    mlflow.set_tracking_uri(uri)
    return SimpleNamespace(
        folder=folder,
        tracked=tracked,
        client=client,
        run=client.get_run(tracked.run_id),
        environment=seen,
        loaded=mlflow.pyfunc.load_model("models:/risk@best"),
    )


def text(logged, name):
    return mlflow.artifacts.load_text(f"{logged.run.info.artifact_uri}/{name}")


def test_the_run_finished_in_its_experiment(logged):
    assert logged.run.info.status == "FINISHED"
    experiment = logged.client.get_experiment(logged.run.info.experiment_id)
    assert experiment.name == "ours"
    assert experiment.artifact_location == (logged.folder / "mlartifacts" / "ours").as_uri()


def test_telemetry_is_off(logged):
    assert logged.environment == TELEMETRY


def test_parameters_are_the_configuration(logged):
    found = logged.run.data.params
    assert found["definition"] == "arora-2022"
    assert found["definition_version"] == "1.0.0"
    for name in ("outcome", "landmark_days", "horizon_days", "refits", "seed"):
        assert found[name] == str(CONFIG.model_dump(mode="json")[name])
    for name, value in CONFIG.validation.model_dump().items():
        assert found[f"validation_{name}"] == str(value)
    assert float(found["C"]) == trained().results["model"]["C"]
    assert found["features"] == str(len(trained().model.terms))


def test_metrics_are_the_figures_with_their_intervals_and_the_counts(logged):
    found = logged.run.data.metrics
    for row in trained().results["performance"]:
        for part, suffix in (("estimate", ""), ("lower", "_lower"), ("upper", "_upper")):
            assert found[f"{row['measure']}{suffix}"] == row[part]
    counts = trained().results["cohort"]
    for name, value in ((n, v) for n, v in counts.items() if n != "landmarks"):
        assert found[name] == value


def test_tags_name_data_definition_and_model_and_say_simulated(logged):
    found = logged.run.data.tags
    model, results = trained().model, trained().results
    assert found["lnrisk.synthetic"] == "true"
    assert found["lnrisk.version"] == "0.0.0"
    assert found["lnrisk.data_sha256"] == results["data"]["sha256"]
    assert found["lnrisk.definition"] == "arora-2022 1.0.0"
    assert found["lnrisk.outcome"] == "rule"
    assert found["lnrisk.model_sha256"] == model.sha256
    assert "no figure is evidence about real people" in found["mlflow.note.content"]


def test_the_data_are_named_by_digest_and_context(logged):
    (used,) = logged.run.inputs.dataset_inputs
    assert used.dataset.name == trained().results["data"]["name"]
    assert used.dataset.digest == trained().results["data"]["sha256"][:36]
    assert {tag.key: tag.value for tag in used.tags}["mlflow.data.context"] == "training"
    assert json.loads(used.dataset.profile)["num_rows"] == len(trained().cohort.features)


def test_documents_are_logged_whole(logged):
    assert json.loads(text(logged, "results.json")) == trained().results
    assert text(logged, "report.html") == "<html>report</html>"
    assert text(logged, "attrition.csv") == trained().cohort.attrition.to_csv(index=False)
    assert {"python", "lnrisk", "mlflow"} <= set(json.loads(text(logged, "environment.json")))
    assert text(logged, "figures/picture.png") == "png"


def test_the_model_has_a_signature_and_an_input_example_that_is_nobody(logged):
    metadata = logged.loaded.metadata
    assert metadata.signature.outputs.input_names() == ["risk", "risk_lower", "risk_upper"]
    inputs = metadata.signature.inputs
    assert inputs.input_names() == trained().model.input_names
    assert not any(column.required for column in inputs.inputs)
    (example,) = metadata.load_input_example().to_dict("records")
    means = {term.name: term.mean for term in trained().model.terms}
    assert set(example) == set(inputs.input_names())
    assert {name: example[name] for name in example if name in means} == {
        name: pytest.approx(mean) for name, mean in means.items() if name in example
    }


def test_the_loaded_model_predicts_as_the_model(logged):
    features = trained().cohort.features.head(30)
    found = logged.loaded.predict(features)
    model = trained().model
    lower, upper = model.interval(features)
    np.testing.assert_allclose(found["risk"], model.predict(features), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["risk_lower"], lower, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["risk_upper"], upper, rtol=0, atol=1e-12)


def test_it_is_registered_under_its_name_and_alias(logged):
    assert logged.tracked.model_uri == "models:/risk@best"
    version = logged.client.get_model_version_by_alias("risk", "best")
    assert version.version in ("1", 1)
    assert version.run_id == logged.tracked.run_id


def test_no_row_of_a_patient_is_logged(logged):
    identifiers = [str(name).encode() for name in trained().cohort.patient_id]
    files = [path for path in logged.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        assert not [name for name in identifiers if name in content]


def test_a_server_that_refuses_is_named(tmp_path):
    uri = f"sqlite:///{tmp_path / 'absent' / 'folder' / 'mlflow.db'}"
    (tmp_path / "absent").write_text("a file, not a folder")
    run = trained()
    with pytest.raises(LnriskError, match="refused the run"):
        log_run(run.model, run.results, CONFIG, run.cohort.features, "", {}, tracking_uri=uri)
