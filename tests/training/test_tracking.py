"""A run in MLflow: what is logged, the model that is registered, and what is left out.

Every test runs against SQLite and against PostgreSQL.
"""

import json
import os
import re
import tomllib
from contextlib import contextmanager
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
from databases import everything_in, postgresql
from lnrisk.features.days import as_dates
from lnrisk.features.errors import LnriskError
from lnrisk.features.pipeline import index_days
from lnrisk.serving.model_inputs import inputs_of
from lnrisk.serving.rows import EXAMPLE
from lnrisk.serving.scoring import score
from lnrisk.training.config import TrainingConfig, load_config
from lnrisk.training.schema.tables import read_table
from lnrisk.training.tracking import Registered, check_free, holder, log_run, without_autologging
from lnrisk.training.validation.fold_figures import MEASURES, fold_figures
from registries import CONFIG, request_of, simulated, trained
from sklearn.linear_model import LogisticRegression

TELEMETRY = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


CANDIDATES = [
    {
        "name": name,
        "meaning": "in words",
        "log_loss": loss,
        "standard_error": 0.01,
        "difference": loss - 0.5,
        "difference_error": 0.0,
        "auroc": 0.7,
        "parameters": parameters,
        "chosen": loss == 0.5,
        "served": loss == 0.5,
        "why": "because",
        "chosen_in_folds": folds,
    }
    for name, loss, parameters, folds in (
        ("logistic", 0.5, 12.0, 4),
        ("boosting", 0.52, None, None),
    )
]


@contextmanager
def sqlite(folder):
    yield f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def backend(request, tmp_path_factory):
    """A tracking database, and an empty folder to work in."""
    folder = tmp_path_factory.mktemp("tracking")
    with sqlite(folder) if request.param == "sqlite" else postgresql() as uri:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            yield SimpleNamespace(kind=request.param, folder=folder, uri=uri)
        dispose(uri)


def dispose(uri):
    """Close the connections that MLflow keeps, before the server goes."""
    mlflow.set_tracking_uri(None)
    engine = mlflow.store.tracking.sqlalchemy_store.SqlAlchemyStore._engine_map.get(uri)
    if engine is not None:
        engine.dispose()


