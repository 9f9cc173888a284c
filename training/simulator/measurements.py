"""Simulated visits and what is measured at them, in each centre's own units.

Assumes that the sicker are seen more often, that what is measured at a visit is missing at random
within a centre, and that other laboratory values follow proteinuria.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import NEVER, Days, as_dates
from ...features.egfr import ckd_epi_2021
from .courses import MOST_COURSES, Courses, noise_of_upcr
from .patients import Flags, Numbers, Parameters, Patients, per_site

__all__ = ["Visits", "draw_visits", "invert_ckd_epi_2021", "measurements_table"]

MOST_VISITS = 80
# Factor from g/g, mg/dL or g/dL to the unit, and the decimals that a laboratory prints.
UNITS: dict[str, tuple[float, int]] = {
    "g/g": (1.0, 2),
    "mg/g": (1000.0, 0),
    "mg/mmol": (113.1, 0),
    "umol/L": (88.42, 0),
    "g/L": (10.0, 0),
    "complement g/L": (0.01, 2),
    "g/dL": (1.0, 1),
    "mg/dL": (1.0, 0),
    "creatinine mg/dL": (1.0, 2),
}
OTHER_UNITS = {
    "protein_24h": "g/d",
    "anti_dsdna": "[IU]/mL",
    "urine_rbc": "/[HPF]",
    "weight": "kg",
    "height": "cm",
    "hcq_blood": "ng/mL",
    "hcq_serum": "ng/mL",
    "tacrolimus_trough": "ng/mL",
}
OTHER_DECIMALS = {"protein_24h": 2, "weight": 1, "tacrolimus_trough": 1}


@dataclass(frozen=True)
class Visits:
    """Visits of all patients; fields of shape (n_visits,).

    Parameters
    ----------
    person : ndarray of int
    day : ndarray of int
        From the index date.
    noise : ndarray of float
        Error of ln UPCR where a clinician acted on it, else nan.
    """

    person: Days
    day: Days
    noise: Numbers

    def __len__(self) -> int:
        """Return the number of visits."""
        return len(self.person)


def invert_ckd_epi_2021(egfr: Numbers, age: Numbers, female: Flags) -> Numbers:
    """Return the creatinine (mg/dL) at which CKD-EPI 2021 gives an eGFR (mL/min/1.73 m2).

    Parameters
    ----------
    egfr, age : ndarray of float
        Age in years, from 18.
    female : ndarray of bool

    Examples
    --------
    >>> invert_ckd_epi_2021(np.array([89.7]), np.array([50.0]), np.array([True])).round(2)
    array([0.8])
    """
    scale = np.where(female, 0.7, 0.9)
    ratio = egfr / ckd_epi_2021(scale, age, female)
    low = ratio ** (1.0 / np.where(female, -0.241, -0.302))
    creatinine: Numbers = scale * np.where(ratio > 1.0, low, ratio ** (1.0 / -1.2))
    return creatinine


def draw_visits(
    rng: np.random.Generator, patients: Patients, courses: Courses, parameters: Parameters
) -> Visits:
    """Draw visits: around the index date, at starts and reviews of treatment, and routine ones.

    Parameters
    ----------
    rng : Generator
    patients : Patients
    courses : Courses
    parameters : mapping
    """
    settings, n = parameters["visits"], len(patients)
    everyone = np.arange(n)
    until = np.minimum(courses.last_day, courses.kidney_failure)
    early, late = per_site(parameters, "interval_weeks", patients.site).T
    missed = np.where(
        courses.adherent[:, 0], settings["missed"]["adherent"], settings["missed"]["nonadherent"]
    )
    before = np.flatnonzero(rng.random(n) < settings["before_index"])
    persons, days = [before], [-rng.integers(12, 70, len(before))]
    person, day = everyone, np.zeros(n, dtype=np.int64)
    for _ in range(MOST_VISITS):
        course = courses.course_on(person, day)
        since = day - courses.start[person, course]
        weeks = np.where(since < settings["later_after_days"], early[person], late[person])
        level = courses.log_upcr(parameters, person, day)
        interval = weeks * 7.0 * np.exp(settings["severity"] * level)
        interval = interval * rng.lognormal(0, settings["jitter"], len(person))
        day = day + np.maximum(interval, 5.0).astype(np.int64)
        person, day = person[day <= until[person]], day[day <= until[person]]
        if not len(person):
            break
        came = rng.random(len(person)) >= missed[person]
        persons.append(person[came])
        days.append(day[came])
    return _with_planned(patients, courses, until, np.concatenate(persons), np.concatenate(days))


def _with_planned(
    patients: Patients, courses: Courses, until: Days, person: Days, day: Days
) -> Visits:
    """Add the visits at starts and reviews of courses; they go before a routine one that day."""
    following = np.hstack([courses.start[:, 1:], np.full((len(patients), 1), NEVER)])
    persons, days, noises = [], [], []
    for number in range(MOST_COURSES):
        reviewed = courses.decided_on[:, number]
        for on, noise, happens in (
            (courses.start[:, number], courses.noise_at_start, courses.start[:, number] < NEVER),
            (reviewed, courses.noise_at_decision, reviewed <= following[:, number]),
        ):
            who = np.flatnonzero(happens & (courses.start[:, number] < NEVER) & (on <= until))
            persons.append(who)
            days.append(on[who])
            noises.append(noise[who, number])
    persons.append(person)
    days.append(day)
    noises.append(np.full(len(person), np.nan))
    everyone, every_day = np.concatenate(persons), np.concatenate(days)
    _, first = np.unique(everyone * (1 << 20) + every_day + 1000, return_index=True)
    return Visits(everyone[first], every_day[first], np.concatenate(noises)[first])


class _Values:
    """Measured values in canonical units while they are collected."""

    def __init__(
        self, rng: np.random.Generator, patients: Patients, visits: Visits, parameters: Parameters
    ) -> None:
        self.rng, self.patients, self.visits, self.parameters = rng, patients, visits, parameters
        self.site = patients.site[visits.person]
        self.site_factor = per_site(parameters, "measured", self.site)
        self.blocks: list[pd.DataFrame] = []

    def taken(self, analyte: str) -> Flags:
        """Draw at which visits an analyte is measured."""
        share = self.parameters["measurement"]["measured"][analyte] * self.site_factor
        return self.rng.random(len(self.visits)) < share

    def person_effect(self, deviation: float) -> Numbers:
        """Draw a lasting effect of each patient; return it per visit."""
        return self.rng.normal(0, deviation, len(self.patients))[self.visits.person]

    def add(
        self, analyte: str, value: Numbers, chosen: Flags, low: float = 0.0, high: float = np.inf
    ) -> None:
        """Add values; outside the limits of detection the limit and a comparator are written."""
        at = np.flatnonzero(chosen)
        seen = value[at]
        comparator = np.select([seen < low, seen > high], ["<", ">"], "")
        block = {"visit": at, "value": np.clip(seen, low, high), "comparator": comparator}
        self.blocks.append(pd.DataFrame(block).assign(analyte=analyte))

    def table(self) -> pd.DataFrame:
        """Return the rows in each centre's units."""
        rows = pd.concat(self.blocks, ignore_index=True)
        units = rows["analyte"].map(OTHER_UNITS).to_numpy(dtype=object, copy=True)
        values = rows["value"].to_numpy(copy=True)
        site = self.site[rows["visit"].to_numpy()]
        analytes = rows["analyte"].to_numpy(dtype=object)
        for analyte, decimals in OTHER_DECIMALS.items():
            here = analytes == analyte
            values[here] = values[here].round(decimals)
        whole = rows["analyte"].isin(set(OTHER_UNITS) - set(OTHER_DECIMALS)).to_numpy()
        values[whole] = values[whole].round()
        for position, centre in enumerate(self.parameters["site"]):
            for analyte, unit in centre["units"].items():
                here = (site == position) & (analytes == analyte)
                units[here] = unit
                values[here] = in_unit(analyte, unit, values[here])
        visit = rows["visit"].to_numpy()
        person = self.visits.person[visit]
        day = self.patients.index_day[person] + self.visits.day[visit]
        table = pd.DataFrame(
            {
                "patient_id": self.patients.identifiers[person],
                "date": as_dates(day),
                "analyte": analytes,
                "value": values,
                "unit": units,
                "comparator": rows["comparator"].where(rows["comparator"] != ""),
            }
        )
        order = np.lexsort((rows["analyte"].astype("category").cat.codes, day, person))
        return table.iloc[order].reset_index(drop=True)


