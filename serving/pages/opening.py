"""Patients from files and from pasted tables, as what they would be had they been typed.

Assumes UTF-8 and one patient. A table is known by its columns, not by its file's name; a table of
a clinic, with a date and a column for each result, is read as well as a table of the bundle, and so
is a FHIR Bundle. Dates and decimals are not guessed: 31.3.2025 and 2,5 are left for the checks to
refuse.
"""

import csv
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...features.errors import LnriskError
from ...features.tables import TABLES
from ...features.vocabulary import analytes
from ..from_fhir import RecordError
from .entry import Entry, Row, kept
from .fhir_file import read_bundle
from .parquet_file import LargerThanAllowed, NotParquet, rows_of_parquet
from .sentences import sentence
from .words import Words

__all__ = ["CannotOpen", "Limits", "Opened", "open_files", "read_pasted"]

NAMES_SHOWN = 5
TELLING = {
    "measurements": {"date", "analyte", "value", "unit"},
    "adherence": {"measure", "value", "start_date", "end_date"},
    "treatments": {"drug", "start_date"},
    "events": {"event", "date"},
    "outcomes": {"index_date", "status"},
    "biopsies": {"date"},
    "patients": {"sex", "birth_date"},
}
"""Columns by which a table is known, the most telling first."""
_BIOPSY = {column.name for column in TABLES["biopsies"]} - {"patient_id", "date", "recorded_on"}
_HEADER = re.compile(r"(.+?)[\s_]*[(\[]\s*(.+?)\s*[)\]]\s*")

_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,  # encrypted
    NotImplementedError,
    ValueError,
    EOFError,
    OSError,
)

Tables = dict[str, list[Row]]


class CannotOpen(LnriskError):
    """A file or a pasted table is not one; the message says what is accepted."""


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes


@dataclass(frozen=True)
class Limits:
    """How much is opened.

    Parameters
    ----------
    unpacked : int
        Bytes that a packed file may have when it is unpacked.
    resources : int
        Resources of a Bundle.
    """

    unpacked: int
    resources: int


@dataclass(frozen=True)
class Opened:
    """A patient, and what is to be said of the files.

    Parameters
    ----------
    entry : Entry
    remarks : tuple of str
        What looks relevant and was not used, then what was assumed.
    """

    entry: Entry
    remarks: tuple[str, ...] = ()


def open_files(
    files: "list[tuple[str, bytes]]", patient: str, words: Words, limits: Limits
) -> Opened:
    """Return the patient of some files.

    Parameters
    ----------
    files : list of (str, bytes)
        Name and content: JSON, CSV, Parquet or zip.
    patient : str
        Which patient, where there are several; may be empty.
    words : Words
    limits : Limits

    Raises
    ------
    CannotOpen
        When a file is not readable, no known table, or of several patients.
    """
    as_of, tables = "", _nothing()
    remarks: list[str] = []
    for file in _unpacked([_File(*each) for each in files], words, limits.unpacked):
        ending = file.name.lower().rpartition(".")[2]
        if ending == "json":
            day, read, said = _from_json(file, words, limits)
            as_of = day or as_of
            remarks += said
        elif ending == "parquet":
            read = _from_parquet(file, words, limits.unpacked)
        else:
            read = _from_text(file.name, _decoded(file, words), words)
        for name, rows in read.items():
            tables[name] += rows
    chosen = _one_patient(tables, patient, files[0][0], words)
    rows_kept = {name: tuple(kept(name, row) for row in chosen[name]) for name in chosen}
    return Opened(Entry(as_of, rows_kept), tuple(remarks))


def read_pasted(text: str, words: Words, limits: Limits) -> Opened:
    """Return the rows of pasted tables, one below the other with an empty line between.

    Parameters
    ----------
    text : str
        Cells separated by tabs, commas or semicolons; or JSON.
    words : Words
    limits : Limits

    Raises
    ------
    CannotOpen
    """
    said = words.say("open.paste_title")
    if text.lstrip().startswith("{"):
        return open_files([(f"{said}.json", text.encode())], "", words, limits)
    tables = _nothing()
    for block in re.split(r"\n[ \t]*\r?\n", text.strip()):
        for name, rows in _from_text(said, block, words).items():
            tables[name] += rows
    chosen = _one_patient(tables, "", said, words)
    return Opened(
        Entry("", {name: tuple(kept(name, row) for row in chosen[name]) for name in chosen})
    )


