"""Simulated courses: what is given, how the kidney answers, who changes treatment, until when.

Assumes that ln UPCR bends from its level at a course's start towards a plateau of patient and
regimen, and that a clinician judges the fall by one measured value at a visit at 4 to 7 months.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import NEVER, Days
from .patients import (
    LOW_CHRONICITY,
    Flags,
    Numbers,
    Parameters,
    Patients,
    Texts,
    choose,
    per_site,
)

__all__ = ["Courses", "draw_courses"]

MOST_COURSES = 3
MONTH_6 = 182
YEAR = 365.25
TARGET_UPCR, FAILING_RATIO, PARTIAL_RATIO, FAILING_EGFR_RATIO = 0.5, 0.75, 0.5, 0.8
FULL_SHARE = 0.85


@dataclass(frozen=True)
class Courses:
    """Courses of all patients; fields of shape (n_patients, 3) unless said otherwise.

    Days count from the index date; what never happens is at `NEVER`.

    Parameters
    ----------
    regimen : ndarray of str
        The third dimension's regimens that are never given are there too.
    start : ndarray of int
    why_ended : ndarray of str
        ``inefficacy``, ``intolerance``, ``other`` (a flare) or empty where the course runs on.
    responsiveness : ndarray of float
        Fall of ln UPCR in the end, at full dose and intake.
    level, plateau : ndarray of float
        ln UPCR at the start and in the end.
    weeks : ndarray of float
        Time constant.
    flare : ndarray of int
    share : ndarray of float
        Share of doses truly taken.
    adherent, adequate : ndarray of bool
        True states.
    mycophenolate_mg : ndarray of float
        Target dose per day.
    infusions_missed : ndarray of float
        Chance that an infusion is missed.
    azathioprine : ndarray of bool
        Whether maintenance after cyclophosphamide is azathioprine.
    decided_on : ndarray of int
        The visit at which treatment is reviewed.
    noise_at_start, noise_at_decision : ndarray of float
        Error of ln UPCR as measured on these days.
    last_day, death, kidney_failure : ndarray of int, shape (n_patients,)
    decline : ndarray of float, shape (n_patients,)
        Loss of ln eGFR per year.
    """

    regimen: Texts
    start: Days
    why_ended: Texts
    responsiveness: Numbers
    level: Numbers
    plateau: Numbers
    weeks: Numbers
    flare: Days
    share: Numbers
    adherent: Flags
    adequate: Flags
    mycophenolate_mg: Numbers
    infusions_missed: Numbers
    azathioprine: Flags
    decided_on: Days
    noise_at_start: Numbers
    noise_at_decision: Numbers
    last_day: Days
    death: Days
    kidney_failure: Days
    decline: Numbers

    def course_on(self, person: Days, day: Days) -> Days:
        """Return which course (0 to 2) runs on some days; the first also before the index date."""
        begun = self.start[person] <= day[:, None]
        return np.maximum(begun.sum(axis=1) - 1, 0)

    def log_upcr(self, parameters: Parameters, person: Days, day: Days) -> Numbers:
        """Return true ln UPCR of some patients on some days."""
        course = self.course_on(person, day)
        at = (person, course)
        return _bend(
            parameters,
            self.level[at],
            self.plateau[at],
            self.weeks[at],
            np.maximum(day - self.start[at], 0),
            day - self.flare[at],
        )

    def log_egfr(
        self, parameters: Parameters, patients: Patients, person: Days, day: Days
    ) -> Numbers:
        """Return true ln eGFR of some patients on some days."""
        upcr = self.log_upcr(parameters, person, day)
        cni = self.regimen[person, self.course_on(person, day)] == "MPA_CNI"
        return _log_egfr(
            parameters, patients, person, day, upcr, self.decline[person], cni & (day > 0)
        )

    def month_6_fall(self) -> Numbers:
        """Return the true share by which UPCR falls by month 6 of each course, given or not."""
        days = np.full(self.weeks.shape, MONTH_6)
        done = 1.0 - np.exp(-days / (7.0 * self.weeks))
        return 1.0 - np.exp((self.plateau - self.level) * done)


def _bend(
    parameters: Parameters,
    level: Numbers,
    plateau: Numbers,
    weeks: Numbers,
    days: Days,
    flaring_days: Days,
) -> Numbers:
    response = parameters["response"]
    bent = plateau + (level - plateau) * np.exp(-days / (7.0 * weeks))
    flaring = np.clip(flaring_days, 0, None) / (7.0 * response["flare_weeks"])
    bent = bent + response["flare_rise"] * (1.0 - np.exp(-flaring))
    return np.clip(bent, np.log(0.04), np.log(22.0))


def _log_egfr(
    parameters: Parameters,
    patients: Patients,
    person: Days,
    day: Days,
    log_upcr: Numbers,
    decline: Numbers,
    cni: Flags,
) -> Numbers:
    course = parameters["kidney_course"]
    acute = course["acute_part"] + course["acute_per_activity"] * patients.activity[person]
    healed = np.clip((patients.log_upcr[person] - log_upcr) / 1.5, -1.0, 1.0)
    speed = 0.4 + 1.2 / (1.0 + np.exp(-log_upcr))
    years = np.maximum(day, 0) / YEAR
    value = patients.log_egfr[person] + acute * healed - decline * speed * years
    highest = np.log(patients.highest_egfr[person])
    return np.clip(value + course["cni_effect"] * cni, np.log(5.0), highest)


def noise_of_upcr(
    rng: np.random.Generator, parameters: Parameters, site: Days, log_upcr: Numbers
) -> Numbers:
    """Draw errors of ln UPCR as each centre measures it; larger for low spot values."""
    measurement = parameters["measurement"]
    power = (np.exp(log_upcr) / 2.0) ** measurement["spot_cv_power"]
    spot = np.clip(measurement["spot_cv_at_2"] * power, 0.15, 0.75)
    first_void = per_site(parameters, "urine", site) == "first_void"
    deviation = np.where(first_void, measurement["first_void_cv"], spot)
    return rng.normal(0.0, np.sqrt(np.log1p(deviation**2)))


def _first_regimen(rng: np.random.Generator, patients: Patients, parameters: Parameters) -> Texts:
    regimens, calendar = parameters["regimens"], parameters["calendar"]
    first, last = (
        np.datetime64(calendar[name]).astype(np.int64) for name in ("first_index", "last_index")
    )
    late = ((patients.index_day - first) / (last - first))[:, None]
    names = list(regimens["first_line_at_first"])
    early_share = np.array([regimens["first_line_at_first"][name] for name in names])
    late_share = np.array([regimens["first_line_at_last"][name] for name in names])
    share = early_share * (1 - late) + late_share * late
    odds = per_site(parameters, "cyclophosphamide", patients.site)[:, None]
    share = share * np.where([name.startswith("CYC") for name in names], odds, 1.0)
    upto = np.cumsum(share, axis=1) / share.sum(axis=1, keepdims=True)
    return np.array(names, dtype=object)[(rng.random(len(patients))[:, None] > upto).sum(axis=1)]


def _next_regimen(
    rng: np.random.Generator, regimen: Texts, azathioprine: Flags, parameters: Parameters
) -> Texts:
    following = np.empty(len(regimen), dtype=object)
    for name, shares in parameters["regimens"]["next"].items():
        here = regimen == name
        following[here] = choose(rng, shares, int(here.sum()))
    on_it_already = (following == "MPA") & (regimen == "CYC_LOW") & ~azathioprine
    following[on_it_already] = "MPA_CNI"
    return following


def _dose(rng: np.random.Generator, regimen: Texts, parameters: Parameters) -> Numbers:
    given = parameters["regimens"]["given"]
    alone = choose(rng, given["mycophenolate_mg"], len(regimen)).astype(float)
    with_cni = choose(rng, given["mycophenolate_mg_with_cni"], len(regimen)).astype(float)
    return np.where(regimen == "MPA_CNI", with_cni, alone)


def _adequate(regimen: Texts, mycophenolate_mg: Numbers) -> Flags:
    enough = mycophenolate_mg >= np.where(regimen == "MPA_CNI", 1000.0, 2000.0)
    return enough | np.isin(regimen.astype(str), ("CYC_LOW", "CYC_HIGH"))


def _share_taken(rng: np.random.Generator, adherent: Flags, parameters: Parameters) -> Numbers:
    shapes = parameters["adherence"]
    high, low = (
        rng.beta(shapes[state][0], shapes[state][1], len(adherent))
        for state in ("share_adherent", "share_nonadherent")
    )
    return np.where(adherent, high, low)


def _responsiveness(
    rng: np.random.Generator,
    patients: Patients,
    regimen: Texts,
    number: int,
    parameters: Parameters,
) -> Numbers:
    response = parameters["response"]
    shared = response["shared"]
    own = rng.normal(0, 1, len(patients))
    drawn = np.sqrt(shared) * patients.frailty + np.sqrt(1 - shared) * own
    mean = pd.Series(regimen).map(response["mean_fall"]).to_numpy(dtype=float)
    return (
        mean
        + response["fall_sd"] * drawn
        + response["later_courses"] * (number > 0)
        + response["per_chronicity"] * (patients.chronicity - LOW_CHRONICITY)
        + response["relapsing"] * (patients.relapsing - parameters["person"]["relapsing"])
        + response["per_ln_upcr"]
        * (patients.log_upcr - np.log(parameters["kidney"]["upcr_median"]))
    )


def _reached(
    responsiveness: Numbers,
    share: Numbers,
    adequate: Flags,
    level: Numbers,
    lowest: Numbers,
    parameters: Parameters,
) -> Numbers:
    """Return the plateau of ln UPCR."""
    response = parameters["response"]
    missed = np.clip(FULL_SHARE - share, 0, None)
    fall = responsiveness - response["missed_intake"] * missed - response["underdosed"] * ~adequate
    fall = np.where(fall < 0, fall * response["worsening_damped"], fall)
    return np.maximum(level - fall, np.minimum(lowest, level))


class _Draw:
    """The courses while they are drawn, one after the other."""

    def __init__(
        self, rng: np.random.Generator, patients: Patients, parameters: Parameters
    ) -> None:
        self.rng, self.patients, self.parameters = rng, patients, parameters
        n, response = len(patients), parameters["response"]
        self.lowest = (
            np.log(response["lowest_upcr"])
            + response["lowest_per_chronicity"] * (patients.chronicity - LOW_CHRONICITY)
            + rng.normal(0, response["lowest_sigma"], n)
        )
        course = parameters["kidney_course"]
        self.decline = course["decline_per_year"] * rng.lognormal(0, course["decline_sigma"], n)
        self.decline += course["decline_per_chronicity"] * patients.chronicity
        logit = np.log(parameters["adherence"]["nonadherent"] ** -1.0 - 1.0)
        logit = logit - per_site(parameters, "nonadherent", patients.site)
        self.adherent = rng.random(n) < 1.0 / (1.0 + np.exp(-logit))
        self.azathioprine = (
            rng.random(n) > parameters["regimens"]["given"]["maintenance_mycophenolate"]
        )
        self.columns: dict[str, list[npt.NDArray[np.generic]]] = {}

    def uniform(self, bounds: list[float]) -> Days:
        return self.rng.uniform(bounds[0], bounds[1], len(self.patients)).astype(np.int64)

    def measured_ratio(
        self, level: Numbers, later: Numbers, start: Days, day: Days, cni: Flags
    ) -> tuple[Numbers, Numbers]:
        """Return eGFR's true values at a course's start and at the decision."""
        everyone = np.arange(len(self.patients))
        at = (self.parameters, self.patients, everyone)
        before = _log_egfr(*at, start, level, self.decline, np.zeros_like(cni))
        return before, _log_egfr(*at, day, later, self.decline, cni)

    def course(
        self, number: int, regimen: Texts, start: Days, level: Numbers
    ) -> tuple[Days, Numbers]:
        """Draw one course of everyone; return when the next starts and ln UPCR then."""
        rng, patients, parameters = self.rng, self.patients, self.parameters
        n, adherence, response = len(patients), parameters["adherence"], parameters["response"]
        decisions = parameters["decisions"]
        if number:
            changes = rng.random(n) > adherence["keeps_state"]
            self.adherent = np.where(
                changes, rng.random(n) > adherence["nonadherent"], self.adherent
            )
        missed = parameters["regimens"]["given"]["infusion_missed"]
        dose, share = _dose(rng, regimen, parameters), _share_taken(rng, self.adherent, parameters)
        adequate = _adequate(regimen, dose)
        able = _responsiveness(rng, patients, regimen, number, parameters)
        plateau = _reached(able, share, adequate, level, self.lowest, parameters)
        weeks = pd.Series(regimen).map(response["weeks"]).to_numpy(dtype=float)
        weeks = weeks * rng.lognormal(0, response["weeks_sigma"], n)
        after = self.uniform(decisions["decided_on_day"])
        never = np.full(n, -NEVER)
        later = _bend(parameters, level, plateau, weeks, after, never)
        noise = [noise_of_upcr(rng, parameters, patients.site, value) for value in (level, later)]
        changed, why, flare = self._changes(number, regimen, start, after, (level, later), noise)
        then = _bend(parameters, level, plateau, weeks, changed - start, changed - flare)
        self._note(
            regimen=regimen,
            start=start,
            why_ended=why,
            responsiveness=able,
            level=level,
            plateau=plateau,
            weeks=weeks,
            flare=flare,
            share=share,
            adherent=self.adherent,
            adequate=adequate,
            mycophenolate_mg=dose,
            infusions_missed=np.where(self.adherent, missed["adherent"], missed["nonadherent"]),
            decided_on=start + after,
            noise_at_start=noise[0],
            noise_at_decision=noise[1],
        )
        return changed, np.where(changed < NEVER, then, later)

    def _note(self, **columns: npt.NDArray[np.generic]) -> None:
        for name, values in columns.items():
            self.columns.setdefault(name, []).append(values)

    def _changes(
        self,
        number: int,
        regimen: Texts,
        start: Days,
        after: Days,
        true: tuple[Numbers, Numbers],
        noise: list[Numbers],
    ) -> tuple[Days, Texts, Days]:
        """Return when the next course starts, why, and when a flare began."""
        rng, n = self.rng, len(self.patients)
        decisions, response = self.parameters["decisions"], self.parameters["response"]
        decided_on = start + after
        seen = true[1] + noise[1]
        ratio = np.exp(seen - true[0] - noise[0])
        before, egfr = self.measured_ratio(*true, start, decided_on, regimen == "MPA_CNI")
        egfr_noise = rng.normal(0, 1.5 * self.parameters["measurement"]["creatinine_cv"], n)
        worse = np.exp(egfr - before + egfr_noise) <= FAILING_EGFR_RATIO
        failing = ((ratio > FAILING_RATIO) & (seen > np.log(TARGET_UPCR))) | worse
        partial = ~failing & (ratio > PARTIAL_RATIO) & (seen > 0)
        chance = np.zeros(n)
        if number < MOST_COURSES - 1:
            chance[failing] = decisions["changed_when_failing"][number]
            chance[partial] = decisions["changed_when_partial"]
        switches = rng.random(n) < chance
        intolerant = (rng.random(n) < decisions["intolerance"]) & (number < MOST_COURSES - 1)
        waits = rng.exponential(YEAR / response["flares_per_year"], n).astype(np.int64)
        may_flare = ~switches & ~failing & ~partial & (number < MOST_COURSES - 1)
        flare = np.where(may_flare, start + 240 + waits, NEVER)
        changed = np.select(
            [intolerant, switches, may_flare],
            [
                start + self.uniform(decisions["intolerance_day"]),
                decided_on + self.uniform(decisions["begins_after_days"]),
                flare + self.uniform([14.0, 45.0]),
            ],
            NEVER,
        )
        flare = np.where(intolerant | switches, NEVER, flare)
        why = np.select(
            [intolerant, switches, may_flare], ["intolerance", "inefficacy", "other"], ""
        )
        unreached = start >= NEVER
        changed = np.where(unreached, NEVER, np.minimum(changed, NEVER))
        return changed, np.where(unreached, "", why).astype(object), np.minimum(flare, NEVER)


def draw_courses(rng: np.random.Generator, patients: Patients, parameters: Parameters) -> Courses:
    """Draw every patient's courses, as if follow-up never ended.

    Courses that no change of treatment leads to are drawn too, from month 6 of the course before,
    so that what they would have done is known; they start at `NEVER`.

    Parameters
    ----------
    rng : Generator
    patients : Patients
    parameters : mapping
        As in ``parameters.toml``.
    """
    draw = _Draw(rng, patients, parameters)
    regimen = _first_regimen(rng, patients, parameters)
    start, level = np.zeros(len(patients), dtype=np.int64), patients.log_upcr
    for number in range(MOST_COURSES):
        start, level = draw.course(number, regimen, start, level)
        regimen = _next_regimen(rng, regimen, draw.azathioprine, parameters)
    columns = {name: np.stack(values, axis=1) for name, values in draw.columns.items()}
    endless = np.full(len(patients), NEVER)
    return Courses(
        **columns,
        azathioprine=np.repeat(draw.azathioprine[:, None], MOST_COURSES, axis=1),
        last_day=endless,
        death=endless,
        kidney_failure=endless,
        decline=draw.decline,
    )
