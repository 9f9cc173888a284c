"""A source on its way into a bundle: rows are collected, checked as a bundle is, and written.

Assumes that a row which the bundle's checks refuse is one that the source cannot stand for: it is
left out and the mapping report says why, so that what is written passes `lnrisk check`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ..checks import check_bundle
from ..errors import RegistryError
from ..files import write_files
from ..findings import Findings
from ..reading import RawTable, Source
from ..registry import Registry
from ..said import Said, said
from ..tables import REQUIRED_TABLES, TABLES
from .mapping import MappingReport

__all__ = ["Collector", "Imported"]

_NAMED_BY = {"measurements": "analyte", "treatments": "drug", "events": "event"}


@dataclass(frozen=True)
class Imported:
    """A source in the bundle's terms.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Cells as text, and ``source``, where each row comes from; every row passes the checks.
    checked : mapping of str to DataFrame
        The same in canonical units; ``row`` counts from 1 in `tables`.
    report : MappingReport
    provenance : dict
        What registry.json says; it has ``synthetic``.
    findings : Findings
        What is odd, and no error.
    """

    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    checked: Mapping[str, pd.DataFrame] = field(repr=False)
    report: MappingReport
    provenance: dict[str, Any]
    findings: Findings

    def registry(self) -> Registry:
        """Return the patients as a registry, without writing anything."""
        name, synthetic = str(self.provenance["source"]), bool(self.provenance["synthetic"])
        return Registry(self.checked, Source(name, "", synthetic))

    def write(self, folder: Path) -> None:
        """Write the bundle, registry.json and mapping.json into a folder, all or none.

        Raises
        ------
        RegistryError
            When the folder holds something already.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RegistryError(f"{folder}: exists and is not an empty folder; name a new one.")
        folder.mkdir(parents=True, exist_ok=True)
        contents: dict[Path, pd.DataFrame | str] = {
            folder / f"{name}.csv": table
            for name, table in self.tables.items()
            if len(table) or name in REQUIRED_TABLES
        }
        contents[folder / "registry.json"] = _json(self.provenance)
        contents[folder / "mapping.json"] = _json({**self.provenance, **self.report.as_dict()})
        write_files(contents)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


class Collector:
    """Rows of a bundle while a source is read.

    Parameters
    ----------
    provenance : mapping
        What registry.json will say beside ``synthetic``.
    """

    def __init__(self, provenance: Mapping[str, Any]) -> None:
        self.provenance = dict(provenance)
        self.synthetic = False
        self.report = MappingReport()
        self._parts: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
        self._rows: dict[str, list[dict[str, str]]] = {name: [] for name in TABLES}

    def add(self, table: str, source: str, **cells: str) -> None:
        """Add one row; a cell that is not given is empty."""
        self._rows[table].append({**cells, "source": source})

    def add_table(self, table: str, rows: pd.DataFrame) -> None:
        """Add rows with the bundle's columns and ``source``."""
        self._parts[table].append(rows)

    def finish(self) -> Imported:
        """Check what was collected, leave out what is wrong, and say so."""
        tables = {name: self._table(name) for name in TABLES}
        _close_future_ends(tables, self.report)
        while True:
            raw = {
                name: RawTable(name, name, table, 1)
                for name, table in tables.items()
                if len(table) or name in REQUIRED_TABLES
            }
            checked, findings, rejected = check_bundle(raw)
            if not len(rejected):
                break
            tables = {
                name: self._without(table, rejected[rejected["file"] == name])
                for name, table in tables.items()
            }
        for name, table in tables.items():
            names = table[_NAMED_BY[name]] if name in _NAMED_BY else pd.Series([""] * len(table))
            for value, rows in names.value_counts().items():
                self.report.used[name, str(value)] = int(rows)
        provenance = {"synthetic": self.synthetic, **self.provenance}
        return Imported(tables, checked, self.report, provenance, findings)

    def _table(self, name: str) -> pd.DataFrame:
        columns = [*(column.name for column in TABLES[name]), "source"]
        rows = pd.DataFrame(self._rows[name], columns=columns, dtype="str")
        parts = [part.reindex(columns=columns) for part in (*self._parts[name], rows) if len(part)]
        whole = pd.concat(parts, ignore_index=True) if parts else rows
        return whole.astype("str").fillna("")

    def _without(self, table: pd.DataFrame, rejected: pd.DataFrame) -> pd.DataFrame:
        positions = rejected["row"].to_numpy() - 1
        bad = table.iloc[positions]
        for row, kinds, message in zip(
            bad.to_dict("records"), rejected["kind"], rejected["message"], strict=True
        ):
            self.report.leave_out(
                row["source"].split("/")[0],
                row.get("analyte")
                or row.get("drug")
                or row.get("event")
                or said("what_row", "row"),
                _reason(kinds, row, message),
                row["source"],
            )
        return table.drop(index=table.index[positions]).reset_index(drop=True)


def _reason(kinds: str, row: Mapping[Any, str], message: str) -> Said:
    """Return why a row was refused; without its value, so that like rows are counted together."""
    if "unknown unit" in kinds and "unit" in row:
        accepted = message.partition("is accepted in ")[2]
        units = tuple(accepted.split(", ")) if accepted else said("other_units", "others")
        return said(
            "row_unit",
            "unit {unit!r} is not known; accepted are {units}",
            unit=row["unit"],
            units=units,
        )
    if "unknown unit" in kinds:
        unit = row.get("dose_unit", "")
        return said("row_dose_unit", "dose unit {unit!r} is not known", unit=unit)
    return said("row_refused", "{kinds}", kinds=tuple(kinds.split(";")))


def _close_future_ends(tables: dict[str, pd.DataFrame], report: MappingReport) -> None:
    """Leave the end of a treatment open where it is after the patient's last contact: a plan."""
    events, treatments = tables["events"], tables["treatments"]
    if not len(treatments):
        return
    contacts = events[events["event"] == "last_contact"]
    latest = contacts.groupby("patient_id")["date"].max().to_dict()
    last = treatments["patient_id"].map(lambda patient: latest.get(patient, "9999"))
    planned = (treatments["end_date"] != "") & (treatments["end_date"] > last)
    for drug, rows in treatments.loc[planned, "drug"].value_counts().items():
        first = treatments.loc[planned & (treatments["drug"] == drug), "source"].iloc[0]
        report.assume(
            first.split("/")[0],
            str(drug),
            said(
                "planned_end", "the end is after the last contact, so it is a plan; read as ongoing"
            ),
            first,
            int(rows),
        )
    treatments.loc[planned, "end_date"] = ""
