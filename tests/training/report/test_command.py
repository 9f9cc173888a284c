"""`lnrisk report`: from a folder to one file, or to a message and nothing."""

import json

import pytest
from click.testing import CliRunner
from full_results import bare_page, bare_results, full_results
from lnrisk.__main__ import main
from lnrisk.training.schema.tables import read_table


def run(*arguments):
    return CliRunner().invoke(main, ["report", *(str(argument) for argument in arguments)])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(bare_results()), encoding="utf-8")
    return tmp_path


def test_a_report_is_written_and_said_to_be_of_simulated_patients(folder):
    done = run(folder, "--out", folder / "report.html")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "simulated: no figure is evidence" in done.stderr
    assert (folder / "report.html").read_text(encoding="utf-8") == bare_page()


def test_the_numbers_can_be_had_as_parquet(folder):
    part = {**bare_results(), "performance": full_results()["performance"]}
    (folder / "results.json").write_text(json.dumps(part), encoding="utf-8")
    assert run(folder, "--out", folder / "r.html", "--tables", folder / "tables").exit_code == 0
    assert len(read_table(folder / "tables" / "performance.parquet")) == 9


@pytest.mark.parametrize(
    ("source", "out", "code", "said"),
    [
        ("nowhere", "r.html", 1, "neither a folder"),
        (".", "r.pdf", 2, "must end in .html"),
        (".", "missing/r.html", 2, "does not exist"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    folder, monkeypatch, source, out, code, said
):
    monkeypatch.chdir(folder)
    done = run(source, "--out", out)
    assert done.exit_code == code
    assert said in done.stderr
    assert [path.name for path in folder.iterdir()] == ["results.json"]
