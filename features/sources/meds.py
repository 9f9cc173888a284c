"""A MEDS 0.4 dataset read into the tables of a registry bundle.

Assumes codes as ``SYSTEM/CODE`` or ``SYSTEM//CODE//UNIT``, or such codes among the parents in
metadata/codes.parquet. MEDS has no unit and no duration of its own: a value without a unit (a
column ``unit``, or the end of its code) is not used, and a drug that is recorded again within 90
days counts as taken in between.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from ..errors import RegistryError
from ..vocabulary import drugs
from .codes import Codes, Meaning
from .imported import Collector, Imported
from .mapping import NO_PLACE

__all__ = ["read_meds"]

BIRTH, DEATH = "MEDS_BIRTH", "MEDS_DEATH"
GAP_DAYS = 90
_SEX = re.compile(r"(?:GENDER|SEX)//?(F|M|FEMALE|MALE)", re.IGNORECASE)
_MIMIC_ICD10 = re.compile(r"DIAGNOSIS//ICD//10//(\w{3})\.?(\w*)")
_KINDS = ("analyte", "drug", "condition", "procedure", "biopsy_score", "isn_rps_class")
_COLUMNS = {"subject_id", "time", "code", "numeric_value", "unit", "end"}
_GENERATIONS = 5


def read_meds(path: Path, codes: Codes) -> Imported:
    """Read a dataset.

    Parameters
    ----------
    path : Path
        The folder that holds ``data`` and ``metadata``.
    codes : Codes

    Raises
    ------
    RegistryError
        When there is no data or a file cannot be read; the message names it.
    """
    files = sorted((path / "data").rglob("*.parquet"))
    if not files:
        raise RegistryError(f"{path.name}: no data/**/*.parquet; a MEDS dataset has them.")
    about = _about(path / "metadata" / "dataset.json")
    out = Collector(
        {
            "source": path.resolve().name,
            "format": f"MEDS {about.get('meds_version', '')}".strip(),
            "dataset_name": about.get("dataset_name", ""),
        }
    )
    reader = _Reader(_Dictionary(path / "metadata" / "codes.parquet", codes), out)
    for file in files:
        for rows in _events(file, path):
            reader.take(rows)
    reader.settle()
    return out.finish()


def _about(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RegistryError(f"{file.name}: cannot be read: {error}") from error
    return about if isinstance(about, dict) else {}


def _events(file: Path, folder: Path) -> Iterator[pd.DataFrame]:
    name = str(file.relative_to(folder))
    try:
        table = pyarrow.parquet.ParquetFile(file)
        names = table.schema_arrow.names
        for needed in ("subject_id", "time", "code"):
            if needed not in names:
                raise RegistryError(
                    f"{name}: column {needed!r} is missing; found {', '.join(names)}."
                )
        seen = 0
        for batch in table.iter_batches(columns=[n for n in names if n in _COLUMNS]):
            rows: pd.DataFrame = batch.to_pandas()
            rows["source"] = f"{name}/" + pd.Series(range(seen + 1, seen + len(rows) + 1)).astype(
                "str"
            )
            seen += len(rows)
            yield rows
    except (pa.ArrowException, OSError) as error:
        raise RegistryError(f"{name}: cannot be read: {error}") from error


@dataclass(frozen=True)
class _Known:
    """What a code of the dataset is."""

    meaning: Meaning | None
    unit: str
    words: str
    by_name: bool = False


class _Dictionary:
    """What the dataset's codes mean, by themselves, by their parents, or for a drug by name."""

    def __init__(self, file: Path, codes: Codes) -> None:
        self.codes = codes
        self.parents: dict[str, list[str]] = {}
        self.words: dict[str, str] = {}
        self._known: dict[str, _Known] = {}
        if file.exists():
            try:
                table = pyarrow.parquet.read_table(file).to_pylist()
            except (pa.ArrowException, OSError) as error:
                raise RegistryError(f"{file.name}: cannot be read: {error}") from error
            for row in table:
                self.words[row["code"]] = row.get("description") or ""
                self.parents[row["code"]] = list(row.get("parent_codes") or ())

    def __getitem__(self, code: str) -> _Known:
        """Return what a code is."""
        if code not in self._known:
            self._known[code] = self._look_up(code)
        return self._known[code]

    def _look_up(self, code: str) -> _Known:
        words = self.words.get(code, "")
        unit = code.split("//")[2] if code.count("//") == 2 else ""
        refused = None
        generation = [code]
        for _ in range(_GENERATIONS):
            for each in generation:
                found = self._own(each)
                if found is not None and found.kind != "refused":
                    if found.kind == "drug" and self.codes.is_local(words):
                        return _Known(Meaning("refused", "not for the whole body"), unit, words)
                    return _Known(found, unit, words)
                refused = refused or found
            generation = [parent for each in generation for parent in self.parents.get(each, ())]
        named = self.codes.drug_named(words)
        if named is not None and not self.codes.is_local(words):
            return _Known(Meaning("drug", named), unit, words, by_name=True)
        return _Known(refused, unit, words)

    def _own(self, code: str) -> Meaning | None:
        mimic = _MIMIC_ICD10.fullmatch(code)
        if mimic:
            system, written = "ICD10CM", ".".join(filter(None, mimic.groups()))
        else:
            system, _, rest = code.partition("//" if "//" in code else "/")
            written = rest.split("//")[0]
        refused = None
        for kind in _KINDS:
            found = self.codes.find(kind, system, written)
            if found is not None and found.kind != "refused":
                return found
            refused = refused or found
        return refused