@pytest.fixture(scope="module")
def logged(backend):
    run = trained()
    folds = fold_figures(run.cohort, run.validated, CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        for name in TELEMETRY:
            patch.delenv(name, raising=False)
        tracked = log_run(
            run.model,
            run.results | {"candidates": CANDIDATES},
            CONFIG,
            run.cohort.features,
            "<html>report</html>",
            {"picture.png": b"png"},
            folds,
            experiment="ours",
            tracking_uri=backend.uri,
            registered=Registered("risk", "best"),
        )
        seen = {name: os.environ.get(name) for name in TELEMETRY}
    client = mlflow.MlflowClient(backend.uri)
    mlflow.set_tracking_uri(backend.uri)
    return SimpleNamespace(
        kind=backend.kind,
        folder=backend.folder,
        uri=backend.uri,
        folds=folds,
        tracked=tracked,
        client=client,
        run=client.get_run(tracked.run_id),
        environment=seen,
        loaded=mlflow.pyfunc.load_model("models:/risk@best"),
    )


def children(logged, kind):
    found = logged.client.search_runs(
        [logged.run.info.experiment_id],
        f"tags.mlflow.parentRunId = '{logged.run.info.run_id}' AND tags.`lnrisk.child` = '{kind}'",
    )
    return {run.info.run_name: run for run in found}


def text(logged, name):
    return mlflow.artifacts.load_text(f"{logged.run.info.artifact_uri}/{name}")


def test_the_run_finished_in_its_experiment(logged):
    assert logged.run.info.status == "FINISHED"
    experiment = logged.client.get_experiment(logged.run.info.experiment_id)
    assert experiment.name == "ours"
    if logged.kind == "sqlite":
        assert experiment.artifact_location == (logged.folder / "mlartifacts" / "ours").as_uri()


def test_telemetry_is_off(logged):
    assert logged.environment == TELEMETRY


def test_parameters_are_the_configuration(logged):
    found = logged.run.data.params
    assert found["definition"] == "arora-2022"
    assert found["definition_version"] == "1.0.0"
    for name in ("outcome", "landmark_days", "horizon_days", "refits", "seed"):
        assert found[name] == str(CONFIG.model_dump(mode="json")[name])
    for name, value in CONFIG.validation.model_dump(mode="json").items():
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
    (few,) = model.too_few
    assert found["lnrisk.too_few"] == "true"
    assert found["mlflow.note.content"].endswith(few)
    assert few in results["warnings"]


def test_the_data_are_named_by_digest_and_context(logged):
    (used,) = logged.run.inputs.dataset_inputs
    assert used.dataset.name == trained().results["data"]["name"]
    assert used.dataset.digest == trained().results["data"]["sha256"][:36]
    assert {tag.key: tag.value for tag in used.tags}["mlflow.data.context"] == "training"
    assert json.loads(used.dataset.profile)["num_rows"] == len(trained().cohort.features)


def test_documents_are_logged_whole(logged):
    whole = trained().results | {"candidates": CANDIDATES}
    assert json.loads(text(logged, "results.json")) == whole
    assert text(logged, "report.html") == "<html>report</html>"
    assert text(logged, "attrition.csv") == trained().cohort.attrition.to_csv(index=False)
    assert {"python", "lnrisk", "mlflow"} <= set(json.loads(text(logged, "environment.json")))
    assert text(logged, "figures/picture.png") == "png"


def test_the_configuration_is_logged_as_train_takes_it(logged, tmp_path):
    written = text(logged, "config.toml")
    (tmp_path / "config.toml").write_text(written)
    assert load_config(tmp_path / "config.toml") == CONFIG
    assert TrainingConfig.model_validate(tomllib.loads(written)) == CONFIG


def test_tables_are_logged_as_parquet(logged):
    uri = f"{logged.run.info.artifact_uri}/tables/performance.parquet"
    table = read_table(mlflow.artifacts.download_artifacts(uri))
    rows = trained().results["performance"]
    assert table["measure"].tolist() == [row["measure"] for row in rows]
    assert table["estimate"].tolist() == [row["estimate"] for row in rows]


def test_every_fold_is_a_child_and_its_repeats_are_steps(logged):
    found = children(logged, "fold")
    assert set(found) == {f"fold {n}" for n in range(CONFIG.validation.folds)}
    for number, run in enumerate(found[name] for name in sorted(found)):
        assert run.info.status == "FINISHED"
        of_fold = logged.folds[logged.folds["fold"] == number]
        for measure in MEASURES:
            history = logged.client.get_metric_history(run.info.run_id, measure)
            steps = {one.step: one.value for one in history}
            assert steps == dict(zip(of_fold["repeat"], of_fold[measure], strict=True))


def test_the_parent_has_the_folds_as_steps(logged):
    history = logged.client.get_metric_history(logged.run.info.run_id, "fold_log_loss")
    in_order = [one.value for one in sorted(history, key=lambda one: one.step)]
    assert in_order == logged.folds["log_loss"].tolist()


def test_every_candidate_is_a_child_and_says_whether_it_was_chosen(logged):
    found = children(logged, "candidate")
    assert set(found) == {"candidate logistic", "candidate boosting"}
    chosen, other = found["candidate logistic"], found["candidate boosting"]
    assert chosen.data.tags["lnrisk.chosen"] == "true"
    assert other.data.tags["lnrisk.chosen"] == "false"
    assert chosen.data.metrics["log_loss"] == 0.5
    assert chosen.data.metrics["parameters"] == 12
    assert chosen.data.metrics["chosen_in_folds"] == 4
    assert {"parameters", "chosen_in_folds"}.isdisjoint(other.data.metrics)
    assert other.data.tags["mlflow.note.content"] == "in words: because"


def test_what_is_not_defined_is_no_metric(logged):
    assert all(np.isfinite(value) for value in logged.run.data.metrics.values())


def test_an_alias_that_is_taken_is_not_taken_away(logged):
    run = trained()
    before = logged.client.get_model_version_by_alias("risk", "best").version
    with pytest.raises(LnriskError, match=r"is the best; train without --alias"):
        log_run(
            run.model,
            run.results,
            CONFIG,
            run.cohort.features,
            "",
            {},
            logged.folds,
            experiment="ours",
            tracking_uri=logged.uri,
            registered=Registered("risk", "best"),
        )
    assert logged.client.get_model_version_by_alias("risk", "best").version == before
    assert holder(logged.client, "risk", "best") == str(before)


def test_nobody_holds_what_is_not_there(logged):
    assert holder(logged.client, "risk", "champion") is None
    assert holder(logged.client, "another", "best") is None


@pytest.mark.filterwarnings("ignore")
def test_autologging_stays_out_of_training(logged):
    mlflow.sklearn.autolog(silent=True)
    try:
        with without_autologging():
            LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        assert mlflow.active_run() is None
        runs = logged.client.search_runs(["0", logged.run.info.experiment_id])
        assert not [run for run in runs if "estimator_name" in run.data.tags]
    finally:
        mlflow.sklearn.autolog(disable=True, silent=True)


def test_the_model_has_a_signature_and_an_input_example_that_is_nobody(logged):
    metadata = logged.loaded.metadata
    outputs = metadata.signature.outputs.input_names()
    assert outputs == ["risk", "risk_lower", "risk_upper", "status", "warnings"]
    inputs = metadata.signature.inputs
    assert inputs.input_names() == [*trained().model.input_names, "tables"]
    assert not any(column.required for column in inputs.inputs)
    assert {column.type.name for column in inputs.inputs} == {"double", "string"}  # no integers
    (example,) = metadata.load_input_example().to_dict("records")
    means = {term.name: term.mean for term in trained().model.terms}
    assert set(example) == set(trained().model.input_names)
    assert {name: example[name] for name in example if name in means} == {
        name: pytest.approx(mean) for name, mean in means.items() if name in example
    }


def test_the_loaded_model_predicts_as_the_model(logged):
    features = trained().cohort.features.head(60)
    found = logged.loaded.predict(features)
    model, ok = trained().model, (found["status"] == "ok").to_numpy()
    risk, months = model.predict(features), features["landmark_month"].to_numpy()
    lower, upper = model.range_of(risk, months, model.interval(features))
    assert ok.sum() > 30
    for name, ours in (
        ("risk", model.predict(features)),
        ("risk_lower", lower),
        ("risk_upper", upper),
    ):
        np.testing.assert_allclose(found[name][ok], ours[ok], rtol=0, atol=1e-12)
        assert found[name][~ok].isna().all()
    assert set(found["status"]) <= {"ok", "outside_model"}
    assert ((found["warnings"] == "") == ok).all()


def test_absent_columns_are_taken_as_missing_and_said_so(logged):
    features, every = trained().cohort.features.head(60), trained().model.input_names
    absent = next(name for name in every if "chronicity" in name)
    names = [name for name in every if name != absent]
    found = logged.loaded.predict(features[names])
    assert found["warnings"].str.endswith(f"taken as missing: {absent}").all()
    empty = logged.loaded.predict(features.assign(**{absent: np.nan}))
    np.testing.assert_array_equal(found["risk"], empty["risk"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"landmark_month": np.nan}, "landmark_month is missing, or not of a day from 0 to 182"),
        ({"landmark_month": 9.0}, "landmark_month is missing, or not of a day from 0 to 182"),
        ({"log_upcr_last": np.nan}, "too little data: "),
        ({"age": 900.0}, "outside the training data: age"),
    ],
)
def test_features_without_a_risk_say_why(logged, change, why):
    found = logged.loaded.predict(trained().cohort.features.head(5).assign(**change))
    assert (found["status"] == "outside_model").all()
    assert found["warnings"].str.startswith(why).all()


