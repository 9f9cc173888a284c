"""A model fitted to another place: the same ranking, with risks moved along a line of log-odds.

Assumes that the model ranks patients there as it does at home and that its risks are too high or
too low, or too far apart or too close, in one way for all; a feature that means something else in
the new place is not put right by that.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .artifact import RiskModel
from .calibration_map import (
    BetaMap,
    CalibrationMap,
    CeilingMap,
    IsotonicMap,
    LogisticMap,
    VennAbersMap,
)
from .linear import inverse_logit

__all__ = ["recalibrated"]

SMALLEST = 1e-9  # of a risk in a table, before its log-odds are taken


def recalibrated(
    model: RiskModel, intercept: float, slope: float, note: dict[str, Any]
) -> RiskModel:
    """Return the model with log-odds ``intercept + slope * (log-odds before)``, sealed anew.

    Parameters
    ----------
    model : RiskModel
    intercept, slope : float
        The slope is positive, so that nobody changes places.
    note : dict
        Where and on what this was done; kept in the model's `training`.

    Raises
    ------
    ValueError
        When the slope is not positive.
    """
    if not slope > 0:
        raise ValueError(f"a recalibration slope of {slope:g} would turn the ranking round.")
    pair = _moved(model.venn_abers, intercept, slope)
    assert isinstance(pair, VennAbersMap)
    before = model.training.get("recalibrations", [])
    step = {"intercept": intercept, "slope": slope, "from": model.sha256, **note}
    return replace(
        model,
        calibration=_moved(model.calibration, intercept, slope),
        venn_abers=pair,
        refits=tuple(
            (intercept + slope * refit[0], *(slope * value for value in refit[1:]))
            for refit in model.refits
        ),
        training={**model.training, "recalibrations": [*before, step]},
    ).sealed()


def _moved(found: CalibrationMap, intercept: float, slope: float) -> CalibrationMap:
    if isinstance(found, LogisticMap):
        return LogisticMap(intercept + slope * found.intercept, slope * found.slope)
    if isinstance(found, BetaMap):
        return BetaMap(intercept + slope * found.intercept, slope * found.low, slope * found.high)
    if isinstance(found, CeilingMap):
        outer = intercept + slope * found.outer_intercept, slope * found.outer_slope
        return replace(found, outer_intercept=outer[0], outer_slope=outer[1])

    def moved(risks: tuple[float, ...]) -> tuple[float, ...]:
        held: npt.NDArray[np.float64] = np.clip(np.array(risks), SMALLEST, 1 - SMALLEST)
        log_odds = intercept + slope * (np.log(held) - np.log1p(-held))
        return tuple(inverse_logit(log_odds).tolist())

    if isinstance(found, IsotonicMap):
        return IsotonicMap(found.at, moved(found.risks))
    return VennAbersMap(found.at, moved(found.without), moved(found.with_outcome))
