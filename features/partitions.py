"""A bundle in parts of whole patients: split once on disk, then read part by part.

Assumes that a patient is known by ``patient_id`` alone. An identifier falls into the same part in
every table, wherever its rows stand, so that whatever is asked of a patient's rows is answered
within a part. Memory depends on the size of a part, not on that of the bundle.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .reading import RawTable, Source, is_synthetic
from .table_files import TableFile, as_cells, find_table
from .tables import TABLES
from .texts import Texts
from .vocabulary import analytes

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Each", "SplitBundle", "one_by_one", "split_bundle"]

PATIENTS_TOGETHER = 20_000
ROWS_TOGETHER = 5_000_000

Each = Callable[[Callable[[Any], Any], Sequence[Any], str], list[Any]]
"""Called with a function, items and what is being done; returns the results in order."""


def one_by_one(function: Callable[[Any], Any], items: Sequence[Any], what: str) -> list[Any]:
    """Return the results of a function, in this process."""
    return [function(item) for item in items]


@dataclass(frozen=True)
class _SplitTable:
    """One table on disk, its rows by part.

    Parameters
    ----------
    file : TableFile
        Where it came from.
    path : Path
        An Arrow file; the last column is the number of the record in `file`, from 0.
    batches : tuple of tuple of int
        For each part the numbers of its record batches.
    blank_lines : ndarray of int
        See `TableFile.blank_lines`.
    own_units : dict of str to str
        The first unit of each analyte that is not listed.
    """

    file: TableFile
    path: Path
    batches: tuple[tuple[int, ...], ...]
    blank_lines: npt.NDArray[np.int64]
    own_units: dict[str, str]

    def read(self, part: int) -> RawTable:
        """Return the rows of a part, in the order of the file."""
        import pyarrow as pa

        reader = pa.ipc.open_file(pa.memory_map(str(self.path)))
        batches = [reader.get_batch(number) for number in self.batches[part]]
        table = pa.Table.from_batches(batches, reader.schema)
        last = table.num_columns - 1
        rows = self.file.row_numbers(table.column(last).to_numpy(), self.blank_lines)
        cells = as_cells(table.remove_column(last))
        file = self.file
        return RawTable(file.name, file.path.name, cells, file.first_row, rows, self.own_units)


@dataclass(frozen=True)
class SplitBundle:
    """A bundle in parts of whole patients.

    Parameters
    ----------
    tables : dict of str to _SplitTable
    parts : int
    source : Source
        Without a hash.
    """

    tables: Mapping[str, _SplitTable] = field(repr=False)
    parts: int
    source: Source

    def read(self, part: int) -> dict[str, RawTable]:
        """Return the raw tables of a part."""
        return {name: table.read(part) for name, table in self.tables.items()}


def split_bundle(
    folder: Path, scratch: Path, each: Each = one_by_one, patients: int = PATIENTS_TOGETHER
) -> SplitBundle:
    """Split a bundle into parts of whole patients.

    Parameters
    ----------
    folder : Path
    scratch : Path
        A folder for the split tables, which are as large as the bundle; the caller removes it.
    each : callable
        Runs a function over items, here over tables, perhaps in several processes.
    patients : int
        About how many patients a part has; fewer where they have very many rows.

    Raises
    ------
    RegistryError
        When a required table or column is missing or a file cannot be read.
    """
    found = {name: find_table(folder, name) for name in TABLES}
    files = {name: file for name, file in found.items() if file is not None}
    for file in files.values():
        file.check_columns()
    source = Source(folder.resolve().name, synthetic=is_synthetic(folder))
    people = sum(piece.num_rows for piece in files["patients"].pieces())
    rows = sum(file.rows() for file in files.values())
    parts = max(1, -(-people // patients), -(-rows // ROWS_TOGETHER))
    by_size = sorted(files.values(), key=lambda file: -file.path.stat().st_size)
    run = each if parts > 1 else one_by_one
    split = run(partial(_split_table, scratch, parts), by_size, "read")
    tables = {table.file.name: table for table in split}
    return SplitBundle({name: tables[name] for name in files}, parts, source)


def _split_table(scratch: Path, parts: int, file: TableFile) -> _SplitTable:
    """Write a table by parts."""
    import pyarrow as pa

    path = scratch / f"{file.name}.arrow"
    batches: list[list[int]] = [[] for _ in range(parts)]
    own_units: dict[str, str] = {}
    records = written = 0
    pieces = file.pieces()
    first = next(pieces)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    schema = first.schema.append(pa.field("record", pa.int64()))
    with pa.ipc.new_file(str(path), schema, options=options) as writer:
        for piece in chain([first], pieces):
            numbers = np.arange(records, records + piece.num_rows)
            records += piece.num_rows
            if file.name == "measurements":
                _note_own_units(piece, own_units)
            part = _part_of(piece.column("patient_id"), parts)
            order = np.argsort(part, kind="stable")
            edges = np.searchsorted(part[order], np.arange(parts + 1))
            sorted_rows = piece.append_column("record", pa.array(numbers)).take(pa.array(order))
            for number in np.flatnonzero(np.diff(edges)).tolist():
                begin, end = edges[number], edges[number + 1]
                for batch in sorted_rows.slice(begin, end - begin).to_batches():
                    writer.write_batch(batch)
                    batches[number].append(written)
                    written += 1
    split = tuple(tuple(numbers) for numbers in batches)
    return _SplitTable(file, path, split, file.blank_lines(records), own_units)


def _part_of(identifiers: "pa.ChunkedArray", parts: int) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Return the part of each row by its identifier, shape (n_rows,)."""
    texts = _texts_of(identifiers)
    hashed = pd.util.hash_array(texts.distinct, categorize=False) % parts
    part: npt.NDArray[np.unsignedinteger[Any]] = hashed.astype(np.min_scalar_type(parts))
    return part[texts.codes]


def _note_own_units(piece: "pa.Table", own_units: dict[str, str]) -> None:
    """Note the first unit of each analyte that is not listed, in the order of the file."""
    names, units = _texts_of(piece.column("analyte")), _texts_of(piece.column("unit"))
    rows = np.flatnonzero(~names.among(analytes()) & ~units.missing)
    _, first = np.unique(names.codes[rows], return_index=True)
    for row in rows[first].tolist():
        own_units.setdefault(names[row], units[row])


def _texts_of(column: "pa.ChunkedArray") -> Texts:
    import pyarrow as pa

    return Texts.of(as_cells(pa.table({"cells": column}))["cells"])
