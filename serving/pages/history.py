"""What was measured and taken, from a checked registry, in the units that were entered.

Assumes a registry of one patient as known on the day; whoever entered UPCR in mg/mmol reads it, and
its targets, in mg/mmol.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...features.days import NEVER, as_days, day_of
from ...features.egfr import egfr_history
from ...features.history import history_of
from ...features.registry import Registry
from ...features.vocabulary import analytes, drugs
from ...model.definition import Definition
from ..assessment import Assessment
from ..criteria import date_of
from ..explained_label import Course
from .entry import Entry
from .timeline import Band, Dose, Mark, Panel, Point, Segment, Timeline
from .words import Words

__all__ = ["Taken", "Value", "proteinuria_of", "taken_of", "timeline_of", "upcr_unit", "values_of"]

DAYS_BEFORE = 182
DAYS_PER_MONTH = 365.25 / 12
UPCR_HEIGHT, EGFR_HEIGHT = 190.0, 120.0
ROLES = ("anchor", "rescue", "maintenance", "background", "other")


@dataclass(frozen=True)
class Value:
    """One value of a figure: day, value in the unit shown, as entered and as shown."""

    day: int
    date: datetime.date
    value: float
    entered: str
    shown: str


@dataclass(frozen=True)
class Taken:
    """One drug: its name, doses in words and in few, its role, its times since 1970-01-01."""

    name: str
    said: str
    short: str
    role: str
    times: tuple[tuple[int, int, float, bool], ...]
    """First day, last day, share of the highest dose, whether it is still taken."""
    rows: tuple[tuple[datetime.date, datetime.date | None, str], ...]


def upcr_unit(entry: Entry) -> str:
    """Return the unit in which most UPCR were entered, of those that are accepted."""
    accepted = analytes()["upcr"].units
    units = Counter(
        row.get("unit", "") for row in entry.rows("measurements") if row.get("analyte") == "upcr"
    )
    return next((unit for unit, _ in units.most_common() if unit in accepted), "mg/g")


def _entered(entry: Entry, row: int, words: Words) -> str:
    rows = entry.rows("measurements")
    if not 1 <= row <= len(rows):
        return ""
    cells = rows[row - 1]
    value = f"{cells.get('comparator', '')}{cells.get('value', '')}"
    name = words.name("analyte", cells.get("analyte", ""))
    return f"{name} {value} {words.unit(cells.get('unit', ''))}"


def _rows_by_day(registry: Registry, names: tuple[str, ...]) -> dict[int, int]:
    table = registry.measurements
    chosen = table["analyte"].isin(names).to_numpy()
    days = as_days(table["date"])[chosen].tolist()
    return dict(zip(days, table["row"].to_numpy()[chosen].tolist(), strict=True))


def proteinuria_of(registry: Registry, entry: Entry, words: Words) -> tuple[Value, ...]:
    """Return UPCR in the unit entered; protein in 24 h, read as g/g, where no UPCR exists."""
    unit = upcr_unit(entry)
    upcr = history_of(registry, "upcr")
    history = upcr if len(upcr) else history_of(registry, "protein_24h")
    names = ("upcr",) if len(upcr) else ("protein_24h",)
    factor = 1.0 / analytes()["upcr"].units[unit]
    return _values(registry, entry, words, names, history.day, history.value * factor, unit)


def values_of(registry: Registry, entry: Entry, words: Words) -> tuple[Value, ...]:
    """Return eGFR."""
    history = egfr_history(registry)
    unit = analytes()["egfr"].unit
    names = ("egfr", "creatinine")
    return _values(registry, entry, words, names, history.day, history.value, unit)


def _values(
    registry: Registry,
    entry: Entry,
    words: Words,
    names: tuple[str, ...],
    days: Iterable[int],
    values: Iterable[float],
    unit: str,
) -> tuple[Value, ...]:
    rows = {day: row for name in names for day, row in _rows_by_day(registry, (name,)).items()}
    found = []
    for day, value in zip(np.asarray(days).tolist(), np.asarray(values).tolist(), strict=True):
        shown = words.say("format.value", value=words.number(value), unit=words.unit(unit))
        date = date_of(day)
        assert date is not None
        found.append(Value(day, date, value, _entered(entry, rows.get(day, 0), words), shown))
    return tuple(found)


def taken_of(registry: Registry, words: Words) -> tuple[Taken, ...]:
    """Return what was taken, standard induction first, each drug once."""
    table = registry.treatments
    found = []
    for drug, rows in table.groupby("drug", observed=True, sort=False):
        known = drugs().get(str(drug))
        start, end = as_days(rows["start_date"]), as_days(rows["end_date"])
        dose, unit = rows["dose"].to_numpy(), rows["dose_unit"].astype(str).fillna("").tolist()
        most = np.nanmax(dose) if (~np.isnan(dose)).any() else 1.0
        share = np.where(np.isnan(dose), 1.0, dose / max(most, 1e-9))
        order = np.argsort(start, kind="stable").tolist()
        said = [_dose(dose[i], unit[i], words) for i in order]
        found.append(
            Taken(
                words.name("drug", str(drug)),
                *_doses(said, bool((start == end).all()), words),
                known.role if known else "other",
                tuple(
                    (int(start[i]), int(end[i]), float(share[i]), bool(end[i] == NEVER))
                    for i in order
                ),
                tuple(
                    (_date(start[i]), date_of(end[i]), text)
                    for i, text in zip(order, said, strict=True)
                ),
            )
        )
    return tuple(sorted(found, key=lambda t: (ROLES.index(t.role), t.times[0][0])))


def _date(day: int) -> datetime.date:
    date = date_of(day)
    assert date is not None
    return date


def _dose(dose: float, unit: str, words: Words) -> str:
    if np.isnan(dose):
        return ""
    return words.say("format.value", value=words.number(dose), unit=words.unit(unit))


def _doses(said: list[str], infused: bool, words: Words) -> tuple[str, str]:
    """Return doses in words and in few: how often where infused, else one after the other."""
    each = [text for text in said if text]
    distinct = list(dict.fromkeys(each))
    if infused and len(distinct) == 1 and len(each) > 1:
        times = words.say("course_of.times", count=len(each), dose=distinct[0])
        return times, times
    changes = [text for i, text in enumerate(each) if i == 0 or each[i - 1] != text]
    if len(changes) < 2:
        return "".join(changes), "".join(changes)
    short = words.say("course_of.from_to", first=changes[0], last=changes[-1])
    return (short if len(changes) > 3 else words.texts["course_of.then"].join(changes)), short


def timeline_of(
    assessment: Assessment,
    definition: Definition,
    proteinuria: tuple[Value, ...],
    egfr: tuple[Value, ...],
    taken: tuple[Taken, ...],
    unit: str,
    words: Words,
) -> Timeline:
    """Return the figure of a patient's course, in days since the index date."""
    values = [value.day for value in (*proteinuria, *egfr)]
    day, index = day_of(assessment.as_of), assessment.label.index_date
    days = [*values, *(time[0] for one in taken for time in one.times), day]
    zero = day_of(index) if index else min(days)
    now = day - zero
    horizon = assessment.horizon.days if index else now
    scene = _Scene(assessment.label.courses, definition, zero, words)
    return Timeline(
        (scene.upcr(proteinuria, unit), scene.egfr(egfr)),
        tuple(_band(one, zero) for one in taken),
        scene.windows(),
        _marks(assessment, now, horizon, words),
        max(min([*values, zero]) - zero, -DAYS_BEFORE),
        now,
        max(horizon, now),
        words.say("course_of.weeks" if index else "course_of.weeks_first"),
        words.figure,
    )