def test_a_table_with_no_column_of_the_models_is_refused(logged):
    with pytest.raises(LnriskError, match=r"none of the model's .* columns is there"):
        logged.loaded.predict(pd.DataFrame({"weight": [60.0]}))


def test_the_columns_that_the_model_takes_give_the_risk_that_scoring_gives(logged):
    registry, model = simulated(), trained().model
    inputs, dictionary = inputs_of(model, registry, 12)
    assert inputs.columns.tolist() == model.input_names
    assert {one["name"] for one in json.loads(dictionary)["features"]} == set(model.feature_names)
    found, scores = logged.loaded.predict(inputs), score(model, registry, landmark_weeks=12)
    both = (found["status"] == "ok") & (scores["status"] == "ok")
    assert both.sum() > 400
    np.testing.assert_array_equal(found["risk"][both], scores["risk"][both])


def test_children_and_version_say_that_patients_are_simulated(logged):
    for run in (*children(logged, "fold").values(), *children(logged, "candidate").values()):
        assert run.data.tags["lnrisk.synthetic"] == "true"
    version = logged.client.get_model_version_by_alias("risk", "best")
    assert version.tags["lnrisk.synthetic"] == "true"
    assert version.tags["lnrisk.model_sha256"] == trained().model.sha256
    assert "simulated" in version.description