def in_unit(analyte: str, unit: str, values: Numbers) -> Numbers:
    """Return values (g/g, mg/dL or g/dL) in a centre's unit, rounded as laboratories do."""
    special = {("c3", "g/L"): "complement g/L", ("c4", "g/L"): "complement g/L"}
    special[("creatinine", "mg/dL")] = "creatinine mg/dL"
    factor, decimals = UNITS[special.get((analyte, unit), unit)]
    rounded: Numbers = (values * factor).round(decimals)
    return rounded


def _urine(values: _Values, courses: Courses, log_upcr: Numbers) -> None:
    visits, measurement = values.visits, values.parameters["measurement"]
    acted_on = ~np.isnan(visits.noise)
    drawn = noise_of_upcr(values.rng, values.parameters, values.site, log_upcr)
    upcr = np.exp(log_upcr + np.where(acted_on, visits.noise, drawn))
    collected = values.rng.random(len(visits)) < per_site(
        values.parameters, "protein_24h", values.site
    )
    kept = values.rng.random(len(visits)) < measurement["recorded_when_acted_on"]
    measured = np.where(acted_on, kept, values.taken("upcr"))
    daily = measurement["daily_creatinine_g"]
    grams = np.where(values.patients.female, daily["female"], daily["male"])[visits.person]
    grams = grams * np.exp(values.person_effect(daily["sd"]))
    instead = collected & measured & ~acted_on
    limit = measurement["detection_limit_upcr"]
    upcr = np.minimum(upcr, measurement["highest_upcr"])
    values.add("upcr", upcr, measured & ~instead, low=limit)
    beside = collected & measured & acted_on & (values.rng.random(len(visits)) < 0.5)
    values.add("protein_24h", np.maximum(upcr * grams, 0.05), instead | beside)


