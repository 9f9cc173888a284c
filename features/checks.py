"""From raw cells to canonical tables: every error of a row is found before any is acted on.

Assumes that a row is the smallest thing that can be wrong: a row with one bad cell is left out
whole, and all rows of a patient whose own row is bad go with it.
"""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from .findings import Findings
from .reading import RawTable
from .repeats import average_repeats, is_repeat, recorded_later, sort_measurements
from .said import Said, said
from .table_check import Mask, Raw, TableCheck
from .tables import TABLES
from .texts import Texts
from .vocabulary import analytes, drugs

__all__ = ["check_bundle"]

_POSITIVE_ANALYTES = ("creatinine", "height", "weight")
_DAILY_UNITS = {"mg/d": 1.0, "g/d": 1000.0}
_ADMINISTRATION_UNITS = {"mg": 1.0, "g": 1000.0, "mg/m2": 1.0, "mg/kg": 1.0}
_CANONICAL_DOSE_UNITS = {"mg/d": "mg/d", "g/d": "mg/d", "mg": "mg", "g": "mg"}
_SHARES = ("pdc", "mpr", "self_report")
_BEFORE_BIRTH = said("before_birth", "the date is before the birth date.")


class _People:
    """The patients that rows may name: identifiers, births and last contacts."""

    def __init__(self, patients: TableCheck) -> None:
        identifiers = patients.texts["patient_id"]
        again = identifiers.repeated
        repeated = again & ~identifiers.missing
        patients.flag(
            repeated, "repeated patient", "patient_id", said("one_row", "each patient has one row.")
        )
        onset, birth = patients.columns["sle_onset_date"], patients.columns["birth_date"]
        patients.flag(onset < birth, "before birth", "sle_onset_date", _BEFORE_BIRTH)
        self.written = pd.Index(identifiers.distinct, dtype="str")
        self.withdrawn = patients.bad[~again]
        self.birth = birth[~again]
        self.last_contact = np.full(len(self.written), np.datetime64("NaT"), "datetime64[s]")

    def positions(self, identifiers: Texts) -> npt.NDArray[np.int64]:
        each = self.written.get_indexer(pd.Index(identifiers.distinct, dtype="str"))
        position: npt.NDArray[np.int64] = each.astype(np.int64)[identifiers.codes]
        return position

    def note_last_contacts(self, events: TableCheck) -> None:
        if not len(self.written):
            return
        last = (np.asarray(events.columns["event"]) == "last_contact") & ~events.bad
        position = self.positions(events.texts["patient_id"])
        last &= (position >= 0) & ~(events.columns["date"] < self.birth[position])
        position = position[last]
        dates = events.columns["date"][last].astype(np.int64)
        latest = np.full(len(self.written), np.iinfo(np.int64).min)
        np.maximum.at(latest, position, dates)
        self.last_contact = latest.astype("datetime64[s]")


def _check_people(table: TableCheck, people: _People) -> npt.NDArray[np.int64]:
    identifiers = table.texts["patient_id"]
    position, named = people.positions(identifiers), ~identifiers.missing
    unknown = (position < 0) & named
    nobody = said("unknown_patient", "no row of patients has this patient_id.")
    table.flag(unknown, "unknown patient", "patient_id", nobody)
    if not len(people.written):
        return position
    withdrawn = (position >= 0) & named & people.withdrawn[position]
    left_out = said("patient_left_out", "the row of this patient has errors.")
    table.flag(withdrawn, "patient left out", "patient_id", left_out)
    return position


def _check_dates(table: TableCheck, people: _People, position: npt.NDArray[np.int64]) -> None:
    if not len(people.written):
        return
    known = position >= 0
    birth = np.where(known, people.birth[position], np.datetime64("NaT"))
    last = np.where(known, people.last_contact[position], np.datetime64("NaT"))

    def too_late(i: int) -> Said:
        return said(
            "after_last_contact",
            "the date is after the last contact ({day}) by more than a day.",
            day=str(last[i].astype("datetime64[D]")),
        )

    for column in TABLES[table.raw.name]:
        if column.kind != "date":
            continue
        dates = table.columns[column.name]
        table.flag(dates < birth, "before birth", column.name, _BEFORE_BIRTH)
        table.flag(
            dates > last + np.timedelta64(1, "D"), "after last contact", column.name, too_late
        )


