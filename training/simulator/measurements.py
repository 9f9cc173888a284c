"""What is measured at simulated visits, and how a centre writes it.

Assumes that the sicker are measured more completely, that centres differ in how complete they are,
and that other laboratory values follow proteinuria.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import Days, as_dates
from ...features.egfr import ckd_epi_2021
from .kidney import creatinine_error, upcr_error
from .patients import Flags, Numbers, per_site
from .recording import recorded_day
from .regimens import WITH_MYCOPHENOLATE
from .world import World

__all__ = ["ANALYTES", "Measured", "invert_ckd_epi_2021", "measured_by_rule", "measurements_table"]

# Analytes in the order of a table, with the canonical unit and the decimals of those that all
# centres print alike.
ANALYTES: dict[str, tuple[str, int]] = {
    "albumin": ("g/dL", 1),
    "anti_dsdna": ("[IU]/mL", 0),
    "c3": ("mg/dL", 0),
    "c4": ("mg/dL", 0),
    "creatinine": ("mg/dL", 2),
    "hcq_blood": ("ng/mL", 0),
    "hcq_serum": ("ng/mL", 0),
    "height": ("cm", 0),
    "hemoglobin": ("g/dL", 1),
    "mpa_trough": ("mg/L", 1),
    "protein_24h": ("g/d", 2),
    "tacrolimus_trough": ("ng/mL", 1),
    "upcr": ("g/g", 2),
    "urine_rbc": ("/[HPF]", 0),
    "weight": ("kg", 1),
}
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
COMPARATORS = ("", "<", ">")
VOCLOSPORIN_FROM = np.datetime64("2021-02-01").astype(np.int64)


@dataclass(frozen=True)
class Measured:
    """Values as printed; fields of shape (n_values,), sorted by patient, day and analyte.

    Parameters
    ----------
    person, day : ndarray of int
        Day from the index date.
    analyte : ndarray of int
        Position in `ANALYTES`.
    value : ndarray of float
        In the centre's unit.
    factor : ndarray of float
        By which it was multiplied to be in that unit.
    comparator : ndarray of int
        Position in `COMPARATORS`.
    """

    person: Days
    day: Days
    analyte: Days
    value: Numbers
    factor: Numbers
    comparator: Days


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


def _printed(analyte: str, unit: str) -> tuple[float, int]:
    special = {("c3", "g/L"): "complement g/L", ("c4", "g/L"): "complement g/L"}
    special[("creatinine", "mg/dL")] = "creatinine mg/dL"
    return UNITS[special.get((analyte, unit), unit)]


def in_unit(analyte: str, unit: str, values: Numbers) -> Numbers:
    """Return values (g/g, mg/dL or g/dL) in a centre's unit, rounded as laboratories do."""
    factor, decimals = _printed(analyte, unit)
    rounded: Numbers = (values * factor).round(decimals)
    return rounded


class _Values:
    """Measured values in canonical units while they are collected."""

    def __init__(self, world: World) -> None:
        self.world, self.draws = world, world.draws
        self.visits, self.parameters = world.visits, world.parameters
        self.person, self.day = self.visits.person, self.visits.day
        self.patients = world.patients
        self.log_upcr = world.courses.log_upcr(self.draws, self.parameters, self.person, self.day)
        self.site = self.patients.site[self.person]
        settings = self.parameters["measurement"]
        sicker = np.exp(settings["informative"] * np.clip(self.log_upcr, -2.0, 2.0))
        self.completeness = per_site(self.parameters, "measured", self.site) * sicker
        self.blocks: list[tuple[int, Days, Numbers, Days]] = []

    def uniform(self, name: str) -> Numbers:
        """Draw once per visit."""
        return self.draws.uniform(name, self.person, self.day, self.day)

    def normal(self, name: str) -> Numbers:
        """Draw once per visit."""
        return self.draws.normal(name, self.person, self.day, self.day)

    def lasting(self, name: str, deviation: float) -> Numbers:
        """Draw a lasting effect of each patient; return it per visit."""
        return deviation * self.draws.normal(name)[self.person]

    def taken(self, analyte: str) -> Flags:
        """Draw at which visits an analyte is measured."""
        share = self.parameters["measurement"]["measured"][analyte] * self.completeness
        return self.uniform(f"{analyte}_taken") < share

    def add(
        self, analyte: str, value: Numbers, chosen: Flags, low: float = 0.0, high: float = np.inf
    ) -> None:
        """Add values; outside the limits of detection the limit and a comparator are written."""
        at = np.flatnonzero(chosen)
        seen = value[at]
        comparator = np.select([seen < low, seen > high], [1, 2], 0)
        code = list(ANALYTES).index(analyte)
        self.blocks.append((code, at, np.clip(seen, low, high), comparator))

    def measured(self) -> Measured:
        """Return the values as each centre prints them."""
        values, factors = [], []
        for code, at, value, _ in self.blocks:
            printed, factor = self._as_printed(code, value, self.site[at])
            values.append(printed)
            factors.append(factor)
        visit = np.concatenate([at for _, at, _, _ in self.blocks])
        analyte = np.repeat([b[0] for b in self.blocks], [len(b[1]) for b in self.blocks])
        order = np.argsort(visit * len(ANALYTES) + analyte)
        visit = visit[order]
        return Measured(
            self.person[visit],
            self.day[visit],
            analyte[order],
            np.concatenate(values)[order],
            np.concatenate(factors)[order],
            np.concatenate([comparator for *_, comparator in self.blocks])[order],
        )

    def _as_printed(self, code: int, value: Numbers, site: Days) -> tuple[Numbers, Numbers]:
        name, (_, decimals) = list(ANALYTES.items())[code]
        printed, factor = value.round(decimals), np.ones(len(value))
        for position, centre in enumerate(self.parameters["site"]):
            if name in centre["units"]:
                here = site == position
                printed[here] = in_unit(name, centre["units"][name], value[here])
                factor[here] = _printed(name, centre["units"][name])[0]
        return printed, factor


