"""From raw cells to canonical tables: every error of a row is found before any is acted on.

Assumes that a row is the smallest thing that can be wrong: a row with one bad cell is left out
whole, and all rows of a patient whose own row is bad go with it.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .findings import Findings
from .reading import RawTable, as_text, parse_dates, parse_numbers
from .repeats import average_repeats, is_repeat, recorded_later, sort_measurements
from .tables import TABLES, Column
from .vocabulary import analytes, drugs

__all__ = ["check_bundle"]

Mask = npt.NDArray[np.bool_]
_POSITIVE_ANALYTES = ("creatinine", "height", "weight")
_DAILY_UNITS = {"mg/d": 1.0, "g/d": 1000.0}
_ADMINISTRATION_UNITS = {"mg": 1.0, "g": 1000.0, "mg/m2": 1.0, "mg/kg": 1.0}
_CANONICAL_DOSE_UNITS = {"mg/d": "mg/d", "g/d": "mg/d", "mg": "mg", "g": "mg"}
_SHARES = ("pdc", "mpr", "self_report")


class _TableCheck:
    """One raw table while it is checked: typed columns so far, bad rows, findings."""

    def __init__(self, raw: RawTable, findings: Findings) -> None:
        self.raw = raw
        self.findings = findings
        self.bad: Mask = np.zeros(len(raw.cells), dtype=bool)
        self.reasons: list[pd.DataFrame] = []
        self.columns: dict[str, Any] = {}
        for column in TABLES[raw.name]:
            self.columns[column.name] = self._parse(column)

    def text(self, name: str) -> "pd.Series[Any]":
        if name in self.raw.cells.columns:
            return as_text(self.raw.cells[name])
        return pd.Series([""] * len(self.raw.cells), dtype="str")

    def flag(
        self,
        mask: Mask,
        kind: str,
        column: str,
        message: str | Callable[[int], str],
        severity: str = "error",
    ) -> None:
        """Report the rows of a mask; an error also marks them bad."""
        where = np.flatnonzero(mask)
        if not len(where):
            return
        rows = self.raw.rows[where]
        cells = self.raw.cells
        values = [str(v) for v in cells[column].iloc[where]] if column in cells.columns else [""]
        values = values * (len(where) // len(values))
        messages = [
            f"{self.raw.file}, row {row}, {column} {value!r}: "
            + (message if isinstance(message, str) else message(int(position)))
            for row, value, position in zip(rows, values, where, strict=True)
        ]
        self.findings.add(severity, kind, self.raw.file, rows, column, values, messages)
        if severity == "error":
            self.bad[where] = True
            self.reasons.append(
                pd.DataFrame({"position": where, "row": rows, "kind": kind, "message": messages})
            )

    def _parse(self, column: Column) -> Any:
        if column.name not in self.raw.cells.columns:
            return _blank(column, len(self.raw.cells))
        cells = self.raw.cells[column.name]
        if column.required:
            empty = (as_text(cells) == "").to_numpy()
            self.flag(empty, "missing value", column.name, "a value is required here.")
        if column.kind in ("date", "birth_date", "entry_date"):
            return self._parse_date(column, cells)
        if column.kind == "number":
            return self._parse_number(column, cells)
        text = as_text(cells)
        if column.kind == "choice":
            wrong = ~text.isin(("", *column.choices)).to_numpy()
            accepted = ", ".join(column.choices)
            self.flag(wrong, "unknown value", column.name, f"accepted are {accepted}.")
            return pd.Categorical(text.where(text.isin(column.choices)), categories=column.choices)
        return text

    def _parse_date(self, column: Column, cells: "pd.Series[Any]") -> npt.NDArray[np.datetime64]:
        year_alone = column.kind == "birth_date"
        dates, impossible = parse_dates(cells, year_alone=year_alone)
        form = "a date YYYY-MM-DD" + (" or a year YYYY" if year_alone else "") + " since 1900"
        self.flag(impossible, "impossible date", column.name, f"expected {form}.")
        return dates

    def _parse_number(self, column: Column, cells: "pd.Series[Any]") -> npt.NDArray[np.float64]:
        numbers, wrong = parse_numbers(cells)
        self.flag(wrong, "not a number", column.name, "expected a finite number.")
        negative = numbers < 0
        self.flag(negative, "negative value", column.name, "expected 0 or more.")
        outside = (numbers > column.highest) | (column.whole & (numbers % 1 != 0))
        outside &= ~np.isnan(numbers) & ~negative
        kind = "whole number" if column.whole else "number"
        message = f"expected a {kind} from {column.lowest:g} to {column.highest:g}."
        self.flag(outside, "out of range", column.name, message)
        return numbers

    def frame(self, good: Mask) -> pd.DataFrame:
        """Return the typed columns of the good rows, with their row numbers."""
        data = {name: values[good] for name, values in self.columns.items()}
        return pd.DataFrame({**data, "row": self.raw.rows[good]}).reset_index(drop=True)

    def rejected(self) -> pd.DataFrame:
        """Return the bad rows as they were written, each with its reasons."""
        if not self.reasons:
            return pd.DataFrame(columns=["file", "row", "kind", "message", "record"])
        reasons = pd.concat(self.reasons).sort_values(["position", "kind"])
        joined = reasons.groupby("position", sort=True).agg(
            row=("row", "first"), kind=("kind", ";".join), message=("message", " ".join)
        )
        records = self.raw.cells.iloc[joined.index.to_numpy()].astype("string").fillna("")
        written = [json.dumps(record) for record in records.to_dict("records")]
        return joined.assign(file=self.raw.file, record=written)[
            ["file", "row", "kind", "message", "record"]
        ]


def _blank(column: Column, n: int) -> Any:
    """Return what a column that a table does not have is parsed to."""
    if column.kind in ("date", "birth_date", "entry_date"):
        return np.full(n, np.datetime64("NaT"), dtype="datetime64[s]")
    if column.kind == "number":
        return np.full(n, np.nan)
    if column.kind == "choice":
        choices = pd.CategoricalDtype(list(column.choices))
        return pd.Categorical.from_codes(np.full(n, -1), dtype=choices)
    return pd.Series([""] * n, dtype="str")


class _People:
    """The patients that rows may name: identifiers, births and last contacts."""

    def __init__(self, patients: _TableCheck) -> None:
        identifiers = patients.columns["patient_id"]
        again = identifiers.duplicated().to_numpy()
        repeated = again & (identifiers != "").to_numpy()
        patients.flag(repeated, "repeated patient", "patient_id", "each patient has one row.")
        onset, birth = patients.columns["sle_onset_date"], patients.columns["birth_date"]
        patients.flag(
            onset < birth, "before birth", "sle_onset_date", "the date is before the birth date."
        )
        self.written = pd.Index(identifiers[~again])
        self.withdrawn = patients.bad[~again]
        self.birth = birth[~again]
        self.last_contact = np.full(len(self.written), np.datetime64("NaT"), "datetime64[s]")

    def positions(self, identifiers: "pd.Series[Any]") -> npt.NDArray[np.int64]:
        position: npt.NDArray[np.intp] = self.written.get_indexer(pd.Index(identifiers))
        return position.astype(np.int64)

    def note_last_contacts(self, events: _TableCheck) -> None:
        if not len(self.written):
            return
        last = (np.asarray(events.columns["event"]) == "last_contact") & ~events.bad
        position = self.positions(events.columns["patient_id"])
        last &= (position >= 0) & ~(events.columns["date"] < self.birth[position])
        position = position[last]
        dates = events.columns["date"][last].astype(np.int64)
        latest = np.full(len(self.written), np.iinfo(np.int64).min)
        np.maximum.at(latest, position, dates)
        self.last_contact = latest.astype("datetime64[s]")


def _check_people(table: _TableCheck, people: _People) -> npt.NDArray[np.int64]:
    position = people.positions(table.columns["patient_id"])
    named = (table.columns["patient_id"] != "").to_numpy()
    unknown = (position < 0) & named
    table.flag(unknown, "unknown patient", "patient_id", "no row of patients has this patient_id.")
    if not len(people.written):
        return position
    withdrawn = (position >= 0) & named & people.withdrawn[position]
    table.flag(withdrawn, "patient left out", "patient_id", "the row of this patient has errors.")
    return position


def _check_dates(table: _TableCheck, people: _People, position: npt.NDArray[np.int64]) -> None:
    if not len(people.written):
        return
    known = position >= 0
    birth = np.where(known, people.birth[position], np.datetime64("NaT"))
    last = np.where(known, people.last_contact[position], np.datetime64("NaT"))

    def too_late(i: int) -> str:
        day = last[i].astype("datetime64[D]")
        return f"the date is after the last contact ({day}) by more than a day."

    for column in TABLES[table.raw.name]:
        if column.kind != "date":
            continue
        dates = table.columns[column.name]
        table.flag(dates < birth, "before birth", column.name, "the date is before the birth date.")
        table.flag(
            dates > last + np.timedelta64(1, "D"), "after last contact", column.name, too_late
        )


def _check_end(table: _TableCheck) -> None:
    ends = table.columns["end_date"]
    table.flag(
        ends < table.columns["start_date"],
        "end before start",
        "end_date",
        "the end is before the start; equal dates are accepted.",
    )


def _check_measurements(table: _TableCheck) -> None:
    names = table.columns["analyte"]
    units = table.columns["unit"]
    values = table.columns["value"]
    pairs = pd.MultiIndex.from_arrays([names, units])
    codes, distinct = pd.factorize(pairs)
    listed = analytes()
    first_unit: dict[str, str] = {}
    factors = np.full(len(distinct), np.nan)
    canonical, accepted = [], []
    for index, (name, unit) in enumerate(distinct):
        known = listed.get(name)
        own = first_unit.setdefault(name, unit) if unit else ""
        table_of_units = known.units if known else {own: 1.0}
        factors[index] = table_of_units.get(unit, np.nan)
        canonical.append(known.unit if known else own)
        accepted.append(", ".join(table_of_units))
    factor = factors[codes] if len(distinct) else np.array([])
    unknown = np.isnan(factor) & ((units != "") & (names != "")).to_numpy()
    table.flag(
        unknown,
        "unknown unit",
        "unit",
        lambda i: f"{names.iloc[i]} is accepted in {accepted[codes[i]]}.",
    )
    with np.errstate(over="ignore"):
        converted = values * factor
    table.flag(
        np.isinf(converted), "out of range", "value", "too large a number for its canonical unit."
    )
    zero = names.isin(_POSITIVE_ANALYTES).to_numpy() & (values == 0)
    table.flag(zero, "not above zero", "value", lambda i: f"a {names.iloc[i]} is above 0.")
    _note_odd_values(table, names, converted)
    table.columns["value"] = converted
    table.columns["unit"] = pd.Categorical(np.array([*canonical, ""], dtype=object)[codes])
    table.columns["analyte"] = pd.Categorical(names)


def _note_odd_values(
    table: _TableCheck, names: "pd.Series[Any]", values: npt.NDArray[np.float64]
) -> None:
    listed = analytes()
    ranges = {name: analyte.plausible for name, analyte in listed.items()}
    low = names.map({name: pair[0] for name, pair in ranges.items()}).to_numpy(dtype=float)
    high = names.map({name: pair[1] for name, pair in ranges.items()}).to_numpy(dtype=float)
    table.flag(
        ((values < low) | (values > high)) & ~table.bad,
        "implausible value",
        "value",
        lambda i: (
            f"{names.iloc[i]} of {values[i]:.4g} {listed[names.iloc[i]].unit} is outside "
            f"{low[i]:g} to {high[i]:g}; is the unit {table.text('unit').iloc[i]!r} right?"
        ),
        severity="warning",
    )


def _check_treatments(table: _TableCheck) -> None:
    _check_end(table)
    names, units = table.columns["drug"], table.columns["dose_unit"]
    dose = table.columns["dose"]
    routes = names.map({name: drug.route for name, drug in drugs().items()})
    listed = routes.notna().to_numpy()
    daily = units.isin(tuple(_DAILY_UNITS)).to_numpy()
    administered = units.isin(tuple(_ADMINISTRATION_UNITS)).to_numpy()
    given = listed & ~np.isnan(dose)
    table.flag(
        (given | (listed & (units != "").to_numpy())) & ~(daily | administered),
        "unknown unit",
        "dose_unit",
        "a dose is accepted in mg/d or g/d (by mouth, total per day) or in mg, g, mg/m2 or mg/kg "
        "(one row per administration).",
    )
    start, end = table.columns["start_date"], table.columns["end_date"]
    spread = given & administered & ~(end == start)
    table.flag(
        spread,
        "unknown unit",
        "dose_unit",
        "the unit is that of one administration, but the row covers a period; an administration "
        "has end_date = start_date, a period has mg/d or g/d.",
    )
    factor = units.map({**_DAILY_UNITS, **_ADMINISTRATION_UNITS}).to_numpy(dtype=float)
    table.columns["dose"] = np.where(listed, dose * factor, dose)
    canonical = units.map(_CANONICAL_DOSE_UNITS).where(listed & units.isin(_CANONICAL_DOSE_UNITS))
    table.columns["dose_unit"] = pd.Categorical(canonical.fillna(units))
    table.flag(
        ~listed & (names != "").to_numpy(),
        "drug without a role",
        "drug",
        "kept; the rule does not use it.",
        severity="note",
    )
    table.columns["drug"] = pd.Categorical(names)


def _check_adherence(table: _TableCheck) -> None:
    _check_end(table)
    measure = np.asarray(table.columns["measure"])
    value = table.columns["value"]
    share = np.isin(measure, _SHARES)
    table.flag(
        share & (value > 1), "out of range", "value", "expected a share from 0 to 1, not per cent."
    )
    clinician = (measure == "clinician") & ~np.isin(value, (0.0, 1.0)) & ~np.isnan(value)
    table.flag(clinician, "out of range", "value", "expected 1 (adherent) or 0 (not).")
    count = np.isin(measure, ("missed_infusions", "missed_visits")) & (value % 1 > 0)
    table.flag(count, "out of range", "value", "expected a whole number.")


def _check_outcomes(table: _TableCheck) -> None:
    repeated = table.columns["patient_id"].duplicated().to_numpy()
    table.flag(repeated, "repeated patient", "patient_id", "each patient has one outcome.")
    table.flag(
        table.columns["date"] < table.columns["index_date"],
        "end before start",
        "date",
        "the outcome is before the index date.",
    )


def _one_value_a_day(frame: pd.DataFrame, table: _TableCheck) -> pd.DataFrame:
    """Sort measurements, note repeats, and average them unless a later view has to."""
    frame = sort_measurements(frame)
    table.flag(
        np.isin(table.raw.rows, frame["row"].to_numpy()[is_repeat(frame)]),
        "measured twice",
        "date",
        "another row has the same patient, date and analyte; their mean is used.",
        severity="note",
    )
    return frame if recorded_later(frame) else average_repeats(frame)


_ROW_CHECKS: dict[str, Callable[[_TableCheck], None]] = {
    "measurements": _check_measurements,
    "treatments": _check_treatments,
    "adherence": _check_adherence,
    "outcomes": _check_outcomes,
}
_ORDER = {
    "treatments": ["start_date", "drug", "end_date", "dose", "row"],
    "biopsies": [
        "date",
        "chronicity_index",
        "interstitial_fibrosis",
        "tubular_atrophy",
        "activity_index",
        "row",
    ],
    "adherence": ["start_date", "end_date", "measure", "value", "row"],
    "events": ["date", "event", "row"],
    "outcomes": ["date", "row"],
}


@cache
def _without_rows(name: str) -> pd.DataFrame:
    """Return a table that a bundle does not have; its columns are typed as if it had."""
    nobody = _TableCheck(RawTable(name, "", pd.DataFrame(index=range(0)), 1), Findings())
    if name in _ROW_CHECKS:
        _ROW_CHECKS[name](nobody)
    return nobody.frame(~nobody.bad)


def _note_patients_without_end(patients: _TableCheck, people: _People) -> None:
    position = people.positions(patients.columns["patient_id"])
    if len(people.written):
        patients.flag(
            np.isnat(people.last_contact[position]) & ~patients.bad,
            "no last contact",
            "patient_id",
            "events has no last_contact; how long the patient was followed is unknown.",
            severity="warning",
        )


def check_bundle(
    raw: Mapping[str, RawTable],
) -> tuple[dict[str, pd.DataFrame], Findings, pd.DataFrame]:
    """Check raw tables and bring them into canonical units.

    Parameters
    ----------
    raw : mapping of str to RawTable
        Of those tables that there are; ``patients`` must be one of them.

    Returns
    -------
    tables : dict of str to DataFrame
        The good rows; every table of the bundle format is there, if need be empty.
    findings : Findings
    rejected : DataFrame
        The rows with errors, as they were written, with the reasons.
    """
    findings = Findings()
    checks = {name: _TableCheck(raw[name], findings) for name in TABLES if name in raw}
    people = _People(checks["patients"])
    positions = {
        name: _check_people(check, people) for name, check in checks.items() if name != "patients"
    }
    if "events" in checks:
        people.note_last_contacts(checks["events"])
    for name, position in positions.items():
        _check_dates(checks[name], people, position)
        if name in _ROW_CHECKS:
            _ROW_CHECKS[name](checks[name])
    _note_patients_without_end(checks["patients"], people)
    patients = checks["patients"].frame(~checks["patients"].bad)
    tables = {"patients": patients}
    for name in TABLES:
        if name == "patients":
            continue
        check = checks.get(name)
        frame = _without_rows(name) if check is None else check.frame(~check.bad)
        identifiers = pd.Categorical(frame["patient_id"], categories=patients["patient_id"])
        frame = frame.assign(patient_id=identifiers)
        if check is not None and name == "measurements":
            frame = _one_value_a_day(frame, check)
        elif check is not None:
            keys = ["patient_id", *_ORDER[name]]
            frame = frame.sort_values(keys, kind="stable", na_position="first")
            frame = frame.reset_index(drop=True)
        tables[name] = frame
    rejected = pd.concat([check.rejected() for check in checks.values()], ignore_index=True)
    return tables, findings, rejected
