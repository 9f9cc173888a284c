"""Tables computed in parts, put back in order without holding more than a stretch of them.

Assumes that each part is in ascending order of its keys.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["in_order", "write_part"]

KEY = "position in the whole"


def write_part(path: Path, part: pd.DataFrame, keys: npt.NDArray[np.int64]) -> None:
    """Write a part as an Arrow file.

    Parameters
    ----------
    path : Path
    part : DataFrame, shape (n_rows, n_columns)
    keys : ndarray of int, shape (n_rows,)
        Ascending: where each row belongs.
    """
    import pyarrow as pa

    table = pa.Table.from_pandas(part.assign(**{KEY: keys}), preserve_index=False)
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def in_order(parts: Sequence[Path], rows: int = 100_000) -> Iterator[pd.DataFrame]:
    """Yield the rows of all parts by their keys, some at a time.

    Parameters
    ----------
    parts : sequence of Path
        As `write_part` left them; at least one.
    rows : int
        How many at a time.
    """
    import pyarrow as pa

    tables = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in parts]
    keys = [table.column(KEY).to_numpy() for table in tables]
    every = np.sort(np.concatenate(keys))
    last = every[-1] + 1 if len(every) else 0
    for begin, end in pairwise([*(every[::rows].tolist() or [0]), last]):
        edges = [np.searchsorted(key, [begin, end]) for key in keys]
        stretch = pa.concat_tables(
            [table.slice(a, b - a) for table, (a, b) in zip(tables, edges, strict=True)],
            promote_options="default",
        )
        order = np.argsort(stretch.column(KEY).to_numpy(), kind="stable")
        yield stretch.take(pa.array(order)).drop_columns(KEY).to_pandas()
