"""Results are found where users keep them: in a folder, a file, an MLflow run, a model."""

import json

import pytest
from full_results import bare_results, full_results
from lnrisk.features.errors import LnriskError
from lnrisk.training.schema.reading import read_results
from lnrisk.training.tracking import Registered, log_run
from lnrisk.training.validation.fold_figures import fold_figures
from registries import CONFIG, trained


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(full_results()), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    uri = f"sqlite:///{tmp_path_factory.mktemp('tracking') / 'mlflow.db'}"
    run = trained()
    done = log_run(
        run.model,
        run.results,
        CONFIG,
        run.cohort.features,
        "",
        {},
        fold_figures(run.cohort, run.validated, CONFIG),
        tracking_uri=uri,
        registered=Registered("lnrisk", "champion"),
    )
    return uri, done.run_id


def test_a_folder_and_a_file(folder):
    read = read_results(folder)
    assert read == read_results(folder / "results.json") == read_results(str(folder))
    assert read.data.name == full_results()["data"]["name"]


@pytest.mark.parametrize("name", ["{run}", "runs:/{run}", "models:/lnrisk@champion"])
def test_a_run_or_a_model_leads_to_its_results(logged, name):
    uri, run_id = logged
    read = read_results(name.format(run=run_id), uri)
    assert read.data.sha256 == trained().results["data"]["sha256"]
    assert read.model.sha256 == trained().model.sha256


@pytest.mark.parametrize("name", ["0" * 32, "runs:/" + "0" * 32, "models:/other@champion"])
def test_a_run_or_model_that_is_not_there_is_named(logged, name):
    with pytest.raises(LnriskError, match=r"MLflow has no results there"):
        read_results(name, logged[0])


def test_what_is_neither_is_refused_with_what_would_be_taken(tmp_path):
    with pytest.raises(LnriskError, match=r"neither a folder.*models:/lnrisk@champion"):
        read_results("lnrisk")
    with pytest.raises(LnriskError, match=r"has no results\.json"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "expected one JSON object, found list"),
        ("{}", "schema None"),
    ],
)
def test_a_file_that_is_not_results_is_refused(tmp_path, content, said):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(LnriskError, match=said):
        read_results(tmp_path)


def test_bare_results_are_results(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(bare_results()))
    assert read_results(tmp_path).performance == []
