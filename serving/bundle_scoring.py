"""The risks of a whole bundle in bounded memory: part by part from its files, in its own order.

Assumes that the folder for parts has room for a copy of the bundle. Nothing that one part lacks is
needed from another, so that parts can be checked and scored in several processes.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.findings import Findings
from ..features.in_order import in_order, write_part
from ..features.partitions import PATIENTS_TOGETHER, Each, SplitBundle, one_by_one, split_bundle
from ..features.registry import check_part
from ..model.artifact import RiskModel
from .scoring import asked_day, score

__all__ = ["BundleRisks", "score_bundle"]

FINDINGS_KEPT = 20
ROWS_OF_A_FILE = 1 << 40
"""More than any file has."""


@dataclass(frozen=True)
class BundleRisks:
    """What scoring a bundle gave.

    Parameters
    ----------
    findings : Findings
        The first of each kind; the rest are counted.
    refused : bool
        Whether rows are wrong and were not to be skipped; then there are no risks.
    counts : dict of str to int
        Patients by status, the most frequent first.
    scratch : Path
        The folder for parts, from which the tables below are read.
    parts : int
    """

    findings: Findings
    refused: bool
    counts: dict[str, int]
    scratch: Path
    parts: int

    def risks(self) -> Iterator[pd.DataFrame]:
        """Yield the table of `score` in stretches, one row per patient in the bundle's order."""
        return in_order([_risks_file(self.scratch, part) for part in range(self.parts)])

    def rejected(self) -> Iterator[pd.DataFrame]:
        """Yield the rows that were left out in stretches, by table and row."""
        return in_order([_rejected_file(self.scratch, part) for part in range(self.parts)])


@dataclass(frozen=True)
class _Work:
    """What every part is scored with."""

    bundle: SplitBundle
    model: RiskModel
    as_of: datetime.date | None
    landmark_weeks: float | None
    skip_bad_rows: bool
    scratch: Path


@dataclass(frozen=True)
class _Part:
    """What one part gave beside its files: patients by status, and the first row of each."""

    findings: Findings
    refused: bool
    counts: pd.DataFrame


def score_bundle(
    model: RiskModel,
    folder: Path,
    scratch: Path,
    *,
    as_of: datetime.date | None = None,
    landmark_weeks: float | None = None,
    skip_bad_rows: bool = False,
    each: Each = one_by_one,
    patients: int = PATIENTS_TOGETHER,
) -> BundleRisks:
    """Check and score a bundle, some patients at a time.

    Parameters
    ----------
    model : RiskModel
    folder : Path
        The bundle.
    scratch : Path
        An empty folder for parts; what is returned reads from it, and the caller removes it.
    as_of, landmark_weeks
        As `score` takes them.
    skip_bad_rows : bool, default=False
        Leave rows with errors out instead of refusing the bundle.
    each : callable
        Runs a function over items and returns the results in order, see
        `lnrisk.features.partitions`.
    patients : int
        About how many are scored together.

    Raises
    ------
    RegistryError
        When a required table or column is missing or a file cannot be read.
    ModelError
        When the model has no such landmark.
    """
    asked_day(model, landmark_weeks)
    bundle = split_bundle(folder, scratch, each, patients)
    work = _Work(bundle, model, as_of, landmark_weeks, skip_bad_rows, scratch)
    parts = each(partial(_score_part, work), range(bundle.parts), "score")
    findings = Findings.of_parts(part.findings for part in parts).shortened(FINDINGS_KEPT)
    refused = any(part.refused for part in parts)
    counts = pd.concat([part.counts for part in parts]).groupby(level=0)
    by_status = counts.agg({"patients": "sum", "row": "min"})
    by_status = by_status.sort_values(["patients", "row"], ascending=[False, True])
    return BundleRisks(findings, refused, by_status["patients"].to_dict(), scratch, bundle.parts)


def _score_part(work: _Work, part: int) -> _Part:
    """Check and score one part and leave its tables in the folder for parts."""
    reading = check_part(work.bundle, part, skip_bad_rows=work.skip_bad_rows)
    findings = reading.findings.shortened(FINDINGS_KEPT)
    risks = pd.DataFrame({"status": pd.Series(dtype="str")})
    rows = np.zeros(0, dtype=np.int64)
    if reading.registry is not None:
        registry = reading.registry
        rows = registry.patients["row"].to_numpy()
        risks = score(work.model, registry, as_of=work.as_of, landmark_weeks=work.landmark_weeks)
        write_part(_risks_file(work.scratch, part), risks, rows)
        write_part(_rejected_file(work.scratch, part), *_by_file(reading.rejected, work.bundle))
    status = risks.assign(row=rows).groupby("status")["row"].agg(["size", "min"])
    counts = status.rename(columns={"size": "patients", "min": "row"})
    return _Part(findings, reading.registry is None, counts)


def _by_file(
    rejected: pd.DataFrame, bundle: SplitBundle
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return rows that were left out, and where each stands among those of all parts."""
    place = {table.file.path.name: number for number, table in enumerate(bundle.tables.values())}
    files = rejected["file"].map(place).to_numpy(dtype=np.int64)
    return rejected, files * ROWS_OF_A_FILE + rejected["row"].to_numpy(dtype=np.int64)


def _risks_file(scratch: Path, part: int) -> Path:
    return scratch / f"risks-{part}.arrow"


def _rejected_file(scratch: Path, part: int) -> Path:
    return scratch / f"rejected-{part}.arrow"
