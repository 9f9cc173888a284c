"""Every code block of the README and the docs is run, or loaded by what reads such a file."""

import datetime
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import jwt
import mlflow
import pytest
from click.testing import CliRunner
from client import Client
from cryptography.hazmat.primitives.asymmetric import ec
from lnrisk.__main__ import main
from lnrisk.features.registry import read_registry
from lnrisk.model.definition import Definition, load_definition
from lnrisk.model.label import label
from lnrisk.serving.app import create_app
from lnrisk.serving.cds_hooks import SERVICE_PATH
from lnrisk.serving.guard.cds_clients import load_clients
from lnrisk.serving.patient_input import check_patient
from lnrisk.serving.rows import PatientTables
from lnrisk.serving.settings import Settings
from lnrisk.training.config import TrainingConfig, load_config
from lnrisk.training.evaluator import RiskEvaluator
from lnrisk.training.external import external_validation
from lnrisk.training.simulate import simulate, write
from lnrisk.training.tracking import Registered, _log_model, connect
from lnrisk.training.train import fit_model
from mlflow.models.evaluation.evaluator_registry import _model_evaluation_registry
from registries import CONFIG, quietly, simulated, trained
from served import small_model

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PBC = ROOT.parent / "shared" / "data" / "pbc"
OPERATIONS = {"lnrisk", "ini", "yaml"}  # tests/serving/test_operations_page.py
QUICK = """refits = 20
[validation]
folds = 3
repeats = 1
resamples = 50
learning_sizes = [0.5]
sensitivity = false
challengers = false
centres = false
"""
"""The whole validation takes minutes, and has tests of its own."""
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def lnrisk(line, folder):
    program, *arguments = shlex.split(line, comments=True)
    assert program == "lnrisk"
    own = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    run = subprocess.run(
        [sys.executable, "-m", "lnrisk", *arguments],
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{line}\n{run.stderr}"
    return run.stdout


def lines(text):
    return [line for line in text.splitlines() if line.strip()]


def test_every_kind_of_block_has_a_test():
    kinds = {info.split(" ")[0] for page in PAGES for info, _ in blocks(page)}
    assert kinds <= {"make", "bash", "python", "pbc", "toml", "csv", "json", *OPERATIONS}


def test_make_targets_exist():
    for page in PAGES:
        for info, text in blocks(page):
            for line in lines(text) if info == "make" else []:
                target = shlex.split(line, comments=True)[1]
                subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.slow
def test_the_road_in_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (road,) = (text for info, text in blocks(ROOT / "README.md") if info == "bash")
    (tmp_path / "quick.toml").write_text(QUICK, encoding="utf-8")
    for line in lines(road):
        quick = " --config quick.toml" if line.startswith("lnrisk train") else ""
        lnrisk(line + quick, tmp_path)
    (program,) = (text for info, text in blocks(ROOT / "README.md") if info == "python")
    exec(compile(program, "README.md", "exec"), {})
    assert "not_refractory" in capsys.readouterr().out
    assert (tmp_path / "risks.csv").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.skipif(not PBC.is_dir(), reason="needs ../shared/data/pbc, which is not here")
def test_the_real_data_example(tmp_path):
    (example,) = (text for info, text in blocks(ROOT / "README.md") if info == "pbc")
    (tmp_path / "pbc").symlink_to(PBC)
    config = (ROOT / "examples" / "pbc.toml").read_text(encoding="utf-8")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "pbc.toml").write_text(f"refits = 20\n{config}challengers = false\n")
    lnrisk("lnrisk check pbc", tmp_path)
    said = lnrisk(example.strip(), tmp_path)
    figures = {
        name: float(re.search(rf"^  {name} +([0-9.]+)", said, re.MULTILINE)[1])
        for name in ("AUROC", "Brier score")
    }
    assert figures["AUROC"] >= 0.895
    assert figures["Brier score"] <= 0.110


def test_the_patient_of_the_registry_page(tmp_path):
    for info, text in blocks(ROOT / "docs" / "registry.md"):
        kind, _, name = info.partition(" ")
        assert kind == "csv"
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = label(read_registry(tmp_path), load_definition())
    assert result.courses["proteinuria"].tolist() == ["unchanged"]


def test_definition_page(tmp_path):
    whole, part = (text for info, text in blocks(ROOT / "docs" / "definition.md") if info == "toml")
    (tmp_path / "my-registry.toml").write_text(whole, encoding="utf-8")
    assert load_definition(tmp_path / "my-registry.toml").window.last_day == 210
    preset = load_definition().model_dump(mode="json", exclude_none=True)
    assert Definition.model_validate(preset | tomllib.loads(part)) == load_definition()


