"""A bundle scored in parts: the same table, findings and rejected rows as scored whole."""

import datetime
import tempfile
from functools import partial
from pathlib import Path

import bundles
import generated
import pandas as pd
import pyarrow.parquet
import pytest
from generated import Patient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.features.errors import ModelError, RegistryError
from lnrisk.features.files import stretches_as_csv, table_as_csv
from lnrisk.features.registry import check_registry, refusal
from lnrisk.features.tables import TABLES
from lnrisk.serving.bundle_scoring import score_bundle
from lnrisk.serving.scoring import score
from lnrisk.training.parallel import in_parallel
from models import linear_model, term

NAMES = ("log_upcr_last", "egfr_change", "age")
MODEL = linear_model([term(name) for name in NAMES], (0.7, -0.03, -0.02))
AS_OF = generated.DAY_0 + datetime.timedelta(days=84)
PERSON = Patient(
    birth=-11000,
    sex="female",
    treatments=[("mycophenolate_mofetil", 0, None, "2000", "mg/d", "")],
    measurements=[(-5, "upcr", "3", "g/g"), (80, "upcr", "1", "g/g")],
    events=[(760, "last_contact")],
)

WRONG = ("", " ", "x", "-1", "0", "99999", "p0", " p1 ", "nobody", "ferritin", "crp", "mg/L")
WRONG += ("1880-01-01", "2015-06-31", "2030-01-01", "death", "2.5")
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(sorted(TABLES)),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
        st.sampled_from(WRONG),
    ),
    max_size=25,
)


def changed(tables, changes, twice):
    """Write something else into some cells, and some patients' rows again."""
    tables = {name: table.copy() for name, table in tables.items()}
    for name, row, column, text in changes:
        table = tables[name]
        if len(table):
            table.iloc[row % len(table), column % table.shape[1]] = text
    patients = tables["patients"]
    tables["patients"] = pd.concat([patients, patients[:twice]], ignore_index=True)
    return tables


def write(folder, tables, ending):
    folder.mkdir(parents=True)
    for name, table in tables.items():
        if ending == "csv":
            table.to_csv(folder / f"{name}.csv", index=False)
        else:
            numbered = table.assign(note=range(len(table))).replace("", None)
            numbered.to_parquet(folder / f"{name}.parquet", row_group_size=3)
    return folder


def in_parts(folder, patients, **how):
    """Return findings, risks and rejected rows, put together again."""
    with tempfile.TemporaryDirectory() as scratch:
        found = score_bundle(MODEL, folder, Path(scratch), as_of=AS_OF, patients=patients, **how)
        if found.refused:
            return found, None, None
        tables = (pd.concat(part, ignore_index=True) for part in (found.risks(), found.rejected()))
        return found, *tables


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    generated.cohorts,
    CHANGES,
    st.integers(0, 2),
    st.integers(1, 9),
    st.integers(0, 99),
    st.sampled_from(["csv", "parquet"]),
)
def test_in_parts_of_any_size_everything_is_as_in_the_whole(
    tmp_path_factory, people, changes, twice, patients, order, ending
):
    tables = changed(generated.bundle(people, order=order), changes, twice)
    folder = write(tmp_path_factory.mktemp("site") / "site", tables, ending)
    whole = check_registry(folder, skip_bad_rows=True)
    found, risks, rejected = in_parts(folder, patients, skip_bad_rows=True)
    wanted = score(MODEL, whole.registry, as_of=AS_OF)
    pd.testing.assert_frame_equal(risks, wanted, check_exact=True)
    assert table_as_csv(rejected) == table_as_csv(whole.rejected)
    assert found.counts == wanted["status"].value_counts().to_dict()
    for severity in ("error", "warning", "note"):
        assert found.findings.count(severity) == whole.findings.count(severity)
    strict, _, _ = in_parts(folder, patients)
    assert strict.refused == (whole.findings.count("error") > 0)
    assert refusal("site", strict.findings) == refusal("site", whole.findings)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_in_two_processes_the_table_is_the_same(tmp_path, ending):
    tables = generated.bundle([PERSON] * 5, order=1)
    folder = write(tmp_path / "site", tables, ending)
    told = []
    each = partial(in_parallel, step=lambda *step: told.append(step), heavy=True)
    _, risks, _ = in_parts(folder, 1, each=each)
    wanted = score(MODEL, check_registry(folder).registry, as_of=AS_OF)
    pd.testing.assert_frame_equal(risks, wanted, check_exact=True)
    assert told[-1] == ("score", 5, 5)


