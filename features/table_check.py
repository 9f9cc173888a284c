"""One raw table while it is checked: its columns typed, its bad rows marked and reported.

Assumes that a row is the smallest thing that can be wrong: a row with one bad cell is left out
whole.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from .findings import Findings
from .reading import Cells, parse_dates, parse_numbers
from .said import Said, said
from .tables import TABLES, Column
from .texts import Texts

__all__ = ["REJECTED_COLUMNS", "Mask", "Raw", "TableCheck"]

Mask = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Numbers = npt.NDArray[np.float64]

REJECTED_COLUMNS = ("file", "row", "kind", "message", "record")
_DATES = ("date", "birth_date", "entry_date")


class Raw(Protocol):
    """A table as it was written; see `lnrisk.features.reading.RawTable`."""

    @property
    def name(self) -> str:
        """The table's name."""

    @property
    def file(self) -> str:
        """What messages call it."""

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Number of each row, for messages."""

    @property
    def cells(self) -> pd.DataFrame:
        """The whole, to show what was written."""

    @property
    def own_units(self) -> Mapping[str, str]:
        """Units of analytes that are not listed, where they are known from other rows."""

    def column(self, name: str) -> Cells | None:
        """Return the cells of a column; None where there is none."""


class TableCheck:
    """A raw table, and what has been found in it so far.

    Parameters
    ----------
    raw : RawTable, or what has its name, file, rows, cells and columns
    findings : Findings
        To which those of this table are added.
    """

    def __init__(self, raw: Raw, findings: Findings) -> None:
        self.raw = raw
        self.findings = findings
        self.bad: Mask = np.zeros(len(raw.rows), dtype=bool)
        self.reasons: list[pd.DataFrame] = []
        self.texts: dict[str, Texts] = {}
        self.columns: dict[str, Any] = {}
        for column in TABLES[raw.name]:
            parsed = self._parse(column)
            if isinstance(parsed, Texts):
                self.texts[column.name] = parsed
            self.columns[column.name] = parsed

    def flag(
        self,
        mask: Mask,
        kind: str,
        column: str,
        message: Said | Callable[[int], Said],
        severity: str = "error",
    ) -> None:
        """Report the rows of a mask; an error also marks them bad."""
        where = np.flatnonzero(mask)
        if not len(where):
            return
        rows = self.raw.rows[where]
        cells = self.raw.cells
        values = [str(v) for v in cells[column].iloc[where]] if column in cells.columns else [""]
        values = values * (len(where) // len(values))
        why = [message if isinstance(message, Said) else message(int(at)) for at in where]
        messages = [
            f"{self.raw.file}, row {row}, {column} {value!r}: {each}"
            for row, value, each in zip(rows, values, why, strict=True)
        ]
        self.findings.add(severity, kind, self.raw.file, rows, column, values, messages, why)
        if severity == "error":
            self.bad[where] = True
            self.reasons.append(
                pd.DataFrame({"position": where, "row": rows, "kind": kind, "message": messages})
            )

    def _parse(self, column: Column) -> Any:
        cells = self.raw.column(column.name)
        if cells is None:
            return _blank(column, len(self.raw.rows))
        written = _typed(column, cells)
        if column.required:
            empty = written.missing if isinstance(written, Texts) else np.asarray(pd.isna(written))
            self.flag(
                empty, "missing value", column.name, said("required", "a value is required here.")
            )
        if column.kind in _DATES:
            return self._parse_date(column, written)
        if column.kind == "number":
            return self._parse_number(column, written)
        assert isinstance(written, Texts)
        return self._parse_choice(column, written) if column.kind == "choice" else written

    def _parse_choice(self, column: Column, written: Texts) -> pd.Categorical:
        wrong = ~written.among(("", *column.choices))
        accepted = said("unknown_choice", "accepted are {choices}.", choices=column.choices)
        self.flag(wrong, "unknown value", column.name, accepted)
        code = {choice: float(code) for code, choice in enumerate(column.choices)}
        codes = np.nan_to_num(written.numbers(code), nan=-1.0).astype(np.int8)
        return pd.Categorical.from_codes(codes, dtype=_choices(column))

    def _parse_date(self, column: Column, written: Cells) -> Dates:
        year_alone = column.kind == "birth_date"
        dates, impossible = parse_dates(written, year_alone=year_alone)
        form = (
            said("expected_birth_date", "expected a date YYYY-MM-DD or a year YYYY since 1900.")
            if year_alone
            else said("expected_date", "expected a date YYYY-MM-DD since 1900.")
        )
        self.flag(impossible, "impossible date", column.name, form)
        return dates

    def _parse_number(self, column: Column, written: Cells) -> Numbers:
        numbers, wrong = parse_numbers(written)
        finite = said("expected_number", "expected a finite number.")
        self.flag(wrong, "not a number", column.name, finite)
        negative = numbers < 0
        self.flag(negative, "negative value", column.name, said("negative", "expected 0 or more."))
        if column.whole or np.isfinite(column.highest):
            outside = (numbers > column.highest) | (column.whole & (numbers % 1 != 0))
            outside &= ~np.isnan(numbers) & ~negative
            ends = {"lowest": f"{column.lowest:g}", "highest": f"{column.highest:g}"}
            message = (
                said("whole_range", "expected a whole number from {lowest} to {highest}.", **ends)
                if column.whole
                else said("number_range", "expected a number from {lowest} to {highest}.", **ends)
            )
            self.flag(outside, "out of range", column.name, message)
        return numbers

    def frame(self, good: Mask) -> pd.DataFrame:
        """Return the typed columns of the good rows, with their row numbers."""
        data = {
            name: values.series(good) if isinstance(values, Texts) else values[good]
            for name, values in self.columns.items()
        }
        return pd.DataFrame({**data, "row": self.raw.rows[good]})

    def rejected(self) -> pd.DataFrame:
        """Return the bad rows as they were written, each with its reasons."""
        if not self.reasons:
            return pd.DataFrame(columns=list(REJECTED_COLUMNS))
        reasons = pd.concat(self.reasons).sort_values(["position", "kind"])
        joined = reasons.groupby("position", sort=True).agg(
            row=("row", "first"), kind=("kind", ";".join), message=("message", " ".join)
        )
        records = self.raw.cells.iloc[joined.index.to_numpy()].astype("string").fillna("")
        written = [json.dumps(record) for record in records.to_dict("records")]
        return joined.assign(file=self.raw.file, record=written)[list(REJECTED_COLUMNS)]


def _typed(column: Column, cells: Cells) -> Cells:
    """Return cells as they are where they are numbers or dates and may be, else their texts."""
    if not isinstance(cells, pd.Series):
        return cells
    numeric = pd.api.types.is_numeric_dtype(cells.dtype)
    typed = numeric or pd.api.types.is_datetime64_any_dtype(cells.dtype)
    return cells if typed and column.kind in (*_DATES, "number") else Texts.of(cells)


def _blank(column: Column, n: int) -> Any:
    """Return what a column that a table does not have is parsed to."""
    if column.kind in _DATES:
        return np.full(n, np.datetime64("NaT"), dtype="datetime64[s]")
    if column.kind == "number":
        return np.full(n, np.nan)
    if column.kind == "choice":
        return pd.Categorical.from_codes(np.full(n, -1), dtype=_choices(column))
    return Texts.empty(n)


@cache
def _choices(column: Column) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(list(column.choices))
