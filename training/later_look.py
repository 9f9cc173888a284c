"""How far patients alike turned out to lie apart: the model's own risks, early and at a later look.

Assumes that what sets patients apart who look alike at a landmark has shown itself two thirds of
the way to the horizon; what shows later is not seen, and the spread is then too small. The
classifier is that of the model file: its choice is not repeated.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..features.errors import LnriskError
from ..features.laboratory import DAYS_PER_MONTH
from ..features.registry import Registry
from ..model.definition import Definition
from ..model.spread import Spread, spread_with
from .cohort import Cohort, build_cohort
from .config import TrainingConfig
from .fitting import fit_classifier

__all__ = ["between_patients", "later_day", "look_again", "spread_results"]

Floats = npt.NDArray[np.float64]

LEAST, MOST = 0.005, 0.95
SHOWN_RISKS = (0.02, 0.05, 0.1, 0.2, 0.4)
FEWEST = 50
"""Patients who must have been seen at both looks."""


def later_day(config: TrainingConfig) -> int:
    """Return the day of the later look.

    Examples
    --------
    >>> later_day(TrainingConfig())
    365
    """
    last, horizon = config.landmark_days[-1], config.horizon_days
    return max(round(horizon * 2 / 3), (last + horizon + 1) // 2) if last else horizon * 2 // 3


def look_again(
    registry: Registry, definition: Definition, config: TrainingConfig
) -> tuple[Spread | None, str]:
    """Return how far the risks of patients alike lie apart, or why that cannot be told.

    The model is fitted once more with the later day among its landmarks, and its risks out of fold
    at each landmark are held against those of the same patients on that day: 1 for who met the
    definition in between, its chance where the rule cannot tell, 0 for who died or lost kidney
    function.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    config : TrainingConfig
    """
    day = later_day(config)
    days = (*config.landmark_days, day)
    try:
        cohort = build_cohort(
            registry, definition, config.changed(landmark_days=days, allow_small=True)
        )
        risk = _risks(cohort, config.seed)
    except (LnriskError, ValueError) as error:
        return None, f"The later look could not be fitted: {error}"
    shares = []
    for landmark in config.landmark_days:
        early, late, weight = _both_looks(cohort, risk, landmark, day)
        if len(early) < FEWEST:
            return None, f"{len(early)} patients were seen on day {landmark} and on day {day}."
        shares.append(between_patients(early, late, weight))
    return spread_with(config.landmark_days, shares, day), ""


def between_patients(early: Floats, late: Floats, weight: Floats) -> float:
    """Return the share of the outcome's variance that lies between patients of one early risk.

    Parameters
    ----------
    early, late : ndarray of float, shape (n_patients,)
        Risks of the same patients at two looks.
    weight : ndarray of float, shape (n_patients,)

    Examples
    --------
    >>> between_patients(np.full(4, 0.5), np.array([0.5, 0.5, 0.25, 0.75]), np.ones(4))
    0.125
    """
    moved = weight @ (late - early) ** 2
    variance = weight @ (early * (1 - early))
    return float(np.clip(moved / variance, LEAST, MOST))


def spread_results(spread: Spread | None) -> list[dict[str, Any]]:
    """Return what the results file holds: at each landmark the range around some risks."""
    if spread is None:
        return []
    risks = np.array(SHOWN_RISKS)
    rows: list[dict[str, Any]] = []
    for day, share in zip(spread.landmarks, spread.shares, strict=True):
        ends = spread.range_of(risks, np.full(len(risks), day / DAYS_PER_MONTH))
        lower, upper = np.minimum(ends[0], risks), np.maximum(ends[1], risks)
        rows.extend(
            {
                "landmark_days": day,
                "later_day": spread.later_day,
                "level": spread.level,
                "share_between_patients": share,
                "risk": float(risks[at]),
                "lower": float(lower[at]),
                "upper": float(upper[at]),
            }
            for at in range(len(risks))
        )
    return rows


def _risks(cohort: Cohort, seed: int) -> Floats:
    """Return the risk of each row by fits without its patient; nan without an outcome."""
    rows = cohort.has_outcome
    classifier, _ = fit_classifier(cohort, rows, seed)
    risk = np.full(len(rows), np.nan)
    risk[rows] = classifier.calibration_.predict(classifier.out_of_fold_linear_predictor_)
    return risk


def _both_looks(
    cohort: Cohort, risk: Floats, landmark: int, day: int
) -> tuple[Floats, Floats, Floats]:
    """Return early and late risk of each row of a landmark whose patient was seen again."""
    at = cohort.has_outcome & (cohort.landmark_days == landmark)
    again = np.full(int(cohort.position.max()) + 1, np.nan)
    seen = cohort.has_outcome & (cohort.landmark_days == day)
    again[cohort.position[seen]] = risk[seen]
    ended = cohort.days[at] <= day
    status = cohort.status[at]
    late = np.select(
        [ended & (status == "event"), ended & (status == "competing")],
        [cohort.weights.chance[at], 0.0],
        again[cohort.position[at]],
    )
    known = np.isfinite(late)
    return risk[at][known], late[known], cohort.weights.weight[at][known]
