"""What the audit log says about patients, as tables.

Assumes an intact log: a changed one is refused, since a report on it would be worth nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..audit.answered import Answered, Assessed, answered, assessed
from ..audit.verify import entries

__all__ = ["Recorded", "read_log"]

COLUMNS = (
    "number",
    "model",
    "who",
    "shown",
    "subject",
    "as_of",
    "status",
    "risk",
    "verdict",
    "landmark",
)
FEEDBACK = ("card", "outcome", "reason")


@dataclass(frozen=True)
class Recorded:
    """Every assessment of a log.

    Parameters
    ----------
    assessments : DataFrame
        number (of the entry), model, who, shown, subject, as_of, status, risk, verdict, landmark
        (day); one row per patient assessed, in order.
    terms : DataFrame
        What the model saw, one column per term, in the same rows; nan where missing or not given.
    cards : DataFrame
        card, outcome, reason, and of the assessment that the card showed model, subject, risk; one
        row per feedback.
    refused : int
        Requests answered with an error.
    """

    assessments: pd.DataFrame
    terms: pd.DataFrame
    cards: pd.DataFrame
    refused: int

    @property
    def feedback(self) -> dict[str, int]:
        """How often each outcome of a card was sent back."""
        return {str(k): int(n) for k, n in self.cards["outcome"].value_counts(sort=False).items()}

    @property
    def models(self) -> list[str]:
        """Hashes of the models that answered, the latest last."""
        return list(dict.fromkeys(self.assessments["model"][::-1]))[::-1]

    def of(self, chosen: "pd.Series[bool]") -> "Recorded":
        """Return a part of the assessments."""
        return Recorded(
            self.assessments[chosen].reset_index(drop=True),
            self.terms[chosen].reset_index(drop=True),
            self.cards,
            self.refused,
        )


def read_log(log: Path) -> Recorded:
    """Read a log.

    Parameters
    ----------
    log : Path
        The folder, or one of its files.

    Raises
    ------
    AuditError
        When it was changed, or an entry lacks what it should hold.
    """
    rows: list[tuple[Any, ...]] = []
    terms: list[dict[str, float | None]] = []
    showed: dict[str, int] = {}
    back: list[dict[str, Any]] = []
    refused = 0
    for entry in entries(log):
        if entry.kind not in ("answer", "part"):
            continue
        said = answered(entry)
        refused += entry.kind == "answer" and (said.status or 500) >= 400
        for note in said.notes:
            if note.get("note") == "feedback":
                back.append({name: str(note.get(name, "")) for name in FEEDBACK})
            elif note.get("note") == "card":
                showed[str(note.get("card"))] = len(rows) - 1
            elif note.get("note") == "assessment":
                found = assessed(entry, note)
                rows.append(_row(entry.head.number, said, found))
                terms.append(found.terms)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype({"risk": np.float64, "landmark": np.float64, "as_of": "datetime64[s]"})
    seen = pd.DataFrame(terms, index=table.index).astype(np.float64)
    return Recorded(table, seen, _cards(back, showed, table), refused)


def _cards(
    back: list[dict[str, Any]], showed: dict[str, int], assessments: pd.DataFrame
) -> pd.DataFrame:
    cards = pd.DataFrame(back, columns=list(FEEDBACK), dtype="str")
    position = cards["card"].map(lambda card: showed.get(card, -1)).astype("int64")
    columns = ["model", "subject", "risk"]
    shown = assessments[columns].reindex(position).reset_index(drop=True)
    return pd.concat([cards, shown], axis=1)


def _row(number: int, said: Answered, found: Assessed) -> tuple[Any, ...]:
    return (
        number,
        said.model,
        said.who,
        said.shown,
        found.subject,
        pd.Timestamp(found.as_of),
        found.status,
        found.risk,
        found.verdict,
        found.landmark,
    )
