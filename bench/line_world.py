"""A synthetic long table in which every series scatters around its patient's own line.

Assumes days from the index date, from 60 before it to 180 after; lines bend at month 2, as the
model of trajectories has it, so that nothing about accuracy follows from it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ANALYTES, GROUPS = 4, ("a", "b", "c", "d", "e")
KNOT, DAYS_PER_MONTH = 2.0, 30.4375


@dataclass(frozen=True)
class LineWorld:
    """Columns of the long table, what was given to each patient, and the landmark in months."""

    patient: npt.NDArray[np.int32]
    analyte: npt.NDArray[np.int8]
    day: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]
    side: npt.NDArray[np.int8]
    given: npt.NDArray[np.float64]
    month: npt.NDArray[np.float64]


def line_world(patients: int, order: str) -> LineWorld:
    """Return the table of so many patients, in ``random`` order or that of a ``registry``."""
    random = np.random.default_rng(patients)
    counts = 1 + random.poisson(7, patients * ANALYTES)
    series = np.repeat(np.arange(patients * ANALYTES, dtype=np.int32), counts)
    day = random.integers(-60, 181, len(series), dtype=np.int32)
    given = (random.random((patients, len(GROUPS))) < 0.3).astype(float)
    own = random.normal(size=(patients * ANALYTES, 2)) * [0.6, 0.2]
    month = np.maximum(day, 0) / DAYS_PER_MONTH
    slope = -0.3 + own[series, 1] + 0.1 * given[series // ANALYTES, 0]
    value = 1.0 + own[series, 0] + slope * month + 0.1 * np.maximum(month - KNOT, 0.0)
    value += random.normal(0.0, 0.3, len(series))
    patient, analyte = series // ANALYTES, (series % ANALYTES).astype(np.int8)
    mixed = random.permutation(len(series))
    to = mixed if order == "random" else np.lexsort((day, patient, analyte))
    side = np.zeros(len(series), dtype=np.int8)
    landmark = np.full(patients, 84 / DAYS_PER_MONTH)
    return LineWorld(patient[to], analyte[to], day[to], value[to], side, given, landmark)
