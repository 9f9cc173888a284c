"""Glucocorticoids and what else is taken beside the regimen, from the index date to the landmark.

Assumes that a drug without a row was not given: a registry that does not record inhibitors of RAAS
or SGLT2 makes everyone look untreated, and a fall of proteinuria look like response.
"""

import numpy as np

from .feature import Feature
from .given import Given, known, thresholds
from .history import Numbers

__all__ = ["cotreatment"]

_STEROIDS = frozenset({"prednisone", "prednisolone", "methylprednisolone"})
_LOWERS = "lowers proteinuria without response"


def _pulsed(given: Given) -> Numbers:
    """Return 1 where a methylprednisolone pulse was given; nan where a dose might be one."""
    limits, view = thresholds()["glucocorticoid"], given.view
    rows = given.of_drugs("methylprednisolone")
    first = view.index_day - limits["pulse_days_before"]
    large = rows.where(rows.dose >= limits["pulse_mg"])
    unknown = rows.where(np.isnan(rows.dose))
    some, unsure = (given.ever(part, first, view.landmark_day) for part in (large, unknown))
    return np.where(some, 1.0, np.where(unsure, np.nan, 0.0))


def _steroids(given: Given) -> dict[Feature, Numbers]:
    limits, view = thresholds()["glucocorticoid"], given.view
    rows = given.of_drugs(*_STEROIDS)
    total = known(rows.doses(*given.span, rows.equivalents("prednisone_equivalent")))
    taken = rows.where(rows.daily | (rows.end > rows.start))
    since = np.maximum(view.landmark_day - limits["current_days"] + 1, view.index_day)
    recent = taken.doses(
        view.patient, since, view.landmark_day, taken.equivalents("prednisone_equivalent")
    )

    def entry(name: str, meaning: str, unit: str, since: str, formula: str, cited: str) -> Feature:
        look_back = f"{since} to the landmark"
        return Feature(name, meaning, unit, "treatments", look_back, formula, cited)

    summed = (
        "prednisone, prednisolone, methylprednisolone x 1.25; pulses too; missing where a dose is"
    )
    return {
        entry("prednisone_mg", "cumulative prednisone", "mg", "index date", summed, ""): total,
        entry(
            "prednisone_mg_per_day",
            "mean daily prednisone",
            "mg/d",
            "index date",
            "prednisone_mg / days",
            "",
        ): total / given.days,
        entry(
            "prednisone_mg_per_day_at_landmark",
            "daily prednisone at the landmark",
            "mg/d",
            "last 14 days",
            "mean over the days, single administrations left out; missing where a dose is",
            "aim <= 5 mg/d by 6 months: ACR 2024, doi 10.1002/acr.25528; 14 days: our choice",
        ): known(recent) / (view.landmark_day - since + 1),
        entry(
            "pulse_methylprednisolone",
            "methylprednisolone pulse given",
            "1",
            "day -14",
            "1 where one row has 250 mg or more; missing where one has no dose and none has 250 mg",
            "250-1000 mg: ACR 2024, doi 10.1002/acr.25528; day -14: our choice",
        ): _pulsed(given),
    }


def _beside(given: Given) -> dict[Feature, Numbers]:
    view = given.view
    index, after = view.index_day, np.minimum(view.index_day + 1, view.landmark_day)
    features: dict[Feature, Numbers] = {}
    for name, words, effect in (
        ("hydroxychloroquine", "hydroxychloroquine", ""),
        ("raas_inhibitor", "a RAAS inhibitor", _LOWERS),
        ("sglt2_inhibitor", "an SGLT2 inhibitor", _LOWERS),
    ):
        rows, look_back = given.of_drugs(name), "index date to the landmark"
        meaning = f"share of days on {words}" + (f" ({effect})" if effect else "")
        share = Feature(
            f"{name}_share_of_days", meaning, "1", "treatments", look_back, "days with a row / days"
        )
        features[share] = given.share_of_days(rows)
        if effect:
            begun = given.ever(rows, after, view.landmark_day) & ~given.ever(rows, index, index)
            started = Feature(
                f"started_{name}",
                f"started {words} ({effect})",
                "1",
                "treatments",
                look_back,
                "1 where a row starts after the index date and none covers it",
            )
            features[started] = begun.astype(float)
    return features


def cotreatment(given: Given) -> dict[Feature, Numbers]:
    """Return glucocorticoids, hydroxychloroquine and inhibitors of RAAS and SGLT2.

    Parameters
    ----------
    given : Given

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
    """
    return _steroids(given) | _beside(given)
