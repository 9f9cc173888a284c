"""Patients sent as rows, through the same checks as a bundle's files, without a file on disk.

Assumes that each caller sends whole patients. What is wrong is said with table, row and field, rows
counted from 1 within the patient's own table; one patient's errors never touch another's answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..features.checks import check_bundle
from ..features.days import Days
from ..features.findings import Findings
from ..features.reading import Source
from ..features.registry import Registry
from ..features.tables import TABLES
from .cautions import Caution, odd_value
from .problems import FieldError, Problem, pointer
from .sent_table import SentTable

__all__ = ["CheckedPatient", "CheckedPatients", "Tables", "check_patient", "check_patients"]

_Found = tuple[int, str, Caution | None]
"""Whose row it is about, severity, and of what is only odd what to say."""

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
"""``{"patients": [{"sex": "female", ...}], "measurements": [{...}, ...], ...}``."""


@dataclass(frozen=True)
class CheckedPatient:
    """A patient who passed the checks.

    Parameters
    ----------
    registry : Registry
        Of one patient; ``row`` counts from 1 within each table as it was sent.
    cautions : tuple of Caution
        What is odd, by table, row and field: likely a wrong unit.
    """

    registry: Registry
    cautions: tuple[Caution, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd, in sentences."""
        return tuple(caution.text for caution in self.cautions)


@dataclass(frozen=True)
class CheckedPatients:
    """Several patients checked together.

    Parameters
    ----------
    registry : Registry
        Those who passed, ``row`` as in `CheckedPatient`.
    position : ndarray of int, shape (n_patients,)
        Where each was among those sent.
    cautions : list of tuple of Caution
    apart : list of int
        Positions of those with an error: to be checked alone, which says what it is.
    """

    registry: Registry
    position: Days
    cautions: list[tuple[Caution, ...]]
    apart: list[int]


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
    if len(tables.get("patients", ())) != 1:
        count = str(len(tables.get("patients", ())))
        text = f"patients has {count} rows; expected one."
        error = FieldError(
            pointer="/patients", detail=text, code="patient_rows", values={"count": count}
        )
        raise Problem(422, text, [error])
    gathered = _Gathered.of([tables])
    checked, findings, _ = check_bundle(gathered.raw)
    if findings.count("error"):
        raise Problem(422, "The patient's data is not accepted.", _errors(findings))
    return CheckedPatient(
        Registry(checked, Source("request")), gathered.cautions(gathered.found(findings))[0]
    )


def check_patients(patients: Sequence[Tables]) -> CheckedPatients:
    """Check several patients at once; each must have one row in ``patients``.

    Parameters
    ----------
    patients : sequence of mapping
        As `check_patient` takes them.
    """
    gathered = _Gathered.of(patients)
    checked, findings, _ = check_bundle(gathered.raw)
    found = gathered.found(findings)
    apart = sorted({who for who, severity, _ in found if severity == "error"})
    position = np.setdiff1d(np.arange(len(patients)), apart)
    registry = Registry(gathered.with_own_rows(checked), Source("request"))
    names = registry.patient_ids.astype(np.int64)
    registry = registry.select(~np.isin(names, apart))
    cautions = gathered.cautions(found)
    return CheckedPatients(registry, position, [cautions[at] for at in position], apart)


@dataclass(frozen=True)
class _Gathered:
    """Rows of several patients as raw tables, and whose each row is.

    Parameters
    ----------
    raw : dict of str to SentTable
        Rows counted from 1 over all patients.
    owner, own_row : dict of str to ndarray of int, shape (n_rows,)
        Whose row it is, and its number among the owner's.
    n : int
        Number of patients.
    """

    raw: dict[str, SentTable]
    owner: dict[str, Days]
    own_row: dict[str, Days]
    n: int

    @classmethod
    def of(cls, patients: Sequence[Tables]) -> "_Gathered":
        raw, owner, own_row = {}, {}, {}
        for name in TABLES:
            counts = [len(tables.get(name, ())) for tables in patients]
            if not sum(counts):
                continue
            owner[name] = np.repeat(np.arange(len(patients)), counts)
            own_row[name] = np.concatenate([np.arange(1, count + 1) for count in counts])
            rows = [row for tables in patients for row in tables.get(name, ())]
            raw[name] = SentTable(name, rows, owner[name])
        return cls(raw, owner, own_row, len(patients))

    def cautions(self, found: Sequence[_Found]) -> list[tuple[Caution, ...]]:
        """Return what is odd about each patient."""
        odd: list[list[Caution]] = [[] for _ in range(self.n)]
        for who, _, caution in found:
            if caution is not None:
                odd[who].append(caution)
        return [tuple(cautions) for cautions in odd]

    def found(self, findings: Findings) -> list[_Found]:
        """Return what was found, rows counted as they were sent."""
        result: list[_Found] = []
        for found in findings.table.to_dict("records"):
            table, at, severity = found["file"], int(found["row"]) - 1, found["severity"]
            own, column = int(self.own_row[table][at]), found["column"]
            caution = None
            if severity == "warning" and found["kind"] == "implausible value":
                message = found["message"].removeprefix(f"{table}, row {at + 1}, ")
                text = f"{table}, row {own}, {message}"
                caution = odd_value(table, own, column, found["value"], text, found["why"])
            result.append((int(self.owner[table][at]), severity, caution))
        return result

    def with_own_rows(self, checked: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Return checked tables in which rows are counted as their owners sent them."""
        if self.n == 1:
            return checked
        return {
            name: table.assign(row=self.own_row[name][table["row"].to_numpy() - 1])
            if len(table)
            else table
            for name, table in checked.items()
        }


def _errors(findings: Findings) -> list[FieldError]:
    found = findings.table
    return [
        FieldError(
            pointer=pointer((error["file"], int(error["row"]) - 1, error["column"])),
            detail=error["message"],
            code=error["why"].code,
            values={
                name: value if isinstance(value, str) else list(value)
                for name, value in error["why"].parts.items()
            },
        )
        for error in found[found["severity"] == "error"].to_dict("records")
    ]
