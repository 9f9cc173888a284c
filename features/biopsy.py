"""Chronic damage and activity on the latest biopsy up to the landmark.

Assumes one reader; single readings of the indices agree only moderately between readers, so a point
more or less is within their error.
"""

import numpy as np

from .feature import Feature, LandmarkView
from .history import Numbers

__all__ = ["biopsy"]

_PROLIFERATIVE = ("III", "IV", "III+V", "IV+V")
_MEMBRANOUS = ("V", "III+V", "IV+V")


def biopsy(view: LandmarkView) -> dict[Feature, Numbers]:
    """Return indices and class of each patient's latest biopsy that recorded them.

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
    """
    table = view.registry.biopsies
    patient = view.registry.positions("biopsies")
    isn_rps_class = table["isn_rps_class"].astype("str").fillna("").to_numpy()
    classed = isn_rps_class != ""

    def latest(values: Numbers) -> Numbers:
        result = np.full(len(view.registry), np.nan)
        recorded = ~np.isnan(values)
        result[patient[recorded]] = values[recorded]
        return result

    def member(classes: tuple[str, ...]) -> Numbers:
        return latest(np.where(classed, np.isin(isn_rps_class, classes), np.nan))

    def entry(name: str, meaning: str) -> Feature:
        return Feature(name, f"latest biopsy: {meaning}", "1", "biopsies", "up to the landmark")

    return {
        entry("chronicity_index", "chronicity index, 0-12"): latest(
            table["chronicity_index"].to_numpy()
        ),
        entry("activity_index", "activity index, 0-24"): latest(table["activity_index"].to_numpy()),
        entry("class_proliferative", "ISN/RPS class III or IV"): member(_PROLIFERATIVE),
        entry("class_membranous", "ISN/RPS class V"): member(_MEMBRANOUS),
    }
