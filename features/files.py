"""Output files, written whole or not at all, in the format that their ending names.

Assumes that a temporary file beside the target is on the same disk, so that the final rename either
happens or does not.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from .errors import LnriskError

__all__ = ["TABLE_FORMATS", "table_as_csv", "write_files"]

TABLE_FORMATS = (".csv", ".parquet")


def table_as_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV text: ISO 8601 dates, an empty cell for what is missing."""
    return str(table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n"))


def _write(content: pd.DataFrame | str, ending: str, path: Path) -> None:
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif ending == ".parquet":
        content.to_parquet(path, index=False)
    elif ending == ".csv":
        path.write_text(table_as_csv(content), encoding="utf-8")
    else:
        raise LnriskError(f"a table is written to {' or '.join(TABLE_FORMATS)}, not {ending!r}.")


def write_files(contents: Mapping[Path, pd.DataFrame | str]) -> None:
    """Write several files, all or none.

    Parameters
    ----------
    contents : mapping of Path to DataFrame or str
        A table's format follows the ending of its path.

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
        raise LnriskError(f"{error.filename or path}: cannot be written: {error}") from error
    finally:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)
