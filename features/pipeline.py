"""The feature table at a landmark: one row per patient, one column per feature, missing visible.

Assumes the landmark is counted from one index date per patient. No feature is race or ancestry, and
none looks past the landmark.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from .adherence import adherence
from .chronicity import chronicity
from .days import NEVER, Days, as_days
from .egfr import DAYS_PER_YEAR, first_anchor_day
from .exposure import exposure
from .feature import Feature, LandmarkView, landmark_view
from .first_response import first_response
from .history import Numbers
from .laboratory import knot_months, laboratory, series_name, statistic_name
from .registry import Registry
from .summaries import STATISTICS
from .trajectories import Trajectory, shrunken_features
from .vocabulary import ANCHOR_CLASSES, Scale, analytes

__all__ = [
    "DEFAULT_ANALYTES",
    "FeatureTable",
    "TrajectoryPlan",
    "features_at",
    "index_days",
    "trajectory_plan",
    "with_trajectories",
]

DEFAULT_ANALYTES: dict[str, Scale] = {
    name: analytes()[name].scale for name in ("upcr", "egfr", "albumin", "c3", "c4", "anti_dsdna")
}


@dataclass(frozen=True)
class TrajectoryPlan:
    """Which trajectories are to be fitted: the parameters of the transformer.

    Parameters
    ----------
    series : tuple of str
    groups : tuple of str
        Columns that shift the mean curves: the anchor classes given.
    knots : tuple of float
        Months.
    """

    series: tuple[str, ...]
    groups: tuple[str, ...]
    knots: tuple[float, ...]


@dataclass(frozen=True)
class FeatureTable:
    """Features of every patient of a registry.

    Parameters
    ----------
    frame : DataFrame, shape (n_patients, n_features)
        float64, in the registry's order; nan where missing, and for a patient without index date.
    dictionary : tuple of Feature
        One entry per column, in order.
    statistics : DataFrame, shape (n_patients, n_statistics)
        What trajectories are fitted to; no features themselves.
    """

    frame: pd.DataFrame
    dictionary: tuple[Feature, ...]
    statistics: pd.DataFrame

    @property
    def whole(self) -> pd.DataFrame:
        """Features and statistics side by side: what the transformer takes."""
        return pd.concat([self.frame, self.statistics], axis=1)

    def dictionary_json(self, trajectories: Sequence[Trajectory] = ()) -> str:
        """Return the dictionary, and the trajectories that features rest on, as JSON."""
        content = {
            "features": [asdict(feature) for feature in self.dictionary],
            "trajectories": [asdict(trajectory) for trajectory in trajectories],
        }
        return json.dumps(content, indent=1) + "\n"


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


def trajectory_plan(scales: Mapping[str, Scale]) -> TrajectoryPlan:
    """Return the trajectories of some analytes.

    Examples
    --------
    >>> trajectory_plan({"upcr": "log", "bilirubin": "log"}).knots[1]
    inf
    """
    return TrajectoryPlan(
        tuple(series_name(analyte, scale) for analyte, scale in scales.items()),
        tuple(f"started_with_{name.lower()}" for name in ANCHOR_CLASSES),
        tuple(knot_months(analyte) for analyte in scales),
    )


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
    landmark_days: int | Days,
    scales: Mapping[str, Scale] = DEFAULT_ANALYTES,
) -> FeatureTable:
    """Return the features of every patient at a landmark.

    Parameters
    ----------
    registry : Registry
    index_day : ndarray of int, shape (n_patients,)
    landmark_days : int, or ndarray of int of shape (n_patients,)
        Days after the index date; each patient may have another.
    scales : mapping of str to {"log", "identity"}
        Analytes whose trajectories are taken, and on which scale.

    Returns
    -------
    FeatureTable
        The same row for a patient whoever else is in the registry.
    """
    view = landmark_view(registry, index_day, landmark_days)
    seen = laboratory(view, scales)
    columns = seen.features | first_response(view) | chronicity(view) | exposure(view)
    columns |= adherence(view) | _person(view)
    values = {
        feature.name: np.where(view.indexed, value, np.nan) for feature, value in columns.items()
    }
    return FeatureTable(pd.DataFrame(values), tuple(columns), seen.statistics)


def with_trajectories(
    table: FeatureTable, plan: TrajectoryPlan
) -> tuple[FeatureTable, tuple[Trajectory, ...]]:
    """Return the table with shrunken levels and slopes, fitted to its own patients.

    For a description of a registry; a model fits its own, on its training patients alone.

    Parameters
    ----------
    table : FeatureTable
    plan : TrajectoryPlan

    Returns
    -------
    table : FeatureTable
    trajectories : tuple of Trajectory
        One for each series of which enough patients have a value; the table has no shrunken
        features of the others.
    """
    from .trajectory_fit import fit_trajectory, has_enough

    given = table.frame[list(plan.groups)].to_numpy()
    fitted = []
    for name, knot in zip(plan.series, plan.knots, strict=True):
        sums = table.statistics[[statistic_name(name, part) for part in STATISTICS]].to_numpy()
        if has_enough(sums):
            fitted.append(fit_trajectory(name, sums, given, plan.groups, knot))
    made = shrunken_features(fitted, table.whole)
    columns = pd.DataFrame({feature.name: values for feature, values in made.items()})
    frame = pd.concat([table.frame, columns], axis=1)
    return FeatureTable(frame, (*table.dictionary, *made), table.statistics), tuple(fitted)
