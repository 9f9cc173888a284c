"""One run: its sizes, its repetitions and its tables, each written once into a temporary folder."""

from dataclasses import dataclass, field
from pathlib import Path

import fresh

SMALL = 2_000  # patients of the first call; enough rows for lnrisk to call its compiled pass


@dataclass(frozen=True)
class Setting:
    """What every section is given."""

    folder: Path
    sizes: tuple[int, ...]
    repeats: int
    rows: dict[int, int] = field(default_factory=dict)

    def table(self, patients: int) -> Path:
        """Return the Parquet file of so many patients."""
        path = self.folder / f"{patients}.parquet"
        if patients not in self.rows:
            self.rows[patients] = fresh.run("long_table.py", patients, path)
        return path

    def work(self, method: str, patients: int, *result: Path) -> dict[str, float]:
        """Run a method in a fresh process; compiled code is kept for this run only."""
        arguments = (method, self.table(patients), self.table(SMALL), *result)
        return fresh.run("worker.py", *arguments, NUMBA_CACHE_DIR=str(self.folder / "compiled"))
