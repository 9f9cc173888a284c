"""The files of a bundle: one table each, CSV (UTF-8, comma) or Parquet, read whole or in pieces.

Assumes that a table is one file; a file that cannot be read to its end is refused, because a table
cut short would look like missing data.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .errors import RegistryError
from .tables import REQUIRED_TABLES, TABLES

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TableFile", "as_cells", "find_table"]

PIECE_ROWS = 200_000
PIECE_BYTES = 8 << 20
BYTES_OF_A_ROW = 32
"""Of CSV; a row of the bundle format is rarely shorter."""


@dataclass(frozen=True)
class TableFile:
    """A table of a bundle on disk.

    Parameters
    ----------
    name : str
        The table's name.
    path : Path
    """

    name: str
    path: Path

    @property
    def first_row(self) -> int:
        """Row number of the first record: 2 in a CSV file (below the header), 1 in Parquet."""
        return 2 if self._is_csv else 1

    @property
    def _is_csv(self) -> bool:
        return self.path.suffix == ".csv"

    @cached_property
    def columns(self) -> list[str]:
        """Names of the columns, each once."""
        with self._readable():
            return self._csv_columns() if self._is_csv else self._parquet_columns()

    def check_columns(self) -> None:
        """Refuse a table without a required column.

        Raises
        ------
        RegistryError
            Also when the columns cannot be read or one appears twice.
        """
        names = self.columns
        required = [column.name for column in TABLES[self.name] if column.required]
        missing = [column for column in required if column not in names]
        if missing:
            raise RegistryError(
                f"{self.path.name}: column {missing[0]!r} is missing (found: "
                f"{', '.join(names)}); required are {', '.join(required)}."
            )

    def _csv_columns(self) -> list[str]:
        with self.path.open(encoding="utf-8-sig", newline="") as lines:
            names = [name.strip() for name in next(csv.reader(lines), [])]
        if not any(names):
            raise RegistryError(
                f"{self.path.name}: the file is empty; its first row names the columns."
            )
        self._refuse_repeated(names)
        return names

    def _parquet_columns(self) -> list[str]:
        import pyarrow.parquet

        schema = pyarrow.parquet.read_schema(self.path)
        self._refuse_repeated(schema.names)
        return [str(name) for name in as_cells(schema.empty_table()).columns]

    def _refuse_repeated(self, names: list[str]) -> None:
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise RegistryError(f"{self.path.name}: column {repeated[0]!r} appears twice.")

    def read(self) -> pd.DataFrame:
        """Return all cells as they were written."""
        names = self.columns
        with self._readable():
            if not self._is_csv:
                import pyarrow.parquet

                schema = pyarrow.parquet.read_schema(self.path)
                texts = [field.name for field in schema if _is_text(field.type)]
                return as_cells(pyarrow.parquet.read_table(self.path, read_dictionary=texts))
            if self._only_header():
                return pd.DataFrame({name: pd.Series([], dtype="str") for name in names})
            import pyarrow as pa
            import pyarrow.csv

            kind = pa.dictionary(pa.int32(), pa.string())
            return as_cells(pyarrow.csv.read_csv(self.path, **self._csv_options(kind)))

    def pieces(self) -> Iterator["pa.Table"]:
        """Yield the table in pieces of bounded size, text as text."""
        names = self.columns
        with self._readable():
            import pyarrow as pa

            if not self._is_csv:
                yield from self._parquet_pieces()
            elif self._only_header():
                yield pa.table({name: pa.array([], pa.string()) for name in names})
            else:
                import pyarrow.csv

                options = self._csv_options(pa.string(), block_size=PIECE_BYTES)
                for batch in pyarrow.csv.open_csv(self.path, **options):
                    yield pa.Table.from_batches([batch])

    def _parquet_pieces(self) -> Iterator["pa.Table"]:
        import pyarrow as pa
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(self.path) as file:
            schema = file.schema_arrow
            yield _decoded(schema.empty_table())
            for batch in file.iter_batches(batch_size=PIECE_ROWS):
                table = pa.Table.from_batches([batch])
                yield _decoded(table.replace_schema_metadata(schema.metadata))

    def rows(self) -> int:
        """Return the number of records; of a CSV file it is reckoned from its size."""
        if self._is_csv:
            return self.path.stat().st_size // BYTES_OF_A_ROW
        import pyarrow.parquet

        with self._readable():
            return int(pyarrow.parquet.read_metadata(self.path).num_rows)

    def blank_lines(self, records: int) -> npt.NDArray[np.int64]:
        """Return how many records stand before each blank line of a CSV file.

        Parameters
        ----------
        records : int
            Of the file; where its lines are not so many, cells hold line breaks, and which lines
            are blank cannot be said.
        """
        nothing = np.zeros(0, dtype=np.int64)
        if not self._is_csv or self._lines() == records + 1:
            return nothing
        blank, number = [], 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    blank.append(number)
        before = np.array(blank, dtype=np.int64) - np.arange(len(blank)) - 2
        return before if number - len(blank) == records + 1 else nothing

    def row_numbers(
        self, records: npt.NDArray[np.int64], blank_lines: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the row number of each record, shape (n_records,).

        Parameters
        ----------
        records : ndarray of int, shape (n_records,)
            Counted from 0.
        blank_lines : ndarray of int, shape (n_blank_lines,)
            As `blank_lines` returns them.
        """
        return records + self.first_row + np.searchsorted(blank_lines, records, side="right")

    def _lines(self) -> int:
        ends, last = 0, b"\n"
        with self.path.open("rb") as content:
            while block := content.read(PIECE_BYTES):
                ends += block.count(b"\n")
                last = block[-1:]
        return ends + (last != b"\n")

    def _only_header(self) -> bool:
        with self.path.open(encoding="utf-8-sig", newline="") as lines:
            next(csv.reader(lines))
            return next(lines, None) is None

    def _csv_options(self, kind: Any, **reading: int) -> dict[str, Any]:
        import pyarrow.csv

        names = self.columns
        return {
            "read_options": pyarrow.csv.ReadOptions(skip_rows=1, column_names=names, **reading),
            "parse_options": pyarrow.csv.ParseOptions(newlines_in_values=True),
            "convert_options": pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, kind), strings_can_be_null=False
            ),
        }

    def _naming_the_row(self, error: Exception) -> Exception:
        """Return the error that reading without threads gives, since that one names the row."""
        import pyarrow as pa
        import pyarrow.csv

        try:
            for _ in pyarrow.csv.open_csv(
                self.path, **self._csv_options(pa.string(), use_threads=False)
            ):
                pass
        except pa.ArrowInvalid as named:
            error = named
        return error

    @contextmanager
    def _readable(self) -> Iterator[None]:
        from pyarrow import ArrowException, ArrowInvalid

        try:
            yield
        except ArrowInvalid as error:
            said = self._naming_the_row(error) if self._is_csv else error
            raise RegistryError(f"{self.path.name}: the file cannot be read: {said}") from error
        except (ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
            raise RegistryError(f"{self.path.name}: the file cannot be read: {error}") from error


def find_table(folder: Path, name: str) -> TableFile | None:
    """Return the file of a table, or None where the bundle has none and needs none.

    Raises
    ------
    RegistryError
        When a required table is missing or there are two files of one table.
    """
    found = [path for path in (folder / f"{name}.csv", folder / f"{name}.parquet") if path.exists()]
    if len(found) > 1:
        raise RegistryError(
            f"{folder.name}: both {found[0].name} and {found[1].name} exist; keep one of them."
        )
    if not found and name in REQUIRED_TABLES:
        raise RegistryError(
            f"{folder.name}: table {name!r} is missing; {name}.csv or {name}.parquet is "
            f"required. A bundle has {', '.join(REQUIRED_TABLES)}."
        )
    return TableFile(name, found[0]) if found else None


def as_cells(table: "pa.Table") -> pd.DataFrame:
    """Return an Arrow table as cells; text becomes categories."""
    for at, field in enumerate(table.schema):
        if _is_text(field.type):
            table = table.set_column(at, field.name, table.column(at).dictionary_encode())
    cells: pd.DataFrame = table.to_pandas(date_as_object=False, integer_object_nulls=True)
    return cells.reset_index(drop=cells.index.names == [None])


def _is_text(kind: Any) -> bool:
    import pyarrow.types

    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))


def _decoded(table: "pa.Table") -> "pa.Table":
    """Return a table without dictionaries, which differ from piece to piece."""
    import pyarrow.types

    for at, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):
            plain = table.column(at).cast(field.type.value_type)
            table = table.set_column(at, field.name, plain)
    return table
