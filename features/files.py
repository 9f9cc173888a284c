"""Output files, written whole or not at all, in the format that their ending names.

Assumes that a temporary file beside the target is on the same disk, so that the final rename either
happens or does not.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import pandas as pd

from .errors import LnriskError

__all__ = ["TABLE_FORMATS", "Content", "stretches_as_csv", "table_as_csv", "write_files"]

TABLE_FORMATS = (".csv", ".parquet")


Content = pd.DataFrame | str | Iterable[pd.DataFrame]


def table_as_csv(table: pd.DataFrame, *, header: bool = True) -> str:
    """Return a table as CSV text: ISO 8601 dates, an empty cell for what is missing."""
    text = table.to_csv(index=False, header=header, date_format="%Y-%m-%d", lineterminator="\n")
    return str(text)


def stretches_as_csv(stretches: Iterable[pd.DataFrame]) -> Iterator[str]:
    """Yield a table that comes in stretches as CSV text, the header once."""
    for number, stretch in enumerate(stretches):
        yield table_as_csv(stretch, header=number == 0)


def _write(content: Content, ending: str, path: Path) -> None:
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
        return
    stretches = [content] if isinstance(content, pd.DataFrame) else content
    if ending == ".parquet":
        _write_parquet(stretches, path)
    elif ending == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(stretches_as_csv(stretches))
    else:
        raise LnriskError(f"a table is written to {' or '.join(TABLE_FORMATS)}, not {ending!r}.")


def _write_parquet(stretches: Iterable[pd.DataFrame], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    tables = (pa.Table.from_pandas(stretch, preserve_index=False) for stretch in stretches)
    first = next(tables)
    with pyarrow.parquet.ParquetWriter(path, first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table.cast(first.schema))


def write_files(contents: Mapping[Path, Content]) -> None:
    """Write several files, all or none.

    Parameters
    ----------
    contents : mapping of Path to DataFrame, iterable of DataFrame, or str
        A table's format follows the ending of its path; one that comes in stretches is written
        without holding more than one of them.

    Raises
    ------
    LnriskError
        When a file cannot be written; then none has been.
    """
    written: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            if path.is_dir():
                raise LnriskError(f"{path}: cannot be written: it is a folder.")
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            os.close(handle)
            written[path] = Path(name)
            _write(content, path.suffix, written[path])
        umask = os.umask(0)
        os.umask(umask)
        for path, temporary in written.items():
            temporary.chmod(0o666 & ~umask)
            temporary.replace(path)
    except OSError as error:
        raise LnriskError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)
