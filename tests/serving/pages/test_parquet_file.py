"""Parquet files are read as CSV files are, within the same limits, and Arrow waits until then."""

import datetime
import io
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from lnrisk.serving.pages.opening import Limits, open_files
from lnrisk.serving.pages.parquet_file import LargerThanAllowed, NotParquet, rows_of_parquet
from lnrisk.serving.pages.words import load_words
from served import PATIENT

LARGEST = 1 << 20
DAY = datetime.date(2024, 1, 31)


def written(**columns):
    packed = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), packed)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (pa.array(["a", None, ""]), ["a", "", ""]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", "", "a"]),
        (pa.array([DAY, None]), ["2024-01-31", ""]),
        (pa.array([datetime.datetime(2024, 1, 31), None]), ["2024-01-31", ""]),
        (pa.array([datetime.datetime(2024, 1, 31)], pa.timestamp("ns")), ["2024-01-31"]),
        (pa.array([datetime.datetime(2024, 1, 31, 9)], pa.timestamp("s")), ["2024-01-31"]),
        (pa.array([2000.0, 0.1, None, float("nan")]), ["2000", "0.1", "", ""]),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([1, None]), ["1", ""]),
    ],
)
def test_cells_are_what_they_would_be_in_a_csv_file(cells, texts):
    assert rows_of_parquet(written(x=cells), LARGEST) == (["x"], [{"x": text} for text in texts])


def test_the_patient_is_the_one_of_the_json():
    tables = {name: rows for name, rows in PATIENT.items() if name != "as_of"}
    files = [
        (f"{name}.parquet", written(**pd.DataFrame(rows).to_dict("list")))
        for name, rows in tables.items()
    ]
    entry = open_files(files, "", load_words(), Limits(LARGEST, 1)).entry
    found = {name: [dict(row) for row in entry.rows(name)] for name in tables}
    assert found == {
        name: [{key: str(cell) for key, cell in row.items()} for row in rows]
        for name, rows in tables.items()
    }


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["x" * 1000] * 2000),
        pa.array([7] * 200_000),
        pa.array([None] * 200_000, pa.string()),
    ],
)
def test_a_small_file_that_would_be_large_is_refused_before_it_is_unpacked(column):
    content = written(x=column)
    assert len(content) < LARGEST / 50
    with pytest.raises(LargerThanAllowed):
        rows_of_parquet(content, LARGEST)


@pytest.mark.parametrize(
    "column", [pa.array([[1, 2]]), pa.array([{"a": 1}]), pa.array([b"\xff\xfe"])]
)
def test_cells_that_are_no_single_values_are_refused(column):
    with pytest.raises(NotParquet):
        rows_of_parquet(written(x=column), LARGEST)


def test_arrow_is_imported_by_the_first_file_that_needs_it(tmp_path):
    (tmp_path / "patients.parquet").write_bytes(written(sex=["female"], birth_date=["1990"]))
    code = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from lnrisk.commands.operation import without_arrow
with without_arrow():
    from lnrisk.serving.pages.opening import Limits, open_files
    from lnrisk.serving.pages.words import load_words
assert "pyarrow" not in sys.modules
name = "patients.parquet"
files = [(name, (Path({str(tmp_path)!r}) / name).read_bytes())]
print(open_files(files, "", load_words(), Limits(1 << 20, 1)).entry.rows("patients"))
assert "pyarrow" in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "({'sex': 'female', 'birth_date': '1990'},)"