def test_row_numbers_count_blank_lines(tmp_path):
    text = bundles.with_row("events", "\nanna,2021-02-30,death\n\nzoe,2020-01-01,death")
    folder = bundles.write(tmp_path / "site", events=text)
    whole = check_registry(folder, skip_bad_rows=True)
    _, _, rejected = in_parts(folder, 1, skip_bad_rows=True)
    assert rejected["row"].tolist() == whole.rejected["row"].tolist() == [5, 7]


def test_few_patients_with_many_rows_are_more_parts(tmp_path, monkeypatch):
    folder = write(tmp_path / "site", generated.bundle([PERSON] * 3), "parquet")
    monkeypatch.setattr("lnrisk.features.partitions.ROWS_TOGETHER", 1)
    told = []

    def each(function, items, what):
        told.append((what, len(items)))
        return [function(item) for item in items]

    _, risks, _ = in_parts(folder, 1000, each=each)
    assert len(risks) == 3
    rows = sum(pyarrow.parquet.read_metadata(path).num_rows for path in folder.iterdir())
    assert dict(told)["score"] == rows


def test_a_bundle_without_patients_has_no_risks(tmp_path):
    empty = {
        name: bundles.cells(text)[:0].to_csv(index=False) for name, text in bundles.GOOD.items()
    }
    folder = bundles.write(tmp_path / "site", **empty)
    found, risks, _ = in_parts(folder, 5)
    assert found.counts == {}
    assert (
        risks.columns.tolist()
        == score(MODEL, check_registry(folder).registry, as_of=AS_OF).columns.tolist()
    )
    assert len(risks) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"events": None}, "table 'events' is missing"),
        ({"events": "patient_id,date\n"}, "events.csv: column 'event' is missing"),
        ({"events": b"patient_id,date,event\nanna,\xff,death\n"}, "events.csv: the file cannot be"),
        ({"events": "patient_id,date,event\nanna\n"}, "Row #2: Expected 3 columns, got 1: anna"),
        ({"measurements": b""}, "measurements.csv: the file is empty"),
    ],
)
def test_a_file_that_is_not_one_is_refused_as_in_the_whole(tmp_path, changes, said):
    folder = bundles.write(tmp_path / "site", **changes)
    with pytest.raises(RegistryError) as whole:
        check_registry(folder)
    with pytest.raises(RegistryError) as parts:
        in_parts(folder, 1)
    assert str(parts.value) == str(whole.value)
    assert said in str(parts.value)


def test_a_registry_json_that_is_none_is_refused(tmp_path):
    folder = bundles.write(tmp_path / "site")
    (folder / "registry.json").write_text("[]")
    with pytest.raises(RegistryError, match=r"registry\.json: expected an object"):
        in_parts(folder, 1)


def test_a_landmark_that_the_model_does_not_have_is_said_before_anything_is_read(tmp_path):
    with pytest.raises(ModelError, match="the model scores from week 12 to week 12"):
        score_bundle(MODEL, tmp_path / "nowhere", tmp_path, landmark_weeks=20)


def test_the_text_of_stretches_is_that_of_the_table(tmp_path):
    folder = write(tmp_path / "site", generated.bundle([PERSON] * 3), "csv")
    with tempfile.TemporaryDirectory() as scratch:
        found = score_bundle(MODEL, folder, Path(scratch), as_of=AS_OF, patients=1)
        text = "".join(stretches_as_csv(found.risks()))
    assert text == table_as_csv(score(MODEL, check_registry(folder).registry, as_of=AS_OF))
