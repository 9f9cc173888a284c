"""Simulated treatments: the rows that a site would write about courses.

Assumes that prescriptions are recorded completely, apart from some doses; what was prescribed and
not taken looks the same here.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import NEVER, Days, as_dates
from .courses import MOST_COURSES, Courses
from .infusions import SCHEDULES, infusions_of
from .patients import Names, Numbers
from .regimens import WITH_MYCOPHENOLATE
from .world import World

__all__ = ["anchor_rows", "treatments_table"]

VOCLOSPORIN_FROM = np.datetime64("2021-02-01").astype(np.int64)
ACID_PER_MOFETIL = 0.72
TAPER_DAYS = (0, 14, 28, 56, 84, 168)
TAPER_SHARES = (1.0, 0.75, 0.5, 0.3, 0.2, 0.12)
DRUGS = (
    "azathioprine",
    "belimumab",
    "cyclophosphamide",
    "hydroxychloroquine",
    "methylprednisolone",
    "mycophenolate_mofetil",
    "mycophenolic_acid",
    "obinutuzumab",
    "prednisone",
    "raas_inhibitor",
    "rituximab",
    "sglt2_inhibitor",
    "tacrolimus",
    "voclosporin",
)
UNITS = ("mg", "mg/d", "mg/kg", "mg/m2")
REASONS = ("completed", "inefficacy", "intolerance", "other")
# Slots under which the recording of a dose is drawn, per course.
MYCOPHENOLATE, CNI, MAINTENANCE, INFUSIONS = 0, 8, 12, 32


def _codes(vocabulary: tuple[str, ...], words: str | Names, n: int) -> Days:
    """Return positions in a vocabulary; -1 for the empty word."""
    if isinstance(words, str):
        return np.full(n, vocabulary.index(words) if words else -1, dtype=np.int64)
    return sum(
        (np.where(words == word, i + 1, 0) for i, word in enumerate(vocabulary)),
        np.full(n, -1, dtype=np.int64),
    )


class _Rows:
    """Blocks of rows; days count from the index date."""

    def __init__(self, world: World) -> None:
        self.world, self.draws = world, world.draws
        self.patients, self.courses = world.patients, world.courses
        self.given = world.parameters["regimens"]["given"]
        self.blocks: list[dict[str, npt.NDArray[Any]]] = []

    def recorded(self, dose: Numbers, who: Days, slot: Days | int, start: Days) -> Numbers:
        """Return doses as recorded: some are not."""
        missing = self.draws.uniform("dose_recorded", who, slot, start) < self.given["dose_missing"]
        return np.where(missing, np.nan, dose)

    def add(
        self,
        who: Days,
        drug: str | Names,
        start: Days,
        end: Days,
        dose: Numbers | float,
        unit: str,
        reason: str | Names = "",
    ) -> None:
        """Add rows; a dose of nan is not recorded, a row that starts after its end is none.

        Nothing starts after the last contact or kidney failure, which also ends what runs.
        """
        n, courses = len(who), self.courses
        last, failure = courses.last_day[who], courses.kidney_failure[who]
        doses = np.broadcast_to(np.asarray(dose, dtype=np.float64), n)
        code = _codes(REASONS, reason, n)
        code = np.where(end > failure, REASONS.index("other"), code)
        stop = np.minimum(end, failure)
        ongoing = stop > last
        kept = (start <= end) & (start <= np.minimum(last, failure))
        block = {
            "who": who,
            "start": start,
            "end": np.where(ongoing, NEVER, stop),
            "drug": _codes(DRUGS, drug, n),
            "dose": doses,
            "dose_unit": np.where(np.isnan(doses), -1, _codes(UNITS, unit, n)),
            "stop_reason": np.where(ongoing, -1, code),
        }
        self.blocks.append({name: column[kept] for name, column in block.items()})

    def table(self) -> pd.DataFrame:
        """Return the rows: who, start, end, drug, dose, dose_unit, stop_reason."""
        columns = {
            name: np.concatenate([block[name] for block in self.blocks]) for name in self.blocks[0]
        }
        order = np.lexsort((columns["drug"], columns["start"], columns["who"]))
        table = pd.DataFrame({name: column[order] for name, column in columns.items()})
        words = {"drug": DRUGS, "dose_unit": UNITS, "stop_reason": REASONS}
        for name, vocabulary in words.items():
            categories = pd.Index(vocabulary, dtype="str")
            table[name] = pd.Categorical.from_codes(columns[name][order], categories=categories)
        return table


class _CourseRows:
    """The rows of one course of everyone who has it."""

    def __init__(self, rows: _Rows, number: int) -> None:
        courses = rows.courses
        self.rows, self.draws, self.number = rows, rows.draws, number
        self.who = np.flatnonzero(courses.start[:, number] < NEVER)
        self.regimen = courses.regimen[self.who, number]
        self.start = courses.start[self.who, number]
        following = next_start(courses)[self.who, number]
        self.end = np.where(following < NEVER, following - 1, NEVER)
        self.ends = following < NEVER
        self.reason = np.where(self.ends, courses.why_ended[self.who, number], "")
        later = courses.regimen[self.who, min(number + 1, MOST_COURSES - 1)]
        self.continues = self.ends & np.isin(later, WITH_MYCOPHENOLATE)

    def slot(self, slot: int | Days) -> int | Days:
        """Return the number of a draw within this course."""
        return self.number * 1000 + slot

    def mycophenolate(self) -> None:
        """Add the ramp, the target dose, and the lower dose of maintenance."""
        on = np.isin(self.regimen, WITH_MYCOPHENOLATE)
        who, start, end = self.who[on], self.start[on], self.end[on]
        before = self.rows.courses.regimen[who, max(self.number - 1, 0)]
        ramp = np.where(np.isin(before, WITH_MYCOPHENOLATE) & (self.number > 0), 0, 14)
        target = self.rows.courses.mycophenolate_mg[who, self.number]
        lower = self.draws.waiting_within("lower_dose", who, self.number, start, [330.0, 480.0], 1)
        reason = np.where(self.continues[on], "", self.reason[on])
        spans = (
            (start, start + ramp - 1, np.minimum(target, 1000.0)),
            (start + ramp, lower - 1, target),
            (lower, np.full(len(who), NEVER), np.maximum(target * 0.6, 500.0)),
        )
        for i, (first, last, dose) in enumerate(spans):
            stops = np.minimum(last, end)
            why = np.where(stops == end, reason, "")
            self._mycophenolate_rows(who, first, stops, dose, why, MYCOPHENOLATE + i)

    def _mycophenolate_rows(
        self, who: Days, first: Days, last: Days, dose: Numbers, why: Names, slot: int
    ) -> None:
        acid = (self.draws.uniform("acid") < self.rows.given["mycophenolic_acid"])[who]
        drug = np.where(acid, "mycophenolic_acid", "mycophenolate_mofetil")
        milligrams = np.where(acid, dose * ACID_PER_MOFETIL, dose).round()
        recorded = self.rows.recorded(milligrams, who, self.slot(slot), first)
        self.rows.add(who, drug, first, last, recorded, "mg/d", why)

    def calcineurin_inhibitor(self) -> None:
        """Add tacrolimus or voclosporin."""
        on = self.regimen == "MPA_CNI"
        who, start = self.who[on], self.start[on]
        chosen = self.draws.uniform("voclosporin") < self.rows.given["voclosporin"]
        voclosporin = (chosen & (self.rows.patients.index_day >= VOCLOSPORIN_FROM))[who]
        drug = np.where(voclosporin, "voclosporin", "tacrolimus")
        dose = np.where(voclosporin, 47.4, 4.0)
        dose = self.rows.recorded(dose, who, self.slot(CNI), start)
        self.rows.add(who, drug, start, self.end[on], dose, "mg/d", self.reason[on])

    def infusions(self) -> None:
        """Add one row per infusion that was given; the last of all says that it was completed."""
        for name in SCHEDULES:
            on = self.regimen == name
            course = (self.rows.courses, name, self.number, self.who[on], self.end[on])
            infusions = infusions_of(self.draws, *course)
            schedule, place = infusions.schedule, np.arange(len(infusions.schedule.days))
            person, at = np.nonzero(infusions.given)
            who, day = infusions.who[person], infusions.day[person, at]
            why = np.where(place[at] == len(place) - 1, "completed", "")
            dose = np.full(len(who), schedule.dose)
            dose = self.rows.recorded(dose, who, self.slot(INFUSIONS + at), day)
            self.rows.add(who, schedule.drug, day, day, dose, schedule.unit, why)

    def maintenance(self) -> None:
        """Add what follows cyclophosphamide."""
        on = np.isin(self.regimen, ("CYC_LOW", "CYC_HIGH"))
        who, end, reason = self.who[on], self.end[on], self.reason[on]
        first = self.rows.courses.maintenance[who, self.number]
        azathioprine = self.rows.courses.azathioprine[who, self.number]
        aza, mpa = np.flatnonzero(azathioprine), np.flatnonzero(~azathioprine)
        slot = self.slot(MAINTENANCE)
        dose = self.rows.recorded(np.full(len(aza), 100.0), who[aza], slot, first[aza])
        self.rows.add(who[aza], "azathioprine", first[aza], end[aza], dose, "mg/d", reason[aza])
        why = np.where(self.continues[on], "", reason)[mpa]
        dose = np.full(len(mpa), 2000.0)
        self._mycophenolate_rows(who[mpa], first[mpa], end[mpa], dose, why, MAINTENANCE)

    def prednisone(self, low: float, high: float) -> None:
        """Add a taper, and pulses for some at the first course."""
        drawn = self.draws.uniform("prednisone", self.who, self.number, self.start)
        dose = (low + (high - low) * drawn) * (1.0 if self.number == 0 else 0.6)
        dose = np.maximum((dose / 5.0).round() * 5.0, 10.0)
        until = (*TAPER_DAYS[1:], NEVER)
        for share, first, last in zip(TAPER_SHARES, TAPER_DAYS, until, strict=True):
            step = np.maximum((dose * share / 2.5).round() * 2.5, 2.5)
            stops = np.minimum(self.start + last - 1, self.end)
            stops = np.where(last == NEVER, self.end, stops)
            self.rows.add(self.who, "prednisone", self.start + first, stops, step, "mg/d")
        if self.number == 0:
            pulsed = self.draws.uniform("pulsed", self.who) < self.rows.given["pulses"]
            for day in range(3):
                on = self.start[pulsed] + day
                self.rows.add(self.who[pulsed], "methylprednisolone", on, on, 500.0, "mg")


def next_start(courses: Courses) -> Days:
    """Return when the course after each one starts, shape (n_patients, 3)."""
    never = np.full((len(courses.start), 1), NEVER)
    return np.hstack([courses.start[:, 1:], never])


def _background(rows: _Rows) -> None:
    draws, patients = rows.draws, rows.patients
    known = patients.index_day - patients.onset_day
    who = np.flatnonzero(patients.takes_hcq)
    start = np.floor(900 * draws.uniform("hcq_start")).astype(np.int64)
    start = -np.minimum(known, start)[who]
    dose = np.where(patients.weight[who] * 5 >= 400, 400.0, 300.0)
    rows.add(who, "hydroxychloroquine", start, np.full(len(who), NEVER), dose, "mg/d")
    who = np.flatnonzero(draws.uniform("raas") < rows.given["raas_inhibitor"])
    start = np.floor(-60 + 120 * draws.uniform("raas_start", who)).astype(np.int64)
    start = np.maximum(start, -known[who])
    rows.add(who, "raas_inhibitor", start, np.full(len(who), NEVER), np.nan, "mg/d")
    settings = rows.given["sglt2_inhibitor"]
    who = np.flatnonzero(draws.uniform("sglt2") < settings["share"])
    since = np.datetime64(settings["since"]).astype(np.int64)
    start = np.floor(-30 + 500 * draws.uniform("sglt2_start", who)).astype(np.int64)
    start = np.maximum(start, since - patients.index_day[who])
    rows.add(who, "sglt2_inhibitor", start, np.full(len(who), NEVER), np.nan, "mg/d")


def anchor_rows(world: World) -> pd.DataFrame:
    """Return the rows of anchors, rescue and maintenance, days from the index date."""
    rows = _Rows(world)
    _anchors(rows)
    return rows.table()


def _anchors(rows: _Rows) -> None:
    for number in range(MOST_COURSES):
        course = _CourseRows(rows, number)
        course.mycophenolate()
        course.calcineurin_inhibitor()
        course.infusions()
        course.maintenance()


def treatments_table(world: World) -> pd.DataFrame:
    """Return the table ``treatments``."""
    rows = _Rows(world)
    _anchors(rows)
    for number in range(MOST_COURSES):
        _CourseRows(rows, number).prednisone(*rows.given["prednisone_mg"])
    _background(rows)
    cut = rows.table()
    who = cut["who"].to_numpy()
    index, end = world.patients.index_day[who], cut["end"].to_numpy()
    return pd.DataFrame(
        {
            "patient_id": world.patients.identifiers[who],
            "drug": cut["drug"].to_numpy(dtype=object),
            "start_date": as_dates(cut["start"].to_numpy() + index),
            "end_date": as_dates(np.where(end < NEVER, end + index, NEVER)),
            "dose": cut["dose"].to_numpy(),
            "dose_unit": cut["dose_unit"].to_numpy(dtype=object),
            "stop_reason": cut["stop_reason"].to_numpy(dtype=object),
        }
    )