def _check_end(table: TableCheck) -> None:
    ends = table.columns["end_date"]
    table.flag(
        ends < table.columns["start_date"],
        "end before start",
        "end_date",
        said("end_before_start", "the end is before the start; equal dates are accepted."),
    )


def _check_measurements(table: TableCheck) -> None:
    names, units = table.texts["analyte"], table.texts["unit"]
    pairs = names.codes * len(units.distinct) + units.codes
    codes, distinct = pd.factorize(pairs)
    listed = analytes()
    first_unit = dict(table.raw.own_units)
    factors = np.full(len(distinct), np.nan)
    canonical, accepted = [], []
    for index, pair in enumerate(distinct.tolist()):
        name_code, unit_code = divmod(pair, len(units.distinct))
        name, unit = names.distinct[name_code], units.distinct[unit_code]
        known = listed.get(name)
        own = first_unit.setdefault(name, unit) if unit else ""
        table_of_units = known.units if known else {own: 1.0}
        factors[index] = table_of_units.get(unit, np.nan)
        canonical.append(known.unit if known else own)
        accepted.append(tuple(table_of_units))
    factor = factors[codes] if len(distinct) else np.array([])
    table.flag(
        np.isnan(factor) & ~(units.missing | names.missing),
        "unknown unit",
        "unit",
        lambda i: said(
            "unknown_unit",
            "{analyte} is accepted in {units}.",
            analyte=names[i],
            units=accepted[codes[i]],
        ),
    )
    values = table.columns["value"]
    with np.errstate(over="ignore"):
        converted = values * factor
    too_large = said("too_large", "too large a number for its canonical unit.")
    table.flag(np.isinf(converted), "out of range", "value", too_large)
    zero = names.among(_POSITIVE_ANALYTES) & (values == 0)
    table.flag(
        zero,
        "not above zero",
        "value",
        lambda i: said("not_above_zero", "a {analyte} is above 0.", analyte=names[i]),
    )
    _note_odd_values(table, converted)
    table.columns["value"] = converted
    table.columns["unit"] = Texts.at(codes, canonical).categorical()
    table.columns["analyte"] = names.categorical()


def _note_odd_values(table: TableCheck, values: npt.NDArray[np.float64]) -> None:
    names, units, listed = table.texts["analyte"], table.texts["unit"], analytes()
    low = names.numbers({name: analyte.plausible[0] for name, analyte in listed.items()})
    high = names.numbers({name: analyte.plausible[1] for name, analyte in listed.items()})
    table.flag(
        ((values < low) | (values > high)) & ~table.bad,
        "implausible value",
        "value",
        lambda i: said(
            "implausible",
            "{analyte} of {value} {unit} is outside {lowest} to {highest}; "
            "is the unit {sent_unit!r} right?",
            analyte=names[i],
            value=f"{values[i]:.4g}",
            unit=listed[names[i]].unit,
            lowest=f"{low[i]:g}",
            highest=f"{high[i]:g}",
            sent_unit=units[i],
        ),
        severity="warning",
    )


def _check_treatments(table: TableCheck) -> None:
    _check_end(table)
    names, units = table.texts["drug"], table.texts["dose_unit"]
    dose = table.columns["dose"]
    listed = names.among(drugs())
    daily, administered = units.among(_DAILY_UNITS), units.among(_ADMINISTRATION_UNITS)
    given = listed & ~np.isnan(dose)
    table.flag(
        (given | (listed & ~units.missing)) & ~(daily | administered),
        "unknown unit",
        "dose_unit",
        said(
            "unknown_dose_unit",
            "a dose is accepted in mg/d or g/d (by mouth, total per day) or in mg, g, mg/m2 or "
            "mg/kg (one row per administration).",
        ),
    )
    start, end = table.columns["start_date"], table.columns["end_date"]
    spread = given & administered & ~(end == start)
    table.flag(
        spread,
        "unknown unit",
        "dose_unit",
        said(
            "administration_unit",
            "the unit is that of one administration, but the row covers a period; an "
            "administration has end_date = start_date, a period has mg/d or g/d.",
        ),
    )
    factor = units.numbers({**_DAILY_UNITS, **_ADMINISTRATION_UNITS})
    table.columns["dose"] = np.where(listed, dose * factor, dose)
    table.columns["dose_unit"] = _canonical_doses(units, listed)
    table.flag(
        ~listed & ~names.missing,
        "drug without a role",
        "drug",
        said("no_role", "kept; the rule does not use it."),
        severity="note",
    )
    table.columns["drug"] = names.categorical()


