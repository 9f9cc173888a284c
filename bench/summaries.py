"""Nine summaries per patient and analyte, by method: measured in turns, then one Markdown table."""

import itertools
import math
import os
from statistics import median

import agreement
from long_table import ROW_BYTES
from methods import METHODS
from page import digits, table
from setting import SMALL, Setting

CHECKED, PROMISED = 10_000, 1_000_000
TARGET = 0.5  # of DuckDB's time
MEBIBYTE = 2**20

Figures = dict[str, list[float]]  # by name, one figure per repetition
Measured = dict[int, dict[str, Figures]]  # by patients and method


def section(setting: Setting) -> str:
    """Check that the methods agree, measure them and return the table with its verdict."""
    agreed, once = check(setting)
    measured = {size: measure(setting, size) for size in setting.sizes}
    if CHECKED in measured:
        measured[CHECKED] |= once
    parts = (_table(measured, setting), _verdict(measured), agreed, _notes(setting))
    return "\n\n".join(("### Summaries per patient and analyte", *parts))


def check(setting: Setting) -> tuple[str, dict[str, Figures]]:
    """Stop unless all methods agree; return by how much they differ and what compiling took.

    Also returned are the figures of the methods that are run once, which is here.
    """
    results, compiling, once = {}, 0.0, {}
    for name, method in METHODS.items():
        if method.dense:
            results[name] = setting.folder / f"{name}.npz"
            figures = setting.work(name, CHECKED, results[name])
            if name == "lnrisk":
                compiling = figures["first_call"]
            if method.once:
                once[name] = {key: [value] for key, value in figures.items()}
    largest = agreement.largest_difference(results, "lnrisk")
    text = (
        f"All methods agree at {CHECKED:,} patients (largest difference {largest:.1g} of the "
        f"column's largest value). lnrisk compiles once per machine, {digits(compiling)} s with "
        "the import of numba; its first call in the table reads the compiled code."
    )
    return text, once


def measure(setting: Setting, patients: int) -> dict[str, Figures]:
    """Return every method's figures; the methods take turns."""
    figures: dict[str, Figures] = {}
    names = [name for name, method in METHODS.items() if not method.once]
    for _ in range(setting.repeats):
        for name in names:
            for key, value in setting.work(name, patients).items():
                figures.setdefault(name, {}).setdefault(key, []).append(value)
    return figures


def _table(measured: Measured, setting: Setting) -> str:
    header = ["method", *(f"{size:,} s (range)" for size in measured)]
    header += [f"growth {a:,}-{b:,}" for a, b in itertools.pairwise(measured)]
    header += ["Mrows/s", "x DuckDB", "CPU s", "peak MiB", "x table", "first call s"]
    names = [name for name in METHODS if any(name in figures for figures in measured.values())]
    return table(header, [_row(name, measured, setting) for name in names])


def _row(name: str, measured: Measured, setting: Setting) -> list[str]:
    known = {size: methods[name] for size, methods in measured.items() if name in methods}
    times = {size: median(figures["seconds"]) for size, figures in known.items()}
    largest = max(known)
    rows, middle = setting.rows[largest], {k: median(v) for k, v in known[largest].items()}
    duckdb = median(measured[largest]["duckdb"]["seconds"])
    return [
        METHODS[name].label,
        *(_seconds(known[size]["seconds"]) if size in known else "-" for size in measured),
        *(_growth(times, pair) for pair in itertools.pairwise(measured)),
        digits(rows / times[largest] / 1e6),
        digits(times[largest] / duckdb),
        digits(middle["cpu"]),
        digits(middle["peak_bytes"] / MEBIBYTE),
        digits(middle["peak_bytes"] / (rows * ROW_BYTES)),
        "-" if METHODS[name].once else digits(middle["first_call"]),
    ]


def _seconds(seconds: list[float]) -> str:
    span = f" ({digits(min(seconds))}-{digits(max(seconds))})" if len(seconds) > 1 else ""
    return digits(median(seconds)) + span


def _growth(times: dict[int, float], sizes: tuple[int, int]) -> str:
    small, large = sizes
    if large not in times:
        return "-"
    return f"{math.log(times[large] / times[small]) / math.log(large / small):.2f}"


def _verdict(measured: Measured) -> str:
    size = max(measured)
    lnrisk, duckdb = (
        {key: median(figures) for key, figures in measured[size][name].items()}
        for name in ("lnrisk", "duckdb")
    )
    ratio, cores = lnrisk["seconds"] / duckdb["seconds"], os.cpu_count() or 1
    idle = lnrisk["cpu"] / (duckdb["cpu"] / cores)
    note = "" if size == PROMISED else f" (promised for {PROMISED:,})"
    return (
        f"At {size:,} patients lnrisk takes {ratio:.2f} of DuckDB's time; target at most "
        f"{TARGET:g}: **{'met' if ratio <= TARGET else 'NOT met'}**{note}. A busy machine slows "
        f"DuckDB's threads more: by CPU time, DuckDB's spread over {cores} cores, it is {idle:.2f}."
    )


def _notes(setting: Setting) -> str:
    counts = " / ".join(f"{setting.rows[size]:,}" for size in setting.sizes)
    return f"""First, its day, last, its day, minimum, maximum, mean, count and slope per day, of
{counts} rows in random order, {ROW_BYTES} bytes each. Each figure is the median of
{setting.repeats} run(s), each in a fresh process, the methods taking turns. Loading is not timed
(the Parquet file is in the page cache), nor is the first call, on {SMALL:,} patients, which holds
compilation and start-up. Growth is the exponent of time in patients; the columns after it are at
the largest size of the row. CPU counts all threads: DuckDB, polars and tsfresh use all cores;
lnrisk, numpy and pandas one; BLAS one. Peak memory is the whole process, with imports and loading.
tsfresh is run once, cold, and computes count, minimum, maximum, mean and `linear_trend` only: no
first or last, and its slope is on the position in the series, not on days, so it answers another
question and is not compared."""
