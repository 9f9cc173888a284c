"""Raw tables: every cell still as the site wrote it, with its row number; dates and numbers in it.

Assumes that a registry's folder is not written to while it is read.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import numpy as np
import numpy.typing as npt
import pandas as pd

from .errors import RegistryError
from .table_files import find_table
from .tables import TABLES
from .texts import Texts

__all__ = [
    "Cells",
    "RawTable",
    "Source",
    "is_synthetic",
    "parse_dates",
    "parse_numbers",
    "read_raw",
    "read_source",
]

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
        Row number of each record where they are not consecutive.
    own_units : mapping of str to str
        The unit of analytes that are not listed, where that is known from other rows; otherwise
        it is the first that the table has.
    """

    name: str
    file: str
    cells: pd.DataFrame
    first_row: int
    lines: npt.NDArray[np.int64] | None = None
    own_units: Mapping[str, str] = field(default_factory=dict)

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


def read_raw(folder: Path, name: str) -> RawTable | None:
    """Read one table of a bundle, or None where it does not exist.

    Raises
    ------
    RegistryError
        When a required table or column is missing or the file cannot be read.
    """
    file = find_table(folder, name)
    if file is None:
        return None
    file.check_columns()
    cells = file.read()
    blank = file.blank_lines(len(cells))
    lines = file.row_numbers(np.arange(len(cells)), blank) if len(blank) else None
    return RawTable(name, file.path.name, cells, file.first_row, lines)


def read_source(folder: Path) -> Source:
    """Return the folder's provenance: name, hash of its tables, and whether it is simulated."""
    digest = hashlib.sha256()
    for name in sorted(TABLES):
        file = find_table(folder, name)
        if file is not None:
            digest.update(file.path.name.encode())
            with file.path.open("rb") as content:
                while block := content.read(1 << 20):
                    digest.update(block)
    return Source(folder.resolve().name, digest.hexdigest(), is_synthetic(folder))


def is_synthetic(folder: Path) -> bool:
    """Return whether ``registry.json`` says that the patients are simulated.

    Raises
    ------
    RegistryError
        When it says something else.
    """
    provenance = folder / "registry.json"
    if not provenance.exists():
        return False
    try:
        return bool(json.loads(provenance.read_text(encoding="utf-8"))["synthetic"])
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(
            'registry.json: expected an object with "synthetic": true or false.'
        ) from error


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
