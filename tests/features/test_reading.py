"""What a file must be to be read, and that CSV and Parquet say the same."""

import csv
import json

import bundles
import generated
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.features.errors import RegistryError
from lnrisk.features.reading import parse_dates, parse_numbers, read_raw, read_source
from lnrisk.features.registry import check_registry, read_registry
from lnrisk.features.tables import TABLES

MEASUREMENTS = bundles.GOOD["measurements"]
OPTIONAL = sorted(set(TABLES) - set(bundles.REQUIRED))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return read_registry(bundles.write(tmp_path_factory.mktemp("plain")))


def refused(folder):
    with pytest.raises(RegistryError) as error:
        read_registry(folder)
    return str(error.value)


def assert_same_tables(found, wanted):
    for name in TABLES:
        pd.testing.assert_frame_equal(
            found.table(name).drop(columns="row"), wanted.table(name).drop(columns="row")
        )


def typed(name, cells):
    kinds = {column.name: column.kind for column in TABLES[name]}
    columns = {}
    for column in cells:
        values, kind = cells[column].replace("", None), kinds[column]
        if kind in ("date", "birth_date"):
            columns[column] = pd.to_datetime(values, format="%Y-%m-%d")
        elif kind == "number":
            columns[column] = values.astype("float64")
        elif kind == "choice":
            columns[column] = values.astype("category")
        else:
            columns[column] = values
    return pd.DataFrame(columns)


@pytest.mark.parametrize("as_written", [True, False], ids=["text", "typed"])
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(cohort=generated.cohorts)
def test_csv_and_parquet_give_the_same_tables(tmp_path_factory, as_written, cohort):
    folder = tmp_path_factory.mktemp("bundle")
    tables = generated.bundle(cohort)
    bundles.write(
        folder / "csv", **{name: table.to_csv(index=False) for name, table in tables.items()}
    )
    bundles.write_parquet(
        folder / "parquet",
        **{name: table if as_written else typed(name, table) for name, table in tables.items()},
    )
    assert_same_tables(read_registry(folder / "parquet"), read_registry(folder / "csv"))


@pytest.mark.parametrize(
    "indexed",
    [
        lambda table: table.set_axis(range(7, 7 + 2 * len(table), 2)),
        lambda table: table.set_index("patient_id"),
    ],
    ids=["left by a filter", "the identifier"],
)
def test_an_index_that_pandas_wrote_to_parquet_changes_nothing(tmp_path, plain, indexed):
    cells = {name: bundles.cells(text) for name, text in bundles.GOOD.items()}
    bundles.write_parquet(tmp_path, **{name: indexed(table) for name, table in cells.items()})
    assert_same_tables(read_registry(tmp_path), plain)


def test_numbers_as_identifiers_are_the_same_in_csv_and_parquet(tmp_path):
    numbered = {
        name: text.replace("anna", "1").replace("bert", "2") for name, text in bundles.GOOD.items()
    }
    bundles.write(tmp_path / "csv", **numbered)
    tables = {
        name: bundles.cells(text).astype({"patient_id": "int64"}) for name, text in numbered.items()
    }
    bundles.write_parquet(tmp_path / "parquet", **tables)
    assert_same_tables(read_registry(tmp_path / "parquet"), read_registry(tmp_path / "csv"))


@pytest.mark.parametrize("metadata", [True, False], ids=["by pandas", "by others"])
def test_one_missing_identifier_leaves_the_numbers_of_the_others(tmp_path, metadata):
    numbers = pd.DataFrame(
        {
            "patient_id": pd.array([1, None, 3], dtype="Int64"),
            "sex": "female",
            "birth_date": pd.array([1980, 1981, None], dtype="Int64"),
        }
    )
    table = pa.Table.from_pandas(numbers)
    if not metadata:
        table = table.replace_schema_metadata(None)
    pyarrow.parquet.write_table(table, tmp_path / "patients.parquet")
    bundles.write(
        tmp_path,
        **{name: bundles.cells(text)[:0].to_csv(index=False) for name, text in bundles.GOOD.items()}
        | {"patients": None},
    )
    reading = check_registry(tmp_path, skip_bad_rows=True)
    assert reading.registry.patient_ids.tolist() == ["1"]
    assert [json.loads(record)["patient_id"] for record in reading.rejected["record"]] == ["", "3"]


@pytest.mark.parametrize("table", bundles.REQUIRED)
def test_a_missing_required_table_is_refused_by_name(tmp_path, table):
    bundles.write(tmp_path / "site", **{table: None})
    message = refused(tmp_path / "site")
    assert message.startswith(f"site: table {table!r} is missing; {table}.csv or {table}.parquet")


def test_optional_tables_may_be_missing(tmp_path, plain):
    registry = read_registry(bundles.write(tmp_path, **dict.fromkeys(OPTIONAL)))
    for name in OPTIONAL:
        assert len(registry.table(name)) == 0
        assert registry.table(name).dtypes.index.equals(plain.table(name).dtypes.index)


