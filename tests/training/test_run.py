"""A run from registry to folder: the folder appears whole or not at all."""

import json

import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.model.artifact import MODEL_FILE
from lnrisk.model.definition import load_definition
from lnrisk.model.ledger import Ledger
from lnrisk.model.loading import load_model
from lnrisk.training import run as module
from lnrisk.training.run import Request, run
from lnrisk.training.tracking import Registered, Tracked
from registries import CONFIG, quietly, simulated, trained

TRACKED = Tracked("1234", "models:/risk@best", "sqlite:///x.db", "3")
FILES = {MODEL_FILE, "results.json", "attrition.csv", "report.html", "tables"}


@pytest.fixture
def logged(monkeypatch):
    """Take the cached training run, and note what MLflow is told."""
    noted = []

    def log_run(*what, **how):
        noted.append((what, how))
        return TRACKED

    monkeypatch.setattr(module, "train", lambda *_: trained())
    monkeypatch.setattr(module, "render_report", lambda results: f"<p>{results['schema']}</p>")
    monkeypatch.setattr(module, "figure_files", lambda results: {"validation.png": b"png"})
    monkeypatch.setattr(module, "log_run", log_run)
    monkeypatch.setattr(module, "check_free", lambda *_: None)
    return noted


def request(out=None, **more):
    return Request(simulated(), load_definition(), CONFIG, out=out, **more)


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.usefixtures("logged")
def test_the_folder_holds_model_results_attrition_and_report(tmp_path):
    out = tmp_path / "deep" / "model"
    assert run(request(out), quietly, "0").out == out
    assert names(out) == FILES
    assert load_model(out) == trained().model
    assert json.loads((out / "results.json").read_text()) == trained().results
    attrition = trained().cohort.attrition
    assert (out / "attrition.csv").read_text() == attrition.to_csv(index=False)
    assert (out / "report.html").read_text() == "<p>lnrisk.results/2</p>"
    assert (out / "tables" / "performance.parquet").is_file()
    assert names(tmp_path / "deep") == {"model"}


@pytest.mark.usefixtures("logged")
def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "model").mkdir()
    run(request(tmp_path / "model"), quietly, "0")
    assert names(tmp_path / "model") == FILES


@pytest.mark.usefixtures("logged")
@pytest.mark.parametrize("failing", ["attrition.csv", "the move"])
def test_a_disk_that_fails_leaves_nothing(tmp_path, monkeypatch, failing):
    write = module.Path.write_text

    def full(path, text="", **how):
        if failing in (path.name, "the move"):
            raise OSError("no space left on device")
        return write(path, text, **how)

    if failing == "the move":
        monkeypatch.setattr(module.shutil, "move", full)
    else:
        monkeypatch.setattr(module.Path, "write_text", full)
    with pytest.raises(LnriskError, match="model: cannot be written: no space left on device"):
        run(request(tmp_path / "model"), quietly, "0")
    assert names(tmp_path) == set()


@pytest.mark.usefixtures("logged")
def test_what_is_already_there_is_left_as_it_was(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").write_text("mine")
    with pytest.raises(LnriskError, match="model: cannot be written"):
        run(request(tmp_path / "model"), quietly, "0")
    assert (tmp_path / "model" / "mine.txt").read_text() == "mine"
    assert names(tmp_path) == {"model"}
    assert names(tmp_path / "model") == {"mine.txt"}


def test_nothing_is_written_when_mlflow_refuses(tmp_path, monkeypatch, logged):
    def refuse(*_, **__):
        raise LnriskError("MLflow at x refused the run")

    monkeypatch.setattr(module, "log_run", refuse)
    with pytest.raises(LnriskError, match="refused the run"):
        run(request(tmp_path / "model"), quietly, "0")
    assert names(tmp_path) == set()
    assert logged == []


def test_without_a_folder_nothing_is_written_and_mlflow_is_told_all_the_same(tmp_path, logged):
    done = run(request(experiment="ours", register="risk", alias="best"), quietly, "0")
    assert done.out is None
    ((what, how),) = logged
    assert what[0] is trained().model
    assert what[1] is trained().results
    assert how["experiment"] == "ours"
    assert how["registered"] == Registered("risk", "best")
    assert how["tracking_uri"] is None
    assert what[3] is trained().cohort.features
    assert what[4:6] == ("<p>lnrisk.results/2</p>", {"validation.png": b"png"})
    assert len(what[6]) == CONFIG.validation.folds * CONFIG.validation.repeats
    run(request(), quietly, "0")
    assert logged[1][1]["registered"] is None


@pytest.mark.usefixtures("logged")
def test_the_summary_says_figures_addresses_and_that_patients_are_simulated(tmp_path):
    text = run(request(tmp_path / "model"), quietly, "0").summary()
    assert text.startswith("SIMULATED PATIENTS: no figure is evidence about real people.")
    estimate = trained().results["performance"][0]["estimate"]
    assert f"AUROC                  {estimate:.3f} (" in text
    for said in ("1234", "models:/risk@best", "sqlite:///x.db", str(tmp_path / "model")):
        assert said in text
    for step in trained().cohort.attrition["step"]:
        assert step in text


@pytest.mark.usefixtures("logged")
def test_a_figure_that_is_not_defined_is_said(monkeypatch):
    results = json.loads(json.dumps(trained().results))
    results["performance"][0]["upper"] = None
    changed = type(trained())(trained().model, trained().cohort, trained().validated, results)
    text = module.Done(changed, TRACKED, None).summary()
    assert " to not defined)" in text
    assert "folder " not in text


@pytest.mark.usefixtures("logged")
def test_a_model_that_gets_an_alias_is_entered_in_the_ledger(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    run(request(register="risk", alias="champion", ledger=book.path), quietly, "0")
    (entry,) = book.entries()
    assert (entry.event, entry.name, entry.model) == ("promoted", "risk", trained().model.sha256)
    assert entry.by == "lnrisk train"
    assert entry.evidence == {
        "version": "3",
        "alias": "champion",
        "why": "first champion of its name",
    }


def test_what_would_be_refused_in_the_end_is_refused_before_training(tmp_path, monkeypatch, logged):
    monkeypatch.setattr(module, "train", lambda *_: pytest.fail("trained"))
    torn = tmp_path / "ledger.jsonl"
    torn.write_text("{\n")
    with pytest.raises(LnriskError, match="entry 1 cannot be read"):
        run(request(register="risk", alias="champion", ledger=torn), quietly, "0")

    def taken(*_):
        raise LnriskError("version 1 of risk is the champion")

    monkeypatch.setattr(module, "check_free", taken)
    with pytest.raises(LnriskError, match="version 1 of risk is the champion"):
        run(request(register="risk", alias="champion"), quietly, "0")
    assert logged == []
