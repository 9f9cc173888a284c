"""From a name to a model, and what is said when there is none."""

import os
import re

import pytest
from lnrisk.features.errors import ModelError
from lnrisk.model import loading
from lnrisk.model.artifact import MODEL_FILE
from lnrisk.model.loading import find_model


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_text("{}")
    return folder / MODEL_FILE


@pytest.fixture
def read(monkeypatch):
    """Return the file that is read instead of the model in it."""
    monkeypatch.setattr(loading, "load_model", lambda path: path)


@pytest.mark.usefixtures("read")
def test_a_folder_a_file_and_the_folder_of_an_mlflow_model_lead_to_the_file(tmp_path):
    plain, logged = write(tmp_path / "plain"), write(tmp_path / "mlflow" / "artifacts")
    assert find_model(str(tmp_path / "plain")) == find_model(str(plain)) == plain
    assert find_model(str(tmp_path / "mlflow")) == logged


def test_a_folder_without_model_file_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=f"^empty: the folder has no {MODEL_FILE}.$"):
        find_model(str(tmp_path / "empty"))


def test_what_is_neither_path_nor_uri_is_said(tmp_path):
    name = str(tmp_path / "nowhere")
    message = f"{name!r} is neither a folder nor a model URI such as models:/lnrisk@champion."
    with pytest.raises(ModelError, match=re.escape(message)):
        find_model(name)


def test_another_file_is_no_model(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ModelError, match="not a readable model file"):
        find_model(str(tmp_path / "notes.txt"))


@pytest.mark.parametrize(
    "name", ["models:/lnrisk@champion", "models:/lnrisk/1", f"runs:/{'0' * 32}/model"]
)
def test_a_uri_that_mlflow_does_not_know_is_said_without_telemetry(store, name, monkeypatch):
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    with pytest.raises(ModelError, match=f"^{name}: MLflow has no such model: "):
        find_model(name, store)
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.usefixtures("read")
def test_a_file_uri_is_read_as_a_folder(tmp_path):
    file = write(tmp_path / "plain")
    assert find_model(file.parent.as_uri()) == file
