"""Simulated patients: who they are, where they are seen, and what their first biopsy shows.

Assumes that centres differ in case mix, readers and adherence, and that ancestry acts only through
the centre and through APOL1 (on chronic damage).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import Days, as_dates
from ...features.egfr import DAYS_PER_YEAR, ckd_epi_2021

__all__ = ["Patients", "draw_patients"]

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
Parameters = Mapping[str, Any]

ITEMS = ("glomerulosclerosis", "fibrous_crescents", "tubular_atrophy", "interstitial_fibrosis")
LOW_CHRONICITY = 3.0
LOWEST_CREATININE = 0.4  # mg/dL


@dataclass(frozen=True)
class Patients:
    """Simulated patients at their index date; fields of shape (n_patients,).

    Parameters
    ----------
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
    """

    site: Days
    index_day: Days
    birth_day: Days
    onset_day: Days
    female: Flags
    relapsing: Flags
    ancestry: Texts
    risk_alleles: Days
    height: Numbers
    weight: Numbers
    isn_rps_class: Texts
    activity: Numbers
    chronicity: Numbers
    log_upcr: Numbers
    log_egfr: Numbers
    frailty: Numbers

    def __len__(self) -> int:
        """Return the number of patients."""
        return len(self.site)

    @property
    def identifiers(self) -> Texts:
        """Patient identifiers, such as ``P00001``."""
        numbers = np.arange(1, len(self) + 1)
        return np.array([f"P{number:05d}" for number in numbers.tolist()], dtype=object)

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


def choose(rng: np.random.Generator, shares: Mapping[str, float], n: int) -> Texts:
    """Draw n names by their shares."""
    share = np.array(list(shares.values()))
    return rng.choice(np.array(list(shares), dtype=object), n, p=share / share.sum())


def _ancestry(rng: np.random.Generator, parameters: Parameters, site: Days) -> Texts:
    ancestry = np.empty(len(site), dtype=object)
    for position, centre in enumerate(parameters["site"]):
        here = site == position
        ancestry[here] = choose(rng, centre["ancestry"], int(here.sum()))
    return ancestry


def _body(
    rng: np.random.Generator, body: Mapping[str, float], female: Flags, low: float, high: float
) -> Numbers:
    mean = np.where(female, body["female"], body["male"])
    return np.clip(rng.normal(mean, body["sd"]), low, high)


def draw_patients(rng: np.random.Generator, n: int, parameters: Parameters) -> Patients:
    """Draw patients.

    Parameters
    ----------
    rng : Generator
    n : int
    parameters : mapping
        As in ``parameters.toml``.
    """
    person, kidney, calendar = (parameters[name] for name in ("person", "kidney", "calendar"))
    share = np.array([centre["share"] for centre in parameters["site"]])
    site = rng.choice(len(share), n, p=share / share.sum())
    first, last = (np.datetime64(calendar[f"{end}_index"]).astype(np.int64) for end in _ENDS)
    index_day = rng.integers(first, last, n)
    age = np.clip(rng.gamma((person["age_mean"] / person["age_sd"]) ** 2, 1.0, n), 0, None)
    age = np.clip(age * person["age_sd"] ** 2 / person["age_mean"], *person["age_range"])
    female = rng.random(n) < person["female"]
    relapsing = rng.random(n) < person["relapsing"]
    years = np.where(relapsing, rng.uniform(1.5, 12.0, n), rng.exponential(0.5, n))
    years = np.minimum(years, age - 8.0)
    ancestry = _ancestry(rng, parameters, site)
    two = (rng.random(n) < person["apol1_two_alleles"]) & (ancestry == "black")
    one = np.where(ancestry == "black", rng.random(n) < 0.5, rng.random(n) < 0.02)
    alleles = np.where(two, 2, one.astype(np.int64))
    classes = choose(rng, kidney["class_shares"], n)
    activity_mean = pd.Series(classes).map(kidney["activity_mean"]).to_numpy(dtype=float)
    chronicity = rng.gamma(kidney["chronicity_shape"], kidney["chronicity_scale"], n)
    chronicity += kidney["chronicity_relapsing"] * relapsing + kidney["chronicity_apol1"] * two
    chronicity = np.clip(chronicity + per_site(parameters, "chronicity", site), 0, 12)
    activity = np.clip(rng.normal(activity_mean, kidney["activity_sd"]), 0, 24)
    log_egfr = (
        np.log(kidney["egfr_median"])
        + kidney["egfr_per_chronicity"] * (chronicity - LOW_CHRONICITY)
        + kidney["egfr_per_activity"] * (activity - activity.mean())
        - 0.0062 * (age - person["age_mean"])
        + rng.normal(0, kidney["egfr_sigma"], n)
    )
    log_upcr = rng.normal(np.log(kidney["upcr_median"]), kidney["upcr_sigma"], n)
    return Patients(
        site=site,
        index_day=index_day,
        birth_day=index_day - np.ceil(age * DAYS_PER_YEAR).astype(np.int64),
        onset_day=index_day - (years * DAYS_PER_YEAR).astype(np.int64),
        female=female,
        relapsing=relapsing,
        ancestry=ancestry,
        risk_alleles=alleles,
        height=_body(rng, person["height_cm"], female, 140, 205).round(),
        weight=_body(rng, person["weight_kg"], female, 38, 140).round(1),
        isn_rps_class=classes,
        activity=activity,
        chronicity=chronicity,
        log_upcr=log_upcr + per_site(parameters, "severity", site),
        log_egfr=np.clip(log_egfr, np.log(18.0), np.log(132.0)),
        frailty=rng.normal(0, 1, n),
    )


_ENDS = ("first", "last")


def patients_table(
    rng: np.random.Generator, patients: Patients, parameters: Parameters
) -> pd.DataFrame:
    """Return the table ``patients``; ancestry and APOL1 are recorded for a part."""
    person, n = parameters["person"], len(patients)
    known = rng.random(n) < person["ancestry_recorded"]
    tested = np.where(
        patients.ancestry == "black",
        person["apol1_tested"]["black"],
        person["apol1_tested"]["other"],
    )
    alleles = np.where(rng.random(n) < tested, patients.risk_alleles, np.nan)
    return pd.DataFrame(
        {
            "patient_id": patients.identifiers,
            "sex": np.where(patients.female, "female", "male"),
            "birth_date": as_dates(patients.birth_day),
            "site": per_site(parameters, "name", patients.site),
            "ancestry": pd.Series(patients.ancestry).where(known),
            "apol1_risk_alleles": pd.array(alleles, dtype="Int64"),
            "sle_onset_date": as_dates(patients.onset_day),
        }
    )


def _items(rng: np.random.Generator, index: Days) -> npt.NDArray[np.int64]:
    """Split chronicity indices 0-12 into four items 0-3 at random, shape (n, 4)."""
    rank = rng.random((len(index), 12)).argsort(axis=1).argsort(axis=1)
    return (rank < index[:, None]).reshape(-1, 4, 3).sum(axis=2)


def biopsies_table(
    rng: np.random.Generator,
    patients: Patients,
    last_day: Days,
    unresponsive: Flags,
    parameters: Parameters,
) -> pd.DataFrame:
    """Return the table ``biopsies``: near the index date, some before, some repeated.

    Parameters
    ----------
    rng : Generator
    patients : Patients
    last_day : ndarray of int, shape (n_patients,)
        Last contact.
    unresponsive : ndarray of bool, shape (n_patients,)
        Whose kidney is biopsied again more often.
    parameters : mapping
    """
    kidney, n = parameters["kidney"], len(patients)
    near = np.flatnonzero(rng.random(n) < kidney["biopsied"])
    again_share = kidney["biopsy_repeated"] * np.where(unresponsive, 2.0, 0.7)
    again = np.flatnonzero(rng.random(n) < again_share)
    room = patients.index_day - patients.onset_day > 400
    former = np.flatnonzero(patients.relapsing & room & (rng.random(n) < kidney["former_biopsy"]))
    who = np.concatenate([near, again, former])
    day = patients.index_day[who]
    day = day + np.concatenate(
        [
            -rng.integers(0, 29, len(near)),
            rng.integers(170, 800, len(again)),
            -rng.integers(200, 390, len(former)),
        ]
    )
    drift = np.repeat([0.0, 0.9, -0.9], [len(near), len(again), len(former)])
    calmed = np.repeat([1.0, 0.45, 1.0], [len(near), len(again), len(former)])
    reader = per_site(parameters, "reader", patients.site)[who]
    chronicity = patients.chronicity[who] + drift + reader
    chronicity = rng.normal(chronicity, kidney["reader_noise"])
    index = np.clip(chronicity.round(), 0, 12).astype(np.int64)
    activity = patients.activity[who] * calmed + reader
    activity = rng.normal(activity, kidney["activity_reader_noise"])
    unscored = rng.random(len(who)) < kidney["not_scored"]
    items = _items(rng, index)
    table = pd.DataFrame(
        {
            "patient_id": patients.identifiers[who],
            "date": as_dates(day),
            "isn_rps_class": patients.isn_rps_class[who],
            "activity_index": _scores(np.clip(activity.round(), 0, 24), unscored),
            "chronicity_index": _scores(index, unscored),
            **{name: _scores(items[:, i], unscored) for i, name in enumerate(ITEMS)},
            "tma": _scores(rng.random(len(who)) < kidney["thrombotic_microangiopathy"], unscored),
        }
    )
    kept = day <= last_day[who]
    return table[kept].sort_values(["patient_id", "date"]).reset_index(drop=True)


def _scores(values: npt.NDArray[Any], missing: Flags) -> Any:
    return pd.array(np.where(missing, np.nan, values), dtype="Int64")
