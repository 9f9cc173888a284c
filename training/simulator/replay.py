"""True risk by replay: each patient's future after a landmark day, drawn again and again.

Assumes that a future is drawn by the same rules as the registry itself, from all that is true on
the landmark day and all that is recorded by then. docs/simulator.md has the estimand.
"""

import copy
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ...features.asof import known_on
from ...features.days import NEVER, Days
from ...model.definition import load_definition
from ...model.judgement import Judgement, judge
from ...model.kleene import UNKNOWN, YES, Answers, answer
from ...model.outcome import met_by_horizon, outcome_by_rule
from .as_registry import registry_of
from .completed import completed
from .courses import Courses, draw_courses
from .draws import Draws
from .ends import followed
from .patients import Flags, Numbers, Parameters
from .visits import draw_visits
from .world import World

__all__ = ["at_risk", "replayed", "true_risk"]

Statuses = npt.NDArray[np.str_]

HORIZON_DAYS = 548
DEFINITION = "arora-2022"
MOST_FUTURES = 40_000  # at a time, for memory


def at_risk(world: World, landmark_days: int) -> Flags:
    """Return who is alive with kidney function and still followed on the landmark day."""
    courses = world.courses
    ended = np.minimum(courses.death, courses.kidney_failure) <= landmark_days
    here: Flags = ~ended & (courses.last_day >= landmark_days)
    return here


def replayed(world: World, person: Days, replay: Days, landmark_days: int) -> World:
    """Return futures of some patients, with the past that they share up to the landmark day.

    Parameters
    ----------
    world : World
        The registry's.
    person, replay : ndarray of int, shape (n_futures,)
        Patients at risk, and which replay of each, from 1.
    landmark_days : int

    Returns
    -------
    World
        Its rows are the futures. Followed to the horizon, death or kidney failure: nobody is lost.
    """
    draws = Draws(world.draws.seed, world.draws.patient[person], replay, landmark_days)
    people = world.patients.take(person)
    courses = draw_courses(draws, people, world.parameters)
    courses = followed(draws, people, courses, world.parameters, HORIZON_DAYS)
    return _seen(draws, people, courses, world.parameters)


def _seen(draws: Draws, people: Any, courses: Courses, parameters: Parameters) -> World:
    visits = draw_visits(draws, people, courses, parameters)
    return World(draws, people, courses, visits, parameters)


def _part(world: World, row: Days, parameters: Parameters) -> World:
    """Return some rows of a world, recorded as other parameters say."""
    columns = {entry.name: getattr(world.courses, entry.name)[row] for entry in fields(Courses)}
    return _seen(world.draws.take(row), world.patients.take(row), Courses(**columns), parameters)


def recorded_in_full(parameters: Parameters) -> Parameters:
    """Return the parameters of a world in which each dose, value and refill is recorded.

    What happens does not depend on what is recorded, and each record is drawn by name, so that all
    that was recorded before is recorded again, as it was.
    """
    full = copy.deepcopy(dict(parameters))
    full["regimens"]["given"]["dose_missing"] = 0.0
    measurement = full["measurement"]
    measurement["recorded_when_acted_on"] = 1.0
    measurement["measured"] |= {"upcr": 2.0, "creatinine": 2.0}
    for centre in full["site"]:
        centre["refills"] = centre["measured"] = 1.0
    return full


def _may_have_two_courses(courses: Courses) -> Flags:
    """Return who may have two courses by the rule; all others cannot meet it.

    Mycophenolate after cyclophosphamide may be read as a course where doses are not recorded.
    """
    followed_by_mycophenolate = np.char.startswith(courses.regimen[:, 0], "CYC")
    followed_by_mycophenolate &= ~courses.azathioprine[:, 0]
    again: Flags = (courses.start[:, 1] < NEVER) | followed_by_mycophenolate
    return again


def _by_rule(world: World) -> tuple[Statuses, Numbers]:
    """Return the outcome of each row by the rule, and the days to it."""
    if not len(world.draws):
        return np.zeros(0, dtype="<U13"), np.zeros(0)
    outcome = outcome_by_rule(registry_of(world), load_definition(DEFINITION), HORIZON_DAYS)
    return outcome.status, outcome.days


