"""The regimen between the index date and the landmark, and how intensely it was given.

Assumes that a drug without a row was not given; a drug whose dose was not recorded has an unknown
dose, not none. Rescue drugs are never features: they follow failure.
"""

import numpy as np

from .feature import Feature, LandmarkView
from .history import Numbers
from .treatment import Doses, Treatments, treatments_of
from .vocabulary import ANCHOR_CLASSES

__all__ = ["therapy"]

RAMP_DAYS = 28
_STEROIDS = frozenset({"prednisone", "prednisolone", "methylprednisolone"})
_BESIDE = ("hydroxychloroquine", "raas_inhibitor", "sglt2_inhibitor")


def _known(doses: Doses) -> Numbers:
    return np.where(doses.missing, np.nan, doses.milligrams)


def therapy(view: LandmarkView) -> dict[Feature, Numbers]:
    """Return anchor classes given, dose intensity, steroid exposure and co-treatment.

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
    """
    given = treatments_of(view.registry)
    first, last = view.index_day, view.landmark_day
    span = (view.patient, first, last)
    days = np.maximum(last - first + 1, 1)

    def entry(name: str, meaning: str, unit: str = "1", since: str = "index date") -> Feature:
        return Feature(name, meaning, unit, "treatments", f"{since} to the landmark")

    def taken(rows: Treatments) -> Numbers:
        return (rows.days_covered(*span) > 0).astype(float)

    features = {
        entry(f"given_{name.lower()}", f"anchor class {name} given"): taken(given.of_class(name))
        for name in ANCHOR_CLASSES
    }
    mpa, steroids = given.of_class("MPA"), given.of_drugs(_STEROIDS)
    ramped = np.minimum(first + RAMP_DAYS, last)
    mpa_doses = mpa.doses(
        view.patient, ramped, last, mpa.equivalents("mycophenolate_mofetil_equivalent")
    )
    steroid_doses = steroids.doses(*span, steroids.equivalents("prednisone_equivalent"))
    for name in _BESIDE:
        rows = given.of_drugs(frozenset({name}))
        features[entry(f"given_{name}", f"{name.replace('_', ' ')} given")] = taken(rows)
    return features | {
        entry(
            "mpa_mg_per_day",
            "mean daily mycophenolate mofetil or its equivalent",
            "mg/d",
            f"day {RAMP_DAYS}",
        ): _known(mpa_doses) / np.maximum(last - ramped + 1, 1),
        entry("cyc_mg", "cumulative cyclophosphamide", "mg"): _known(
            given.of_class("CYC").doses(*span)
        ),
        entry("cni_share_of_days", "share of days on a calcineurin inhibitor"): given.of_class(
            "CNI"
        ).days_covered(*span)
        / days,
        entry("prednisone_mg_per_day", "mean daily prednisone equivalent", "mg/d"): _known(
            steroid_doses
        )
        / days,
    }