@pytest.mark.parametrize(
    ("table", "column"),
    [(name, c.name) for name, columns in TABLES.items() for c in columns if c.required],
)
def test_a_missing_required_column_is_refused_by_file_and_column(tmp_path, table, column):
    left = bundles.cells(bundles.GOOD[table]).drop(columns=column)
    message = refused(bundles.write(tmp_path, **{table: left.to_csv(index=False)}))
    assert message.startswith(f"{table}.csv: column {column!r} is missing (found: ")
    assert "required are" in message


def test_optional_columns_may_be_missing():
    needed = {name: [c.name for c in columns if c.required] for name, columns in TABLES.items()}
    texts = {
        name: bundles.cells(text)[needed[name]].to_csv(index=False)
        for name, text in bundles.GOOD.items()
    }
    registry = bundles.registry(**texts)
    for name, columns in TABLES.items():
        table = registry.table(name)
        assert len(table) == bundles.GOOD[name].count("\n") - 1
        assert table.columns.tolist() == [*(c.name for c in columns), "row"]
        optional = table.drop(columns=[*needed[name], "row"])
        assert optional.astype("str").replace("", None).isna().all(axis=None)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_that_is_not_what_its_ending_says_is_refused_by_name(tmp_path, ending):
    bundles.write(tmp_path, measurements=None)
    (tmp_path / f"measurements{ending}").write_bytes(b"PK\x03\x04\xff\x00")
    assert refused(tmp_path).startswith(f"measurements{ending}: the file cannot be read: ")


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    bundles.write(tmp_path, measurements=None)
    (tmp_path / "measurements.csv").mkdir()
    assert refused(tmp_path).startswith("measurements.csv: the file cannot be read: ")


def test_csv_and_parquet_of_one_table_are_refused(tmp_path):
    bundles.write(tmp_path / "site")
    bundles.write_parquet(tmp_path / "site", events=bundles.cells(bundles.GOOD["events"]))
    assert refused(tmp_path / "site") == (
        "site: both events.csv and events.parquet exist; keep one of them."
    )


def test_a_column_that_appears_twice_is_refused(tmp_path):
    twice = MEASUREMENTS.replace("comparator", " value")
    message = refused(bundles.write(tmp_path, measurements=twice))
    assert message == "measurements.csv: column 'value' appears twice."


def test_a_column_that_appears_twice_in_parquet_is_refused(tmp_path):
    bundles.write(tmp_path, events=None)
    twice = pa.table([["anna"], ["2021-01-01"], ["death"], ["death"]], ["patient_id", *"dee"])
    pyarrow.parquet.write_table(twice, tmp_path / "events.parquet")
    assert refused(tmp_path) == "events.parquet: column 'e' appears twice."


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n", b",,\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    message = refused(bundles.write(tmp_path, measurements=content))
    assert message.startswith("measurements.csv: the file is empty")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_header_alone_is_an_empty_table(tmp_path, table, end):
    header = bundles.GOOD[table].partition("\n")[0] + end
    bundles.write(tmp_path, **{table: header})
    assert len(read_raw(tmp_path, table).cells) == 0


@pytest.mark.parametrize(
    "content",
    [
        MEASUREMENTS.replace("mg/dL", "µg").encode("latin-1"),
        MEASUREMENTS.replace("comparator", "nächster").encode("latin-1"),
        MEASUREMENTS.encode("utf-16"),
    ],
    ids=["cell", "header", "utf-16"],
)
def test_text_that_is_not_utf_8_is_refused_by_file(tmp_path, content):
    message = refused(bundles.write(tmp_path, measurements=content))
    assert message.startswith("measurements.csv: the file cannot be read: ")
    assert "utf" in message.lower()


def test_a_row_that_is_too_short_is_refused_not_filled(tmp_path):
    message = refused(bundles.write(tmp_path, measurements=MEASUREMENTS + "anna,2020-03-01\n"))
    assert message.startswith("measurements.csv: the file cannot be read: ")
    assert "anna,2020-03-01" in message


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(",", " , "),
        lambda text: text.rstrip("\n"),
        lambda text: bundles.cells(text).to_csv(index=False, quoting=csv.QUOTE_ALL),
        lambda text: "".join(f"{line},note\n" for line in text.splitlines()),
    ],
    ids=["byte order mark", "crlf", "blanks", "no last newline", "quotes", "extra column"],
)
def test_other_ways_to_write_the_same_csv_give_the_same_tables(tmp_path, plain, changed):
    bundles.write(tmp_path, **{name: changed(text) for name, text in bundles.GOOD.items()})
    registry = read_registry(tmp_path)
    for name in TABLES:
        pd.testing.assert_frame_equal(registry.table(name), plain.table(name))


def test_quoted_line_breaks_belong_to_a_cell(tmp_path):
    text = 'patient_id,sex,birth_date,site\nanna,female,1980,"north\nwing"\nbert,male,1975,\n'
    patients = read_registry(bundles.write(tmp_path, patients=text)).patients
    assert patients["site"].tolist() == ["north\nwing", ""]