def _creatinine(values: _Values, courses: Courses) -> None:
    patients, visits = values.patients, values.visits
    log_egfr = courses.log_egfr(values.parameters, patients, visits.person, visits.day)
    age = patients.age(patients.index_day)[visits.person] + visits.day / 365.25
    creatinine = invert_ckd_epi_2021(np.exp(log_egfr), age, patients.female[visits.person])
    error = values.rng.normal(0, values.parameters["measurement"]["creatinine_cv"], len(visits))
    taken = values.taken("creatinine")
    values.add("creatinine", creatinine * np.exp(error), taken)


def _blood(values: _Values, log_upcr: Numbers) -> None:
    """Add albumin, complement, anti-dsDNA, hemoglobin and urine red cells."""
    rng, measurement, n = values.rng, values.parameters["measurement"], len(values.visits)
    healed = values.patients.log_upcr[values.visits.person] - log_upcr
    healed = np.clip(healed / 1.8, -0.3, 1.0) + values.person_effect(0.15)
    error = measurement["biochemistry_cv"]
    albumin = 4.15 - 0.75 * np.log1p(np.exp(log_upcr)) + values.person_effect(0.25)
    c3 = 80.0 * np.exp(values.person_effect(0.32)) + 24.0 * healed
    c4 = 14.0 * np.exp(values.person_effect(0.5)) + 5.0 * healed
    hemoglobin = 11.2 + 1.3 * healed + values.person_effect(1.2)
    for analyte, value, low, high in (
        ("albumin", albumin, 1.0, 5.2),
        ("c3", c3, 15.0, 220.0),
        ("c4", c4, 2.0, 70.0),
        ("hemoglobin", hemoglobin, 5.5, 17.0),
    ):
        noisy = np.clip(value * np.exp(rng.normal(0, error, n)), low, high)
        values.add(analyte, noisy, values.taken(analyte))
    antibody = np.log(110.0) + values.person_effect(1.3) - 0.9 * healed
    antibody = np.exp(antibody + rng.normal(0, measurement["anti_dsdna_cv"], n))
    values.add(
        "anti_dsdna", antibody, values.taken("anti_dsdna"), *measurement["anti_dsdna_limits"]
    )
    cells = np.exp(2.4 + values.person_effect(0.9) - 1.4 * healed + rng.normal(0, 0.5, n))
    values.add("urine_rbc", np.clip(cells, 0, 400), values.taken("urine_rbc"))