def _canonical_doses(units: Texts, listed: Mask) -> pd.Categorical:
    """Return the units of doses; those of drugs that are not listed stay as written."""
    texts = [*units.distinct, *(_CANONICAL_DOSE_UNITS.get(u, u) for u in units.distinct)]
    codes = np.where(listed, units.codes + len(units.distinct), units.codes)
    return Texts.at(codes, texts).categorical()


def _check_adherence(table: TableCheck) -> None:
    _check_end(table)
    measure = np.asarray(table.columns["measure"])
    value = table.columns["value"]
    share = np.isin(measure, _SHARES)
    a_share = said("expected_share", "expected a share from 0 to 1, not per cent.")
    table.flag(share & (value > 1), "out of range", "value", a_share)
    clinician = (measure == "clinician") & ~np.isin(value, (0.0, 1.0)) & ~np.isnan(value)
    a_judgement = said("expected_judgement", "expected 1 (adherent) or 0 (not).")
    table.flag(clinician, "out of range", "value", a_judgement)
    count = np.isin(measure, ("missed_infusions", "missed_visits")) & (value % 1 > 0)
    table.flag(count, "out of range", "value", said("expected_whole", "expected a whole number."))


def _check_outcomes(table: TableCheck) -> None:
    repeated = table.texts["patient_id"].repeated
    one = said("one_outcome", "each patient has one outcome.")
    table.flag(repeated, "repeated patient", "patient_id", one)
    table.flag(
        table.columns["date"] < table.columns["index_date"],
        "end before start",
        "date",
        said("before_index", "the outcome is before the index date."),
    )


def _one_value_a_day(frame: pd.DataFrame, table: TableCheck) -> pd.DataFrame:
    """Sort measurements, note repeats, and average them unless a later view has to."""
    frame = sort_measurements(frame)
    again = is_repeat(frame)
    if not again.any():
        return frame
    table.flag(
        np.isin(table.raw.rows, frame["row"].to_numpy()[again]),
        "measured twice",
        "date",
        said(
            "measured_twice",
            "another row has the same patient, date and analyte; their mean is used.",
        ),
        severity="note",
    )
    return frame if recorded_later(frame) else average_repeats(frame)


_ROW_CHECKS: dict[str, Callable[[TableCheck], None]] = {
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
    nobody = TableCheck(RawTable(name, "", pd.DataFrame(index=range(0)), 1), Findings())
    if name in _ROW_CHECKS:
        _ROW_CHECKS[name](nobody)
    return nobody.frame(~nobody.bad)


def _note_patients_without_end(patients: TableCheck, people: _People) -> None:
    position = people.positions(patients.texts["patient_id"])
    if len(people.written):
        patients.flag(
            np.isnat(people.last_contact[position]) & ~patients.bad,
            "no last contact",
            "patient_id",
            said(
                "no_last_contact",
                "events has no last_contact; how long the patient was followed is unknown.",
            ),
            severity="warning",
        )


def _in_order(check: TableCheck, owner: pd.Categorical) -> pd.DataFrame:
    """Return the good rows of a table, sorted by patient."""
    check.columns["patient_id"] = owner
    frame = check.frame(~check.bad)
    if check.raw.name == "measurements":
        return _one_value_a_day(frame, check)
    if len(frame) < 2:
        return frame
    keys = ["patient_id", *_ORDER[check.raw.name]]
    return frame.sort_values(keys, kind="stable", na_position="first").reset_index(drop=True)


def check_bundle(
    raw: Mapping[str, Raw],
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
    checks = {name: TableCheck(raw[name], findings) for name in TABLES if name in raw}
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
    names = pd.Index(patients["patient_id"])
    place = np.append(names.get_indexer(people.written), -1)
    for name in TABLES:
        if name in positions:
            owner = pd.Categorical.from_codes(place[positions[name]], categories=names)
            tables[name] = _in_order(checks[name], owner)
        elif name != "patients":
            nobody = pd.Categorical.from_codes([], categories=names)
            tables[name] = _without_rows(name).assign(patient_id=nobody)
    wrong = [check for check in checks.values() if check.reasons] or [checks["patients"]]
    rejected = pd.concat([check.rejected() for check in wrong], ignore_index=True)
    return tables, findings, rejected
