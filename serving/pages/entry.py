"""What was entered, as rows of text: the one thing that the page keeps, and only in its own form.

Assumes that whoever typed a row left nothing half empty on purpose: a row that holds only what was
preselected is no row. Nothing is corrected on the way; the checks see what was typed.
"""

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...features.tables import TABLES
from ...features.vocabulary import drugs_with_role

__all__ = ["SHOWN", "Entry", "Row", "from_fields"]

Row = Mapping[str, str]

SHOWN: dict[str, tuple[str, ...]] = {
    "patients": ("sex", "birth_date", "apol1_risk_alleles"),
    "treatments": ("drug", "dose", "dose_unit", "start_date", "end_date", "stop_reason"),
    "measurements": ("date", "analyte", "value", "unit"),
    "adherence": ("measure", "value", "start_date", "end_date"),
    "biopsies": (
        "date",
        "isn_rps_class",
        "activity_index",
        "chronicity_index",
        "tubular_atrophy",
        "interstitial_fibrosis",
    ),
    "events": ("event", "date"),
}
"""Tables and columns that can be typed, in the order of the form; the others are carried along."""

PRESELECTED = {
    "measurements": {"analyte", "unit"},
    "treatments": {"dose_unit"},
    "adherence": {"measure"},
    "events": {"event"},
}
NEVER_KEPT = {"patient_id", "site", "ancestry"}
_FIELD = re.compile(r"([a-z]+)\.(\d{1,6})\.([a-z0-9_]+)")
_LIMIT = re.compile(r"\s*([<>])\s*(.*)")


@dataclass(frozen=True)
class Entry:
    """A patient as entered.

    Parameters
    ----------
    as_of : str
        The day asked for; empty for the day of the latest result.
    tables : mapping of str to tuple of Row
        Rows of the bundle's tables without patient_id.
    """

    as_of: str = ""
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)

    def rows(self, table: str) -> tuple[Row, ...]:
        """Return the rows of a table."""
        return self.tables.get(table, ())

    @property
    def empty(self) -> bool:
        """Whether nothing was entered."""
        return not any(self.tables.values())

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(len(rows) for rows in self.tables.values())

    def plus(self, other: "Entry") -> "Entry":
        """Return this entry with the rows of another added; its patient goes first."""
        tables = {
            name: (*self.rows(name), *other.rows(name)) if name != "patients" else
            (other.rows(name) or self.rows(name))
            for name in TABLES
        }  # fmt: skip
        return Entry(other.as_of or self.as_of, tables)

    def day(self) -> datetime.date | None:
        """Return the day to assess as of: the one asked for, else that of the latest result.

        Raises
        ------
        ValueError
            When the day asked for is no date.
        """
        if self.as_of:
            day = datetime.date.fromisoformat(self.as_of)
            if not 1900 <= day.year < 2200:
                raise ValueError(f"{self.as_of} is no date since 1900")
            return day
        dated = [row.get("date", "") for row in self.rows("measurements")]
        dated = dated or [row.get("start_date", "") for row in self.rows("treatments")]
        return max((day for day in map(_date, dated) if day), default=None)

    def with_adherence_dates(self, as_of: datetime.date) -> "Entry":
        """Return the entry in which adherence without dates covers all induction up to a day."""
        starts = [
            _date(row.get("start_date", ""))
            for row in self.rows("treatments")
            if row.get("drug") in drugs_with_role("anchor")
        ]
        first = min((day for day in starts if day is not None and day <= as_of), default=None)
        if first is None:
            return self
        span = {"start_date": first.isoformat(), "end_date": as_of.isoformat()}
        rows = tuple(
            row if row.get("start_date") or row.get("end_date") else {**row, **span}
            for row in self.rows("adherence")
        )
        return replace(self, tables={**self.tables, "adherence": rows})


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        return None


def kept(table: str, row: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a row that the page keeps; a limit before a value becomes its column.

    Examples
    --------
    >>> kept("measurements", {"value": "< 0.1", "ancestry": "x"})
    {'value': '0.1', 'comparator': '<'}
    """
    columns = {column.name for column in TABLES[table]} - NEVER_KEPT
    cells = {name: text.strip() for name, text in row.items() if name in columns}
    if table == "measurements" and (limit := _LIMIT.fullmatch(cells.get("value", ""))):
        cells |= {"comparator": limit[1], "value": limit[2]}
    return cells


def _holds_something(table: str, row: Row) -> bool:
    ignored = PRESELECTED.get(table, set())
    return any(text for name, text in row.items() if name not in ignored)


def from_fields(fields: Iterable[tuple[str, str]]) -> Entry:
    """Return what the fields of the form hold.

    Parameters
    ----------
    fields : iterable of (str, str)
        Names such as ``measurements.3.unit``; any other name but ``as_of`` is passed over.

    Examples
    --------
    >>> from_fields([("as_of", ""), ("events.4.event", "death")]).empty
    True
    """
    as_of, found = "", {name: dict[int, dict[str, str]]() for name in TABLES}
    for name, text in fields:
        place = _FIELD.fullmatch(name)
        if name == "as_of":
            as_of = text.strip()
        elif place and place[1] in found:
            found[place[1]].setdefault(int(place[2]), {})[place[3]] = text
    tables = {}
    for table, rows in found.items():
        read = (kept(table, rows[number]) for number in sorted(rows))
        tables[table] = tuple(row for row in read if _holds_something(table, row))
    return Entry(as_of, tables)
