"""Simulated patients: who they are, where they are seen, and what their first biopsy shows.

Assumes that centres differ in case mix, readers and adherence, and that ancestry acts only through
the centre and through APOL1 (on chronic damage).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import Days, as_dates
from ...features.egfr import DAYS_PER_YEAR, ckd_epi_2021
from .draws import Draws

__all__ = ["Patients", "draw_patients"]

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]
Texts = npt.NDArray[np.object_]
Parameters = Mapping[str, Any]

LOW_CHRONICITY, TYPICAL_ACTIVITY = 3.0, 7.0
LOWEST_CREATININE = 0.4  # mg/dL


@dataclass(frozen=True)
class Patients:
    """Simulated patients at their index date; fields of shape (n_patients,).

    Parameters
    ----------
    number : ndarray of int
        Position in the registry.
    site : ndarray of int
        Position in the parameters' ``site``.
    index_day, birth_day, onset_day : ndarray of int
        Days since 1970-01-01.
    female, relapsing : ndarray of bool
    ancestry : ndarray of str
    risk_alleles : ndarray of int
        APOL1 risk alleles, 0 to 2.
    height, weight : ndarray of float
        cm, kg.
    isn_rps_class : ndarray of str
    activity, chronicity : ndarray of float
        True NIH indices, 0-24 and 0-12.
    log_upcr, log_egfr : ndarray of float
        True values at the index date, ln of g/g and of mL/min/1.73 m2.
    frailty : ndarray of float
        Responsiveness that all regimens share, mean 0 and variance 1; low is bad.
    takes_hcq : ndarray of bool
        Who is on hydroxychloroquine.
    """

    number: Days
    site: Days
    index_day: Days
    birth_day: Days
    onset_day: Days
    female: Flags
    relapsing: Flags
    ancestry: Names
    risk_alleles: Days
    height: Numbers
    weight: Numbers
    isn_rps_class: Names
    activity: Numbers
    chronicity: Numbers
    log_upcr: Numbers
    log_egfr: Numbers
    frailty: Numbers
    takes_hcq: Flags

    def __len__(self) -> int:
        """Return the number of patients."""
        return len(self.site)

    @property
    def identifiers(self) -> Texts:
        """Patient identifiers, such as ``P00001``."""
        return np.array([f"P{number + 1:05d}" for number in self.number.tolist()], dtype=object)

    def take(self, row: Days) -> "Patients":
        """Return some patients, each as often as named."""
        return Patients(**{entry.name: getattr(self, entry.name)[row] for entry in fields(self)})

    def age(self, day: Days) -> Numbers:
        """Return ages in years on a day of each patient."""
        return (day - self.birth_day) / DAYS_PER_YEAR

    @property
    def highest_egfr(self) -> Numbers:
        """The eGFR at the lowest creatinine that muscle allows."""
        lowest = np.full(len(self), LOWEST_CREATININE)
        return ckd_epi_2021(lowest, self.age(self.index_day), self.female)


def per_site(parameters: Parameters, name: str, site: Days) -> npt.NDArray[Any]:
    """Return a parameter of each patient's centre."""
    return np.array([centre[name] for centre in parameters["site"]])[site]


def by_name(values: Mapping[str, float], names: Names) -> Numbers:
    """Return the value of each name."""
    distinct, at = np.unique(names, return_inverse=True)
    return np.array([values[name] for name in distinct.tolist()], dtype=float)[at]


def _ancestry(draws: Draws, parameters: Parameters, site: Days) -> Names:
    ancestry = np.empty(len(site), dtype="U24")
    for position, centre in enumerate(parameters["site"]):
        here = np.flatnonzero(site == position)
        ancestry[here] = draws.choice("ancestry", centre["ancestry"], here)
    return ancestry


def _body(
    draws: Draws, name: str, body: Mapping[str, float], female: Flags, low: float, high: float
) -> Numbers:
    mean = np.where(female, body["female"], body["male"])
    return np.clip(mean + body["sd"] * draws.normal(name), low, high)


def _chronicity(
    draws: Draws, kidney: Mapping[str, Any], relapsing: Flags, two_alleles: Flags, centre: Numbers
) -> Numbers:
    chronicity = kidney["chronicity_scale"] * draws.gamma("chronicity", kidney["chronicity_shape"])
    chronicity += kidney["chronicity_relapsing"] * relapsing
    chronicity += kidney["chronicity_apol1"] * two_alleles
    return np.clip(chronicity + centre, 0, 12)


