"""Which model was live on a day, and on what evidence: an append-only ledger.

Assumes one file that only this software writes to. Each entry carries the hash of the one before,
so that a changed or removed entry shows; entries cut off at the end do not, unless the last hash
is known from elsewhere.
"""

import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..features.errors import LnriskError
from .artifact import RiskModel

__all__ = ["EVENTS", "Ledger", "LedgerEntry"]

EVENTS = ("promoted", "retired", "recalibrated")
FIRST = "0" * 64


@dataclass(frozen=True)
class LedgerEntry:
    """One event in the life of a model.

    Parameters
    ----------
    event : {"promoted", "retired", "recalibrated"}
    name : str
        Under which the model is registered; empty for a local file.
    model : str
        Hash of the model file.
    at : datetime
        With time zone.
    by : str
        Who decided.
    evidence : dict
        What the decision rests on.
    hash : str
        Of this entry and all before.
    """

    event: str
    name: str
    model: str
    at: datetime.datetime
    by: str
    evidence: dict[str, Any]
    hash: str


class Ledger:
    """A ledger file, one JSON entry per line.

    Parameters
    ----------
    path : Path
        Absent at first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[LedgerEntry]:
        """Return all entries, oldest first.

        Raises
        ------
        LnriskError
            When an entry cannot be read or was changed; it is named.
        """
        if not self.path.exists():
            return []
        found, previous = [], FIRST
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                content = json.loads(line)
                own = content.pop("hash")
                entry = LedgerEntry(
                    **{**content, "at": datetime.datetime.fromisoformat(content["at"])}, hash=own
                )
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise LnriskError(f"{self.path.name}: entry {number} cannot be read.") from error
            if own != _hash(previous, content):
                raise LnriskError(
                    f"{self.path.name}: entry {number} or one before it was changed or removed."
                )
            found.append(entry)
            previous = own
        return found

    def enter(
        self,
        event: str,
        model: RiskModel,
        by: str,
        at: datetime.datetime,
        *,
        name: str = "",
        evidence: dict[str, Any] | None = None,
    ) -> LedgerEntry:
        """Append an entry, after checking those before.

        Raises
        ------
        LnriskError
            When the ledger is not intact, or the entry would be older than the last one.
        """
        if event not in EVENTS:
            raise ValueError(f"event {event!r}; accepted are {', '.join(EVENTS)}.")
        before = self.entries()
        if before and at < before[-1].at:
            raise LnriskError(f"{self.path.name}: its last entry is of {before[-1].at}, later.")
        content: dict[str, Any] = {
            "event": event,
            "name": name,
            "model": model.sha256,
            "at": at.isoformat(),
            "by": by,
            "evidence": evidence or {},
        }
        own = _hash(before[-1].hash if before else FIRST, content)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**content, "hash": own}) + "\n")
        return LedgerEntry(**{**content, "at": at}, hash=own)

    def live(self, name: str, on: datetime.datetime) -> LedgerEntry | None:
        """Return the promotion under which a model was live at a time; None when none was."""
        current = None
        for entry in self.entries():
            if entry.name != name or entry.at > on:
                continue
            if entry.event == "promoted":
                current = entry
            elif entry.event == "retired" and current and entry.model == current.model:
                current = None
        return current


def _hash(previous: str, content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{canonical}".encode()).hexdigest()
