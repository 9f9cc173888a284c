"""Files and pasted tables are read as if they had been typed, or refused with what is accepted."""

import io
import json
import zipfile

import pytest
from lnrisk.features.tables import TABLES
from lnrisk.serving.pages.opening import CannotOpen, Limits, open_files, read_pasted
from lnrisk.serving.pages.words import load_words
from served import PATIENT

WORDS = load_words()
LIMITS = Limits(1 << 20, 50)

PATIENTS = "patient_id,sex,birth_date\nanna,female,1990\nbea,female,1991\n"
RESULTS = (
    "patient_id,date,analyte,value,unit\nanna,2024-01-01,upcr,3,g/g\nbea,2024-01-02,upcr,1,g/g\n"
)


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        for name, text in files.items():
            folder.writestr(f"bundle/{name}.csv", text)
    return packed.getvalue()


def read(*files, patient=""):
    contents = [(name, c.encode() if isinstance(c, str) else c) for name, c in files]
    return open_files(contents, patient, WORDS, LIMITS).entry


def test_json():
    entry = read(("anna.json", json.dumps(PATIENT)))
    assert entry.as_of == PATIENT["as_of"]
    assert [row["value"] for row in entry.rows("measurements")] == ["3", "2.25", "2", "2.9"]
    assert entry.rows("treatments")[0]["dose"] == "2000"


@pytest.mark.parametrize("how", ["zip", "files"])
def test_tables_of_a_bundle(how):
    tables = {"patients": PATIENTS, "measurements": RESULTS}
    files = (
        [("bundle.zip", zipped(**tables))]
        if how == "zip"
        else [(f"my-{name}-2024.csv", text) for name, text in tables.items()]
    )
    entry = read(*files, patient="bea")
    assert entry.rows("patients") == ({"sex": "female", "birth_date": "1991"},)
    (row,) = entry.rows("measurements")
    assert (row["date"], row["value"]) == ("2024-01-02", "1")


def test_several_patients_are_asked_about():
    with pytest.raises(CannotOpen, match=r"2 patients.*anna, bea"):
        read(("p.csv", PATIENTS))
    with pytest.raises(CannotOpen, match=r"no patient “carl”.*anna, bea"):
        read(("p.csv", PATIENTS), patient="carl")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_of_the_clinic(delimiter):
    rows = [
        ["Date", "UPCR (mg/mmol)", "Creatinine [µmol/L]", "anti-dsDNA (IU/mL)", "Remark"],
        ["2024-01-01", "339", "71", "", "first visit"],
        ["2024-02-01", "<12", "", "40", ""],
    ]
    entry = read_pasted("\r\n".join(delimiter.join(row) for row in rows), WORDS, LIMITS).entry
    found = [(r["analyte"], r["value"], r["unit"]) for r in entry.rows("measurements")]
    assert found == [
        ("upcr", "339", "mg/mmol"),
        ("creatinine", "71", "umol/L"),
        ("upcr", "12", "mg/mmol"),
        ("anti_dsdna", "40", "[IU]/mL"),
    ]
    assert entry.rows("measurements")[2]["comparator"] == "<"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_with_all_its_columns_is_known(name):
    columns = [column.name for column in TABLES[name]]
    entry = read(("table.csv", ",".join(columns) + "\n" + ",".join("1" for _ in columns)))
    assert [table for table in TABLES if entry.rows(table)] == [name]


def test_tables_below_each_other():
    text = "date,UPCR (g/g)\n2024-01-01,3\n\ndrug,start_date,dose\ntacrolimus,2024-01-01,4\n"
    entry = read_pasted(text, WORDS, LIMITS).entry
    assert [len(entry.rows(name)) for name in ("measurements", "treatments")] == [1, 1]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([("a.pdf", b"%PDF")], "expected .json, .csv, .parquet or .zip"),
        ([("a.json", b"{")], "not JSON"),
        ([("a.json", b"[]")], "lists of rows"),
        ([("a.json", b'{"patients": {"sex": "female"}}')], "lists of rows"),
        ([("a.json", b"[" * 100_000)], "not JSON"),
        ([("a.zip", b"PK nothing")], "no zip file"),
        ([("a.csv", b"\xff\xfe\x00")], "not UTF-8"),
        ([("a.csv", b"one,two\n1,2\n")], r"columns \(one, two\) belong to no table"),
        ([("a.csv", b"date,CRP (mg/L),UPCR (g/g)\n2024-01-01,3,2\n")], "“CRP \\(mg/L\\)” names no"),
        ([("a.parquet", b"PAR1 nothing PAR1")], "no Parquet file"),
        ([("a.json", b'{"resourceType": "Observation"}')], "expected a Bundle"),
        ([("a.json", b'{"resourceType": "Bundle"}')], "0 Patient resources; expected one"),
        ([("a.zip", zipped(measurements="x" * (2 << 20)))], "unpacked it is larger than 1 MB"),
    ],
)
def test_what_cannot_be_opened_is_named(files, why):
    with pytest.raises(CannotOpen, match=why):
        read(*files)


def test_other_files_of_a_zip_are_passed_over():
    packed = zipped(patients="sex,birth_date\nmale,1980\n", notes="a,b\n1,2\n")
    assert read(("b.zip", packed)).count == 1