def _urine(values: _Values) -> None:
    measurement, planned = values.parameters["measurement"], values.visits.planned
    error = upcr_error(
        values.draws, values.parameters, values.site, values.person, values.day, values.log_upcr
    )
    upcr = np.minimum(np.exp(values.log_upcr + error), measurement["highest_upcr"])
    collects = per_site(values.parameters, "protein_24h", values.site)
    collected = values.uniform("collected") < collects
    kept = values.uniform("upcr_kept") < measurement["recorded_when_acted_on"]
    measured = np.where(planned, kept, values.taken("upcr"))
    daily = measurement["daily_creatinine_g"]
    grams = np.where(values.patients.female, daily["female"], daily["male"])[values.person]
    grams = grams * np.exp(values.lasting("daily_creatinine", daily["sd"]))
    instead = collected & measured & ~planned
    limit = measurement["detection_limit_upcr"]
    values.add("upcr", upcr, measured & ~instead, low=limit)
    beside = collected & measured & planned & (values.uniform("collected_too") < 0.5)
    values.add("protein_24h", np.maximum(upcr * grams, 0.05), instead | beside)


def _creatinine(values: _Values) -> None:
    patients, person, day = values.patients, values.person, values.day
    log_egfr = values.world.courses.log_egfr(values.parameters, patients, person, day)
    age = patients.age(patients.index_day)[person] + day / 365.25
    creatinine = invert_ckd_epi_2021(np.exp(log_egfr), age, patients.female[person])
    error = creatinine_error(values.draws, values.parameters, person, day)
    values.add("creatinine", creatinine * np.exp(error), values.taken("creatinine"))


def _blood(values: _Values) -> None:
    """Add albumin, complement, anti-dsDNA, hemoglobin and urine red cells."""
    measurement, log_upcr = values.parameters["measurement"], values.log_upcr
    healed = values.patients.log_upcr[values.person] - log_upcr
    healed = np.clip(healed / 1.8, -0.3, 1.0) + values.lasting("healed", 0.15)
    error = measurement["biochemistry_cv"]
    albumin = 4.15 - 0.75 * np.log1p(np.exp(log_upcr)) + values.lasting("albumin", 0.25)
    c3 = 80.0 * np.exp(values.lasting("c3", 0.32)) + 24.0 * healed
    c4 = 14.0 * np.exp(values.lasting("c4", 0.5)) + 5.0 * healed
    hemoglobin = 11.2 + 1.3 * healed + values.lasting("hemoglobin", 1.2)
    for analyte, value, low, high in (
        ("albumin", albumin, 1.0, 5.2),
        ("c3", c3, 15.0, 220.0),
        ("c4", c4, 2.0, 70.0),
        ("hemoglobin", hemoglobin, 5.5, 17.0),
    ):
        noisy = np.clip(value * np.exp(error * values.normal(f"{analyte}_error")), low, high)
        values.add(analyte, noisy, values.taken(analyte))
    antibody = np.log(110.0) + values.lasting("anti_dsdna", 1.3) - 0.9 * healed
    antibody = np.exp(antibody + measurement["anti_dsdna_cv"] * values.normal("anti_dsdna_error"))
    limits = measurement["anti_dsdna_limits"]
    values.add("anti_dsdna", antibody, values.taken("anti_dsdna"), *limits)
    cells = 2.4 + values.lasting("urine_rbc", 0.9) - 1.4 * healed
    cells = np.exp(cells + 0.5 * values.normal("urine_rbc_error"))
    values.add("urine_rbc", np.clip(cells, 0, 400), values.taken("urine_rbc"))


