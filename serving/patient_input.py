"""One patient as JSON: the tables of a registry bundle as lists of rows, without patient_id.

Assumes that the caller sends the whole patient. The rows go through the same checks as a bundle's
files (`lnrisk.features.checks`); what is wrong is said with table, row and field, and nothing is
written to disk.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..features.checks import check_bundle
from ..features.reading import RawTable, Source
from ..features.registry import Registry
from ..features.tables import TABLES
from .problems import FieldError, Problem, pointer

__all__ = ["CheckedPatient", "Tables", "check_patient"]

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
"""``{"patients": [{"sex": "female", ...}], "measurements": [{...}, ...], ...}``."""

PATIENT = "patient"


@dataclass(frozen=True)
class CheckedPatient:
    """A patient who passed the checks.

    Parameters
    ----------
    registry : Registry
        Of one patient; ``row`` counts from 1 within each table as it was sent.
    warnings : tuple of str
        What is odd, by table, row and field: likely a wrong unit.
    """

    registry: Registry
    warnings: tuple[str, ...]


def check_patient(tables: Tables) -> CheckedPatient:
    """Check one patient.

    Parameters
    ----------
    tables : mapping of str to sequence of mapping
        Rows by table; dates as text YYYY-MM-DD or as `datetime.date`. A table that is not there
        is empty.

    Raises
    ------
    Problem
        422, with one entry per field that is wrong.
    """
    raw = {name: _raw(name, rows) for name, rows in tables.items() if rows}
    if len(tables.get("patients", ())) != 1:
        detail = f"patients has {len(tables.get('patients', ()))} rows; expected one."
        raise Problem(422, detail, [FieldError(pointer="/patients", detail=detail)])
    checked, findings, _ = check_bundle(raw)
    found = findings.table
    errors = found[found["severity"] == "error"]
    if len(errors):
        raise Problem(
            422,
            f"{len(errors)} fields are not accepted.",
            [
                FieldError(
                    pointer=pointer((error["file"], int(error["row"]) - 1, error["column"])),
                    detail=error["message"],
                )
                for error in errors.to_dict("records")
            ],
        )
    odd = found[(found["severity"] == "warning") & (found["kind"] != "no last contact")]
    return CheckedPatient(Registry(checked, Source(PATIENT)), tuple(odd["message"]))


def _raw(name: str, rows: Sequence[Mapping[str, Any]]) -> RawTable:
    cells = {
        column.name: [_text(row.get(column.name)) for row in rows]
        for column in TABLES[name]
        if column.name != "patient_id"
    }
    frame = pd.DataFrame({"patient_id": [PATIENT] * len(rows), **cells}, dtype="str")
    return RawTable(name, name, frame, 1)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
