"""`lnrisk import`: what it says, writes and refuses."""

import json

import pytest
from click.testing import CliRunner
from lnrisk.__main__ import main
from records import anna, bundle, observation


def run(*arguments):
    return CliRunner().invoke(main, ["import", *map(str, arguments)])


@pytest.fixture
def source(tmp_path):
    odd = observation("upcr", "2021-03-01", 2, "mg/L")
    (tmp_path / "anna.json").write_text(json.dumps(bundle(*anna(), odd)))
    return tmp_path / "anna.json"


def test_a_source_becomes_a_bundle_with_a_report(source, tmp_path):
    result = run("fhir", source, tmp_path / "out" / "anna")
    assert result.exit_code == 0
    assert "measurements: 4 rows (creatinine, upcr)" in result.stdout
    assert "1 x Observation upcr: unit 'mg/L' is not known" in result.stdout
    assert "1 patient; mapping.json has the whole report." in result.stderr
    written = {file.name for file in (tmp_path / "out" / "anna").iterdir()}
    assert written == {
        "patients.csv",
        "measurements.csv",
        "treatments.csv",
        "events.csv",
        "registry.json",
        "mapping.json",
    }
    mapping = json.loads((tmp_path / "out" / "anna" / "mapping.json").read_text())
    assert mapping["source"] == "anna.json"
    assert mapping["used"]["measurements"] == {"creatinine": 2, "upcr": 2}
    (row,) = mapping["not_used"]
    assert (row["rows"], row["example"]) == (1, "Observation/upcr-2021-03-01")
    assert CliRunner().invoke(main, ["check", str(tmp_path / "out" / "anna")]).exit_code == 0


def test_simulated_patients_are_marked(source, tmp_path):
    result = run("fhir", source, tmp_path / "out", "--synthetic")
    assert "marked as simulated" in result.stderr
    assert json.loads((tmp_path / "out" / "registry.json").read_text())["synthetic"] is True


def test_a_folder_that_holds_something_is_left_alone(source, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    result = run("fhir", source, tmp_path / "out")
    assert result.exit_code == 1
    assert "is not an empty folder" in result.stderr
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_source_without_a_patient_is_not_fit(tmp_path):
    (tmp_path / "none.json").write_text(json.dumps(bundle(*anna()[1:])))
    result = run("fhir", tmp_path / "none.json", tmp_path / "out")
    assert result.exit_code == 1
    assert "no patient could be used; nothing was written" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("hl7v2", "."), 2), (("fhir", "nowhere"), 2), (("omop", "."), 1), (("meds", "."), 1)],
)
def test_wrong_use(arguments, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments, tmp_path / "out").exit_code == code
    assert not (tmp_path / "out").exists()