def _nothing() -> Tables:
    return {name: [] for name in TABLES}


def _refused(words: Words, file: str, why: str) -> CannotOpen:
    return CannotOpen(words.say("error.unreadable", file=file, why=why))


def _too_large(words: Words, file: _File, largest: int) -> CannotOpen:
    why = words.say("error.unpacked_large", megabytes=largest >> 20)
    return _refused(words, file.name, why)


def _unpacked(files: list[_File], words: Words, largest: int) -> Iterator[_File]:
    for file in files:
        ending = file.name.lower().rpartition(".")[2]
        if ending in ("csv", "json", "parquet", "tsv", "txt"):
            yield file
        elif ending == "zip":
            yield from _members(file, words, largest)
        else:
            raise _refused(words, file.name, words.say("error.no_kind"))


def _members(file: _File, words: Words, largest: int) -> Iterator[_File]:
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
            left = largest
            for member in packed.infolist():
                name = member.filename.rpartition("/")[2]
                stem, _, ending = name.rpartition(".")
                if ending.lower() not in ("csv", "parquet") or stem not in TABLES:
                    continue
                with packed.open(member) as content:
                    read = content.read(left + 1)
                left -= len(read)
                if left < 0:
                    raise _too_large(words, file, largest)
                yield _File(name, read)
    except _BROKEN_ZIP as error:
        raise _refused(words, file.name, words.say("error.bad_zip")) from error


def _decoded(file: _File, words: Words) -> str:
    try:
        return file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(words, file.name, words.say("error.not_utf8")) from error


def _from_json(file: _File, words: Words, limits: Limits) -> tuple[str, Tables, list[str]]:
    """Return the day asked about, the rows, and what is to be said of them."""
    try:
        content = json.loads(_decoded(file, words))
    except json.JSONDecodeError as error:
        why = words.say("error.not_json", line=error.lineno, column=error.colno)
        raise _refused(words, file.name, why) from error
    except (ValueError, RecursionError) as error:
        raise _refused(words, file.name, words.say("error.nested")) from error
    if not isinstance(content, dict):
        raise _refused(words, file.name, words.say("error.not_an_object"))
    if "resourceType" in content:
        return _from_fhir(file, content, words, limits)
    tables = _nothing()
    for name in TABLES:
        rows = content.get(name) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _refused(words, file.name, words.say("error.not_an_object"))
        tables[name] = [{key: _cell(value) for key, value in row.items()} for row in rows]
    if not any(tables.values()):
        raise _refused(words, file.name, words.say("error.not_an_object"))
    return _cell(content.get("as_of")), tables, []


def _from_fhir(
    file: _File, content: dict[str, Any], words: Words, limits: Limits
) -> tuple[str, Tables, list[str]]:
    try:
        record = read_bundle(content, limits.resources)
    except RecordError as error:
        raise _refused(words, file.name, sentence(error.text, words)) from error
    said = [words.say("notice.not_used", what=sentence(what, words)) for what in record.not_used]
    said += [words.say("notice.assumed", what=sentence(what, words)) for what in record.assumed]
    return record.as_of, {**_nothing(), **record.tables}, said


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _from_text(file: str, text: str, words: Words) -> Tables:
    """Return the rows of a delimited table."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)
    try:
        reader = csv.DictReader(io.StringIO(text.lstrip("\r\n")), delimiter=delimiter)
        columns = [str(name).strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        rows: list[Row] = [
            {key: value or "" for key, value in row.items() if isinstance(key, str)}
            for row in reader
        ]
    except csv.Error as error:
        raise _refused(words, file, words.say("error.bad_csv")) from error
    return _by_columns(file, columns, rows, words)


def _from_parquet(file: _File, words: Words, largest: int) -> Tables:
    try:
        columns, rows = rows_of_parquet(file.content, largest)
    except LargerThanAllowed as error:
        raise _too_large(words, file, largest) from error
    except NotParquet as error:
        raise _refused(words, file.name, words.say("error.bad_parquet")) from error
    return _by_columns(file.name, columns, [*rows], words)


def _by_columns(file: str, columns: list[str], rows: list[Row], words: Words) -> Tables:
    """Return rows by the bundle's table that their columns tell."""
    tables = _nothing()
    lowered = {name: name.lower() for name in columns}
    for table, telling in TELLING.items():
        known = set(lowered.values())
        if telling <= known and (table != "biopsies" or known & _BIOPSY):
            tables[table] = [{lowered[k]: v for k, v in row.items()} for row in rows]
            return tables
    tables["measurements"] = _from_wide(file, columns, rows, words)
    return tables