def test_definition_page_names_every_parameter():
    page = (ROOT / "docs" / "definition.md").read_text(encoding="utf-8")
    for section, parameters in load_definition().model_dump(exclude_none=True).items():
        if isinstance(parameters, dict) and section != "failed":
            for name in parameters:
                assert f"`{section}.{name}`" in page


def test_configuration_page(tmp_path):
    (text,) = (text for info, text in blocks(ROOT / "docs" / "method.md") if info == "toml")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    assert load_config(tmp_path / "config.toml") == TrainingConfig()


def write_blocks(page, folder):
    """Write the blocks that name a file; return the others."""
    others = []
    for info, text in blocks(ROOT / "docs" / page):
        kind, _, name = info.partition(" ")
        if name:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        else:
            others.append((kind, text))
    return others


def test_the_sources_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind, text in write_blocks("sources.md", tmp_path):
        assert kind == "bash"
        for line in lines(text):
            result = CliRunner().invoke(main, shlex.split(line)[1:])
            assert result.exit_code == 0, f"{line}\n{result.output}"
    for folder in ("from-fhir", "from-omop", "from-fhir-with-local-codes"):
        result = label(read_registry(tmp_path / folder), load_definition())
        assert result.courses["proteinuria"].tolist() == ["unchanged"], folder


def test_the_sites_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model", "south", "east"):
        (tmp_path / name).mkdir()
    (tmp_path / "model" / "lnrisk-model.json").write_text(trained().model.to_json())
    write(simulate(700, 2), tmp_path / "north", "parquet")
    for seed, site in ((4, "south"), (5, "east")):
        sent = external_validation(
            trained().model, simulated(700, seed), site, datetime.date(2026, 1, 1), quietly
        )
        (tmp_path / site / "external.json").write_text(json.dumps(sent))
    for kind, text in write_blocks("sites.md", tmp_path):
        assert kind == "bash"
        for line in lines(text):
            result = CliRunner().invoke(main, shlex.split(line)[1:])
            assert result.exit_code == 0, f"{line}\n{result.output}"
    assert json.loads((tmp_path / "pooled.json").read_text())["sites"] == ["north", "south", "east"]
    assert (tmp_path / "updated" / "lnrisk-model.json").exists()


def test_the_record_page(tmp_path):
    assert write_blocks("record.md", tmp_path) == []
    answer = Client(create_app(small_model(), Settings())).post(
        "/fhir/$assess", content=(tmp_path / "parameters.json").read_bytes()
    )
    assert answer.json()["status"] == "cancelled"
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    jwk = jwt.get_algorithm_by_name("ES384").to_jwk(key, as_dict=True)
    (tmp_path / "ehr-keys.json").write_text(json.dumps({"keys": [jwk]}))
    clients = load_clients(tmp_path / "clients.toml", SERVICE_PATH)
    assert list(clients.keys) == ["https://ehr.hospital.example"]


def test_the_patient_of_the_serving_page():
    ((_, text),) = blocks(ROOT / "docs" / "serving.md")
    request = PatientTables.model_validate_json(text)
    checked = check_patient(request.tables)
    assert checked.warnings == ()
    answer = label(checked.registry, load_definition(), request.day)
    assert answer.courses["proteinuria"].tolist() == ["unchanged"]
    assert answer.courses["counts"].tolist() == ["yes"]


def test_no_page_links_to_nothing():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # MLflow, on any data
def test_the_tracking_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    connect(uri)
    mlflow.set_experiment("lnrisk")
    config = CONFIG.changed(refits=0)
    model = fit_model(simulated(), load_definition(), config, lambda *_: None)
    with mlflow.start_run():
        _log_model(model, Registered("lnrisk"))
    write(simulate(20, 1), tmp_path / "registry", "csv")
    _model_evaluation_registry.register("lnrisk", RiskEvaluator)
    for kind, text in write_blocks("tracking.md", tmp_path):
        if kind == "python":
            exec(compile(text, "tracking.md", "exec"), {})
        for line in lines(text) if kind == "bash" else []:
            result = CliRunner().invoke(main, shlex.split(line)[1:])
            assert result.exit_code == 0, f"{line}\n{result.output}"
    mlflow.set_tracking_uri(None)
    assert "status" in capsys.readouterr().out
    assert "retired" in result.output


def test_results_page():
    (program,) = (text for info, text in blocks(ROOT / "docs" / "results.md") if info == "python")
    exec(compile(program, "results.md", "exec"), {})