def test_row_numbers_count_the_header_of_a_csv_file_only(tmp_path):
    bundles.write(tmp_path / "csv")
    table = bundles.cells(bundles.GOOD["events"])
    bundles.write_parquet(tmp_path / "parquet", events=table)
    assert read_raw(tmp_path / "csv", "events").rows.tolist() == [2, 3]
    assert read_raw(tmp_path / "parquet", "events").rows.tolist() == [1, 2]


def test_the_hash_follows_the_content_of_the_tables_alone(tmp_path):
    folder = bundles.write(tmp_path / "site")
    first = read_source(folder)
    (folder / "readme.txt").write_text("not a table")
    assert read_source(folder) == first
    bundles.write(folder, events=bundles.with_row("events", "anna,2020-12-01,death"))
    assert read_source(folder).sha256 != first.sha256


def test_a_source_is_named_after_its_folder(tmp_path):
    assert read_source(bundles.write(tmp_path / "site")).name == "site"


@pytest.mark.parametrize(
    ("text", "synthetic"),
    [(None, False), ('{"synthetic": false}', False), ('{"synthetic": true}', True)],
)
def test_only_a_registry_that_says_so_is_synthetic(tmp_path, text, synthetic):
    bundles.write(tmp_path)
    if text:
        (tmp_path / "registry.json").write_text(text)
    assert read_source(tmp_path).synthetic is synthetic


@pytest.mark.parametrize("text", ["", "{}", "[1]", "synthetic", "3"])
def test_a_registry_json_that_is_none_is_refused(tmp_path, text):
    bundles.write(tmp_path)
    (tmp_path / "registry.json").write_text(text)
    assert refused(tmp_path).startswith("registry.json: expected an object")


@given(st.dates(min_value=pd.Timestamp("1900-01-01").date()))
def test_iso_dates_are_read_as_they_are(date):
    days, impossible = parse_dates(pd.Series([date.isoformat()]))
    assert days.tolist() == [pd.Timestamp(date).to_pydatetime()]
    assert not impossible.any()


@pytest.mark.parametrize(
    "text",
    [
        "2021-02-29",
        "2021-13-01",
        "2021-2-3",
        "20210203",
        "03/02/2021",
        "2021-02-03T08:00",
        "1899-12-31",
        "0001-01-01",
        "2021",
        "NaT",
        "today",
    ],
)
def test_anything_else_is_an_impossible_date(text):
    days, impossible = parse_dates(pd.Series(["2021-02-03", text, ""]))
    assert np.isnat(days).tolist() == [False, True, True]
    assert impossible.tolist() == [False, True, False]


@pytest.mark.parametrize("year", ["1980", 1980, 1980.0])
def test_a_year_alone_is_1_july_where_that_is_asked_for(year):
    days, impossible = parse_dates(pd.Series([year]), year_alone=True)
    assert np.datetime_as_string(days, unit="D").tolist() == ["1980-07-01"]
    assert not impossible.any()


@pytest.mark.parametrize("zone", [None, "Europe/Rome", "America/Los_Angeles"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("clock", ["00:00", "23:30"])
def test_clock_times_are_dropped_and_never_move_the_day(zone, unit, clock):
    stamps = pd.Series(pd.to_datetime([f"2020-03-01T{clock}", None])).dt.as_unit(unit)
    days, impossible = parse_dates(stamps.dt.tz_localize(zone))
    assert np.datetime_as_string(days, unit="D").tolist() == ["2020-03-01", "NaT"]
    assert not impossible.any()


def test_a_day_of_parquet_before_1900_is_impossible():
    days, impossible = parse_dates(pd.Series(pd.to_datetime(["1850-01-01", "1900-01-01"])))
    assert impossible.tolist() == [True, False]
    assert np.isnat(days).tolist() == [True, False]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_numbers_are_read_exactly(number):
    numbers, wrong = parse_numbers(pd.Series([repr(number)]))
    assert numbers.tolist() == [number]
    assert not wrong.any()


@pytest.mark.parametrize(
    "text",
    [
        *("nan", "NaN", "NA", "null", "None", "inf", "-inf", "Infinity", "1e400", "-1e400"),
        *("1,5", "1 000", "1_000", "0x10", "True", "<0.1", "2 g/g", "-"),
    ],
)
def test_no_other_text_is_a_number(text):
    numbers, wrong = parse_numbers(pd.Series(["1.5", text, ""]))
    np.testing.assert_array_equal(numbers, [1.5, np.nan, np.nan])
    assert wrong.tolist() == [False, True, False]


def test_infinity_in_parquet_is_no_number_and_nan_is_empty():
    numbers, wrong = parse_numbers(pd.Series([np.inf, -np.inf, np.nan, 2.0]))
    np.testing.assert_array_equal(numbers, [np.nan, np.nan, np.nan, 2.0])
    assert wrong.tolist() == [True, True, False, False]
