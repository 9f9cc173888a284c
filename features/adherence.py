"""Signals of adherence between the index date and the landmark.

Assumes that each measure speaks for the days it covers; hydroxychloroquine in blood and in serum
are different scales and are never mixed.
"""

import numpy as np

from .days import as_days
from .feature import Feature, LandmarkView
from .history import Numbers, history_of

__all__ = ["adherence"]

_SHARES = ("pdc", "mpr")


def _rows(view: LandmarkView, measures: tuple[str, ...], *, weighted: bool) -> Numbers:
    """Return the mean (weighted by days of overlap) or the sum of some measures."""
    table, patient = view.registry.adherence, view.registry.positions("adherence")
    days = (
        np.minimum(as_days(table["end_date"]), view.landmark_day[patient])
        - np.maximum(as_days(table["start_date"]), view.index_day[patient])
        + 1
    )
    chosen = (days > 0) & table["measure"].isin(measures).to_numpy()
    person, value = patient[chosen], table["value"].to_numpy()[chosen]
    weight = days[chosen] if weighted else np.ones(len(person))
    n = len(view.registry)
    total, seen = np.bincount(person, value * weight, n), np.bincount(person, weight, n)
    return np.where(seen > 0, total / np.where((seen > 0) & weighted, seen, 1), np.nan)


def adherence(view: LandmarkView) -> dict[Feature, Numbers]:
    """Return refill shares, reports, missed doses and hydroxychloroquine levels.

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
    """
    span = "index date to the landmark"
    window = (view.patient, view.index_day, view.landmark_day)

    def entry(name: str, meaning: str, unit: str = "1", table: str = "adherence") -> Feature:
        return Feature(name, meaning, unit, table, span)

    def level(analyte: str) -> Numbers:
        return history_of(view.registry, analyte).median(*window)

    return {
        entry("refill_share", "share of days covered by refills (pdc, mpr)"): _rows(
            view, _SHARES, weighted=True
        ),
        entry("self_reported_share", "self-reported share of doses taken"): _rows(
            view, ("self_report",), weighted=True
        ),
        entry("clinician_says_adherent", "share of time the clinician says adherent"): _rows(
            view, ("clinician",), weighted=True
        ),
        entry("missed_infusions", "missed infusions"): _rows(
            view, ("missed_infusions",), weighted=False
        ),
        entry("missed_visits", "missed visits"): _rows(view, ("missed_visits",), weighted=False),
        entry("hcq_blood", "hydroxychloroquine in blood, median", "ng/mL", "measurements"): level(
            "hcq_blood"
        ),
        entry("hcq_serum", "hydroxychloroquine in serum, median", "ng/mL", "measurements"): level(
            "hcq_serum"
        ),
    }
