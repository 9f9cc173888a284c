"""When the first regimen ended because another anchor class began.

Assumes that mycophenolate after cyclophosphamide in full is the maintenance that was planned; where
it was begun because cyclophosphamide had not worked and nobody wrote so, the change is missed.
"""

import numpy as np

from .days import NEVER, Days
from .given import Given, thresholds
from .vocabulary import ANCHOR_CLASSES

__all__ = ["regimen_changed_on"]

_ROUNDING = 1e-9


def regimen_changed_on(given: Given) -> Days:
    """Return the first day after day 28 with an anchor class outside the first regimen.

    Parameters
    ----------
    given : Given

    Returns
    -------
    ndarray of int, shape (n_patients,)
        `NEVER` where there is none by the landmark, planned maintenance left out.
    """
    regimen, schedule = given.first_regimen(), thresholds()["cyclophosphamide"]
    after = given.view.index_day + thresholds()["regimen"]["first_days"] + 1
    cyc = given.rows.of_class("CYC")
    full = cyc.doses(*given.span).milligrams >= (
        schedule["dose_mg"] * schedule["doses"] * (1 - _ROUNDING)
    )
    full |= given.who(cyc, cyc.stop_reason == "completed")
    maintained = regimen["CYC"] & full & ~given.who(cyc, cyc.stop_reason == "inefficacy")
    changed = np.full(len(after), NEVER)
    for name in ANCHOR_CLASSES:
        rows = given.rows.of_class(name)
        begins = given.first_day(rows, rows.start >= after[rows.patient])
        same = regimen[name] | maintained if name == "MPA" else regimen[name]
        changed = np.where(same, changed, np.minimum(changed, begins))
    return changed