@dataclass(frozen=True)
class _Scene:
    """What the panels are drawn against: the courses, what the rule asks of them, and day 0."""

    courses: Sequence[Course]
    definition: Definition
    zero: int
    words: Words

    def upcr(self, values: tuple[Value, ...], unit: str) -> Panel:
        say, limits = self.words.say, self.definition.proteinuria
        target = limits.at_target / analytes()["upcr"].units[unit]
        in_unit = self.words.unit(unit)
        shown = say("format.value", value=self.words.number(target), unit=in_unit)
        return Panel(
            "upcr",
            say("course_of.upcr", unit=in_unit),
            self._points(values),
            target,
            say("course_of.target", value=shown),
            self._asked(values, limits.improved_at_most),
            True,
            UPCR_HEIGHT,
        )

    def egfr(self, values: tuple[Value, ...]) -> Panel:
        unit = self.words.unit(analytes()["egfr"].unit)
        return Panel(
            "egfr",
            self.words.say("course_of.egfr", unit=unit),
            self._points(values),
            None,
            "",
            self._asked(values, self.definition.egfr.worsened_at_most),
            False,
            EGFR_HEIGHT,
        )

    def windows(self) -> tuple[tuple[int, int, str], ...]:
        """Return the first and last day on which each course is judged, and what that is."""
        return tuple((*self._window(course), self._said(course)) for course in self.courses)

    def _window(self, course: Course) -> tuple[int, int]:
        start, window = day_of(course.start_date) - self.zero, self.definition.window
        return start + window.first_day, start + window.last_day

    def _said(self, course: Course) -> str:
        return self.words.say(
            "course_of.window",
            number=course.number,
            first=self.words.date(course.window_first),
            last=self.words.date(course.window_last),
        )

    def _points(self, values: tuple[Value, ...]) -> tuple[Point, ...]:
        date = self.words.date
        return tuple(
            Point(v.day - self.zero, v.value, f"{date(v.date)}: {v.shown}") for v in values
        )

    def _asked(self, values: tuple[Value, ...], share: float) -> tuple[Segment, ...]:
        """Return the level that the rule compares with in each course that has a baseline."""
        window, found = self.definition.window, []
        for course in self.courses:
            start = day_of(course.start_date)
            first, last = start + window.baseline_first_day, start + window.baseline_last_day
            before = [value.value for value in values if first <= value.day <= last]
            if before:
                found.append(Segment(*self._window(course), share * before[-1]))
        return tuple(found)


def _band(taken: Taken, zero: int) -> Band:
    doses = tuple(
        Dose(first - zero, last - zero, share, ongoing)
        for first, last, share, ongoing in taken.times
    )
    return Band(taken.name, taken.said, taken.short, taken.role, doses)


def _marks(assessment: Assessment, now: int, horizon: int, words: Words) -> tuple[Mark, ...]:
    marks = [Mark(now, "today", words.say("course_of.today"))]
    landmark = assessment.landmark
    if landmark is not None and landmark.day < now and assessment.status == "ok":
        weeks = words.number(landmark.day / 7)
        marks.append(Mark(landmark.day, "landmark", words.say("course_of.landmark", weeks=weeks)))
    if assessment.label.index_date and horizon > now:
        months = round(horizon / DAYS_PER_MONTH)
        marks.append(Mark(horizon, "horizon", words.say("course_of.horizon", months=months)))
    return tuple(marks)
