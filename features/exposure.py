"""What was given between the index date and the landmark, and whether it was enough.

Assumes that a drug without a row was not given and that a row was given as written; a dose that was
not recorded is unknown, not none. Rescue drugs are never features: they follow failure.
"""

import numpy as np

from .cotreatment import cotreatment
from .days import NEVER
from .feature import Feature, LandmarkView
from .given import Flags, Given, known, thresholds
from .history import Numbers
from .regimen_change import regimen_changed_on
from .treatment import Treatments
from .vocabulary import ANCHOR_CLASSES

__all__ = ["exposure"]

_CLASS_NAMES = {
    "BEL": "belimumab",
    "CNI": "a calcineurin inhibitor",
    "CYC": "cyclophosphamide",
    "MPA": "mycophenolate",
    "OBI": "obinutuzumab",
}
_ROUNDING = 1e-9


def _regimen(given: Given, regimen: dict[str, Flags]) -> dict[Feature, Numbers]:
    def entry(name: str, meaning: str, look_back: str, formula: str) -> Feature:
        return Feature(name, meaning, "1", "treatments", look_back, formula, "docs/definition.md")

    started = {
        entry(
            f"started_with_{name.lower()}",
            f"first regimen has {_CLASS_NAMES[name]}",
            "index date to day 28, the landmark if sooner",
            "1 where a row covers one of the days",
        ): regimen[name].astype(float)
        for name in ANCHOR_CLASSES
    }
    changed = entry(
        "regimen_changed",
        "another anchor class started before the landmark",
        "day 29 to the landmark",
        "1 where a class outside the first regimen is given, except mycophenolate after "
        "cyclophosphamide in full (3000 mg or completed, not stopped for inefficacy)",
    )
    return {**started, changed: (regimen_changed_on(given) < NEVER).astype(float)}


def _days_to_target(given: Given, mpa: Treatments, target: Numbers) -> Numbers:
    """Return days to the first start of a row on which the doses add up to the target."""
    view = given.view
    day = np.maximum(mpa.start, view.index_day[mpa.patient])
    equivalent = mpa.equivalents("mycophenolate_mofetil_equivalent")
    total = mpa.doses(mpa.patient, day, day, equivalent).milligrams
    reached = given.first_day(mpa, total >= target[mpa.patient] * (1 - _ROUNDING))
    unknown = given.first_day(mpa, np.isnan(mpa.dose))
    begun = given.first_day(mpa, mpa.start < NEVER) < NEVER
    waited = np.where(reached < NEVER, reached, view.landmark_day + 1) - view.index_day
    return np.where(begun & (unknown >= reached), waited, np.nan)


def _mycophenolate(given: Given, regimen: dict[str, Flags]) -> dict[Feature, Numbers]:
    limits, view = thresholds()["mycophenolate"], given.view
    mpa = given.rows.of_class("MPA")
    first = view.index_day + limits["counted_from_day"]
    last = view.landmark_day
    doses = mpa.doses(
        view.patient, first, last, mpa.equivalents("mycophenolate_mofetil_equivalent")
    )
    mean = np.where(last >= first, known(doses) / np.maximum(last - first + 1, 1), np.nan)
    target = np.where(regimen["CNI"], limits["target_with_cni"], limits["target_mg_per_day"])

    def entry(name: str, meaning: str, unit: str, since: str, formula: str) -> Feature:
        look_back = f"{since} to the landmark"
        return Feature(name, meaning, unit, "treatments", look_back, formula, "docs/definition.md")

    return {
        entry(
            "mpa_mg_per_day",
            "mean daily mycophenolate mofetil",
            "mg/d",
            "day 28",
            "days without it count 0; mycophenolic acid x 2000/1440; missing where a dose is",
        ): mean,
        entry(
            "mpa_share_of_target",
            "mycophenolate, share of the target dose",
            "1",
            "day 28",
            "mpa_mg_per_day / 2000, or / 1000 with a calcineurin inhibitor in the first regimen; "
            "missing where mycophenolate is not in it",
        ): np.where(regimen["MPA"], mean / target, np.nan),
        entry(
            "days_to_mpa_target",
            "days to the target dose of mycophenolate",
            "d",
            "index date",
            "first day whose rows add up to the target; one day past the landmark where not "
            "reached; missing without mycophenolate or after a row without dose",
        ): _days_to_target(given, mpa, target),
    }


