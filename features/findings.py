"""What a check found: one row per finding, by file, row and kind.

Assumes that findings are few beside the data; a registry that is wrong in every row is reported in
full all the same, so that one round of corrections is enough.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .said import Said

__all__ = ["FINDING_COLUMNS", "Findings"]

FINDING_COLUMNS = ("severity", "kind", "file", "row", "column", "value", "message", "why")


@dataclass
class Findings:
    """A growing list of findings.

    Parameters
    ----------
    parts : list of DataFrame
        Frames with the columns `FINDING_COLUMNS`; severity is ``error``, ``warning`` or ``note``.
        ``message`` says where and why, ``why`` is the `Said` of it alone.
    beyond : Counter of tuple
        How many more there are by severity and kind, see `shortened`.
    """

    parts: list[pd.DataFrame] = field(default_factory=list)
    beyond: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(
        self,
        severity: str,
        kind: str,
        file: str,
        rows: Iterable[int],
        column: str,
        values: Iterable[object],
        messages: Iterable[str],
        why: Iterable[Said],
    ) -> None:
        """Append one finding per row."""
        frame = pd.DataFrame(
            {
                "row": list(rows),
                "value": [str(v) for v in values],
                "message": list(messages),
                "why": pd.Series(list(why), dtype=object),
            }
        )
        if len(frame):
            frame = frame.assign(severity=severity, kind=kind, file=file, column=column)
            self.parts.append(frame[list(FINDING_COLUMNS)])

    @property
    def table(self) -> pd.DataFrame:
        """All findings, in the order of severity, kind, file and row."""
        if not self.parts:
            return pd.DataFrame({name: [] for name in FINDING_COLUMNS})
        frame = pd.concat(self.parts, ignore_index=True)
        rank = frame["severity"].map({"error": 0, "warning": 1, "note": 2})
        order = np.lexsort((frame["row"], frame["file"], frame["kind"], rank))
        return frame.iloc[order].reset_index(drop=True)

    def count(self, severity: str) -> int:
        """Return how many findings have this severity."""
        kept = sum(int((part["severity"] == severity).sum()) for part in self.parts)
        return kept + sum(n for (other, _), n in self.beyond.items() if other == severity)

    def shortened(self, most: int) -> "Findings":
        """Return the first findings of each severity and kind; the rest are only counted.

        Parameters
        ----------
        most : int
            Of each severity and kind, at least one.
        """
        table = self.table
        alike = Counter(zip(table["severity"], table["kind"], strict=True))
        beyond = self.beyond + Counter({key: n - most for key, n in alike.items() if n > most})
        return Findings([table.groupby(["severity", "kind"]).head(most)], beyond)

    @staticmethod
    def of_parts(parts: Iterable["Findings"]) -> "Findings":
        """Return what was found in the parts of a registry."""
        parts = list(parts)
        beyond = sum((part.beyond for part in parts), Counter[tuple[str, str]]())
        return Findings([frame for part in parts for frame in part.parts], beyond)

    def text(self, severities: tuple[str, ...], most: int | None = None) -> str:
        """Return the findings as lines under a count per kind.

        Parameters
        ----------
        severities : tuple of str
            Which to print.
        most : int or None
            Lines per kind; None prints all.
        """
        table = self.table
        lines = []
        for severity in severities:
            chosen = table[table["severity"] == severity]
            for kind, group in chosen.groupby("kind", sort=True):
                beyond = self.beyond[severity, str(kind)]
                lines.append(f"{severity}: {kind} ({len(group) + beyond})")
                messages = _alike_once(group) if severity == "note" else group["message"].tolist()
                shown = messages if most is None else messages[:most]
                lines.extend(f"  {message}" for message in shown)
                more = len(messages) - len(shown) + beyond
                if more:
                    lines.append(f"  ... and {more} more")
        return "\n".join(lines)


def _alike_once(group: pd.DataFrame) -> list[str]:
    """Return one message per file, column and value, with the number of rows that it stands for."""
    alike = group.groupby(["file", "column", "value"], sort=True)["message"]
    return [
        messages.iloc[0] if len(messages) == 1 else f"{messages.iloc[0]} ({len(messages)} rows)"
        for _, messages in alike
    ]
