"""Every command: what it prints, what it refuses, its exit code; nothing is half-written."""

import datetime
import json

import generated
import pandas as pd
import pytest
from click.testing import CliRunner
from lnrisk.__main__ import main
from lnrisk.model.artifact import MODEL_FILE
from served import small_model

COMMANDS = (
    "check",
    "demo",
    "export",
    "features",
    "import",
    "label",
    "report",
    "score",
    "serve",
    "simulate",
    "train",
)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def bundle(tmp_path):
    """One patient who failed twice, written as a bundle."""
    folder = tmp_path / "registry"
    write(folder, {})
    return folder


def write(folder, changes):
    person = generated.Patient(
        birth=-11000,
        sex="female",
        treatments=[
            ("mycophenolate_mofetil", 0, 200, "3000", "mg/d", "inefficacy"),
            ("tacrolimus", 200, None, "4", "mg/d", ""),
        ],
        measurements=[(day, "upcr", "3", "g/g") for day in range(-20, 600, 30)],
        adherence=[(0, 199, "pdc", "0.9", ""), (200, 400, "pdc", "0.9", "")],
        events=[(760, "last_contact")],
    )
    folder.mkdir(exist_ok=True)
    for name, table in generated.bundle([person]).items():
        if len(table):
            changes.get(name, lambda t: t)(table).to_csv(folder / f"{name}.csv", index=False)
    return folder


def bad_unit(table):
    return table.assign(unit=["furlong", *table["unit"][1:]])


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_version():
    assert run("--version").stdout.startswith("lnrisk, version")


