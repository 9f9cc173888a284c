"""Bundle files as raw tables: every cell still as the site wrote it, with its row number.

Assumes one table per file, CSV (UTF-8, comma) or Parquet; a file that cannot be read whole is
refused, because a table cut short would look like missing data.
"""

import csv
import hashlib
import json
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import numpy as np
import numpy.typing as npt
import pandas as pd

from .errors import RegistryError
from .tables import REQUIRED_TABLES, TABLES
from .texts import Texts

__all__ = ["Cells", "RawTable", "Source", "parse_dates", "parse_numbers", "read_raw", "read_source"]

Cells = Union["pd.Series[Any]", npt.NDArray[Any], Texts]
"""A column: as a file has it, or typed, or as its distinct texts."""

_DATE_FORM = r"\d{4}-\d{2}-\d{2}"
_EARLIEST = np.datetime64("1900-01-01")


@dataclass(frozen=True)
class RawTable:
    """One file as it was written.

    Parameters
    ----------
    name : str
        The table's name.
    file : str
        The file's name, for messages.
    cells : DataFrame
        Text, or the typed columns of a Parquet file.
    first_row : int
        Row number of the first record: 2 in a CSV file (below the header), 1 in Parquet.
    lines : ndarray of int, optional
        Row number of each record where blank lines stand between them.
    """

    name: str
    file: str
    cells: pd.DataFrame
    first_row: int
    lines: npt.NDArray[np.int64] | None = None

    def column(self, name: str) -> "pd.Series[Any] | None":
        """Return the cells of a column; None where the table has none of this name."""
        return self.cells[name] if name in self.cells.columns else None

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Row number of each record in the file."""
        if self.lines is not None:
            return self.lines
        return np.arange(len(self.cells), dtype=np.int64) + self.first_row


@dataclass(frozen=True)
class Source:
    """Where a registry came from.

    Parameters
    ----------
    name : str
        The folder's name.
    sha256 : str
        Hash over the names and contents of the tables' files.
    synthetic : bool
        Whether ``registry.json`` says that the patients are simulated.
    """

    name: str = "registry"
    sha256: str = ""
    synthetic: bool = False


def _path_of(folder: Path, name: str) -> Path | None:
    found = [path for path in (folder / f"{name}.csv", folder / f"{name}.parquet") if path.exists()]
    if len(found) > 1:
        raise RegistryError(
            f"{folder.name}: both {found[0].name} and {found[1].name} exist; keep one of them."
        )
    return found[0] if found else None


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header = next(csv.reader(lines), [])
        only_header = next(lines, None) is None
    names = [name.strip() for name in header]
    if not any(names):
        raise RegistryError(f"{path.name}: the file is empty; its first row names the columns.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise RegistryError(f"{path.name}: column {repeated[0]!r} appears twice.")
    if only_header:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in names})
    import pyarrow as pa
    import pyarrow.csv

    table = pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(skip_rows=1, column_names=names),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
            strings_can_be_null=False,
        ),
    )
    cells: pd.DataFrame = table.to_pandas()
    return cells


def _lines(path: Path, records: int) -> npt.NDArray[np.int64] | None:
    """Return the line of each record of a CSV file with blank lines; None where it has none."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(b"\n\n") < 0 and content.find(b"\n\r\n") < 0:
                return None
            written = [bool(line.strip()) for line in content[:].split(b"\n")]
    lines = np.flatnonzero(written)[1:] + 1
    return lines if len(lines) == records else None


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
    cells: pd.DataFrame = pyarrow.parquet.read_table(path, read_dictionary=texts).to_pandas(
        date_as_object=False, integer_object_nulls=True
    )
    return cells.reset_index(drop=cells.index.names == [None])


def _is_text(kind: Any) -> bool:
    import pyarrow.types

    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))


