"""Chronic damage and activity on biopsies up to the landmark, and what a single reading is worth.

Assumes that damage stays, so that the latest biopsy that scored an item speaks for it however old
it is; damage that grew since, or an index of the 1984 list beside one of 2018, is not seen.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .days import NEVER, Days, as_days
from .egfr import DAYS_PER_YEAR
from .feature import Feature, LandmarkView
from .history import Numbers

__all__ = ["chronicity", "healthy_egfr"]

ITEMS = {
    "glomerulosclerosis": "sclerosed glomeruli",
    "fibrous_crescents": "fibrous crescents",
    "tubular_atrophy": "tubular atrophy",
    "interstitial_fibrosis": "interstitial fibrosis",
}
HIGHEST_ACTIVITY = 24.0
_PROLIFERATIVE = ("III", "IV", "III+V", "IV+V")
_MEMBRANOUS = ("V", "III+V", "IV+V")
_READERS = "reliability 0.57: Schwartz 1993, doi 10.1016/s0272-6386(12)80263-0; Wernick 1993: 0.58"

_SCORED = {
    "chronicity_index": (
        "chronicity index, 0-12",
        "latest recorded; where missing, the sum of its four items if all are",
        "4 or more: doi 10.1186/s13075-020-02358-x; 0-2, 3-5, 6-12: doi 10.1007/s11255-022-03112-9",
    ),
    **{
        name: (f"{words}, 0-3", "latest recorded", "each item: doi 10.34067/KID.0005512021")
        for name, words in ITEMS.items()
    },
    "ifta": (
        "IFTA, 0-3",
        "larger of tubular atrophy and interstitial fibrosis; the one, where one is recorded",
        "Rijnink 2017, CJASN: with 25 % or more eGFR is 40.5 lower; doi 10.1177/09612033231151597",
    ),
    "activity_index": (
        "activity index, 0-24",
        "latest recorded",
        "not associated with decline where chronicity was: doi 10.1186/s13075-020-02358-x",
    ),
    "class_proliferative": (
        "class III or IV",
        "latest recorded ISN/RPS class, with or without V; a class that is not recorded is missing",
        "pathologists agree poorly, ICC 0.39: PMC4284410",
    ),
    "class_membranous": (
        "class V",
        "latest recorded ISN/RPS class, alone or with III or IV; not recorded is missing",
        "",
    ),
    "tma": ("thrombotic microangiopathy", "latest recorded", ""),
}
"""What is read off biopsies: meaning, formula, citation."""


@cache
def _values() -> dict[str, dict[str, Any]]:
    return tomllib.loads((Path(__file__).parent / "chronicity.toml").read_text(encoding="utf-8"))


def healthy_egfr(age: Numbers) -> Numbers:
    """Return the median eGFR of healthy people of an age, mL/min/1.73 m2.

    Parameters
    ----------
    age : ndarray of float
        Years, from 2.

    References
    ----------
    Pottel et al., Ann Intern Med 2021;174:183, doi 10.7326/M20-4366.

    Examples
    --------
    >>> healthy_egfr(np.array([25.0, 50.0])).round(1)
    array([107.3,  97. ])
    """
    healthy = _values()["healthy"]
    years = np.maximum(age - healthy["declines_from_age"], 0.0)
    egfr: Numbers = healthy["egfr"] * healthy["yearly_factor"] ** years
    return egfr


@dataclass(frozen=True)
class _Biopsies:
    """Biopsies in the table's order; the index is made up from its items where it is missing."""

    view: LandmarkView
    patient: Days
    day: Days
    columns: dict[str, Numbers]

    @classmethod
    def of(cls, view: LandmarkView) -> "_Biopsies":
        table = view.registry.biopsies
        names = (*ITEMS, "activity_index", "chronicity_index", "tma")
        columns = {name: table[name].to_numpy(dtype=float) for name in names}
        added_up = np.sum([columns[name] for name in ITEMS], axis=0)
        index = columns["chronicity_index"]
        columns["chronicity_index"] = np.where(np.isnan(index), added_up, index)
        columns["ifta"] = np.fmax(columns["tubular_atrophy"], columns["interstitial_fibrosis"])
        isn_rps_class = table["isn_rps_class"].astype("str").fillna("").to_numpy()
        for name, members in (
            ("class_proliferative", _PROLIFERATIVE),
            ("class_membranous", _MEMBRANOUS),
        ):
            member = np.isin(isn_rps_class, members).astype(float)
            columns[name] = np.where(isn_rps_class == "", np.nan, member)
        return cls(view, view.registry.positions("biopsies"), as_days(table["date"]), columns)

    def recorded(self, name: str) -> Days:
        """Return the rows with a value by patient, day and value."""
        values = self.columns[name]
        order = np.lexsort((values, self.day, self.patient))
        return order[~np.isnan(values[order])]

    def latest(self, name: str) -> tuple[Numbers, Days]:
        """Return the value, and the day, of the latest biopsy with one; the larger on one day."""
        rows, n = self.recorded(name), len(self.view.registry)
        value, day = np.full(n, np.nan), np.full(n, NEVER)
        value[self.patient[rows]] = self.columns[name][rows]
        day[self.patient[rows]] = self.day[rows]
        return value, day