@pytest.mark.parametrize("command", ["check", "label", "train"])
def test_a_folder_that_does_not_exist_is_wrong_use(command, tmp_path):
    result = run(command, tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_label_to_stdout(bundle):
    result = run("label", bundle)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("patient_id,index_date,verdict")
    assert ",refractory," in lines[1]
    assert "1 refractory" in result.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_label_to_files(bundle, tmp_path, ending):
    labels, courses = tmp_path / f"labels.{ending}", tmp_path / f"courses.{ending}"
    result = run("label", bundle, "--out", labels, "--courses", courses)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    read = pd.read_csv if ending == "csv" else pd.read_parquet
    assert read(labels)["verdict"].tolist() == ["refractory"]
    assert read(courses)["regimen"].tolist() == ["MPA", "CNI"]


def test_label_with_its_certainty(bundle, tmp_path):
    said = tmp_path / "certainty.csv"
    assert run("label", bundle, "--certainty", said).exit_code == 0
    (row,) = pd.read_csv(said).itertuples()
    assert row.verdict == "refractory"
    assert 0.5 < row.verdict_right == row.probability_refractory < 1
    assert row.failed == "yes;yes"
    steady = tmp_path / "steady.toml"
    kind = 'levels = [1.0]\ncoefficients = [0.0]\nsource = "a test"\n'
    steady.write_text("".join(f"[{k}]\n{kind}" for k in ("upcr", "protein_24h", "egfr")))
    assert run("label", bundle, "--certainty", said, "--variation", steady).exit_code == 0
    assert pd.read_csv(said)["verdict_right"].tolist() == [1.0]


def test_label_as_of(bundle):
    early = (generated.DAY_0 + datetime.timedelta(days=150)).isoformat()
    assert ",not_refractory," in run("label", bundle, "--as-of", early).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--as-of", "last week"), "expected YYYY-MM-DD"),
        (("--definition", "arora-1922"), "neither a preset"),
        (("--out", "labels.xlsx"), "must end in .csv or .parquet"),
        (("--out", "no/such/folder/labels.csv"), "does not exist"),
        (("--out", "a.csv", "--courses", "a.csv"), "same file"),
        (("--courses", "a.csv", "--certainty", "a.csv"), "same file"),
        (("--variation", __file__), "--certainty"),
    ],
)
def test_label_wrong_use(bundle, arguments, said):
    result = run("label", bundle, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_label_with_a_definition_file(bundle, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('based_on = "arora-2022"\nname = "mine"\n[verdict]\ndifferent_regimens = 3\n')
    result = run("label", bundle, "--definition", mine)
    assert ",not_refractory," in result.stdout
    assert ",mine,1.0.0," in result.stdout


def test_a_definition_file_that_is_wrong_names_the_field(bundle, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('based_on = "arora-2022"\n[window]\nfirst_day = "soon"\n')
    result = run("label", bundle, "--definition", mine)
    assert result.exit_code == 1
    assert "window.first_day" in result.stderr


@pytest.mark.parametrize(
    ("command", "more"),
    [("label", ("--out",)), ("features", ("--out",)), ("train", ("--out",))],
)
def test_bad_rows_refuse_the_registry_and_nothing_is_written(tmp_path, command, more):
    folder = write(tmp_path / "registry", {"measurements": bad_unit})
    out = tmp_path / "out.csv"
    result = run(command, folder, *more, out)
    assert result.exit_code == 1
    assert "measurements.csv, row 2, unit 'furlong'" in result.stderr
    assert "mg/mmol" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["registry"]


def test_bad_rows_can_be_left_out(tmp_path):
    folder = write(tmp_path / "registry", {"measurements": bad_unit})
    out = tmp_path / "labels.csv"
    result = run("label", folder, "--out", out, "--skip-bad-rows")
    assert result.exit_code == 0
    rejected = pd.read_csv(tmp_path / "rejected.csv")
    assert rejected["file"].tolist() == ["measurements.csv"]
    assert rejected["kind"].tolist() == ["unknown unit"]
    assert "furlong" in rejected["record"][0]
    assert out.exists()


def test_check_prints_every_error_in_one_go(tmp_path):
    folder = write(
        tmp_path / "registry",
        {"measurements": bad_unit, "treatments": lambda t: t.assign(start_date="2015-02-30")},
    )
    result = run("check", folder)
    assert result.exit_code == 1
    assert "error: impossible date (2)" in result.stdout
    assert "error: unknown unit (1)" in result.stdout


def test_check_of_a_good_registry(bundle, tmp_path):
    result = run("check", bundle, "--out", tmp_path / "findings.csv")
    assert result.exit_code == 0
    assert "0 errors" in result.stdout
    assert (tmp_path / "findings.csv").exists()


def test_a_missing_table_is_named(bundle):
    (bundle / "events.csv").unlink()
    result = run("check", bundle)
    assert result.exit_code == 1
    assert "table 'events' is missing" in result.stderr


def test_features_with_their_dictionary(bundle, tmp_path):
    result = run("features", bundle, "--landmark-weeks", 12, "--out", tmp_path / "f.csv")
    assert result.exit_code == 0
    table = pd.read_csv(tmp_path / "f.csv")
    dictionary = json.loads((tmp_path / "features.json").read_text())
    names = [entry["name"] for entry in dictionary["features"]]
    assert table.columns.tolist() == ["patient_id", *names]


def test_features_of_a_model_are_the_columns_that_it_takes(bundle, model, tmp_path):
    out = tmp_path / "f.parquet"
    given = ("features", bundle, "--model", model, "--out", out)
    result = run(*given)
    assert result.exit_code == 0, result.output
    assert pd.read_parquet(out).columns.tolist() == ["patient_id", *small_model().input_names]
    assert json.loads((tmp_path / "features.json").read_text())["features"]
    for more, code, said in (
        (("--outcome", "rule"), 2, "--outcome is that of --model"),
        (("--landmark-weeks", 60), 1, "not at week 60"),
    ):
        result = run(*given, *more)
        assert result.exit_code == code
        assert said in result.stderr


def test_train_with_too_few_events_says_so_and_writes_nothing(bundle, tmp_path):
    result = run("train", bundle, "--out", tmp_path / "model")
    assert result.exit_code == 1
    assert "at least 10" in result.stderr
    assert not (tmp_path / "model").exists()


def test_train_configuration_names_the_field(bundle, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text("landmark_day = 84\n")
    result = run("train", bundle, "--config", config)
    assert result.exit_code == 1
    assert "landmark_day" in result.stderr


def test_train_on_the_registrys_outcome_needs_one(bundle):
    result = run("train", bundle, "--outcome", "registry")
    assert result.exit_code == 1
    assert "needs a table outcomes" in result.stderr


def test_alias_needs_a_name(bundle):
    assert run("train", bundle, "--alias", "champion").exit_code == 2


@pytest.mark.parametrize("model", ["nowhere", "models:/none@champion"])
def test_score_without_a_model(bundle, tmp_path, model):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    result = run("score", model, bundle, "--as-of", "2016-01-01", "--tracking-uri", uri)
    assert result.exit_code == 1
    assert "model" in result.stderr


@pytest.fixture
def model(tmp_path):
    """A folder with a small model that was trained on simulated patients."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / MODEL_FILE).write_text(small_model().to_json())
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_score_to_a_file(bundle, model, tmp_path, ending):
    out = tmp_path / f"risks.{ending}"
    result = run("score", model, bundle, "--landmark-weeks", 12, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert ": 1 ok" in result.stderr
    assert "simulated patients" in result.stderr
    table = (pd.read_csv if ending == "csv" else pd.read_parquet)(out)
    assert table["status"].tolist() == ["ok"]
    assert names(tmp_path) == ["model", "registry", out.name]


def test_score_to_stdout(bundle, model, tmp_path):
    out = tmp_path / "risks.csv"
    as_of = ("--as-of", (generated.DAY_0 + datetime.timedelta(days=100)).isoformat())
    assert run("score", model, bundle, *as_of, "--out", out).exit_code == 0
    assert run("score", model, bundle, *as_of).stdout == out.read_text()


def test_score_refuses_bad_rows_and_writes_nothing(model, tmp_path):
    folder = write(tmp_path / "registry", {"measurements": bad_unit})
    out = tmp_path / "risks.parquet"
    result = run("score", model, folder, "--landmark-weeks", 12, "--out", out)
    assert result.exit_code == 1
    assert "registry: refused, 1 errors in its rows." in result.stderr
    assert "measurements.csv, row 2, unit 'furlong'" in result.stderr
    assert names(tmp_path) == ["model", "registry"]
    skipped = run("score", model, folder, "--landmark-weeks", 12, "--out", out, "--skip-bad-rows")
    assert skipped.exit_code == 0
    assert "registry: 1 rows left out" in skipped.stderr
    assert pd.read_csv(tmp_path / "rejected.csv")["row"].tolist() == [2]
    assert names(tmp_path) == ["model", "registry", "rejected.csv", "risks.parquet"]


def test_score_at_another_landmark_is_refused(bundle, model):
    result = run("score", model, bundle, "--landmark-weeks", 50)
    assert result.exit_code == 1
    assert "the model scores from week 12" in result.stderr


def test_an_interrupted_score_leaves_nothing_behind(bundle, model, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("lnrisk.serving.bundle_scoring.score", interrupt)
    out = tmp_path / "risks.csv"
    result = run("score", model, bundle, "--landmark-weeks", 12, "--out", out)
    assert result.exit_code == 1
    assert names(tmp_path) == ["model", "registry"]


def test_score_into_a_folder_without_room_is_said_so(bundle, model, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lnrisk.features.partitions._split_table", full)
    out = tmp_path / "risks.csv"
    result = run("score", model, bundle, "--landmark-weeks", 12, "--out", out)
    assert result.exit_code == 1
    assert "cannot be written: [Errno 28] No space left on device" in result.stderr
    assert names(tmp_path) == ["model", "registry"]


def test_score_needs_a_day(bundle):
    result = run("score", "model", bundle)
    assert result.exit_code == 2
    assert "--as-of" in result.stderr


def test_simulate_does_not_overwrite(bundle):
    assert run("simulate", bundle).exit_code == 2


def test_simulate_needs_a_patient(tmp_path):
    assert run("simulate", tmp_path / "new", "--patients", 0).exit_code == 2


@pytest.mark.parametrize("command", ["validate", "update", "train"])
def test_a_folder_that_cannot_be_made_is_wrong_use(bundle, model, tmp_path, command):
    (tmp_path / "file").write_text("")
    given = [bundle] if command == "train" else [model, bundle]
    for out, said in ((tmp_path / "file" / "new", "'file' is a file"), (bundle, "not an empty")):
        result = run(command, *given, "--out", out)
        assert result.exit_code == 2, result.output
        assert said in result.stderr


def test_rows_left_out_of_a_trial_stay_outside_the_folder_that_is_sent(model, tmp_path):
    folder = write(tmp_path / "bad", {"measurements": bad_unit})
    out = tmp_path / "sent" / "north"
    out.parent.mkdir()
    result = run("validate", model, folder, "--out", out, "--skip-bad-rows")
    assert result.exit_code == 0, result.output
    assert [path.name for path in out.iterdir()] == ["external.json"]
    assert "furlong" in (out.parent / "rejected.csv").read_text()


def test_an_update_writes_the_rows_left_out_and_reads_the_ledger_first(model, tmp_path):
    last_is_bad = {"measurements": lambda t: t.assign(unit=[*t["unit"][:-1], "furlong"])}
    folder = write(tmp_path / "bad", last_is_bad)
    result = run("update", model, folder, "--out", tmp_path / "new", "--skip-bad-rows")
    assert result.exit_code == 0, result.output
    assert "furlong" in (tmp_path / "rejected.csv").read_text()
    (tmp_path / "ledger").write_text("no entry")
    more = ("--out", tmp_path / "other", "--ledger", tmp_path / "ledger", "--by", "me")
    result = run("update", model, folder, "--skip-bad-rows", *more)
    assert result.exit_code == 1
    assert "entry 1 cannot be read" in result.stderr
    assert not (tmp_path / "other").exists()


def test_pool_into_a_folder_that_is_not_there_is_wrong_use(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    result = run("pool", tmp_path / "a.json", "--out", tmp_path / "nowhere" / "b.json")
    assert result.exit_code == 2
    assert "nowhere' does not exist" in result.stderr