def read_raw(folder: Path, name: str) -> RawTable | None:
    """Read one table of a bundle, or None where it does not exist.

    Raises
    ------
    RegistryError
        When a required table or column is missing or the file cannot be read.
    """
    path = _path_of(folder, name)
    if path is None:
        if name in REQUIRED_TABLES:
            raise RegistryError(
                f"{folder.name}: table {name!r} is missing; {name}.csv or {name}.parquet is "
                f"required. A bundle has {', '.join(REQUIRED_TABLES)}."
            )
        return None
    from pyarrow import ArrowException

    try:
        cells = _read_csv(path) if path.suffix == ".csv" else _read_parquet(path)
    except (ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
        raise RegistryError(f"{path.name}: the file cannot be read: {error}") from error
    required = [column.name for column in TABLES[name] if column.required]
    missing = [column for column in required if column not in cells.columns]
    if missing:
        raise RegistryError(
            f"{path.name}: column {missing[0]!r} is missing (found: "
            f"{', '.join(map(str, cells.columns))}); required are {', '.join(required)}."
        )
    if path.suffix == ".parquet":
        return RawTable(name, path.name, cells, 1)
    return RawTable(name, path.name, cells, 2, _lines(path, len(cells)))


def read_source(folder: Path) -> Source:
    """Return the folder's provenance: name, hash of its tables, and whether it is simulated."""
    digest = hashlib.sha256()
    for name in sorted(TABLES):
        path = _path_of(folder, name)
        if path is not None:
            digest.update(path.name.encode())
            with path.open("rb") as content:
                while block := content.read(1 << 20):
                    digest.update(block)
    provenance = folder / "registry.json"
    synthetic = False
    if provenance.exists():
        try:
            synthetic = bool(json.loads(provenance.read_text(encoding="utf-8"))["synthetic"])
        except (ValueError, KeyError, TypeError) as error:
            raise RegistryError(
                'registry.json: expected an object with "synthetic": true or false.'
            ) from error
    return Source(folder.resolve().name, digest.hexdigest(), synthetic)


def parse_dates(
    cells: Cells, *, year_alone: bool = False
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    """Parse ISO 8601 dates.

    Parameters
    ----------
    cells : Series, ndarray or Texts
        Text, or a datetime column whose clock times and time zone are dropped.
    year_alone : bool, default=False
        Read ``1980`` as 1 July 1980.

    Returns
    -------
    dates : ndarray of datetime64[s]
        NaT where empty or impossible.
    impossible : ndarray of bool
        Not empty and not a date since 1900.
    """
    if isinstance(cells, pd.Series) and pd.api.types.is_datetime64_any_dtype(cells.dtype):
        cells = cells.dt.tz_localize(None).to_numpy()
    if isinstance(cells, np.ndarray):
        dates = cells.astype("datetime64[D]").astype("datetime64[s]")
        impossible = ~np.isnat(dates) & (dates < _EARLIEST)
    else:
        written = cells if isinstance(cells, Texts) else Texts.of(cells)
        texts = pd.Series(written.distinct, dtype="str")
        if year_alone:
            texts = texts.str.replace(r"^(\d{4})(\.0)?$", r"\1-07-01", regex=True)
        shaped = texts.where(texts.str.fullmatch(_DATE_FORM))
        parsed = pd.to_datetime(shaped, format="%Y-%m-%d", errors="coerce")
        each = parsed.to_numpy().astype("datetime64[s]")
        wrong = (texts != "").to_numpy() & ~(each >= _EARLIEST)
        dates, impossible = each[written.codes], wrong[written.codes]
    return np.where(impossible, np.datetime64("NaT"), dates), impossible


def parse_numbers(
    cells: Cells,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Parse finite numbers.

    Parameters
    ----------
    cells : Series, ndarray or Texts

    Returns
    -------
    numbers : ndarray of float64
        nan where empty or not a finite number.
    wrong : ndarray of bool
        Not empty and not a finite number.
    """
    if isinstance(cells, pd.Series) and pd.api.types.is_numeric_dtype(cells.dtype):
        cells = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(cells, np.ndarray):
        numbers, wrong = cells, np.isinf(cells)
    else:
        written = cells if isinstance(cells, Texts) else Texts.of(cells)
        text = pd.Series(written.distinct, dtype="str")
        each = pd.to_numeric(text.where(text != ""), errors="coerce").to_numpy(
            dtype=np.float64, na_value=np.nan
        )
        unread = (text != "").to_numpy() & ~np.isfinite(each)
        numbers, wrong = each[written.codes], unread[written.codes]
    return np.where(wrong, np.nan, numbers), wrong
