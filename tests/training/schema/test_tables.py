"""The same results as Parquet: one file per section, typed, and saying what it is."""

import pandas as pd
import pyarrow.parquet as pq
import pytest
from full_results import bare_results, full_results
from lnrisk.features.errors import LnriskError
from lnrisk.training.schema.results import Results, as_results
from lnrisk.training.schema.tables import SECTIONS, read_table, tables, write_tables

FULL = as_results(full_results())


def rows(section):
    value = full_results()
    for name in section.split("."):
        value = value[name]
    return value


def test_every_list_of_the_results_is_a_table():
    assert set(tables(FULL)) == set(SECTIONS)
    assert tables(as_results(bare_results())) == {}


def test_no_list_of_the_schema_is_without_a_table():
    """Worked patients hold lists of their own, and warnings are sentences."""
    told_as_json = {"worked_patients", "warnings"}
    lists = {name for name, value in Results.model_fields.items() if value.default == []}
    assert lists - told_as_json <= set(SECTIONS)


@pytest.mark.parametrize("section", sorted(tables(FULL)))
def test_a_table_holds_the_rows_of_its_section(section, tmp_path):
    write_tables(FULL, tmp_path / "tables")
    found = read_table(tmp_path / "tables" / f"{section}.parquet")
    assert len(found) == len(rows(section))
    for name, value in rows(section)[0].items():
        first = found[name].iloc[0]
        if isinstance(value, list) or (section, name) == ("comparators", "needs"):
            continue
        assert pd.isna(first) if value is None else first == value, name


def test_values_of_an_effect_are_text_and_risks_are_numbers():
    table = tables(FULL)["effects"].to_pydict()
    assert table["values"][-1] == ["no", "yes"]
    assert table["risks"][-1] == [0.07, 0.061]
    assert tables(FULL)["comparators"].to_pydict()["needs"][0] == "upcr"


def test_a_file_says_its_schema_and_section(tmp_path):
    write_tables(FULL, tmp_path)
    metadata = pq.read_schema(tmp_path / "centres.rows.parquet").metadata
    assert metadata[b"lnrisk.schema"] == b"lnrisk.results/2"
    assert metadata[b"lnrisk.section"] == b"centres.rows"


def test_types_do_not_hang_on_what_is_known():
    raw = {**bare_results(), "performance": [{"measure": "auroc"}]}
    empty = tables(as_results(raw))["performance"].schema
    full = tables(FULL)["performance"].schema
    assert empty.equals(full)


def test_a_measure_is_also_named_as_patient_level_prediction_does():
    found = tables(FULL)["performance"].to_pandas().set_index("measure")["plp_name"]
    assert found["auroc"] == "AUROC"
    assert found["calibration_slope"] == "weak calibration gradient"
    assert pd.isna(found["observed_expected"])


def test_writing_leaves_nothing_half_done(tmp_path):
    write_tables(FULL, tmp_path / "tables")
    names = {path.name for path in (tmp_path / "tables").iterdir()}
    assert names == {f"{section}.parquet" for section in tables(FULL)}
    (tmp_path / "file").write_text("here")
    with pytest.raises(LnriskError, match="cannot be written"):
        write_tables(FULL, tmp_path / "file")


def test_another_parquet_file_is_refused(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(LnriskError, match="of schema 'none'"):
        read_table(tmp_path / "other.parquet")
    with pytest.raises(LnriskError, match="cannot be read as Parquet"):
        read_table(tmp_path / "missing.parquet")
