"""When a simulated value came into the registry: at once, or when someone entered it.

Assumes that centres without an interface enter a day's values together, some days later; where
values flow in, the day of entry is not written.
"""

import numpy as np

from ...features.days import NEVER, Days
from .patients import per_site
from .world import World

__all__ = ["recorded_day"]


def recorded_day(world: World, person: Days, day: Days) -> Days:
    """Return the day since 1970-01-01 on which rows were entered; `NEVER` where it is not written.

    Parameters
    ----------
    world : World
    person : ndarray of int, shape (n_rows,)
    day : ndarray of int, shape (n_rows,)
        Of the value, from the index date.
    """
    median = per_site(world.parameters, "entered_after_days", world.patients.site)[person]
    entered: Days = np.full(len(person), NEVER, dtype=np.int64)
    late = np.flatnonzero(median > 0)
    who, on = person[late], day[late]
    spread = world.parameters["measurement"]["entry_sigma"]
    wait = median[late] * np.exp(spread * world.draws.normal("entered", who, on, on))
    entered[late] = world.patients.index_day[who] + on + np.floor(wait).astype(np.int64)
    return entered
