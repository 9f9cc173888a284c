"""A simulated world as a registry in memory, with what the rule-based label reads.

Assumes that values are as each centre prints them, turned back into canonical units; a test holds
that to reading the bundle itself.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import NEVER, Days, as_dates
from ...features.reading import Source
from ...features.registry import Registry
from ...features.tables import TABLES
from .adherence import adherence_rows
from .measurements import ANALYTES, COMPARATORS, measured_by_rule
from .recording import recorded_day
from .treatments import anchor_rows
from .world import World

__all__ = ["registry_of"]


class _Rows:
    """Turns rows of a world into tables of a registry."""

    def __init__(self, world: World) -> None:
        self.index = world.patients.index_day
        self.identifiers = pd.Index([str(row) for row in range(len(world.patients))], dtype="str")

    def patient(self, who: Days) -> "pd.Categorical[Any]":
        """Return identifiers; the codes are rows of the world."""
        return pd.Categorical.from_codes(who, categories=self.identifiers)

    def dates(self, who: Days, day: Days) -> npt.NDArray[np.datetime64]:
        """Return dates; `NEVER` is none."""
        return as_dates(np.where(day < NEVER, day + self.index[who], NEVER))

    def table(self, name: str, **columns: Any) -> pd.DataFrame:
        """Return a table with all its columns, those not given empty."""
        n = len(next(iter(columns.values())))
        given = {**columns, "row": np.arange(n, dtype=np.int64)}
        for column in TABLES[name]:
            if column.name not in given:
                given[column.name] = _empty(column.kind, n)
        return pd.DataFrame(given)


def _empty(kind: str, n: int) -> Any:
    if kind.endswith("date"):
        return np.full(n, np.datetime64("NaT"), dtype="datetime64[s]")
    if kind == "number":
        return np.full(n, np.nan)
    return pd.Categorical.from_codes(np.full(n, -1), categories=pd.Index([], dtype="str"))


def _choice(texts: npt.NDArray[Any]) -> "pd.Categorical[Any]":
    """Return texts as a categorical; an empty one is missing."""
    distinct, code = np.unique(texts.astype(str), return_inverse=True)
    if len(distinct) and distinct[0] == "":
        distinct, code = distinct[1:], code - 1
    return pd.Categorical.from_codes(code, categories=pd.Index(distinct, dtype="str"))


def _measurements(world: World, rows: _Rows) -> pd.DataFrame:
    measured = measured_by_rule(world)
    units = pd.Index([unit for unit, _ in ANALYTES.values()], dtype="str")
    names = pd.Index(list(ANALYTES), dtype="str")
    unit, distinct = pd.factorize(units)
    comparators = pd.Index(COMPARATORS[1:], dtype="str")
    return rows.table(
        "measurements",
        patient_id=rows.patient(measured.person),
        date=rows.dates(measured.person, measured.day),
        analyte=pd.Categorical.from_codes(measured.analyte, categories=names),
        value=measured.value / measured.factor,
        unit=pd.Categorical.from_codes(unit[measured.analyte], categories=distinct),
        comparator=pd.Categorical.from_codes(measured.comparator - 1, categories=comparators),
        recorded_on=as_dates(recorded_day(world, measured.person, measured.day)),
    )


def _treatments(world: World, rows: _Rows) -> pd.DataFrame:
    cut = anchor_rows(world)
    who = cut["who"].to_numpy()
    return rows.table(
        "treatments",
        patient_id=rows.patient(who),
        drug=cut["drug"].array,
        start_date=rows.dates(who, cut["start"].to_numpy()),
        end_date=rows.dates(who, cut["end"].to_numpy()),
        dose=cut["dose"].to_numpy(),
        dose_unit=cut["dose_unit"].array,
        stop_reason=cut["stop_reason"].array,
    )


def _adherence(world: World, rows: _Rows) -> pd.DataFrame:
    seen = adherence_rows(world)
    who = seen["who"].to_numpy()
    return rows.table(
        "adherence",
        patient_id=rows.patient(who),
        start_date=rows.dates(who, seen["start"].to_numpy()),
        end_date=rows.dates(who, seen["end"].to_numpy()),
        measure=seen["measure"].array,
        value=seen["value"].to_numpy(),
        drug=pd.Series([None] * len(who), dtype="str"),
        recorded_on=as_dates(recorded_day(world, who, seen["end"].to_numpy())),
    )


def _events(world: World, rows: _Rows) -> pd.DataFrame:
    courses = world.courses
    days = {
        "last_contact": courses.last_day,
        "death": courses.death,
        "kidney_failure": courses.kidney_failure,
    }
    who = {event: np.flatnonzero(day < NEVER) for event, day in days.items()}
    everyone = np.concatenate(list(who.values()))
    day = np.concatenate([days[event][some] for event, some in who.items()])
    event = np.repeat(list(who), [len(some) for some in who.values()])
    order = np.lexsort((day, everyone))
    everyone, day = everyone[order], day[order]
    return rows.table(
        "events",
        patient_id=rows.patient(everyone),
        date=rows.dates(everyone, day),
        event=_choice(event[order]),
    )


def registry_of(world: World) -> Registry:
    """Return a world as a registry of what the rule-based label reads.

    Parameters
    ----------
    world : World

    Returns
    -------
    Registry
        Its patients are the rows of the world. Biopsies, drugs that the rule does not read, and
        analytes that it does not read are left out.
    """
    rows, patients = _Rows(world), world.patients
    nobody = np.zeros(0, dtype=np.int64)
    tables = {
        "patients": rows.table(
            "patients",
            patient_id=pd.Series(rows.identifiers),
            sex=_choice(np.where(patients.female, "female", "male")),
            birth_date=as_dates(patients.birth_day),
        ),
        "measurements": _measurements(world, rows),
        "treatments": _treatments(world, rows),
        "adherence": _adherence(world, rows),
        "events": _events(world, rows),
        "biopsies": rows.table("biopsies", patient_id=rows.patient(nobody)),
        "outcomes": rows.table("outcomes", patient_id=rows.patient(nobody)),
    }
    return Registry(tables, Source("replays", "", synthetic=True))
