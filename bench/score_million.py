"""Score a million patients from their files: wall clock, processor time and peak memory.

``python bench/score_million.py MODEL --folder DIR`` simulates some patients, repeats them under new
names until there are enough, writes the bundle and runs `lnrisk score` on it as anyone would. The
processes that the command starts are watched twice a second; memory is the sum of their
proportional set sizes, so that what they share counts once. Afterwards everything is removed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet
from fresh import BLAS
from lnrisk.training.simulate import simulate, write
from page import digits, replace, table

DISTINCT = 20_000
HEADER = ("files", "patients", "M rows", "GB", "wall s", "CPU s", "peak MiB", "load before")
TABLES = ("patients", "measurements", "treatments", "biopsies", "adherence", "events")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Watched:
    """What a process and its descendants took."""

    cpu: dict[int, float] = field(default_factory=dict)
    peak_mib: float = 0.0

    def look(self, root: int) -> None:
        """Note the processor time and the memory of a process and its descendants."""
        total = 0.0
        for pid in descendants(root):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
                memory = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            self.cpu[pid] = (int(fields[11]) + int(fields[12])) / TICKS
            total += sum(int(x.split()[1]) for x in memory.splitlines() if x.startswith("Pss:"))
        self.peak_mib = max(self.peak_mib, total / 1024)


def descendants(root: int) -> list[int]:
    """Return a process and all that it and its children started."""
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def repeated(folder: Path, name: str, times: int) -> Iterator[pa.Table]:
    """Yield a table so many times, each time of other patients."""
    once = pyarrow.parquet.read_table(folder / f"{name}.parquet")
    at = once.column_names.index("patient_id")
    for number in range(times):
        names = pa.compute.binary_join_element_wise(
            once.column(at), *(pa.scalar(end, pa.large_string()) for end in (f"{number:04d}", "-"))
        )
        yield once.set_column(at, "patient_id", names)


def write_bundle(folder: Path, distinct: int, times: int, ending: str) -> int:
    """Write the bundle and return how many rows it has."""
    rows = 0
    with tempfile.TemporaryDirectory() as small:
        once = Path(small) / "once"
        write(simulate(distinct, 0), once, "parquet")
        (folder / "registry.json").write_text((once / "registry.json").read_text())
        for name in TABLES:
            schema = pyarrow.parquet.read_schema(once / f"{name}.parquet")
            path = folder / f"{name}.{ending}"
            if ending == "parquet":
                writer = pyarrow.parquet.ParquetWriter(path, schema)
            else:
                schema = pa.schema([_as_written(column) for column in schema])
                writer = pyarrow.csv.CSVWriter(path, schema)
            with writer:
                for copy in repeated(once, name, times):
                    writer.write_table(copy.cast(schema))
                    rows += copy.num_rows
    return rows


def _as_written(column: pa.Field) -> pa.Field:
    return pa.field(column.name, pa.date32()) if pa.types.is_timestamp(column.type) else column


def measured(model: Path, folder: Path | None, as_of: str, patients: int, ending: str) -> list[str]:
    """Make a bundle, score it, and return a row of the table."""
    times = -(-patients // DISTINCT)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        bundle, out = Path(name) / "bundle", Path(name) / "risks.parquet"
        bundle.mkdir()
        rows = write_bundle(bundle, DISTINCT, times, ending)
        size = sum(path.stat().st_size for path in bundle.iterdir()) / 1e9
        command = ["score", model, bundle, "--as-of", as_of, "--out", out]
        load, begin, seen = os.getloadavg()[0], time.perf_counter(), Watched()
        run = subprocess.Popen(
            [sys.executable, "-m", "lnrisk", *map(str, command)], env={**os.environ, **BLAS}
        )
        while run.poll() is None:
            seen.look(run.pid)
            time.sleep(0.5)
        wall = time.perf_counter() - begin
        if run.returncode:
            raise SystemExit(run.returncode)
        scored = pyarrow.parquet.read_metadata(out).num_rows
    if scored != DISTINCT * times:
        raise SystemExit(f"{scored} patients were scored, not {DISTINCT * times}")
    numbers = (rows / 1e6, size, wall, sum(seen.cpu.values()), seen.peak_mib, load)
    return [ending, f"{scored:,}", *map(digits, numbers)]


def main() -> None:
    """Measure every format and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", default=["parquet", "csv"])
    parser.add_argument("--as-of", default="2021-06-01")
    parser.add_argument("--folder", type=Path, help="Where to put the bundle; CSV needs 15 GB.")
    parser.add_argument("--out", type=Path, help="The page that has the table.")
    given = parser.parse_args()
    rows = [
        measured(given.model, given.folder, given.as_of, given.patients, ending)
        for ending in given.formats
    ]
    text = f"Synthetic data, `python bench/score_million.py MODEL`; {os.cpu_count()} cores.\n\n"
    text += table(HEADER, rows)
    print(text)
    if given.out is not None:
        replace(given.out, "million", text)


if __name__ == "__main__":
    main()
