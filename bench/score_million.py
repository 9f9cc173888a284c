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

TARGET_SECONDS = 300.0
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
    table = pyarrow.parquet.read_table(folder / f"{name}.parquet")
    at = table.column_names.index("patient_id")
    for number in range(times):
        names = pa.compute.binary_join_element_wise(
            table.column(at), *(pa.scalar(end, pa.large_string()) for end in (f"{number:04d}", "-"))
        )
        yield table.set_column(at, "patient_id", names)


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
                for table in repeated(once, name, times):
                    writer.write_table(table.cast(schema))
                    rows += table.num_rows
    return rows


def _as_written(column: pa.Field) -> pa.Field:
    return pa.field(column.name, pa.date32()) if pa.types.is_timestamp(column.type) else column


def main() -> None:
    """Make the bundle, score it, print a line of the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--distinct", type=int, default=20_000)
    parser.add_argument("--format", dest="ending", choices=["parquet", "csv"], default="parquet")
    parser.add_argument("--as-of", default="2021-06-01")
    parser.add_argument("--folder", type=Path, help="Where to put the bundle; needs disk.")
    given = parser.parse_args()
    times = -(-given.patients // given.distinct)
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        bundle = Path(name) / "bundle"
        bundle.mkdir()
        rows = write_bundle(bundle, given.distinct, times, given.ending)
        size = sum(path.stat().st_size for path in bundle.iterdir()) / 1e9
        out = Path(name) / "risks.parquet"
        command = ["score", given.model, bundle, "--as-of", given.as_of, "--out", out]
        before, begin = os.getloadavg()[0], time.perf_counter()
        run = subprocess.Popen(
            [sys.executable, "-m", "lnrisk", *map(str, command)], env={**os.environ, **BLAS}
        )
        seen = Watched()
        while run.poll() is None:
            seen.look(run.pid)
            time.sleep(0.5)
        wall = time.perf_counter() - begin
        if run.returncode:
            raise SystemExit(run.returncode)
        scored = pyarrow.parquet.read_metadata(out).num_rows
    assert scored == given.distinct * times
    print(f"load average {before:.1f} before the run")
    print("| patients | M rows | files | GB | wall s | CPU s | peak MiB |")
    print("| ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    print(
        f"| {scored:,} | {rows / 1e6:.1f} | {given.ending} | {size:.2f} | {wall:.0f} "
        f"| {sum(seen.cpu.values()):.0f} | {seen.peak_mib:,.0f} |"
    )
    if scored >= 1_000_000:
        met = "met" if wall <= TARGET_SECONDS else "missed"
        print(f"target {TARGET_SECONDS:g} s: {met}")


if __name__ == "__main__":
    main()