def _hydroxychloroquine(values: _Values) -> None:
    """Add levels, which show whether hydroxychloroquine is taken, mostly as the other drugs are."""
    draws, patients, person = values.draws, values.patients, values.person
    adherence, courses = values.parameters["adherence"], values.world.courses
    settings = per_site(values.parameters, "hcq", patients.site)
    share = np.array([entry["patients"] for entry in settings])
    serum = np.array([entry["matrix"] == "hcq_serum" for entry in settings])[person]
    course = courses.course_on(person, values.day)
    same = draws.uniform("hcq_same", person, course, courses.start[person, course])
    state = courses.adherent[person, course]
    takes = np.where(same < adherence["hcq_same_state"], state, ~state)
    blood = adherence["hcq_blood"]
    median = np.where(takes, blood["adherent"], blood["nonadherent"])
    level = values.lasting("hcq_level", 0.2) + blood["sigma"] * values.normal("hcq_error")
    level = np.clip(median * np.exp(level), 10.0, 4000.0)
    sampled = (patients.takes_hcq & (draws.uniform("hcq_sampled") < share))[person]
    sampled &= (values.day > 0) & (values.uniform("hcq_taken") < 0.35)
    values.add("hcq_blood", level, sampled & ~serum)
    values.add("hcq_serum", level * adherence["serum_per_blood"], sampled & serum)


def _troughs(values: _Values) -> None:
    courses, person = values.world.courses, values.person
    course = courses.course_on(person, values.day)
    since = values.day - courses.start[person, course]
    on_cni = (courses.regimen[person, course] == "MPA_CNI") & (since > 10)
    recent = values.patients.index_day >= VOCLOSPORIN_FROM
    trough = 6.3 * np.exp(0.3 * values.normal("trough_error"))
    trough = trough * np.clip(courses.share[person, course], 0.15, 1.0)
    chosen = on_cni & ~recent[person] & (values.uniform("trough_taken") < 0.6)
    values.add("tacrolimus_trough", trough, chosen)


def _mycophenolic_acid(values: _Values) -> None:
    """Add troughs, which show the last days only: who takes some takes them before a visit."""
    courses, person, draws = values.world.courses, values.person, values.draws
    settings = values.parameters["measurement"]["mpa_trough"]
    course = courses.course_on(person, values.day)
    since = values.day - courses.start[person, course]
    on = np.isin(courses.regimen[person, course], WITH_MYCOPHENOLATE) & (since > 14)
    sampled = draws.uniform("mpa_sampled") < per_site(
        values.parameters, "mpa_trough", values.patients.site
    )
    chosen = on & sampled[person] & (values.uniform("mpa_taken") < settings["at_visits"])
    full = courses.mycophenolate_mg[person, course] / 2000.0
    level = values.lasting("mpa_level", settings["between"])
    level = level + settings["within"] * values.normal("mpa_error")
    skipped = values.uniform("mpa_skipped") < np.where(
        courses.adherent[person, course], settings["skipped"]["adherent"],
        settings["skipped"]["nonadherent"],
    )  # fmt: skip
    trough = settings["median"] * full * np.exp(level) * np.where(skipped, 0.02, 1.0)
    values.add("mpa_trough", trough, chosen, low=settings["detection_limit"])


def measured_by_rule(world: World) -> Measured:
    """Return what the rule-based label reads of a world's measurements."""
    values = _Values(world)
    _urine(values)
    _creatinine(values)
    _hydroxychloroquine(values)
    _troughs(values)
    return values.measured()


def measurements_table(world: World) -> pd.DataFrame:
    """Return the table ``measurements``."""
    values = _Values(world)
    _urine(values)
    _creatinine(values)
    _blood(values)
    _hydroxychloroquine(values)
    _troughs(values)
    _mycophenolic_acid(values)
    patients, visits = world.patients, world.visits
    weight: npt.NDArray[np.float64] = patients.weight[visits.person]
    values.add("weight", weight + 1.5 * values.normal("weight"), values.taken("weight"))
    values.add("height", patients.height[visits.person], visits.day == 0)
    measured = values.measured()
    names = np.array(list(ANALYTES), dtype=object)
    comparators = np.array([text or None for text in COMPARATORS], dtype=object)
    return pd.DataFrame(
        {
            "patient_id": patients.identifiers[measured.person],
            "date": as_dates(patients.index_day[measured.person] + measured.day),
            "analyte": names[measured.analyte],
            "value": measured.value,
            "unit": _units(world, measured),
            "comparator": comparators[measured.comparator],
            "recorded_on": as_dates(recorded_day(world, measured.person, measured.day)),
        }
    )


def _units(world: World, measured: Measured) -> npt.NDArray[np.object_]:
    """Return the unit that each value is written in."""
    sites = world.parameters["site"]
    units = np.array(
        [
            [centre["units"].get(name, unit) for name, (unit, _) in ANALYTES.items()]
            for centre in sites
        ],
        dtype=object,
    )
    return units[world.patients.site[measured.person], measured.analyte]