def _judged(world: World) -> Judgement:
    """Return the courses of a world as the rule judges them at the horizon."""
    horizon = world.patients.index_day + HORIZON_DAYS
    known = known_on(registry_of(world), horizon)
    return judge(known, load_definition(DEFINITION), horizon)


def _met_when_completed(futures: World, row: Days) -> Answers:
    """Return whether some futures met the rule, with what is unknown read from a full record."""
    if not len(row):
        return np.zeros(0, dtype=np.int8)
    recorded = _judged(_part(futures, row, futures.parameters))
    full = _judged(_part(futures, row, recorded_in_full(futures.parameters)))
    needed = load_definition(DEFINITION).verdict.different_regimens
    horizon = futures.patients.index_day[row] + HORIZON_DAYS
    return met_by_horizon(completed(recorded, full), len(row), needed, horizon)


def _counted(futures: World, landmark_days: int) -> dict[str, Flags]:
    """Return which futures met the rule, and on which it can tell, as recorded and completed."""
    status = np.full(len(futures.draws), "event_free", dtype="<U13")
    days = np.full(len(status), np.inf)
    row = np.flatnonzero(_may_have_two_courses(futures.courses))
    status[row], days[row] = _by_rule(_part(futures, row, futures.parameters))
    met = answer(status == "event")
    unclear = np.flatnonzero(status == "indeterminate")
    met[unclear] = _met_when_completed(futures, unclear)
    return {
        "met": met == YES,
        "told": met != UNKNOWN,
        "met_as_recorded": status == "event",
        "unclear": status == "indeterminate",
        "early": (status == "event") & (days < landmark_days),
    }


def _shares(here: Flags, counts: dict[str, Numbers], replays: int) -> dict[str, Numbers]:
    clear = replays - counts["unclear"]
    columns = {
        "true_risk": counts["met"] / np.where(counts["told"] > 0, counts["told"], np.nan),
        "true_risk_replays": counts["told"],
        "true_risk_as_recorded": counts["met_as_recorded"] / np.where(clear > 0, clear, np.nan),
        "true_risk_indeterminate": counts["unclear"] / replays,
    }
    return {name: np.where(here, column, np.nan) for name, column in columns.items()}


def true_risk(world: World, landmark_days: int, replays: int) -> dict[str, Numbers]:
    """Return each patient's true risk of meeting the rule by the horizon.

    Parameters
    ----------
    world : World
        The registry's.
    landmark_days : int
        Days from the index date, 0 to 547.
    replays : int
        Futures per patient.

    Returns
    -------
    dict
        Of shape (n_patients,), nan for who is not at risk on the landmark day:

        - true_risk: share of replays that meet the rule. What is recorded stands; where the rule
          cannot tell, what it does not know of a course is read from the same future with each
          dose, value and refill recorded.
        - true_risk_replays: replays behind that share, so that its standard error is
          ``sqrt(risk * (1 - risk) / replays)``; those that stay indeterminate are left out.
        - true_risk_as_recorded: the share among replays on which the rule can tell as recorded.
        - true_risk_indeterminate: the share of replays on which it cannot.

    Raises
    ------
    ValueError
        When the landmark is not between the index date and the horizon, or there are no replays.
    """
    if not 0 <= landmark_days < HORIZON_DAYS:
        raise ValueError(f"landmark_days is {landmark_days}; expected 0 to {HORIZON_DAYS - 1}.")
    if replays < 1:
        raise ValueError(f"replays is {replays}; expected 1 or more.")
    n = len(world.patients)
    person = np.flatnonzero(at_risk(world, landmark_days))
    counts = {name: np.zeros(n) for name in ("met", "told", "met_as_recorded", "unclear", "early")}
    step = max(MOST_FUTURES // replays, 1)
    for begin in range(0, len(person), step):
        some = person[begin : begin + step]
        who = np.repeat(some, replays)
        futures = replayed(world, who, np.tile(np.arange(1, replays + 1), len(some)), landmark_days)
        for name, happens in _counted(futures, landmark_days).items():
            counts[name] += np.bincount(who, happens, n)
    here = np.zeros(n, dtype=bool)
    here[person] = True
    here &= counts["early"] == 0
    return _shares(here, counts, replays)
