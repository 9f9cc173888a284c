"""The as-of view: a registry as it was known on a day, per patient.

Assumes that a record was known on its own date, a treatment's end and stop reason on the end date,
and an adherence period on its last day, or later where the registry says when it was recorded; one
that enters records late without saying so knew less than this.
"""

import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from .days import NEVER, Days, as_days, day_of
from .registry import Registry
from .repeats import average_repeats, recorded_later

__all__ = ["as_of_days", "known_on"]

_KNOWN_ON_DATE = {
    "measurements": "date",
    "biopsies": "date",
    "events": "date",
    "outcomes": "date",
    "adherence": "end_date",
    "treatments": "start_date",
}


def as_of_days(registry: Registry, as_of: datetime.date | Days | None) -> Days:
    """Return one day number per patient; `NEVER` where nothing is hidden.

    Parameters
    ----------
    registry : Registry
    as_of : date, ndarray of int of shape (n_patients,), or None
        One day for all, one day number per patient, or all that is recorded.
    """
    if as_of is None:
        return np.full(len(registry), NEVER, dtype=np.int64)
    if isinstance(as_of, datetime.date):
        return np.full(len(registry), day_of(as_of), dtype=np.int64)
    return as_of


def known_on(registry: Registry, as_of: datetime.date | Days | None) -> Registry:
    """Return what was known on a day.

    A record dated or recorded later does not exist; a treatment that ends later is ongoing,
    without a reason for stopping.

    Parameters
    ----------
    registry : Registry
    as_of : date, ndarray of int of shape (n_patients,), or None

    Returns
    -------
    Registry
        The same patients; the same registry where nothing is hidden.
    """
    days = as_of_days(registry, as_of)
    if (days == NEVER).all() and not recorded_later(registry.measurements):
        return registry
    changed = {}
    for name, column in _KNOWN_ON_DATE.items():
        table = registry.tables[name]
        limit = days[registry.positions(name)]
        known = as_days(table[column]) <= limit
        known &= as_days(table["recorded_on"], missing=-NEVER) <= limit
        seen = _ongoing(table, limit) if name == "treatments" else table
        seen = seen if known.all() else seen[known].reset_index(drop=True)
        seen = average_repeats(seen) if name == "measurements" else seen
        if seen is not table:
            changed[name] = seen
    return registry.with_tables(**changed) if changed else registry


def _ongoing(treatments: pd.DataFrame, limit: npt.NDArray[np.int64]) -> pd.DataFrame:
    ended = as_days(treatments["end_date"]) <= limit
    told = (treatments["end_date"].notna() | treatments["stop_reason"].notna()).to_numpy()
    if not (told & ~ended).any():
        return treatments
    return treatments.assign(
        end_date=treatments["end_date"].where(ended),
        stop_reason=treatments["stop_reason"].where(ended),
    )
