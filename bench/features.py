"""Features of 1 M patients x 32 M rows in at most half the time of DuckDB's SQL.

A further table is a further function in ``SECTIONS``.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import fresh
import summaries
from page import PERFORMANCE, digits, replace
from setting import Setting

SIZES = (10_000, 100_000, 1_000_000)
ONE_PATIENT_MILLISECONDS = 5.0
LIBRARIES = ("numpy", "numba", "pandas", "polars", "duckdb", "pyarrow", "tsfresh")


def one_patient(setting: Setting) -> str:
    """Return the latency of one patient's rows."""
    figures = fresh.run("one_patient.py", setting.table(min(setting.sizes)))
    median, slow = (figures[name] * 1_000 for name in ("median", "p99"))
    verdict = "met" if median < ONE_PATIENT_MILLISECONDS else "NOT met"
    return (
        "### One patient\n\n"
        f"{figures['rows']} rows: median {digits(median)} ms, 99th percentile {digits(slow)} ms of "
        f"1,000 calls; target under {ONE_PATIENT_MILLISECONDS:g} ms: **{verdict}**."
    )


SECTIONS: tuple[Callable[[Setting], str], ...] = (summaries.section, one_patient)


def _machine() -> str:
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    return (
        f"Synthetic data. Python {platform.python_version()}, {versions}; {os.cpu_count()} cores, "
        f"load average {os.getloadavg()[0]:.1f} before the run."
    )


def main() -> None:
    """Print every section, and write them to a page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="patients")
    parser.add_argument("--repeats", type=int, default=3, help="fresh processes per figure")
    parser.add_argument(
        "--out", nargs="?", type=Path, const=PERFORMANCE, help=f"page (default {PERFORMANCE})"
    )
    options = parser.parse_args()
    parts = [_machine()]
    print(parts[0], flush=True)
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder), tuple(sorted(options.sizes)), options.repeats)
        for section in SECTIONS:
            parts.append(section(setting))
            print(f"\n{parts[-1]}", flush=True)
    parts.append(f"Load average {os.getloadavg()[0]:.1f} after the run.")
    print(f"\n{parts[-1]}")
    if options.out:
        replace(options.out, "features", "\n\n".join(parts))


if __name__ == "__main__":
    main()
