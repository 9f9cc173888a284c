"""Simulated adherence records: the latent state of a course, seen through refills and reports.

Assumes that refills show the share of doses taken with little error, that reports own up to a part
of what was missed, that clinicians notice a part of the nonadherent, and that clinics count the
infusions and visits that were missed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import Days, as_dates
from .courses import MOST_COURSES
from .infusions import infusions_of
from .patients import Numbers, per_site
from .recording import recorded_day
from .regimens import WITH_MYCOPHENOLATE
from .treatments import next_start
from .world import World

__all__ = ["adherence_rows", "adherence_table"]

Block = dict[str, npt.NDArray[Any]]

REPORTED_EVERY, JUDGED_EVERY = 42, 84
COUNTED_UNTIL = 77
LONGEST = 1600
MEASURES = ("clinician", "missed_infusions", "missed_visits", "pdc", "self_report")


def _block(who: Days, start: Days, end: Days, measure: str, value: Numbers) -> Block:
    code = np.full(len(who), MEASURES.index(measure))
    return {"who": who, "start": start, "end": end, "measure": code, "value": value}


def _spans(world: World, every: int) -> tuple[Days, Days, Days]:
    """Return who, first and last day of the spans that are over before follow-up is."""
    courses, n = world.courses, len(world.draws)
    grid = np.arange(0, LONGEST, every)
    person, first = np.repeat(np.arange(n), len(grid)), np.tile(grid, n)
    last = first + every - 1
    seen = last <= np.minimum(courses.last_day, courses.kidney_failure)[person]
    return person[seen], first[seen], last[seen]


def _shares(world: World) -> list[Block]:
    """Return refills and self-reports, one row per patient and six weeks."""
    draws, courses, parameters = world.draws, world.courses, world.parameters
    adherence, site = parameters["adherence"], world.patients.site
    person, first, last = _spans(world, REPORTED_EVERY)
    course = courses.course_on(person, (first + last) // 2)
    taken = courses.share[person, course]
    told = taken + (1 - taken) * adherence["self_report_optimism"]
    oral = np.isin(courses.regimen[person, course], WITH_MYCOPHENOLATE)
    refilled = (draws.uniform("refills") < per_site(parameters, "refills", site))[person] & oral
    asked = draws.uniform("reports") < per_site(parameters, "self_report", site)
    asked = asked[person] & (draws.uniform("asked", person, first, last) < 0.6)
    blocks = []
    for measure, chosen, value, error in (
        ("pdc", refilled, taken, adherence["refill_error"]),
        ("self_report", asked, told, adherence["self_report_error"]),
    ):
        at = (person[chosen], first[chosen], last[chosen])
        value = value[chosen] + error * draws.normal(f"{measure}_error", *at)
        blocks.append(_block(*at, measure, np.clip(value, 0, 1).round(2)))
    return blocks


def _missed_infusions(world: World) -> list[Block]:
    """Return counts of missed infusions over the first 11 weeks of courses with infusions."""
    draws, courses = world.draws, world.courses
    over = np.minimum(courses.last_day, courses.kidney_failure)
    blocks = []
    for number in range(MOST_COURSES):
        end = courses.start[:, number] + COUNTED_UNTIL
        last = np.minimum(over, next_start(courses)[:, number] - 1)
        counted = draws.uniform("counted", None, number, end) < 0.7
        for name in ("CYC_LOW", "CYC_HIGH", "MPA_BEL"):
            chosen = counted & (courses.regimen[:, number] == name) & (end <= last)
            who: Days = np.flatnonzero(chosen)
            infusions = infusions_of(draws, courses, name, number, who, end[who])
            count = (infusions.due & ~infusions.given).sum(axis=1).astype(float)
            start = courses.start[who, number]
            blocks.append(_block(who, start, end[who], "missed_infusions", count))
    return blocks


def _opinions(world: World) -> Block:
    """Return what clinicians think, one row per patient and twelve weeks, the same in a course."""
    draws, courses, settings = world.draws, world.courses, world.parameters["adherence"]
    asked = per_site(world.parameters, "clinician", world.patients.site)
    person, first, last = _spans(world, JUDGED_EVERY)
    judged = (draws.uniform("judged") < asked)[person]
    person, first, last = person[judged], first[judged], last[judged]
    course = courses.course_on(person, (first + last) // 2)
    adherent, begun = courses.adherent[person, course], courses.start[person, course]
    opinion = settings["clinician_says_nonadherent"]
    doubted = np.where(adherent, opinion["adherent"], opinion["nonadherent"])
    trusted = draws.uniform("clinician", person, course, begun) >= doubted
    return _block(person, first, last, "clinician", trusted.astype(float))


def _missed_visits(world: World) -> Block:
    """Return counts of missed visits, one row per patient and twelve weeks."""
    visits, share = world.visits, world.parameters["adherence"]["visits_counted"]
    person, first, last = _spans(world, JUDGED_EVERY)
    spans = LONGEST // JUDGED_EVERY + 1
    inside = visits.missed_day < spans * JUDGED_EVERY
    span = visits.missed_person[inside] * spans + visits.missed_day[inside] // JUDGED_EVERY
    missed = np.bincount(span, minlength=len(world.draws) * spans)
    counted = (world.draws.uniform("visits_counted") < share)[person]
    person, first, last = person[counted], first[counted], last[counted]
    count = missed[person * spans + first // JUDGED_EVERY].astype(float)
    return _block(person, first, last, "missed_visits", count)


def adherence_rows(world: World) -> pd.DataFrame:
    """Return the rows of adherence: who, start, end (from the index date), measure, value."""
    blocks = [*_shares(world), *_missed_infusions(world), _opinions(world), _missed_visits(world)]
    columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    order = np.lexsort((columns["measure"], columns["start"], columns["who"]))
    rows = pd.DataFrame({name: column[order] for name, column in columns.items()})
    categories = pd.Index(MEASURES, dtype="str")
    return rows.assign(measure=pd.Categorical.from_codes(rows["measure"], categories=categories))


def adherence_table(world: World) -> pd.DataFrame:
    """Return the table ``adherence``: refills, self-reports and missed infusions."""
    rows = adherence_rows(world)
    who = rows["who"].to_numpy()
    index = world.patients.index_day[who]
    recorded = recorded_day(world, who, rows["end"].to_numpy())
    return pd.DataFrame(
        {
            "patient_id": world.patients.identifiers[who],
            "start_date": as_dates(rows["start"].to_numpy() + index),
            "end_date": as_dates(rows["end"].to_numpy() + index),
            "measure": rows["measure"].to_numpy(dtype=object),
            "value": rows["value"].to_numpy(),
            "drug": pd.Series(pd.NA, index=range(len(rows)), dtype="str"),
            "recorded_on": as_dates(recorded),
        }
    )