class _Reader:
    """Events of one dataset while they become rows."""

    def __init__(self, dictionary: _Dictionary, out: Collector) -> None:
        self.dictionary, self.out, self.report = dictionary, out, out.report
        self.codes = dictionary.codes
        self.subjects: dict[str, dict[str, str]] = {}
        self.last: dict[str, str] = {}
        self.onset: dict[str, str] = {}
        self.failed: dict[str, tuple[str, str]] = {}
        self.biopsies: dict[tuple[str, str], dict[str, str]] = {}
        self.given: list[pd.DataFrame] = []

    def take(self, rows: pd.DataFrame) -> None:
        """Read some events."""
        days = pd.to_datetime(rows["time"]).dt.strftime("%Y-%m-%d")
        rows = rows.assign(
            subject=rows["subject_id"].astype("str"), date=days, code=rows["code"].astype("str")
        )
        for subject in rows["subject"].unique():
            self.subjects.setdefault(subject, {})
        for subject, date in rows["date"].groupby(rows["subject"]).max().dropna().items():
            self.last[str(subject)] = max(str(date), self.last.get(str(subject), ""))
        for code, group in rows.groupby("code", sort=False):
            self._code(str(code), group)

    def _code(self, code: str, rows: pd.DataFrame) -> None:
        example = rows["source"].iloc[0]
        sex = _SEX.fullmatch(code)
        if sex:
            word = {"F": "female", "M": "male"}[sex[1][0].upper()]
            for subject in rows["subject"]:
                self.subjects[subject]["sex"] = word
            return
        dated = rows[rows["date"].notna()]
        if code in (BIRTH, DEATH):
            for subject, date, source in _each(dated):
                if code == BIRTH:
                    self.subjects[subject]["birth_date"] = date
                else:
                    self._event(subject, date, "death", source)
            return
        known = self.dictionary[code]
        what = f"{code} {known.words}".strip()
        if known.meaning is None or known.meaning.kind == "refused":
            why = known.meaning.name if known.meaning else NO_PLACE
            self.report.leave_out("data", what, why, example, len(rows))
            return
        self.report.leave_out("data", what, "it has no time", example, len(rows) - len(dated))
        if len(dated):
            self._known(known, known.meaning, what, dated)

    def _known(self, known: _Known, meaning: Meaning, what: str, rows: pd.DataFrame) -> None:
        kind, name = meaning.kind, meaning.name
        if kind == "analyte":
            self._measurements(known, meaning, what, rows)
        elif kind == "drug":
            if known.by_name:
                why = f"no known code; read by its name as {name}"
                self.report.assume("data", what, why, rows["source"].iloc[0], len(rows))
            self.given.append(rows.assign(drug=name, written_unit=known.unit))
        elif name in ("kidney_failure", "kidney_transplant"):
            for subject, date, source in _each(rows):
                self.failed[subject] = min((date, source), self.failed.get(subject, (date, source)))
        elif kind == "condition":
            for subject, date, _ in _each(rows):
                self.onset[subject] = min(date, self.onset.get(subject, date))
        else:
            self._biopsies(kind, name, what, rows)

    def _biopsies(self, kind: str, name: str, what: str, rows: pd.DataFrame) -> None:
        for row in rows.to_dict("records"):
            place = (row["subject"], row["date"])
            held = self.biopsies.setdefault(place, {"source": row["source"]})
            if kind == "isn_rps_class":
                held["isn_rps_class"] = name
            elif kind == "biopsy_score" and pd.notna(row.get("numeric_value")):
                held[name] = f"{row['numeric_value']:.6g}"
            elif kind == "biopsy_score":
                self.report.leave_out("data", what, "numeric_value is empty", row["source"])

    def _measurements(self, known: _Known, meaning: Meaning, what: str, rows: pd.DataFrame) -> None:
        example = rows["source"].iloc[0]
        if "numeric_value" not in rows:
            rows = rows.assign(numeric_value=np.nan)
        filled = rows[rows["numeric_value"].notna()]
        self.report.leave_out(
            "data", what, "numeric_value is empty", example, len(rows) - len(filled)
        )
        units = _units(filled, known.unit, self.codes)
        self.report.leave_out("data", what, "no unit", example, int((units == "").sum()))
        filled, units = filled[units != ""], units[units != ""]
        if meaning.assumed:
            self.report.assume("data", what, meaning.assumed, example, len(filled))
        self.out.add_table(
            "measurements",
            pd.DataFrame(
                {
                    "patient_id": filled["subject"],
                    "date": filled["date"],
                    "analyte": meaning.name,
                    "value": _texts(filled["numeric_value"]),
                    "unit": units,
                    "source": filled["source"],
                }
            ),
        )

    def _event(self, subject: str, date: str, event: str, source: str) -> None:
        self.out.add("events", source, patient_id=subject, date=date, event=event)

    def settle(self) -> None:
        """Write what needs every event: people, their ends, and treatments."""
        if self.given:
            self._treatments(pd.concat(self.given, ignore_index=True))
        for (subject, date), row in self.biopsies.items():
            self.out.add("biopsies", row.pop("source"), patient_id=subject, date=date, **row)
        for subject, (date, source) in self.failed.items():
            self._event(subject, date, "kidney_failure", source)
        for subject, cells in self.subjects.items():
            for name in ("sex", "birth_date"):
                if name not in cells:
                    why = "eGFR needs it, and it is not in the data"
                    self.report.leave_out("subject", name, why, subject)
            cells = {"sex": "", "birth_date": "", **cells}
            onset = self.onset.get(subject, "")
            self.out.add("patients", "subject", patient_id=subject, sle_onset_date=onset, **cells)
            if subject in self.last:
                self._event(subject, self.last[subject], "last_contact", "subject")

    def _treatments(self, given: pd.DataFrame) -> None:
        routes = given["drug"].map({name: drug.route for name, drug in drugs().items()})
        once = routes == "infusion"
        if "end" in given:
            stated = pd.to_datetime(given["end"]).dt.strftime("%Y-%m-%d")
        else:
            stated = pd.Series(pd.NA, index=given.index, dtype="object")
        self._once(given[once])
        period = ~once & stated.notna()
        self._add(given[period].assign(start_date=given["date"], end_date=stated))
        self._episodes(given[~once & stated.isna()])

    def _once(self, rows: pd.DataFrame) -> None:
        units = _units(rows, "", self.codes).where(lambda u: u != "", rows["written_unit"])
        milligrams = units.isin(("mg", "g", "mg/m2", "mg/kg"))
        values = rows["numeric_value"] if "numeric_value" in rows else pd.Series(np.nan, rows.index)
        milligrams &= values.notna()
        dosed = rows.assign(
            start_date=rows["date"],
            end_date=rows["date"],
            dose=_texts(values).where(milligrams, ""),
            dose_unit=units.where(milligrams, ""),
        )
        self._add(dosed)

    def _episodes(self, rows: pd.DataFrame) -> None:
        """Join records of one drug that are at most `GAP_DAYS` apart into one period."""
        rows = rows.sort_values(["subject", "drug", "date"], kind="stable")
        day = pd.to_datetime(rows["date"])
        alike = (rows["subject"].shift() == rows["subject"]) & (
            rows["drug"].shift() == rows["drug"]
        )
        starts = ~(alike & ((day - day.shift()).dt.days <= GAP_DAYS))
        joined = rows.groupby(starts.cumsum(), sort=False).agg(
            subject=("subject", "first"),
            drug=("drug", "first"),
            start_date=("date", "first"),
            end_date=("date", "last"),
            source=("source", "first"),
        )
        for drug, group in joined.groupby("drug"):
            self.report.assume(
                "data",
                str(drug),
                f"no duration: records at most {GAP_DAYS} days apart are read as one period; "
                "dose left empty",
                group["source"].iloc[0],
                len(group),
            )
        self._add(joined)

    def _add(self, rows: pd.DataFrame) -> None:
        columns = ["drug", "start_date", "end_date", "dose", "dose_unit", "source"]
        kept = rows.reindex(columns=columns).assign(patient_id=rows["subject"])
        self.out.add_table("treatments", kept)


def _each(rows: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    yield from zip(rows["subject"], rows["date"], rows["source"], strict=True)


def _texts(values: "pd.Series[float]") -> "pd.Series[str]":
    """Return numbers as text in their own precision: 0.8 in single precision is 0.8."""
    return pd.Series(values.to_numpy().astype("str"), index=values.index, dtype="str")


def _units(rows: pd.DataFrame, of_code: str, codes: Codes) -> "pd.Series[str]":
    """Return each row's unit: of its column, else of its code; empty where there is none."""
    if "unit" not in rows:
        return pd.Series(codes.unit(of_code), index=rows.index, dtype="str")
    written = rows["unit"].fillna("").astype("str")
    spelt: Mapping[str, str] = {unit: codes.unit(unit or of_code) for unit in written.unique()}
    return written.map(spelt).astype("str")