def _from_wide(file: str, columns: list[str], rows: list[Row], words: Words) -> list[Row]:
    """Return the results of a table with a date and one column per analyte."""
    dates = [name for name in columns if name.lower() in read_as(words, "date")]
    results = {name: found for name in columns if (found := _result(name, words))}
    if not dates or not results:
        said = ", ".join(columns)[:200]
        raise CannotOpen(words.say("error.not_a_table", file=file, columns=said))
    unread = [name for name in columns if name and name not in results and name not in dates]
    odd = [name for name in unread if _HEADER.fullmatch(name)]
    if odd:
        known = ", ".join(words.name("analyte", name) for name in analytes())
        raise CannotOpen(words.say("error.unknown_column", file=file, column=odd[0], known=known))
    return [
        {"date": row[dates[0]], "analyte": analyte, "value": row[name], "unit": unit}
        for row in rows
        for name, (analyte, unit) in results.items()
        if row.get(name, "").strip()
    ]


def _result(header: str, words: Words) -> tuple[str, str] | None:
    """Return analyte and unit of a column's name; None where it names none.

    Examples
    --------
    >>> from lnrisk.serving.pages.words import load_words
    >>> _result("Creatinine [µmol/L]", load_words())
    ('creatinine', 'umol/L')
    """
    found = _HEADER.fullmatch(header)
    if not found:
        return None
    name = _plain(found[1])
    for analyte in analytes():
        if name in (_plain(analyte), *read_as(words, analyte)):
            return analyte, _ucum(found[2], words)
    return None


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def read_as(words: Words, name: str) -> tuple[str, ...]:
    """Return the headers by which a column is known."""
    texts = words.texts.get(f"read_as.{name}", name)
    return tuple(_plain(text) for text in texts.split(","))


def _ucum(unit: str, words: Words) -> str:
    plain = unit.replace("μ", "u").replace("µ", "u")
    return _units_read(words.texts["site.language"], tuple(_names(words))).get(
        plain.replace(" ", "").lower(), plain
    )


def _names(words: Words) -> Iterator[tuple[str, str]]:
    for analyte in analytes().values():
        for unit in analyte.units:
            yield unit, words.unit(unit)


@cache
def _units_read(language: str, names: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    read = {}
    for unit, name in names:
        for text in (unit, name, name.replace("²", "2")):
            read[text.replace("µ", "u").replace(" ", "").lower()] = unit
    return read


def _one_patient(tables: Tables, patient: str, file: str, words: Words) -> Tables:
    """Return the rows of one patient; rows that name nobody are of that one."""
    named = tables["patients"] or [row for rows in tables.values() for row in rows]
    names = list(dict.fromkeys(row["patient_id"] for row in named if row.get("patient_id")))
    shown = ", ".join(names[:NAMES_SHOWN])
    if patient and names and patient not in names:
        said = {"file": file, "name": patient, "names": shown}
        raise CannotOpen(words.say("error.no_such_patient", **said))
    if not patient and len(names) > 1:
        raise CannotOpen(
            words.say("error.several", file=file, count=words.number(len(names)), names=shown)
        )
    wanted = patient or (names[0] if names else "")
    return {
        name: [row for row in rows if row.get("patient_id", "") in ("", wanted)]
        for name, rows in tables.items()
    }