def test_whole_numbers_are_taken(logged):
    """MLflow itself refuses int64 where a float is expected, with a message; int32 it converts."""
    features = trained().cohort.features.head(60).assign(age=np.int32(40))
    assert features["age"].dtype == np.int32
    found = logged.loaded.predict(features)
    same = logged.loaded.predict(features.assign(age=40.0))
    np.testing.assert_array_equal(found["risk"], same["risk"])


def test_tables_give_the_risk_that_scoring_gives(logged):
    registry = simulated()
    index = as_dates(index_days(registry, "rule"))
    chosen = np.flatnonzero(index < np.datetime64("2100-01-01"))[:12]
    days = [(index[row].astype("datetime64[D]") + 84).item() for row in chosen]
    asked = [request_of(registry, row, day) for row, day in zip(chosen, days, strict=True)]
    found = logged.loaded.predict(pd.DataFrame({"tables": asked}))
    for place, (row, day) in enumerate(zip(chosen, days, strict=True)):
        one = registry.select(np.arange(len(registry)) == row)
        (expected,) = score(trained().model, one, as_of=day).to_dict("records")
        assert found["status"][place] == expected["status"]
        np.testing.assert_allclose(found["risk"][place], expected["risk"], rtol=0, atol=1e-12)
        assert expected["warnings"] in found["warnings"][place]
    assert (found["status"] == "ok").sum() > 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"measurements": [{"date": "2024-02-30", "analyte": "upcr"}]}, "row 1 of tables, meas"),
        ({"visits": []}, "row 1 of tables, visits: Extra inputs are not permitted"),
        (
            {
                "measurements": [
                    {"date": "2024-02-26", "analyte": "upcr", "value": 3, "unit": "stone"}
                ]
            },
            "row 1 of tables: /measurements/0",
        ),
    ],
)
def test_tables_that_are_wrong_are_named_and_nobody_is_scored(logged, change, said):
    asked = [json.dumps(EXAMPLE), json.dumps(EXAMPLE | change)]
    with pytest.raises(LnriskError, match=said):
        logged.loaded.predict(pd.DataFrame({"tables": asked}))


def test_tables_beside_features_are_refused(logged):
    mixed = pd.DataFrame({"tables": [json.dumps(EXAMPLE)], "age": [40.0]})
    with pytest.raises(LnriskError, match=r"features .age. beside the column 'tables'"):
        logged.loaded.predict(mixed)


def test_it_is_registered_under_its_name_and_alias(logged):
    assert logged.tracked.model_uri == "models:/risk@best"
    version = logged.client.get_model_version_by_alias("risk", "best")
    assert version.version in ("1", 1)
    assert version.run_id == logged.tracked.run_id


def test_no_row_of_a_patient_is_logged(logged):
    identifiers = [str(name).encode() for name in trained().cohort.patient_id]
    files = [path for path in logged.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    contents = [path.read_bytes() for path in files]
    contents.append(everything_in(logged.uri).encode())
    for content in contents:
        assert not [name for name in identifiers if name in content]


def test_a_server_that_refuses_is_named(tmp_path):
    uri = f"sqlite:///{tmp_path / 'absent' / 'folder' / 'mlflow.db'}"
    (tmp_path / "absent").write_text("a file, not a folder")
    run = trained()
    folds = fold_figures(run.cohort, run.validated, CONFIG)
    with pytest.raises(LnriskError, match="refused the run"):
        log_run(
            run.model, run.results, CONFIG, run.cohort.features, "", {}, folds, tracking_uri=uri
        )


def test_a_server_that_cannot_be_reached_is_said_before_training(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.chdir(tmp_path)
    nowhere = "http://127.0.0.1:9"
    try:
        with pytest.raises(LnriskError, match=rf"{re.escape(nowhere)} cannot be reached"):
            check_free(None, nowhere)
        check_free(None, "sqlite:///mlflow.db")
    finally:
        mlflow.set_tracking_uri(None)
    assert not list(tmp_path.iterdir())
