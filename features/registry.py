"""The registry: validated tables in canonical units, which nothing downstream can change.

Assumes that a patient's records share one patient_id and that dates are trustworthy once they pass
the checks; a date that is wrong but plausible passes unseen.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .checks import check_bundle
from .errors import RegistryError
from .findings import Findings
from .partitions import SplitBundle
from .reading import Source, read_raw, read_source
from .tables import TABLES

__all__ = ["Reading", "Registry", "codes_of", "is_among", "read_registry", "text_of"]


@dataclass(frozen=True)
class Registry:
    """Tables of whole patients in canonical units.

    Every table is handed out as a copy-on-write view: what a caller changes is the caller's own.
    ``patient_id`` is a categorical whose codes are positions in `patients`.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``patients``, ``measurements``, ``treatments``, ``biopsies``, ``adherence``, ``events`` and
        ``outcomes``, with the columns of `lnrisk.features.tables` and ``row``, the row of the file.
    source : Source
    """

    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    source: Source = field(default_factory=Source)

    def table(self, name: str) -> pd.DataFrame:
        """Return one table; empty where the bundle has none."""
        return self.tables[name].copy(deep=False)

    @property
    def patients(self) -> pd.DataFrame:
        """One row per patient, in the registry's order."""
        return self.table("patients")

    @property
    def measurements(self) -> pd.DataFrame:
        """Values in canonical units, one per patient, date and analyte."""
        return self.table("measurements")

    @property
    def treatments(self) -> pd.DataFrame:
        """Doses in mg/d, mg, mg/m2 or mg/kg."""
        return self.table("treatments")

    @property
    def biopsies(self) -> pd.DataFrame:
        """Kidney biopsies."""
        return self.table("biopsies")

    @property
    def adherence(self) -> pd.DataFrame:
        """Adherence measures and the periods they cover."""
        return self.table("adherence")

    @property
    def events(self) -> pd.DataFrame:
        """Last contact, death, kidney failure."""
        return self.table("events")

    @property
    def outcomes(self) -> pd.DataFrame:
        """The registry's own adjudicated outcome; empty where it has none."""
        return self.table("outcomes")

    @property
    def patient_ids(self) -> npt.NDArray[Any]:
        """Patient identifiers in the registry's order, shape (n_patients,)."""
        return self.tables["patients"]["patient_id"].to_numpy(dtype=object)

    def __len__(self) -> int:
        """Return the number of patients."""
        return len(self.tables["patients"])

    def positions(self, name: str) -> npt.NDArray[np.int64]:
        """Return each row's patient as a position in `patients`, shape (n_rows,)."""
        return codes_of(self.tables[name]["patient_id"]).astype(np.int64)

    def with_tables(self, **tables: pd.DataFrame) -> "Registry":
        """Return a registry in which these tables are replaced."""
        return replace(self, tables={**self.tables, **tables})

    def select(self, chosen: npt.NDArray[np.bool_]) -> "Registry":
        """Return the registry of a part of the patients.

        Parameters
        ----------
        chosen : ndarray of bool, shape (n_patients,)
        """
        if chosen.all():
            return self
        patients = self.patients[chosen].reset_index(drop=True)
        tables = {"patients": patients}
        for name, table in self.tables.items():
            if name != "patients":
                kept = table[chosen[self.positions(name)]].reset_index(drop=True)
                identifiers = kept["patient_id"].cat.set_categories(patients["patient_id"])
                tables[name] = kept.assign(patient_id=identifiers)
        return replace(self, tables=tables)


def codes_of(column: "pd.Series[Any]") -> npt.NDArray[np.integer[Any]]:
    """Return the codes of a categorical column as they are, shape (n_rows,); -1 where missing."""
    codes: npt.NDArray[np.integer[Any]] = column.array.codes
    return codes


def is_among(column: "pd.Series[Any]", names: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return which rows of a categorical column have one of some values, shape (n_rows,)."""
    listed = np.array([*(name in names for name in column.array.categories), False])
    found: npt.NDArray[np.bool_] = listed[codes_of(column)]
    return found


def text_of(column: "pd.Series[Any]") -> npt.NDArray[np.str_]:
    """Return a categorical column as text, shape (n_rows,); what is missing is the empty text."""
    names = [str(name) for name in column.array.categories]
    text: npt.NDArray[np.str_] = np.array([*names, ""], dtype=str)[codes_of(column)]
    return text


@dataclass(frozen=True)
class Reading:
    """What reading a bundle gave.

    Parameters
    ----------
    registry : Registry or None
        None where rows are wrong and were not to be skipped.
    findings : Findings
    rejected : DataFrame
        The rows that were left out: file, row, kind, message, record (the row as JSON).
    """

    registry: Registry | None
    findings: Findings
    rejected: pd.DataFrame


def check_registry(folder: Path, *, skip_bad_rows: bool = False) -> Reading:
    """Read and check a bundle.

    Parameters
    ----------
    folder : Path
    skip_bad_rows : bool, default=False
        Leave rows with errors out instead of withholding the registry.

    Raises
    ------
    RegistryError
        When a required table or column is missing or a file cannot be read.
    """
    raw = {name: read_raw(folder, name) for name in TABLES}
    tables, findings, rejected = check_bundle({k: v for k, v in raw.items() if v is not None})
    if findings.count("error") and not skip_bad_rows:
        return Reading(None, findings, rejected)
    return Reading(Registry(tables, read_source(folder)), findings, rejected)


def check_part(bundle: SplitBundle, part: int, *, skip_bad_rows: bool = False) -> Reading:
    """Check a part of the patients of a bundle, as `check_registry` checks all of them.

    Parameters
    ----------
    bundle : SplitBundle
    part : int
    skip_bad_rows : bool, default=False
        Leave rows with errors out instead of withholding the registry.

    Returns
    -------
    Reading
        Rows in the order of the files, with their row numbers.
    """
    tables, findings, rejected = check_bundle(bundle.read(part))
    if findings.count("error") and not skip_bad_rows:
        return Reading(None, findings, rejected)
    return Reading(Registry(tables, bundle.source), findings, rejected)


def read_registry(folder: Path | str, *, skip_bad_rows: bool = False) -> Registry:
    """Read a bundle, or refuse it as a whole.

    Parameters
    ----------
    folder : path
    skip_bad_rows : bool, default=False
        Leave rows with errors out; `check_registry` also returns them.

    Raises
    ------
    RegistryError
        When anything is wrong; the message has a count per kind and the rows.
    """
    reading = check_registry(Path(folder), skip_bad_rows=skip_bad_rows)
    if reading.registry is None:
        raise RegistryError(refusal(Path(folder).name, reading.findings))
    return reading.registry


def refusal(name: str, findings: Findings, most: int = 20) -> str:
    """Return why a registry was refused, in lines."""
    return (
        f"{name}: refused, {findings.count('error')} errors in its rows.\n"
        f"{findings.text(('error',), most)}\n"
        "Correct the rows, or leave them out with --skip-bad-rows."
    )
