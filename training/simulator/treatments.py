"""Simulated treatments and adherence records: the rows that a site would write about courses.

Assumes that prescriptions are recorded completely, apart from some doses, and that adherence is
seen only through refills, reports, missed infusions and drug levels, each with error.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import NEVER, Days, as_dates
from .courses import MOST_COURSES, Courses
from .patients import Flags, Numbers, Parameters, Patients, Texts, per_site

__all__ = ["adherence_table", "treatments_table"]

WITH_MYCOPHENOLATE = ("MPA", "MPA_CNI", "MPA_BEL", "MPA_OBI", "RESCUE")
SCHEDULES: dict[str, tuple[str, float, tuple[int, ...]]] = {
    "CYC_LOW": ("cyclophosphamide", 500.0, tuple(range(0, 71, 14))),  # Euro-Lupus
    "CYC_HIGH": ("cyclophosphamide", 750.0, tuple(range(0, 151, 30))),  # mg/m2
    "MPA_BEL": ("belimumab", 10.0, (0, 14, *range(28, 729, 28))),  # mg/kg
    "MPA_OBI": ("obinutuzumab", 1000.0, (0, 14, 168, 182, 364)),
    "RESCUE": ("rituximab", 1000.0, (0, 14)),
}
UNITS = {"CYC_HIGH": "mg/m2", "MPA_BEL": "mg/kg"}
ACID_PER_MOFETIL = 0.72
MAINTENANCE_DAY = {"CYC_LOW": 84, "CYC_HIGH": 166}
TAPER_DAYS = (0, 14, 28, 56, 84, 168)
TAPER_SHARES = (1.0, 0.75, 0.5, 0.3, 0.2, 0.12)
REPORTED_EVERY = 42


class _Rows:
    """Blocks of rows; days count from the index date."""

    def __init__(self, patients: Patients, courses: Courses) -> None:
        self.patients, self.courses = patients, courses
        self.blocks: list[pd.DataFrame] = []

    def add(
        self,
        who: Days,
        drug: str | Texts,
        start: Days,
        end: Days,
        dose: Numbers | float,
        unit: str,
        reason: str | Texts = "",
    ) -> None:
        """Add rows; a dose of nan is not recorded, a row that starts after its end is none."""
        block = {"who": who, "drug": drug, "start": start, "end": end, "dose": dose}
        rows = pd.DataFrame({**block, "dose_unit": unit, "stop_reason": reason})
        self.blocks.append(rows[(rows["start"] <= rows["end"])])

    def table(self) -> pd.DataFrame:
        """Return the table, cut at the last contact."""
        rows = pd.concat(self.blocks, ignore_index=True)
        who = rows["who"].to_numpy()
        over = np.minimum(self.courses.last_day, self.courses.kidney_failure)[who]
        rows = rows[(rows["start"] <= over)].copy()
        who = rows["who"].to_numpy()
        failure, last = self.courses.kidney_failure[who], self.courses.last_day[who]
        end = rows["end"].to_numpy()
        stopped = end > failure
        end = np.where(stopped, failure, end)
        ongoing = end > last
        rows["stop_reason"] = rows["stop_reason"].mask(stopped, "other").mask(ongoing, "")
        index = self.patients.index_day[who]
        rows["start_date"] = as_dates(rows["start"].to_numpy() + index)
        rows["end_date"] = as_dates(np.where(ongoing, NEVER, end + index))
        rows["patient_id"] = self.patients.identifiers[who]
        rows["dose_unit"] = rows["dose_unit"].where(rows["dose"].notna())
        rows["stop_reason"] = rows["stop_reason"].where(rows["stop_reason"] != "")
        rows = rows.sort_values(["who", "start", "drug"], kind="stable").reset_index(drop=True)
        names = ["patient_id", "drug", "start_date", "end_date", "dose", "dose_unit", "stop_reason"]
        return rows[names]


def _next_start(courses: Courses) -> Days:
    never = np.full((len(courses.start), 1), NEVER)
    return np.hstack([courses.start[:, 1:], never])


class _CourseRows:
    """The rows of one course of everyone who has it."""

    def __init__(
        self,
        rng: np.random.Generator,
        rows: _Rows,
        number: int,
        drugs: dict[str, Texts],
        parameters: Parameters,
    ) -> None:
        courses = rows.courses
        self.rng, self.rows, self.number, self.drugs = rng, rows, number, drugs
        self.given = parameters["regimens"]["given"]
        self.who = np.flatnonzero(courses.start[:, number] < NEVER)
        self.regimen = courses.regimen[self.who, number].astype(str)
        self.start = courses.start[self.who, number]
        following = _next_start(courses)[self.who, number]
        self.end = np.where(following < NEVER, following - 1, NEVER)
        self.ends = following < NEVER
        self.reason = np.where(self.ends, courses.why_ended[self.who, number], "").astype(object)
        later = courses.regimen[self.who, min(number + 1, MOST_COURSES - 1)].astype(str)
        self.continues = self.ends & np.isin(later, WITH_MYCOPHENOLATE)

    def in_part(self, dose: Numbers) -> Numbers:
        """Return doses as recorded."""
        return np.where(self.rng.random(len(dose)) < self.given["dose_missing"], np.nan, dose)

    def mycophenolate(self) -> None:
        """Add the ramp, the target dose, and the lower dose of maintenance."""
        on = np.isin(self.regimen, WITH_MYCOPHENOLATE)
        who, start, end = self.who[on], self.start[on], self.end[on]
        before = self.rows.courses.regimen[who, max(self.number - 1, 0)].astype(str)
        ramp = np.where(np.isin(before, WITH_MYCOPHENOLATE) & (self.number > 0), 0, 14)
        target = self.rows.courses.mycophenolate_mg[who, self.number]
        lower = start + self.rng.integers(330, 480, len(who))
        reason = np.where(self.continues[on], "", self.reason[on])
        spans = (
            (start, start + ramp - 1, np.minimum(target, 1000.0)),
            (start + ramp, lower - 1, target),
            (lower, np.full(len(who), NEVER), np.maximum(target * 0.6, 500.0)),
        )
        for first, last, dose in spans:
            stops = np.minimum(last, end)
            why = np.where(stops == end, reason, "")
            self._mycophenolate_rows(who, first, stops, dose, why)

    def _mycophenolate_rows(
        self, who: Days, first: Days, last: Days, dose: Numbers, why: npt.NDArray[np.generic]
    ) -> None:
        drug = self.drugs["mycophenolate"][who]
        milligrams = np.where(drug == "mycophenolic_acid", dose * ACID_PER_MOFETIL, dose)
        recorded = self.in_part(milligrams.round())
        self.rows.add(who, drug, first, last, recorded, "mg/d", why.astype(object))

    def calcineurin_inhibitor(self) -> None:
        """Add tacrolimus or voclosporin."""
        on = self.regimen == "MPA_CNI"
        who = self.who[on]
        drug = self.drugs["cni"][who]
        dose = self.in_part(np.where(drug == "voclosporin", 47.4, 4.0))
        self.rows.add(who, drug, self.start[on], self.end[on], dose, "mg/d", self.reason[on])

    def infusions(self) -> None:
        """Add one row per infusion that was given; the last of all says that it was completed."""
        for name, (drug, dose, days) in SCHEDULES.items():
            on = self.regimen == name
            who, grid = self.who[on], np.array(days)
            missed = self.rows.courses.infusions_missed[who, self.number][:, None]
            shape = (len(who), len(grid))
            day = self.start[on][:, None] + grid + self.rng.integers(-1, 3, shape) * (grid > 0)
            given = (self.rng.random(shape) >= missed) | (grid == 0)
            given &= day <= self.end[on][:, None]
            last = given & (np.arange(len(grid)) == len(grid) - 1)
            latest = given & (given[:, ::-1].cumsum(axis=1)[:, ::-1] == 1)
            stopped = np.where(latest & ~last, self.reason[on][:, None], "")
            why = np.where(last, "completed", stopped).astype(object)
            person, place = np.nonzero(given)
            at = (person, place)
            recorded = self.in_part(np.full(len(person), dose))
            unit = UNITS.get(name, "mg")
            self.rows.add(who[person], drug, day[at], day[at], recorded, unit, why[at])

    def maintenance(self) -> None:
        """Add what follows cyclophosphamide."""
        for name, begins in MAINTENANCE_DAY.items():
            on = self.regimen == name
            who, end = self.who[on], self.end[on]
            first = self.start[on] + begins + self.rng.integers(0, 14, len(who))
            why = np.where(self.continues[on], "", self.reason[on]).astype(object)
            azathioprine = self.rows.courses.azathioprine[who, self.number]
            aza, mpa = np.flatnonzero(azathioprine), np.flatnonzero(~azathioprine)
            dose = self.in_part(np.full(len(aza), 100.0))
            args = (who[aza], "azathioprine", first[aza], end[aza], dose, "mg/d", self.reason[on])
            self.rows.add(*args[:-1], args[-1][aza])
            dose = np.full(len(mpa), 2000.0)
            self._mycophenolate_rows(who[mpa], first[mpa], end[mpa], dose, why[mpa])

    def prednisone(self, low: float, high: float) -> None:
        """Add a taper, and pulses for some at the first course."""
        dose = self.rng.uniform(low, high, len(self.who)) * (1.0 if self.number == 0 else 0.6)
        dose = np.maximum((dose / 5.0).round() * 5.0, 10.0)
        until = (*TAPER_DAYS[1:], NEVER)
        for share, first, last in zip(TAPER_SHARES, TAPER_DAYS, until, strict=True):
            step = np.maximum((dose * share / 2.5).round() * 2.5, 2.5)
            stops = np.minimum(self.start + last - 1, self.end)
            stops = np.where(last == NEVER, self.end, stops)
            self.rows.add(self.who, "prednisone", self.start + first, stops, step, "mg/d")
        if self.number == 0:
            pulsed = self.rng.random(len(self.who)) < self.given["pulses"]
            for day in range(3):
                on = self.start[pulsed] + day
                self.rows.add(self.who[pulsed], "methylprednisolone", on, on, 500.0, "mg")


def _background(
    rng: np.random.Generator, rows: _Rows, takes_hcq: Flags, parameters: Parameters
) -> None:
    given = parameters["regimens"]["given"]
    patients = rows.patients
    known = patients.index_day - patients.onset_day
    who = np.flatnonzero(takes_hcq)
    start = -np.minimum(known, rng.integers(0, 900, len(patients)))[who]
    dose = np.where(patients.weight[who] * 5 >= 400, 400.0, 300.0)
    endless = np.full(len(patients), NEVER)
    rows.add(who, "hydroxychloroquine", start, endless[who], dose, "mg/d")
    who = np.flatnonzero(rng.random(len(patients)) < given["raas_inhibitor"])
    start = rng.integers(-60, 60, len(who))
    start = np.maximum(start, -known[who])
    rows.add(who, "raas_inhibitor", start, endless[who], np.nan, "mg/d")


def treatments_table(
    rng: np.random.Generator,
    patients: Patients,
    courses: Courses,
    takes_hcq: Flags,
    parameters: Parameters,
) -> pd.DataFrame:
    """Return the table ``treatments``.

    Parameters
    ----------
    rng : Generator
    patients : Patients
    courses : Courses
    takes_hcq : ndarray of bool, shape (n_patients,)
        Who is on hydroxychloroquine.
    parameters : mapping
    """
    given, n = parameters["regimens"]["given"], len(patients)
    recent = patients.index_day >= np.datetime64("2021-02-01").astype(np.int64)
    acid = rng.random(n) < given["mycophenolic_acid"]
    voclosporin = recent & (rng.random(n) < given["voclosporin"])
    drugs = {
        "mycophenolate": np.where(acid, "mycophenolic_acid", "mycophenolate_mofetil").astype(
            object
        ),
        "cni": np.where(voclosporin, "voclosporin", "tacrolimus").astype(object),
    }
    rows = _Rows(patients, courses)
    for number in range(MOST_COURSES):
        course = _CourseRows(rng, rows, number, drugs, parameters)
        course.mycophenolate()
        course.calcineurin_inhibitor()
        course.infusions()
        course.maintenance()
        course.prednisone(*given["prednisone_mg"])
    _background(rng, rows, takes_hcq, parameters)
    return rows.table()


def adherence_table(
    rng: np.random.Generator, patients: Patients, courses: Courses, parameters: Parameters
) -> pd.DataFrame:
    """Return the table ``adherence``: refills, self-reports and missed infusions.

    Parameters
    ----------
    rng : Generator
    patients : Patients
    courses : Courses
    parameters : mapping
    """
    adherence, n = parameters["adherence"], len(patients)
    at_site = {
        name: per_site(parameters, name, patients.site) for name in ("refills", "self_report")
    }
    refills = rng.random(n) < at_site["refills"]
    reports = rng.random(n) < at_site["self_report"]
    blocks = []
    grid = np.arange(0, 1600, REPORTED_EVERY)
    person = np.repeat(np.arange(n), len(grid))
    first = np.tile(grid, n)
    last = first + REPORTED_EVERY - 1
    seen = last <= np.minimum(courses.last_day, courses.kidney_failure)[person]
    person, first, last = person[seen], first[seen], last[seen]
    course = courses.course_on(person, (first + last) // 2)
    taken = courses.share[person, course]
    oral = np.isin(courses.regimen[person, course].astype(str), WITH_MYCOPHENOLATE)
    told = taken + (1 - taken) * adherence["self_report_optimism"]
    for measure, chosen, value, error in (
        ("pdc", refills[person] & oral, taken, adherence["refill_error"]),
        ("self_report", reports[person] & (rng.random(len(person)) < 0.6), told,
         adherence["self_report_error"]),
    ):  # fmt: skip
        seen_value = np.clip(rng.normal(value[chosen], error), 0, 1).round(2)
        block = {"who": person[chosen], "start": first[chosen], "end": last[chosen]}
        blocks.append(pd.DataFrame({**block, "measure": measure, "value": seen_value}))
    blocks.append(_missed_infusions(rng, courses))
    rows = pd.concat(blocks, ignore_index=True).sort_values(["who", "start"], kind="stable")
    who = rows["who"].to_numpy()
    index = patients.index_day[who]
    return pd.DataFrame(
        {
            "patient_id": patients.identifiers[who],
            "start_date": as_dates(rows["start"].to_numpy() + index),
            "end_date": as_dates(rows["end"].to_numpy() + index),
            "measure": rows["measure"].to_numpy(),
            "value": rows["value"].to_numpy(),
            "drug": pd.Series(pd.NA, index=range(len(rows)), dtype="str"),
        }
    )


def _missed_infusions(rng: np.random.Generator, courses: Courses) -> pd.DataFrame:
    """Return counts of missed infusions over the first 11 weeks of courses with infusions."""
    infused = np.isin(courses.regimen.astype(str), ("CYC_LOW", "CYC_HIGH", "MPA_BEL"))
    end = courses.start + 77
    over = np.minimum(courses.last_day, courses.kidney_failure)[:, None]
    reported = infused & (end <= over) & (rng.random(infused.shape) < 0.7)
    who, number = np.nonzero(reported)
    count = rng.binomial(5, courses.infusions_missed[who, number]).astype(float)
    at = (who, number)
    rows = {"who": who, "start": courses.start[at], "end": end[at]}
    return pd.DataFrame({**rows, "measure": "missed_infusions", "value": count})
