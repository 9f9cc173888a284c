"""eGFR from creatinine, without a race term: CKD-EPI 2021 for adults, CKiD U25 below 18.

Assumes a steady state: in acute kidney injury or on dialysis creatinine does not tell the
filtration rate. One equation serves a patient for good, chosen by the age at the index date, so
that an eighteenth birthday makes no jump.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from .days import NEVER, Days, as_days
from .history import History, Numbers, history_of
from .registry import Registry, is_among
from .vocabulary import drugs_with_role

__all__ = ["ckd_epi_2021", "ckid_u25", "egfr_history", "first_anchor_day"]

DAYS_PER_YEAR = 365.25


def ckd_epi_2021(creatinine: npt.ArrayLike, age: npt.ArrayLike, female: npt.ArrayLike) -> Numbers:
    """Return eGFR by the CKD-EPI 2021 creatinine equation.

    Parameters
    ----------
    creatinine : array_like of float
        Serum creatinine, mg/dL, above 0.
    age : array_like of float
        Years, from 18.
    female : array_like of bool

    Returns
    -------
    ndarray of float
        mL/min/1.73 m2.

    References
    ----------
    Inker et al., N Engl J Med 2021;385:1737, doi 10.1056/NEJMoa2102953.

    Examples
    --------
    >>> ckd_epi_2021([0.8, 1.2], [50, 50], [True, False]).round(1)
    array([89.7, 73.7])
    """
    creatinine, age = np.asarray(creatinine, float), np.asarray(age, float)
    female = np.asarray(female, bool)
    ratio = creatinine / np.where(female, 0.7, 0.9)
    low = np.minimum(ratio, 1.0) ** np.where(female, -0.241, -0.302)
    high = np.maximum(ratio, 1.0) ** -1.2
    egfr: Numbers = 142.0 * low * high * 0.9938**age * np.where(female, 1.012, 1.0)
    return egfr


def ckid_u25(
    creatinine: npt.ArrayLike, age: npt.ArrayLike, female: npt.ArrayLike, height: npt.ArrayLike
) -> Numbers:
    """Return eGFR by the CKiD U25 creatinine equation.

    Parameters
    ----------
    creatinine : array_like of float
        Serum creatinine, mg/dL, above 0.
    age : array_like of float
        Years.
    female : array_like of bool
    height : array_like of float
        cm; nan gives nan.

    Returns
    -------
    ndarray of float
        mL/min/1.73 m2.

    References
    ----------
    Pierce et al., Kidney Int 2021;99:948, doi 10.1016/j.kint.2020.10.047.

    Examples
    --------
    >>> ckid_u25(0.9, 11, [False, True], 120).round(1)
    array([51.6, 47.8])
    """
    age, female = np.asarray(age, float), np.asarray(female, bool)
    child = np.where(female, 36.1, 39.0) * 1.008 ** (age - 12)
    youth = np.where(female, 36.1 * 1.023 ** (age - 12), 39.0 * 1.045 ** (age - 12))
    adult = np.where(female, 41.4, 50.8)
    constant = np.where(age < 12, child, np.where(age < 18, youth, adult))
    egfr: Numbers = constant * (np.asarray(height, float) / 100) / np.asarray(creatinine, float)
    return egfr


def first_anchor_day(registry: Registry) -> Days:
    """Return the day of each patient's first anchor drug, shape (n_patients,); `NEVER` if none."""
    treatments = registry.tables["treatments"]
    anchor = is_among(treatments["drug"], drugs_with_role("anchor"))
    first = np.full(len(registry), NEVER, dtype=np.int64)
    np.minimum.at(
        first, registry.positions("treatments")[anchor], as_days(treatments["start_date"])[anchor]
    )
    return first


def _under_18(birth: "pd.Series[pd.Timestamp]", day: Days) -> npt.NDArray[np.bool_]:
    on, on_day = _month_and_day(day.astype("datetime64[D]"))
    born, born_day = _month_and_day(birth.to_numpy().astype("datetime64[D]"))
    months: Days = on - born - (on_day < born_day)
    return months < 18 * 12


def _month_and_day(dates: npt.NDArray[np.datetime64]) -> tuple[Days, Days]:
    """Return months since 1970-01, and days since the month's first."""
    month = dates.astype("datetime64[M]")
    return month.astype(np.int64), (dates - month).astype(np.int64)


def _equation_day(registry: Registry, creatinine: History) -> Days:
    """Return the index date, else the registry's own, else the day of the first creatinine."""
    day = first_anchor_day(registry)
    outcomes = np.full(len(registry), NEVER, dtype=np.int64)
    outcomes[registry.positions("outcomes")] = as_days(registry.outcomes["index_date"])
    first = np.full(len(registry), NEVER, dtype=np.int64)
    np.minimum.at(first, creatinine.patient, creatinine.day)
    return np.where(day < NEVER, day, np.where(outcomes < NEVER, outcomes, first))


def _height_at(registry: Registry, creatinine: History) -> Numbers:
    """Return the latest height up to each creatinine, else the first one after it."""
    heights = history_of(registry, "height")
    far = np.full(len(creatinine), NEVER)
    before, _ = heights.latest(creatinine.patient, -far, creatinine.day)
    after, _ = heights.earliest(creatinine.patient, creatinine.day, far)
    return np.where(np.isnan(before), after, before)


def egfr_history(registry: Registry) -> History:
    """Return eGFR computed from creatinine, and as reported on days without creatinine.

    A creatinine of a patient under 18 without any height gives no eGFR.

    Parameters
    ----------
    registry : Registry
        As known on a day: heights measured later must not be in it.

    Returns
    -------
    History
        mL/min/1.73 m2.
    """
    creatinine, reported = history_of(registry, "creatinine"), history_of(registry, "egfr")
    patients = registry.patients
    person = creatinine.patient
    born = as_days(patients["birth_date"])
    female = (patients["sex"] == "female").to_numpy()[person]
    age = (creatinine.day - born[person]) / DAYS_PER_YEAR
    equation_day = _equation_day(registry, creatinine)
    known = equation_day < NEVER
    young = np.zeros(len(patients), dtype=bool)
    young[known] = _under_18(patients["birth_date"][known], equation_day[known])
    adult_value = ckd_epi_2021(creatinine.value, age, female)
    value = adult_value
    if young.any():
        height = _height_at(registry, creatinine)
        young_value = ckid_u25(creatinine.value, age, female, height)
        value = np.where(young[person], young_value, adult_value)
    _, same_day = creatinine.latest(reported.patient, reported.day, reported.day)
    alone = same_day == NEVER
    patient = np.concatenate([person, reported.patient[alone]])
    day = np.concatenate([creatinine.day, reported.day[alone]])
    value = np.concatenate([value, reported.value[alone]])
    order = np.lexsort((day, patient))
    order = order[~np.isnan(value[order])]
    return History(patient[order], day[order], value[order])