def _cyclophosphamide(given: Given) -> dict[Feature, Numbers]:
    view, schedule = given.view, thresholds()["cyclophosphamide"]
    cyc = given.rows.of_class("CYC")
    total = known(cyc.doses(*given.span))
    first = given.first_day(cyc, cyc.start < NEVER)
    begun = first < NEVER
    due = np.where(begun, (view.landmark_day - first) // schedule["every_days"] + 1, 1)
    expected = schedule["dose_mg"] * np.clip(due, 1, schedule["doses"])
    table, look_back = "treatments", "index date to the landmark"
    return {
        Feature(
            "cyc_mg",
            "cumulative cyclophosphamide",
            "mg",
            table,
            look_back,
            "mg/m2 x 1.7 m2, mg/kg x weight (60 kg unknown), mg/d x days; missing where a dose is",
            "docs/definition.md",
        ): total,
        Feature(
            "cyc_share_of_schedule",
            "cyclophosphamide, share of what Euro-Lupus gives by then",
            "1",
            table,
            look_back,
            "cyc_mg / (500 mg x doses due at one per 14 days since the first, at most 6); "
            "missing without cyclophosphamide",
            "Euro-Lupus 6 x 500 mg; one yardstick for all schedules is our choice",
        ): np.where(begun, total / expected, np.nan),
    }


def _doses_given(given: Given, rows: Treatments, period_days: float) -> Numbers:
    span, row, days = rows.overlaps(*given.span)
    single = rows.start[row] == rows.end[row]
    number = np.where(single, 1.0, np.ceil(days / period_days))
    return np.bincount(span, number, len(given.view.registry)).astype(np.float64)


def _cni_and_biologics(given: Given) -> dict[Feature, Numbers]:
    def entry(name: str, meaning: str, formula: str, citation: str) -> Feature:
        look_back = "index date to the landmark"
        return Feature(name, meaning, "1", "treatments", look_back, formula, citation)

    return {
        entry(
            "cni_share_of_days",
            "share of days on a calcineurin inhibitor",
            "days with a row / days; rows that overlap count once",
            "80 % is adequate: docs/definition.md",
        ): given.share_of_days(given.rows.of_class("CNI")),
        entry(
            "belimumab_doses",
            "doses of belimumab given",
            "one per single-day row, one per 7 days begun of a row that covers a period",
            "by vein weeks 0, 2, 4, then every 4; under the skin weekly; 7 days: our choice",
        ): _doses_given(
            given, given.of_drugs("belimumab"), thresholds()["belimumab"]["period_days_per_dose"]
        ),
        entry(
            "obinutuzumab_doses",
            "doses of obinutuzumab given",
            "one per row",
            "REGENCY: day 1, weeks 2, 24, 26, 52; doi 10.1056/NEJMoa2410965",
        ): _doses_given(given, given.of_drugs("obinutuzumab"), float(NEVER)),
    }


def exposure(view: LandmarkView) -> dict[Feature, Numbers]:
    """Return the first regimen, how intensely it was given, glucocorticoids and co-treatment.

    Parameters
    ----------
    view : LandmarkView

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
        0 where a drug has no row; nan where a dose that is needed was not recorded.
    """
    given = Given.of(view)
    regimen = given.first_regimen()
    return (
        _regimen(given, regimen)
        | _mycophenolate(given, regimen)
        | _cyclophosphamide(given)
        | _cni_and_biologics(given)
        | cotreatment(given)
    )
