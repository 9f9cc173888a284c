"""The risk at each landmark that a patient has reached, with what was known then.

Assumes that the patient is scored again as of each landmark, not that an earlier score was kept: a
model that was replaced since would have said something else.
"""

import datetime
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...features.days import day_of
from ...features.registry import Registry
from ...model.artifact import RiskModel
from ..assessment import Assessment
from ..scoring import Scored, scored
from .moves import Move
from .refused import why_none
from .words import Words

__all__ = ["MoveRow", "moves_of"]

LANDMARK_WEEKS = (0, 4, 8, 12, 16, 20, 26)


@dataclass(frozen=True)
class MoveRow:
    """One landmark in the table behind the figure."""

    week: str
    date: datetime.date
    move: Move
    range: str


def moves_of(
    model: RiskModel, registry: Registry, assessment: Assessment, words: Words
) -> tuple[MoveRow, ...]:
    """Return the risks at the landmarks before the day asked for, then the one of that day.

    Parameters
    ----------
    model : RiskModel
    registry : Registry
        Of this one patient, all that is recorded.
    assessment : Assessment
        Of the day asked for.
    words : Words
    """
    index = assessment.label.index_date
    if index is None:
        return ()
    since = (assessment.as_of - index).days
    rests_on = assessment.landmark.day if assessment.landmark else since
    now = rests_on if assessment.status == "ok" else since
    days = [week * 7 for week in LANDMARK_WEEKS if week * 7 < since and week * 7 != now]
    found = [_now(assessment, now, index + datetime.timedelta(days=now), words)]
    if days:
        copies = _copies(registry, len(days))
        asked = np.array([day_of(index) + day for day in days])
        scores = scored(model, copies, as_of=asked)
        for row, day in enumerate(days):
            found.append(_then(scores, row, day, index + datetime.timedelta(days=day), words))
    return tuple(sorted(found, key=lambda row: row.date))


def _copies(registry: Registry, n: int) -> Registry:
    """Return a registry of one patient `n` times over, to be asked about `n` days at once."""
    names = pd.Series([str(copy) for copy in range(n)], dtype="str")
    tables = {}
    for name, table in registry.tables.items():
        rows = np.tile(np.arange(len(table)), n)
        owner = np.repeat(np.arange(n), len(table))
        repeated = table.iloc[rows].reset_index(drop=True)
        whose = names if name == "patients" else pd.Categorical.from_codes(owner, pd.Index(names))
        tables[name] = repeated.assign(patient_id=whose)
    return registry.with_tables(**tables)


def _then(scores: Scored, row: int, day: int, date: datetime.date, words: Words) -> MoveRow:
    """Return a landmark gone by; a risk that rests on another day is none of that landmark."""
    week, status = f"{day / 7:.0f}", scores.status[row].item()
    name = words.say("moves.week", week=week)
    if status == "ok" and scores.landmark[row] == day:
        ends = (float(scores.lower[row]), float(scores.upper[row]))
        return _given(week, date, name, float(scores.risk[row]), ends, False, words)
    why = words.say("moves.other_landmark")
    if status != "ok":
        why = why_none(status, scores.reasons.get(row), date, words)
    return MoveRow(week, date, Move(name, None, None, None, why, False), "")


def _now(assessment: Assessment, day: int, date: datetime.date, words: Words) -> MoveRow:
    """Return the risk that is shown above."""
    week, name = f"{day / 7:.0f}", words.say("moves.now")
    if assessment.risk is None or assessment.status == "met":
        why = why_none(assessment.status, assessment.reason, assessment.as_of, words)
        return MoveRow(week, date, Move(name, None, None, None, why, True), "")
    interval = assessment.interval
    ends = (interval.lower, interval.upper) if interval else (math.nan, math.nan)
    return _given(week, date, name, assessment.risk, ends, True, words)


def _given(
    week: str,
    date: datetime.date,
    name: str,
    risk: float,
    ends: tuple[float, float],
    now: bool,
    words: Words,
) -> MoveRow:
    lower, upper = (None if math.isnan(end) else 100 * end for end in ends)
    spread = ""
    if lower is not None:
        said = {"lower": f"{100 * ends[0]:.0f}", "upper": f"{100 * ends[1]:.0f}"}
        spread = words.say("format.range_percent", **said)
    move = Move(name, 100 * risk, lower, upper, words.percent(risk), now)
    return MoveRow(week, date, move, spread)
