"""The same nine columns by each library: how it loads the Parquet file and how it computes.

Each method imports its own library only, so that a fresh process's memory is its own. ``load``
returns the library's in-memory table, ``compute`` what is timed, and ``dense`` lays the result out
as one array per column, of shape (patients, analytes), to be compared. SQL and expressions are the
fastest of the forms tried: one combined key, ``min_by``, a sort by day once instead of ``idxmax``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from long_table import ANALYTES

COLUMNS = ("n", "first", "first_day", "last", "last_day", "min", "max", "mean", "slope")
ORIGIN = 16_000  # days are counted from here before they are squared

Dense = dict[str, np.ndarray]


@dataclass(frozen=True)
class Method:
    """One way to the columns; ``checked`` are those that answer the same question.

    One that is run ``once``, at the check's size, is too slow for more, and for a first call.
    """

    label: str
    load: Callable[[str], Any]
    compute: Callable[[Any], Any]
    dense: Callable[[Any], Dense] | None
    checked: tuple[str, ...] = COLUMNS
    once: bool = False


def _arrays(path: str) -> tuple[Any, ...]:
    """Return writable arrays, always: numba compiles anew for read-only ones, as Arrow lends."""
    import pyarrow.parquet as pq

    names = ("patient", "analyte", "day", "value")
    arrays = [pq.read_table(path, columns=[name])[name].to_numpy().copy() for name in names]
    return (*arrays, int(arrays[0].max()) + 1)


def _in_order(columns: dict[str, np.ndarray], key: np.ndarray) -> Dense:
    order = np.argsort(key)
    return {name: np.asarray(columns[name])[order].reshape(-1, ANALYTES) for name in COLUMNS}


def _lnrisk(table: tuple[Any, ...]) -> Any:
    from lnrisk.features.summaries import summarise

    return summarise(*table, ANALYTES)


def _lnrisk_dense(result: Any) -> Dense:
    return {name: getattr(result, name) for name in COLUMNS}


def _numpy(table: tuple[Any, ...]) -> Dense:
    patient, analyte, day, value, patients = table
    key = patient * ANALYTES + analyte
    size = patients * ANALYTES
    n = np.bincount(key, minlength=size)
    x = (day - ORIGIN).astype(float)
    sx, sy, sxx, sxy = (np.bincount(key, w, size) for w in (x, value, x * x, x * value))
    out = {"n": n, "mean": sy / n}
    with np.errstate(invalid="ignore"):
        out["slope"] = np.where(n > 1, (sxy - sx * sy / n) / (sxx - sx * sx / n), np.nan)
    for name, extreme, start in (("min", np.minimum, np.inf), ("max", np.maximum, -np.inf)):
        out[name] = np.full(size, start)
        extreme.at(out[name], key, value)
    for name, extreme, start in (("first", np.minimum, 2**31 - 1), ("last", np.maximum, -(2**31))):
        extreme_day = np.full(size, start, np.int32)
        extreme.at(extreme_day, key, day)
        rows = np.flatnonzero(day == extreme_day[key])
        out[f"{name}_day"] = extreme_day
        out[name] = np.empty(size)
        out[name][key[rows]] = value[rows]
    return {name: out[name].reshape(patients, ANALYTES) for name in COLUMNS}


def _read_pandas(path: str) -> Any:
    import pandas as pd

    return pd.read_parquet(path)


def _pandas(table: Any) -> Any:
    table = table.sort_values("day", kind="stable")
    x = (table["day"] - ORIGIN).astype(float)
    table = table.assign(x=x, xx=x * x, xy=x * table["value"])
    groups = table.groupby(["patient", "analyte"], sort=False)
    values, days, sums = groups["value"], groups["day"], groups[["x", "xx", "xy"]].sum()
    n, total = groups.size(), values.sum()
    spread = (sums["xx"] - sums["x"] ** 2 / n).where(n > 1)
    return n.to_frame("n").assign(
        first=values.first(),
        first_day=days.first(),
        last=values.last(),
        last_day=days.last(),
        min=values.min(),
        max=values.max(),
        mean=values.mean(),
        slope=(sums["xy"] - sums["x"] * total / n) / spread,
    )


def _pandas_dense(result: Any) -> Dense:
    levels = [result.index.get_level_values(name).to_numpy() for name in ("patient", "analyte")]
    return _in_order(result, levels[0] * ANALYTES + levels[1])


def _read_polars(path: str) -> Any:
    import polars as pl

    return pl.read_parquet(path)


def _polars(table: Any) -> Any:
    import polars as pl

    value, day, x, n = pl.col("value"), pl.col("day"), pl.col("x"), pl.len()
    spread = (x * x).sum() - x.sum() ** 2 / n
    columns = {
        "n": n,
        "first": value.min_by("day"),
        "first_day": day.min(),
        "last": value.max_by("day"),
        "last_day": day.max(),
        "min": value.min(),
        "max": value.max(),
        "mean": value.mean(),
        "slope": pl.when(n > 1).then(((x * value).sum() - x.sum() * value.sum() / n) / spread),
    }
    rows = table.lazy().with_columns(x=(day - ORIGIN).cast(pl.Float64))
    return rows.group_by("patient", "analyte").agg(**columns).collect(engine="streaming")


def _polars_dense(result: Any) -> Dense:
    columns = {name: result[name].to_numpy() for name in COLUMNS}
    return _in_order(columns, (result["patient"] * ANALYTES + result["analyte"]).to_numpy())


SQL = f"""
SELECT patient * {ANALYTES} + analyte AS series, count(*) AS n,
    arg_min(value, day) AS first, min(day) AS first_day,
    arg_max(value, day) AS last, max(day) AS last_day,
    min(value) AS min, max(value) AS max, avg(value) AS mean, regr_slope(value, day) AS slope
