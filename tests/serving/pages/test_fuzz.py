"""Whatever is sent, the page answers: with an assessment, or with what is wrong."""

import io
import zipfile
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from lnrisk.features.tables import TABLES
from lnrisk.features.vocabulary import analytes, drugs
from lnrisk.serving.pages.entry import NEVER_KEPT, Entry, from_fields
from lnrisk.serving.pages.opening import CannotOpen, Limits, Opened, open_files, read_pasted
from lnrisk.serving.pages.routes import _Page
from lnrisk.serving.pages.words import load_words
from lnrisk.serving.settings import Settings
from served import small_model

WORDS = load_words()
LIMITS = Limits(1 << 16, 100)
PAGE = _Page(small_model(), Settings())
NAMES = st.sampled_from([c.name for columns in TABLES.values() for c in columns])
CELLS = st.one_of(
    st.sampled_from(["", "0", "-1", "1e308", "nan", "2,5", "1990", "2024-02-30", "9999-12-31"]),
    st.sampled_from(["female", "male", "death", "last_contact", "pdc", "clinician", "<", "0.9"]),
    st.sampled_from(sorted(analytes())),
    st.sampled_from(sorted(drugs())),
    st.sampled_from(["mg/g", "mg/mmol", "umol/L", "mg/d", "mg", "mg/kg"]),
    st.dates().map(str),
    st.floats(allow_nan=False).map(str),
    st.text(max_size=20),
)
slowly = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def rows_of(table):
    columns = [c.name for c in TABLES[table] if c.name not in NEVER_KEPT]
    return st.lists(st.dictionaries(st.sampled_from(columns), CELLS), max_size=4).map(tuple)


def likely_rows(table):
    """Return rows whose cells are all possible."""
    possible = {
        "birth_date": st.just("1990"),
        "start_date": st.integers(1, 14).map("2024-03-{:02}".format),
        "end_date": st.integers(15, 28).map("2024-03-{:02}".format),
        "date": st.integers(1, 9).map("2024-0{}-20".format),
        "recorded_on": st.sampled_from(["", "2024-07-01"]),
        "analyte": st.just("upcr"),
        "unit": st.sampled_from(["mg/g", "g/g", "mg/mmol"]),
        "value": st.sampled_from(["1", "0"]),
        "drug": st.sampled_from(["tacrolimus", "mycophenolate_mofetil", "rituximab"]),
        "dose_unit": st.just("mg/d"),
        "event": st.just("last_contact"),
    }
    columns = {
        c.name: possible.get(c.name, st.sampled_from(c.choices or ("", "0", "1")))
        for c in TABLES[table]
        if c.name not in NEVER_KEPT
    }
    return st.lists(st.fixed_dictionaries(columns), max_size=4).map(tuple)


tables = st.fixed_dictionaries(
    {
        name: rows_of(name) | likely_rows(name)
        for name in TABLES
        if name not in ("patients", "outcomes")
    }
)
people = st.just(({"sex": "female", "birth_date": "1990"},)) | rows_of("patients")


def assessed(as_of, found, patients):
    told = PAGE.assessed(Opened(Entry(as_of, {**found, "patients": patients})), ())
    assert (told.answer is None) == bool(told.errors or told.fields)
    assert PAGE.render(told).status_code == 200
    return told


@slowly
@given(CELLS, tables, people)
@example("0001-01-01", {}, ({"sex": "female", "birth_date": "1990"},))
def test_whatever_is_typed_gets_a_page(as_of, found, patients):
    assessed(as_of, found, patients)


@pytest.mark.slow
@slowly
@given(
    st.sampled_from(["2024-03-01", "2024-06-01", "2024-11-01", "2026-01-01"]),
    st.fixed_dictionaries({name: likely_rows(name) for name in TABLES if name != "outcomes"}),
)
def test_whatever_is_possible_is_assessed(as_of, found):
    last = ({"event": "last_contact", "date": "2024-12-31"},)
    found |= {"events": last}
    told = assessed(as_of, found, ({"sex": "female", "birth_date": "1990"},))
    assert told.answer is not None, (told.errors, told.fields)


@given(st.lists(st.tuples(st.text(max_size=30), CELLS), max_size=8))
def test_whatever_the_fields_are_called_there_is_an_entry(fields):
    assert from_fields(fields).count <= len(fields)


def opened(read):
    with suppress(CannotOpen):
        assert isinstance(read(), Opened)


@given(
    st.sampled_from(["a.json", "a.csv", "a.parquet", "a.zip", "a"]),
    st.binary(max_size=200),
    st.text(),
)
def test_whatever_is_in_a_file_it_is_opened_or_refused(name, content, patient):
    opened(lambda: open_files([(name, content)], patient, WORDS, LIMITS))


@given(st.lists(st.lists(st.one_of(NAMES, CELLS), max_size=6), max_size=5), st.sampled_from("\t;,"))
def test_whatever_is_pasted_it_is_read_or_refused(rows, delimiter):
    text = "\n".join(delimiter.join(row) for row in rows)
    opened(lambda: read_pasted(text, WORDS, LIMITS))


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_zip_is_refused(position, byte):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("patients.csv", "sex,birth_date\nfemale,1990\n" * 3)
    content = bytearray(packed.getvalue())
    content[position % len(content)] = byte
    opened(lambda: open_files([("b.zip", bytes(content))], "", WORDS, LIMITS))


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_damaged_parquet_file_is_read_or_refused(position, byte):
    packed = io.BytesIO()
    table = pa.table({"sex": ["female"] * 3, "birth_date": ["1990"] * 3})
    pyarrow.parquet.write_table(table, packed)
    content = bytearray(packed.getvalue())
    content[position % len(content)] = byte
    opened(lambda: open_files([("b.parquet", bytes(content))], "", WORDS, LIMITS))
