"""What of a source was used, what was not and why, and what was taken for granted.

Assumes that a reader wants each reason once, with a count and one place to look, not every row.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NO_PLACE", "Entry", "MappingReport"]

SHOWN = 15
NO_PLACE = "the bundle has no place for it"


@dataclass(frozen=True)
class Entry:
    """One thing that is said once for all rows alike.

    Parameters
    ----------
    where : str
        The source's own table or resource type.
    what : str
        Code and name as the source has them.
    why : str
    """

    where: str
    what: str
    why: str


@dataclass
class MappingReport:
    """Counts of rows by what became of them.

    Parameters
    ----------
    used : Counter of tuple
        Rows by the bundle's table and what they are.
    not_used, assumed : Counter of Entry
        Rows left out, and rows used on an assumption.
    examples : dict of Entry to str
        Where the first of these rows is in the source.
    """

    used: Counter[tuple[str, str]] = field(default_factory=Counter)
    not_used: Counter[Entry] = field(default_factory=Counter)
    assumed: Counter[Entry] = field(default_factory=Counter)
    examples: dict[Entry, str] = field(default_factory=dict)

    def leave_out(self, where: str, what: str, why: str, example: str = "", rows: int = 1) -> None:
        """Count rows that were not used."""
        self._count(self.not_used, Entry(where, what, why), example, rows)

    def assume(self, where: str, what: str, why: str, example: str = "", rows: int = 1) -> None:
        """Count rows that were used on an assumption."""
        self._count(self.assumed, Entry(where, what, why), example, rows)

    def _count(self, counter: Counter[Entry], entry: Entry, example: str, rows: int) -> None:
        if rows:
            counter[entry] += rows
            self.examples.setdefault(entry, example)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        used: dict[str, dict[str, int]] = {}
        for (table, name), rows in sorted(self.used.items()):
            used.setdefault(table, {})[name] = rows
        return {
            "used": used,
            "not_used": [self._row(entry, rows) for entry, rows in _ranked(self.not_used)],
            "assumed": [self._row(entry, rows) for entry, rows in _ranked(self.assumed)],
        }

    def _row(self, entry: Entry, rows: int) -> dict[str, Any]:
        return {
            "where": entry.where,
            "what": entry.what,
            "why": entry.why,
            "rows": rows,
            "example": self.examples[entry],
        }

    def text(self, most: int = SHOWN) -> str:
        """Return the report in lines for a person; what the bundle has no place for, as a count."""
        lines = ["used:"]
        tables = Counter[str]()
        for (table, _), rows in self.used.items():
            tables[table] += rows
        for table, rows in tables.items():
            names = sorted(name for held, name in self.used if held == table and name)
            lines.append(f"  {table}: {rows} rows{_listed(names)}")
        for title, counter in (("assumed", self.assumed), ("not used", self.not_used)):
            ranked = [pair for pair in _ranked(counter) if pair[0].why != NO_PLACE]
            if ranked:
                lines.append(f"{title}:")
            lines.extend(
                f"  {rows} x {entry.where} {entry.what}: {entry.why}"
                for entry, rows in ranked[:most]
            )
            if len(ranked) > most:
                lines.append(f"  ... and {len(ranked) - most} more kinds in mapping.json")
        placeless = [rows for entry, rows in self.not_used.items() if entry.why == NO_PLACE]
        if placeless:
            lines.append(f"{NO_PLACE}: {sum(placeless)} rows of {len(placeless)} kinds")
        return "\n".join(lines)


def _ranked(counter: Counter[Entry]) -> list[tuple[Entry, int]]:
    return sorted(
        counter.items(),
        key=lambda pair: (pair[0].why == NO_PLACE, -pair[1], pair[0].where, pair[0].what),
    )


def _listed(names: Iterable[str]) -> str:
    text = ", ".join(names)
    return f" ({text})" if text else ""
