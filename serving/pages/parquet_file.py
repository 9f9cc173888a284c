"""A Parquet file as rows of text, as if it had been a CSV file.

Assumes columns of single values. Arrow is imported by the first file that is opened: a service that
opens none has no need of its memory. What a file would take unpacked is reckoned before it is
unpacked, since a small file can hold a million times the same text.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LargerThanAllowed", "NotParquet", "rows_of_parquet"]

CELL_BYTES = 8
DATE_LENGTH = len("2024-01-31")
_EMPTY = ("", "nan", "NaT")


class NotParquet(ValueError):
    """It is no Parquet file, or holds other columns than those of single values."""


class LargerThanAllowed(ValueError):
    """Unpacked it is larger than is accepted."""


def rows_of_parquet(content: bytes, largest: int) -> tuple[list[str], list[dict[str, str]]]:
    """Return the names of the columns, and the rows.

    Parameters
    ----------
    content : bytes
    largest : int
        Bytes that it may have when it is unpacked.

    Raises
    ------
    NotParquet, LargerThanAllowed
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet
    import pyarrow.types as kinds

    source = pa.BufferReader(content)
    try:
        file = parquet.ParquetFile(source)
        schema, cells = file.schema_arrow, file.metadata.num_rows * file.metadata.num_columns
        if cells * CELL_BYTES > largest:
            raise LargerThanAllowed
        texts = [f.name for f in schema if kinds.is_string(f.type) or kinds.is_large_string(f.type)]
        source.seek(0)
        table = parquet.ParquetFile(source, read_dictionary=texts).read(use_threads=False)
        columns, left = {}, largest
        for name, column in zip(table.column_names, table.columns, strict=True):
            left -= _text_bytes(column)
            if left < 0:
                raise LargerThanAllowed
            columns[name] = _texts(column)
    except LargerThanAllowed:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NotParquet(str(error)) from error
    rows = zip(*columns.values(), strict=True)
    return list(columns), [dict(zip(columns, row, strict=True)) for row in rows]


def _text_bytes(column: "pa.ChunkedArray") -> int:
    """Return how many bytes the texts of a column have, each as often as it stands there."""
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    if not kinds.is_dictionary(column.type):
        return 0
    return sum(
        pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
        for chunk in column.chunks
    )


def _texts(column: "pa.ChunkedArray") -> list[str]:
    """Return cells as they would stand in a CSV file; of a time only its day is kept."""
    import pyarrow as pa
    import pyarrow.types as kinds

    written = column.cast(pa.string()).to_pylist()
    texts = ["" if text is None or text in _EMPTY else text for text in written]
    if kinds.is_timestamp(column.type):
        return [text[:DATE_LENGTH] for text in texts]
    if kinds.is_floating(column.type):
        return [text.removesuffix(".0") for text in texts]
    return texts