FROM measurements GROUP BY series
"""


def _read_duckdb(path: str) -> Any:
    import duckdb

    database = duckdb.connect()
    database.execute(f"CREATE TABLE measurements AS FROM read_parquet('{path}')")
    return database


def _duckdb(database: Any) -> Any:
    return database.sql(SQL).to_arrow_table()


def _duckdb_dense(result: Any) -> Dense:
    columns = {name: result[name].to_numpy() for name in COLUMNS}
    return _in_order(columns, result["series"].to_numpy())


def _read_tsfresh(path: str) -> Any:
    import tsfresh  # noqa: F401  (its import is not timed)

    table = _read_pandas(path)
    return table.assign(series=table["patient"] * ANALYTES + table["analyte"])


def _tsfresh(table: Any) -> Any:
    import os

    from tsfresh import extract_features

    wanted = {"length": None, "minimum": None, "maximum": None, "mean": None}
    return extract_features(
        table[["series", "day", "value"]],
        column_id="series",
        column_sort="day",
        default_fc_parameters={**wanted, "linear_trend": [{"attr": "slope"}]},
        n_jobs=os.cpu_count(),
        disable_progressbar=True,
    )


def _tsfresh_dense(result: Any) -> Dense:
    order = np.argsort(result.index.to_numpy())
    theirs = {"n": "length", "min": "minimum", "max": "maximum", "mean": "mean"}
    columns = {ours: result[f"value__{name}"].to_numpy() for ours, name in theirs.items()}
    return {name: column[order].reshape(-1, ANALYTES) for name, column in columns.items()}


def _read_parquet(path: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path)


METHODS = {
    "parquet": Method("read the Parquet file (floor)", str, _read_parquet, None, checked=()),
    "lnrisk": Method("lnrisk", _arrays, _lnrisk, _lnrisk_dense),
    "duckdb": Method("DuckDB SQL", _read_duckdb, _duckdb, _duckdb_dense),
    "numpy": Method("numpy bincount", _arrays, _numpy, dict),
    "polars": Method("polars", _read_polars, _polars, _polars_dense),
    "pandas": Method("pandas, vectorised", _read_pandas, _pandas, _pandas_dense),
    "tsfresh": Method(
        "tsfresh",
        _read_tsfresh,
        _tsfresh,
        _tsfresh_dense,
        checked=("n", "min", "max", "mean"),
        once=True,
    ),
}
