"""Events of a MEDS dataset become rows, or are named with the reason why not."""

import datetime
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from lnrisk.features.errors import RegistryError
from lnrisk.features.sources.codes import load_codes
from lnrisk.features.sources.meds import read_meds
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label

CODES = load_codes()
BIRTH = (1, "1990-05-04", "MEDS_BIRTH", None)
SEX = (1, None, "GENDER//F", None)
ANNA = [
    SEX,
    BIRTH,
    (1, "2021-02-26", "LOINC//2890-2//mg/mmol", 339.3),
    (1, "2021-03-01", "RxNorm/68149", None),
    (1, "2021-05-01", "RxNorm/68149", None),
    (1, "2021-06-25", "RxNorm/68149", None),
    (1, "2021-08-20", "LOINC//2890-2//mg/g", 2900),
    (1, "2021-08-20", "LOINC//2160-0//mg/dL", 0.8),
]
NAMES = {"LAB//50912//mg/dL": ("Creatinine", ["LOINC/2160-0"]), "a": ("", ["b"]), "b": ("", ["a"])}


def write(folder, events, units=None, codes=NAMES):
    (folder / "data" / "train").mkdir(parents=True)
    (folder / "metadata").mkdir()
    times = [None if t is None else datetime.datetime.fromisoformat(t) for _, t, _, _ in events]
    columns = {
        "subject_id": pa.array([s for s, *_ in events], pa.int64()),
        "time": pa.array(times, pa.timestamp("us")),
        "code": pa.array([c for *_, c, _ in events], pa.string()),
        "numeric_value": pa.array([v for *_, v in events], pa.float32()),
    }
    if units is not None:
        columns["unit"] = pa.array(units, pa.string())
    pyarrow.parquet.write_table(pa.table(columns), folder / "data" / "train" / "0.parquet")
    known = [
        {"code": code, "description": words, "parent_codes": parents}
        for code, (words, parents) in codes.items()
    ]
    pyarrow.parquet.write_table(pa.Table.from_pylist(known), folder / "metadata" / "codes.parquet")
    about = {"dataset_name": "anna", "meds_version": "0.4.0"}
    (folder / "metadata" / "dataset.json").write_text(json.dumps(about))
    return folder


def read(folder, events, **more):
    return read_meds(write(folder, events, **more), CODES)


def reasons(imported):
    return {entry.what.split(" ")[0]: entry.why for entry in imported.report.not_used}


def test_a_dataset_becomes_a_bundle(tmp_path):
    imported = read(tmp_path, ANNA)
    assert imported.tables["measurements"][["analyte", "value", "unit"]].to_numpy().tolist() == [
        ["upcr", "339.3", "mg/mmol"],
        ["upcr", "2900.0", "mg/g"],
        ["creatinine", "0.8", "mg/dL"],
    ]
    (treatment,) = imported.tables["treatments"].to_dict("records")
    assert (treatment["start_date"], treatment["end_date"]) == ("2021-03-01", "2021-06-25")
    assert imported.tables["events"][["event", "date"]].to_numpy().tolist() == [
        ["last_contact", "2021-08-20"]
    ]
    assert imported.provenance["format"] == "MEDS 0.4.0"
    result = label(imported.registry(), load_definition())
    assert result.courses["proteinuria"].tolist() == ["unchanged"]
    assert result.courses["adequate"].tolist() == ["unknown"]


def test_records_further_apart_are_periods_of_their_own(tmp_path):
    later = [(1, "2021-12-01", "RxNorm/68149", None), (2, "2021-07-01", "RxNorm/68149", None)]
    imported = read(tmp_path, [*ANNA, *later, (2, None, "GENDER//M", None), (2, *BIRTH[1:])])
    table = imported.tables["treatments"]
    assert table[["patient_id", "start_date", "end_date"]].to_numpy().tolist() == [
        ["1", "2021-03-01", "2021-06-25"],
        ["1", "2021-12-01", "2021-12-01"],
        ["2", "2021-07-01", "2021-07-01"],
    ]