def _levels(values: _Values, courses: Courses, takes_hcq: Flags) -> None:
    """Add hydroxychloroquine and tacrolimus levels."""
    rng, patients, visits = values.rng, values.patients, values.visits
    adherence, person = values.parameters["adherence"], values.visits.person
    settings = per_site(values.parameters, "hcq", patients.site)
    share = np.array([entry["patients"] for entry in settings])
    serum = np.array([entry["matrix"] == "hcq_serum" for entry in settings])[person]
    course = courses.course_on(person, visits.day)
    same = (rng.random((len(patients), MOST_COURSES)) < adherence["hcq_same_state"])[person, course]
    takes = np.where(same, courses.adherent[person, course], ~courses.adherent[person, course])
    blood = adherence["hcq_blood"]
    median = np.where(takes, blood["adherent"], blood["nonadherent"])
    level = median * np.exp(values.person_effect(0.2) + rng.normal(0, blood["sigma"], len(visits)))
    sampled = (takes_hcq & (rng.random(len(patients)) < share))[person]
    sampled &= (visits.day > 0) & (rng.random(len(visits)) < 0.35)
    level = np.clip(level, 10.0, 4000.0)
    values.add("hcq_blood", level, sampled & ~serum)
    values.add("hcq_serum", level * adherence["serum_per_blood"], sampled & serum)
    since = visits.day - courses.start[person, course]
    on_cni = (courses.regimen[person, course] == "MPA_CNI") & (since > 10)
    recent = patients.index_day >= np.datetime64("2021-02-01").astype(np.int64)
    trough = 6.3 * np.exp(rng.normal(0, 0.3, len(visits)))
    trough = trough * np.clip(courses.share[person, course], 0.15, 1.0)
    chosen = on_cni & ~recent[person] & (rng.random(len(visits)) < 0.6)
    values.add("tacrolimus_trough", trough, chosen)


def measurements_table(
    rng: np.random.Generator,
    patients: Patients,
    courses: Courses,
    visits: Visits,
    takes_hcq: Flags,
    parameters: Parameters,
) -> pd.DataFrame:
    """Return the table ``measurements``.

    Parameters
    ----------
    rng : Generator
    patients : Patients
    courses : Courses
    visits : Visits
    takes_hcq : ndarray of bool, shape (n_patients,)
    parameters : mapping
    """
    values = _Values(rng, patients, visits, parameters)
    log_upcr = courses.log_upcr(parameters, visits.person, visits.day)
    _urine(values, courses, log_upcr)
    _creatinine(values, courses)
    _blood(values, log_upcr)
    _levels(values, courses, takes_hcq)
    weight: npt.NDArray[np.float64] = patients.weight[visits.person]
    weight = weight + rng.normal(0, 1.5, len(visits))
    values.add("weight", weight, values.taken("weight"))
    values.add("height", patients.height[visits.person], visits.day == 0)
    return values.table()
