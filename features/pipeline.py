"""The feature table at a landmark: one row per patient, one column per feature, missing visible.

Assumes the landmark is counted from one index date per patient. No feature is race or ancestry, and
none looks past the landmark.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from .adherence import adherence
from .biopsy import biopsy
from .days import NEVER, Days, as_days
from .egfr import DAYS_PER_YEAR, first_anchor_day
from .feature import Feature, LandmarkView, landmark_view
from .history import Numbers
from .registry import Registry
from .therapy import therapy
from .trajectories import Scale, trajectory

__all__ = ["DEFAULT_ANALYTES", "FeatureTable", "features_at", "index_days"]

DEFAULT_ANALYTES: dict[str, Scale] = {
    "upcr": "log",
    "egfr": "identity",
    "albumin": "identity",
    "c3": "identity",
}


@dataclass(frozen=True)
class FeatureTable:
    """Features of every patient of a registry.

    Parameters
    ----------
    frame : DataFrame, shape (n_patients, n_features)
        float64, in the registry's order; nan where missing, and for a patient without index date.
    dictionary : tuple of Feature
        One entry per column, in order.
    """

    frame: pd.DataFrame
    dictionary: tuple[Feature, ...]

    def as_records(self) -> list[dict[str, str]]:
        """Return the dictionary as plain records."""
        return [asdict(feature) for feature in self.dictionary]


def index_days(registry: Registry, outcome: str = "rule") -> Days:
    """Return each patient's index day: of the first anchor drug, or the registry's own.

    Parameters
    ----------
    registry : Registry
    outcome : {"rule", "registry"}
        ``registry`` takes the index dates of ``outcomes``.

    Returns
    -------
    ndarray of int, shape (n_patients,)
        `NEVER` where there is none.
    """
    if outcome == "rule":
        return first_anchor_day(registry)
    days = np.full(len(registry), NEVER, dtype=np.int64)
    days[registry.positions("outcomes")] = as_days(registry.outcomes["index_date"])
    return days


def _person(view: LandmarkView) -> dict[Feature, Numbers]:
    patients = view.registry.patients
    age = (view.index_day - as_days(patients["birth_date"])) / DAYS_PER_YEAR

    def entry(name: str, meaning: str, unit: str) -> Feature:
        return Feature(name, meaning, unit, "patients", "index date")

    return {
        entry("age", "age at the index date", "a"): age,
        entry("female", "female sex", "1"): np.where(patients["sex"] == "female", 1.0, 0.0),
    }


def features_at(
    registry: Registry,
    index_day: Days,
    landmark_days: int,
    analytes: Mapping[str, Scale] = DEFAULT_ANALYTES,
) -> FeatureTable:
    """Return the features of every patient at a landmark.

    Parameters
    ----------
    registry : Registry
    index_day : ndarray of int, shape (n_patients,)
    landmark_days : int
        Days after the index date.
    analytes : mapping of str to {"log", "identity"}
        Analytes whose trajectories are taken, and on which scale.

    Returns
    -------
    FeatureTable
        The same row for a patient whoever else is in the registry.
    """
    view = landmark_view(registry, index_day, landmark_days)
    columns: dict[Feature, Numbers] = {}
    for analyte, scale in analytes.items():
        columns |= trajectory(view, analyte, scale)
    columns |= biopsy(view) | therapy(view) | adherence(view) | _person(view)
    values = {
        feature.name: np.where(view.indexed, value, np.nan) for feature, value in columns.items()
    }
    return FeatureTable(pd.DataFrame(values), tuple(columns))
