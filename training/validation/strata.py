"""The groups of patients in which a model is looked at by itself.

Assumes that what was recorded about a patient at the index date says which group they are of.
Ancestry is looked at, where recorded, to see whom a model serves badly; it enters no model.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import NEVER, as_dates, as_days
from ...features.pipeline import index_days
from ...features.registry import Registry, text_of
from ..cohort import Cohort

__all__ = ["GROUPS", "strata"]

GROUPS = ("sex", "age", "ancestry", "centre", "class", "era")
AGES = (30, 45, 60)
ERA_YEARS = 5


def strata(cohort: Cohort, registry: Registry, outcome: str = "rule") -> pd.DataFrame:
    """Return the level of each row in each group, empty where not recorded.

    Parameters
    ----------
    cohort : Cohort
    registry : Registry
    outcome : {"rule", "registry"}
        Whose index date counts.

    Returns
    -------
    DataFrame of str, shape (n_rows, 6)
        Columns `GROUPS`.
    """
    who = cohort.position
    patients = registry.patients.iloc[who]
    index = index_days(registry, outcome)[who]
    return pd.DataFrame(
        {
            "sex": _text(patients["sex"]),
            "age": _age(as_days(patients["birth_date"]), index),
            "ancestry": _text(patients["ancestry"]),
            "centre": _text(patients["site"]),
            "class": _class(cohort.features),
            "era": _era(index),
        }
    )


def _text(column: "pd.Series[str]") -> npt.NDArray[np.str_]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return text_of(column)
    return column.fillna("").astype(str).to_numpy().astype(str)


def _age(birth: npt.NDArray[np.int64], index: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    years = (index - birth) / 365.25
    names = [
        f"under {AGES[0]}",
        *(f"{low} to {high - 1}" for low, high in pairwise(AGES)),
        f"{AGES[-1]} and over",
    ]
    band = np.array(names)[np.searchsorted(AGES, years, side="right")]
    return np.where((birth == NEVER) | (index == NEVER), "", band)


def _class(features: pd.DataFrame) -> npt.NDArray[np.str_]:
    missing = np.full(len(features), np.nan)
    proliferative = np.asarray(features.get("class_proliferative", missing), dtype=np.float64)
    membranous = np.asarray(features.get("class_membranous", missing), dtype=np.float64)
    return np.select(
        [
            (proliferative == 1) & (membranous == 1),
            proliferative == 1,
            membranous == 1,
            (proliferative == 0) & (membranous == 0),
        ],
        ["III or IV with V", "III or IV", "V", "other"],
        "",
    )


def _era(index: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    dates = as_dates(index)
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    first = year // ERA_YEARS * ERA_YEARS
    names = np.array([f"{one} to {one + ERA_YEARS - 1}" for one in first.tolist()], dtype=str)
    return np.where(np.isnat(dates), "", names)
