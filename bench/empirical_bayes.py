"""Empirical-Bayes levels and slopes within 1.5 times the time of plain summaries.

Both are asked for the same four analytes of the same long table in the same process, in turns.
"""

import argparse
import os
from pathlib import Path
from statistics import median
from typing import Any

import fresh
from page import PERFORMANCE, digits, replace, table

SIZES, PROMISED = (10_000, 100_000), 100_000
TARGET = 1.5
MEBIBYTE = 2**20
ORDERS = {"random": "random", "registry": "analyte, patient, day"}


def _row(patients: int, order: str, figures: dict[str, Any]) -> list[str]:
    plain, whole = (figures[name] for name in ("plain", "whole"))
    parts = (digits(min(figures[name])) for name in ("summed", "fit", "posterior"))
    span = f"{min(whole) / min(plain):.2f} ({median(whole) / median(plain):.2f})"
    return [
        f"{patients:,}",
        ORDERS[order],
        digits(figures["rows"] / 1e6),
        digits(min(plain)),
        digits(min(whole)),
        span,
        *parts,
        digits(figures["peak_bytes"] / MEBIBYTE),
    ]


def _verdict(figures: dict[str, Any]) -> str:
    ratio = min(figures["whole"]) / min(figures["plain"])
    each = 1e9 * (min(figures["fit"]) + min(figures["posterior"])) / (4 * PROMISED)
    return (
        f"At {PROMISED:,} patients in random order, empirical Bayes takes {ratio:.2f} times as "
        f"long as plain summaries; target at most {TARGET:g}: "
        f"**{'met' if ratio <= TARGET else 'NOT met'}**. Fit and posterior take {digits(each)} ns "
        "per series, whatever the order."
    )


def _notes(repeats: int) -> str:
    return f"""Plain: first, its day, last, its day, minimum, maximum, mean, mean day, count and
slope of four analytes. Empirical Bayes: the same and, from the same pass, the sufficient statistics
of every series; for each analyte the maximum-likelihood fit to all patients (five 0/1 columns that
shift the mean curve, a knot at month 2), then level, slope, change and their standard deviations of
every patient. Seconds are processor time, least of {repeats} turns, on one thread; the ratio in
brackets is that of medians; the first call, which compiles, is not timed. A series has
1 + Poisson(7) values. Where rows come in the registry's order, a plain pass costs so little that
the same fit weighs more."""


def _against_mixedlm(figures: dict[str, Any]) -> str:
    return (
        f"One analyte of {figures['patients']:,} patients, fit and posterior: "
        f"{digits(figures['lnrisk'] * 1e3)} ms; statsmodels MixedLM, fit and random effects: "
        f"{digits(figures['mixedlm'])} s. Slopes differ by at most {figures['difference']:.1e}."
    )


def main() -> None:
    """Print the section, and write it to a page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="patients")
    parser.add_argument("--repeats", type=int, default=7, help="turns")
    parser.add_argument(
        "--out", nargs="?", type=Path, const=PERFORMANCE, help=f"page (default {PERFORMANCE})"
    )
    options = parser.parse_args()
    load, rows, promised = os.getloadavg()[0], [], None
    for patients in sorted({*options.sizes, PROMISED}):
        for order in ORDERS:
            figures = fresh.run("empirical_bayes_worker.py", patients, order, options.repeats)
            rows.append(_row(patients, order, figures))
            print(rows[-1], flush=True)
            if (patients, order) == (PROMISED, "random"):
                promised = figures
    header = ("patients", "rows in order of", "M rows", "plain s", "empirical Bayes s", "ratio")
    parts = (
        f"Synthetic data, `python bench/empirical_bayes.py`; load average {load:.1f} before the "
        f"run, {os.getloadavg()[0]:.1f} after.",
        table((*header, "of it summing s", "fit s", "posterior s", "peak MiB"), rows),
        _verdict(promised),
        _against_mixedlm(fresh.run("empirical_bayes_mixedlm.py")),
        _notes(options.repeats),
    )
    print("\n\n".join(parts))
    if options.out:
        replace(options.out, "empirical-bayes", "\n\n".join(parts))


if __name__ == "__main__":
    main()