def draw_patients(draws: Draws, parameters: Parameters) -> Patients:
    """Draw patients.

    Parameters
    ----------
    draws : Draws
        Of the registry.
    parameters : mapping
        As in ``parameters.toml``.
    """
    person, kidney, calendar = (parameters[name] for name in ("person", "kidney", "calendar"))
    n = len(draws)
    shares = {str(i): centre["share"] for i, centre in enumerate(parameters["site"])}
    site = draws.choice("site", shares).astype(np.int64)
    first, last = (np.datetime64(calendar[f"{end}_index"]).astype(np.int64) for end in _ENDS)
    index_day = (first + np.floor(draws.uniform("index_day") * (last - first))).astype(np.int64)
    age = draws.gamma("age", (person["age_mean"] / person["age_sd"]) ** 2)
    age = np.clip(age * person["age_sd"] ** 2 / person["age_mean"], *person["age_range"])
    female = draws.uniform("female") < person["female"]
    relapsing = draws.uniform("relapsing") < person["relapsing"]
    wait = draws.uniform("years_since_onset")
    years = np.where(relapsing, 1.5 + 10.5 * wait, -0.5 * np.log1p(-wait))
    ancestry = _ancestry(draws, parameters, site)
    black = ancestry == "black"
    two = (draws.uniform("two_alleles") < person["apol1_two_alleles"]) & black
    one = draws.uniform("one_allele") < np.where(black, 0.5, 0.02)
    classes = draws.choice("class", kidney["class_shares"])
    centre = per_site(parameters, "chronicity", site)
    chronicity = _chronicity(draws, kidney, relapsing, two, centre)
    activity = by_name(kidney["activity_mean"], classes)
    activity = np.clip(activity + kidney["activity_sd"] * draws.normal("activity"), 0, 24)
    log_egfr = (
        np.log(kidney["egfr_median"])
        + kidney["egfr_per_chronicity"] * (chronicity - LOW_CHRONICITY)
        + kidney["egfr_per_activity"] * (activity - TYPICAL_ACTIVITY)
        - 0.0062 * (age - person["age_mean"])
        + kidney["egfr_sigma"] * draws.normal("egfr")
    )
    log_upcr = np.log(kidney["upcr_median"]) + kidney["upcr_sigma"] * draws.normal("upcr_at_index")
    return Patients(
        number=np.arange(n),
        site=site,
        index_day=index_day,
        birth_day=index_day - np.ceil(age * DAYS_PER_YEAR).astype(np.int64),
        onset_day=index_day - (np.minimum(years, age - 8.0) * DAYS_PER_YEAR).astype(np.int64),
        female=female,
        relapsing=relapsing,
        ancestry=ancestry,
        risk_alleles=np.where(two, 2, one.astype(np.int64)),
        height=_body(draws, "height", person["height_cm"], female, 140, 205).round(),
        weight=_body(draws, "weight", person["weight_kg"], female, 38, 140).round(1),
        isn_rps_class=classes,
        activity=activity,
        chronicity=chronicity,
        log_upcr=log_upcr + per_site(parameters, "severity", site),
        log_egfr=np.clip(log_egfr, np.log(18.0), np.log(132.0)),
        frailty=draws.normal("frailty"),
        takes_hcq=draws.uniform("takes_hcq")
        < parameters["regimens"]["given"]["hydroxychloroquine"],
    )


_ENDS = ("first", "last")


def patients_table(draws: Draws, patients: Patients, parameters: Parameters) -> pd.DataFrame:
    """Return the table ``patients``; ancestry and APOL1 are recorded for a part."""
    person = parameters["person"]
    known = draws.uniform("ancestry_recorded") < person["ancestry_recorded"]
    share = np.where(
        patients.ancestry == "black",
        person["apol1_tested"]["black"],
        person["apol1_tested"]["other"],
    )
    tested = draws.uniform("apol1_tested") < share
    alleles = np.where(tested, patients.risk_alleles, np.nan)
    return pd.DataFrame(
        {
            "patient_id": patients.identifiers,
            "sex": np.where(patients.female, "female", "male"),
            "birth_date": as_dates(patients.birth_day),
            "site": per_site(parameters, "name", patients.site),
            "ancestry": pd.Series(patients.ancestry.astype(object)).where(known),
            "apol1_risk_alleles": pd.array(alleles, dtype="Int64"),
            "sle_onset_date": as_dates(patients.onset_day),
        }
    )
