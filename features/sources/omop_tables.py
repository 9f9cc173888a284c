r"""The CSV files of an OMOP CDM, from a folder or a zip archive, in pieces that fit in memory.

Assumes one file per table, named after it in any case, with a header; an empty cell, NULL and
\N are missing.
"""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from ..errors import RegistryError

__all__ = ["CdmTables"]

BLOCK_BYTES = 16 << 20
_MISSING = ["NULL", "null", "\\N"]


class CdmTables:
    """The tables of one CDM.

    Parameters
    ----------
    path : Path
        A folder, or a zip archive.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        self._open: dict[str, Callable[[], IO[bytes]]] = {}
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix.casefold() == ".csv" and not file.name.startswith("."):
                    self._open[file.stem.casefold()] = _opener(file)
            return
        try:
            archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise RegistryError(
                f"{self.name}: expected a folder or a zip archive of CSV files: {error}"
            ) from error
        for member in archive.namelist():
            inside = PurePosixPath(member)
            if inside.suffix.casefold() == ".csv" and not inside.name.startswith("."):
                self._open[inside.stem.casefold()] = _member_opener(archive, member)

    def __contains__(self, table: str) -> bool:
        """Return whether there is such a table."""
        return table in self._open

    def pieces(
        self, table: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> Iterator[pd.DataFrame]:
        """Yield a table's columns as text, some rows at a time; nothing where it does not exist.

        Raises
        ------
        RegistryError
            When a required column is missing or the file cannot be read.
        """
        if table not in self._open:
            return
        try:
            with self._open[table]() as file:
                header = file.readline().decode("utf-8-sig")
                separator = "\t" if "\t" in header else ","
                names = [name.strip().strip('"').casefold() for name in header.split(separator)]
                missing = [name for name in required if name not in names]
                if missing:
                    raise RegistryError(
                        f"{table}.csv: column {missing[0]!r} is missing; found {', '.join(names)}."
                    )
                wanted = [*required, *(name for name in optional if name in names)]
                for piece in _pieces(file, separator, names, wanted):
                    piece["row"] = piece[required[0]]
                    yield piece.reindex(columns=[*required, *optional, "row"], fill_value="")
        except (pa.ArrowException, OSError, UnicodeDecodeError, zipfile.BadZipFile) as error:
            raise RegistryError(f"{table}.csv: cannot be read: {error}") from error

    def whole(
        self, table: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> pd.DataFrame:
        """Return a table's columns as text; empty where it does not exist."""
        pieces = list(self.pieces(table, required, optional))
        if not pieces:
            return pd.DataFrame(columns=[*required, *optional, "row"], dtype="str")
        return pd.concat(pieces, ignore_index=True)


def _opener(file: Path) -> Callable[[], IO[bytes]]:
    return lambda: file.open("rb")


def _member_opener(archive: zipfile.ZipFile, member: str) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(member)


def _pieces(
    file: IO[bytes], separator: str, names: list[str], wanted: list[str]
) -> Iterator[pd.DataFrame]:
    options: dict[str, Any] = {
        "read_options": pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES),
        "parse_options": pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        "convert_options": pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
        ),
    }
    try:
        reader = pyarrow.csv.open_csv(file, **options)
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise
    for batch in reader:
        piece: pd.DataFrame = batch.to_pandas().astype("str")
        yield piece.mask(piece.isin(_MISSING), "")