def _shrunken(biopsies: _Biopsies) -> tuple[Numbers, Numbers]:
    """Return posterior mean and sd of the index by normal prior, reader error and drift."""
    given, view = _values()["reading"], biopsies.view
    rows, n = biopsies.recorded("chronicity_index"), len(view.registry)
    patient = biopsies.patient[rows]
    between = given["sd"] ** 2 * given["reliability"]
    years = (view.landmark_day[patient] - biopsies.day[rows]) / DAYS_PER_YEAR
    error = given["sd"] ** 2 - between + given["drift_per_year"] * years
    deviation = biopsies.columns["chronicity_index"][rows] - given["mean"]
    precision = 1 / between + np.bincount(patient, 1 / error, n)
    mean = given["mean"] + np.bincount(patient, deviation / error, n) / precision
    some = np.bincount(patient, minlength=n) > 0
    return np.where(some, mean, np.nan), np.where(some, np.sqrt(1 / precision), np.nan)


def _unexplained_deficit(biopsies: _Biopsies) -> Numbers:
    """Return the eGFR missing at the latest biopsy with an activity index, less activity's part."""
    view, window = biopsies.view, _values()["measured"]
    activity, day = biopsies.latest("activity_index")
    egfr, patient, until = view.egfr, view.patient, day + window["last_day"]
    before, _ = egfr.latest(patient, day + window["first_day"], until)
    after, _ = egfr.earliest(patient, until + 1, day + window["else_until_day"])
    measured = np.where(np.isnan(before), after, before)
    age = (day - as_days(view.registry.patients["birth_date"])) / DAYS_PER_YEAR
    deficit = np.maximum(healthy_egfr(age) - measured, 0.0)
    result: Numbers = deficit * (1 - activity / HIGHEST_ACTIVITY)
    return result


def chronicity(view: LandmarkView) -> dict[Feature, Numbers]:
    """Return damage, activity and class on biopsies, and how far to trust them.

    Parameters
    ----------
    view : LandmarkView

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
        nan where no biopsy up to the landmark recorded it; the larger of two on one day.
    """
    biopsies = _Biopsies.of(view)
    _, day = biopsies.latest("chronicity_index")
    days = np.where(day < NEVER, view.landmark_day - day, 0)
    mean, sd = _shrunken(biopsies)

    def entry(name: str, meaning: str, unit: str, formula: str, citation: str) -> Feature:
        return Feature(name, meaning, unit, "biopsies", "up to the landmark", formula, citation)

    scores = {
        entry(name, words[0], "1", words[1], words[2]): biopsies.latest(name)[0]
        for name, words in _SCORED.items()
    }
    return scores | {
        entry(
            "log_days_since_biopsy",
            "age of the chronicity index at the landmark",
            "ln(d)",
            "ln(1 + days from the biopsy that gave the index to the landmark); ln is our choice",
            "the index rose in 72 % by a second biopsy after 49 months: 10.1136/lupus-2022-000721",
        ): np.where(day < NEVER, np.log1p(days), np.nan),
        entry(
            "chronicity_index_shrunken",
            "chronicity index, freed of reader noise",
            "1",
            "normal posterior mean over all readings; each weighs 1/(error + drift x years)",
            f"{_READERS}; mean, sd and drift: our choice, chronicity.toml",
        ): mean,
        entry(
            "chronicity_index_sd",
            "uncertainty of the chronicity index",
            "1",
            "posterior sd to chronicity_index_shrunken; larger for one old reading",
            f"{_READERS}; mean, sd and drift: our choice, chronicity.toml",
        ): sd,
        Feature(
            "egfr_deficit_unexplained",
            "eGFR missing at the biopsy that activity does not explain",
            "mL/min/{1.73_m2}",
            "biopsies, measurements",
            "day -90 to 7 (else 28) of the latest activity index, the landmark if sooner",
            "max(median of the healthy at that age - eGFR, 0) x (1 - activity index / 24)",
            "healthy: EKFC, doi 10.7326/M20-4366; that activity explains its share is our choice",
        ): _unexplained_deficit(biopsies),
    }
