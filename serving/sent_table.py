"""Rows as they were sent, column by column; a table is made of them only where a row is wrong.

Assumes few rows: for them a list is quicker than a table.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.days import Days
from ..features.tables import TABLES
from ..features.texts import Texts

__all__ = ["SentTable"]

Cells = Texts | npt.NDArray[np.float64] | npt.NDArray[np.datetime64]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class SentTable:
    """One table of several patients.

    Parameters
    ----------
    name : str
    sent : sequence of mapping
        Its rows; dates as text YYYY-MM-DD or as `datetime.date`.
    owner : ndarray of int, shape (n_rows,)
        Whose row it is.
    """

    name: str
    sent: Sequence[Mapping[str, Any]]
    owner: Days

    @property
    def file(self) -> str:
        """What messages call it."""
        return self.name

    @property
    def own_units(self) -> Mapping[str, str]:
        """Nothing: a patient's own rows say in what unit they are."""
        return {}

    @cached_property
    def rows(self) -> npt.NDArray[np.int64]:
        """Numbers of the rows, from 1."""
        return np.arange(1, len(self.sent) + 1, dtype=np.int64)

    def column(self, name: str) -> Cells | None:
        """Return the cells of a column, typed where all of them can be; None where it is empty."""
        return self._columns.get(name)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The table, to show what was sent."""
        return pd.DataFrame({name: self._shown(name) for name in self._columns})

    def _shown(self, name: str) -> "pd.Series[Any]":
        if name == "patient_id":
            return pd.Series(self.owner.astype(str), dtype="str")
        return pd.Series([_text(row.get(name)) for row in self.sent], dtype="str")

    @cached_property
    def _columns(self) -> dict[str, Cells]:
        columns: dict[str, Cells] = {"patient_id": Texts.listed([str(who) for who in self.owner])}
        for column in TABLES[self.name]:
            values = [row.get(column.name) for row in self.sent]
            some = column.required or any(value not in (None, "") for value in values)
            if some and column.kind != "id":
                columns[column.name] = _cells(column.kind, values)
        return columns


def _cells(kind: str, values: list[Any]) -> Cells:
    """Return values typed where all of them can be, else as text for the checks to refuse."""
    if kind == "number" and all(v is None or isinstance(v, int | float) for v in values):
        return np.array(values, dtype=np.float64)
    texts = [_text(value) for value in values]
    if kind in ("date", "entry_date"):
        dates = _dates(texts)
        if dates is not None:
            return dates
    return Texts.listed(texts)


def _dates(texts: list[str]) -> npt.NDArray[np.datetime64] | None:
    if not all(text == "" or _DATE.fullmatch(text) for text in texts):
        return None
    try:
        return np.array(texts, dtype="datetime64[s]")
    except ValueError:
        return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