def test_a_value_without_a_unit_is_no_number(tmp_path):
    events = [
        SEX,
        BIRTH,
        (1, "2021-02-26", "LOINC/2890-2", 2),
        (1, "2021-02-27", "LOINC//2890-2//mg/L", 2),
        (1, "2021-02-28", "LOINC//2890-2//g/g", None),
        (1, "2021-02-28", "LOINC/14959-1", 2),
    ]
    imported = read(tmp_path, events)
    assert not len(imported.tables["measurements"])
    why = reasons(imported)
    assert why["LOINC/2890-2"] == "no unit"
    assert why["upcr"].startswith("unit 'mg/L' is not known")
    assert why["LOINC//2890-2//g/g"] == "numeric_value is empty"
    assert why["LOINC/14959-1"].startswith("albumin/creatinine")


def test_a_column_of_units_goes_before_the_code(tmp_path):
    events = [
        SEX,
        BIRTH,
        (1, "2021-02-26", "LOINC//2890-2//mg/g", 2),
        (1, "2021-03-26", "LOINC//2890-2//mg/g", 2000),
    ]
    imported = read(tmp_path, events, units=[None, None, "g/g", None])
    assert imported.tables["measurements"]["unit"].tolist() == ["g/g", "mg/g"]


def test_parents_say_what_a_local_code_is(tmp_path):
    events = [SEX, BIRTH, (1, "2021-02-26", "LAB//50912//mg/dL", 0.8), (1, "2021-02-26", "a", 1)]
    imported = read(tmp_path, events)
    (row,) = imported.tables["measurements"].to_dict("records")
    assert (row["analyte"], row["value"], row["unit"]) == ("creatinine", "0.8", "mg/dL")


def test_diagnoses_death_and_infusions(tmp_path):
    events = [
        SEX,
        BIRTH,
        (1, "2015-02-03", "SNOMED/55464009", None),
        (1, "2022-01-01", "DIAGNOSIS//ICD//10//N186", None),
        (1, "2021-02-20", "SNOMED/7246002", None),
        (1, "2021-03-01", "ATC//L01FA03//mg", 1000),
        (1, "2022-05-01", "MEDS_DEATH", None),
    ]
    imported = read(tmp_path, events)
    assert imported.tables["patients"]["sle_onset_date"].tolist() == ["2015-02-03"]
    assert sorted(imported.tables["events"]["event"]) == ["death", "kidney_failure", "last_contact"]
    assert imported.tables["biopsies"]["date"].tolist() == ["2021-02-20"]
    (row,) = imported.tables["treatments"].to_dict("records")
    assert (row["drug"], row["end_date"], row["dose"], row["dose_unit"]) == (
        "obinutuzumab",
        "2021-03-01",
        "1000.0",
        "mg",
    )


def test_a_subject_without_sex_or_birth_is_not_used(tmp_path):
    imported = read(tmp_path, [SEX, *ANNA[2:]])
    assert not len(imported.tables["patients"])
    assert reasons(imported)["birth_date"] == "eGFR needs it, and it is not in the data"


def test_single_precision_is_written_as_it_was_meant(tmp_path):
    values = np.random.default_rng(0).integers(1, 99999, 200) / 100
    events = [
        (1, str(d.date()), "LOINC//2890-2//mg/mmol", v)
        for d, v in zip(pd.date_range("2020-01-01", periods=200), values, strict=True)
    ]
    imported = read(tmp_path, [SEX, BIRTH, *events])
    assert [float(v) for v in imported.tables["measurements"]["value"]] == values.tolist()


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(RegistryError, match=r"no data/\*\*/\*\.parquet"):
        read_meds(tmp_path, CODES)
    folder = write(tmp_path / "meds", ANNA)
    (folder / "data" / "train" / "1.parquet").write_text("x")
    with pytest.raises(RegistryError, match=r"1\.parquet: cannot be read"):
        read_meds(folder, CODES)
    table = pa.table({"subject_id": [1], "time": [None]})
    pyarrow.parquet.write_table(table, folder / "data" / "train" / "1.parquet")
    with pytest.raises(RegistryError, match="column 'code' is missing"):
        read_meds(folder, CODES)
