"""The nine figures of a set of risks, with intervals by bootstrap or by standard errors.

Assumes what `lnrisk.training.metrics` and `lnrisk.training.curves` assume.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..curves import calibration_error, calibration_error_intervals
from ..metrics import (
    auroc,
    bootstrap_intervals,
    calibration_slope,
    observed_expected,
    performance,
)
from ..standard_errors import auroc_error, log_observed_expected_error, slope_error

__all__ = ["COMPARED", "figures", "point_figures", "quick_figures"]

COMPARED = ("auroc", "observed_expected", "calibration_slope")
"""What centres and subgroups are compared in."""


def point_figures(y: Any, risk: Any, sample_weight: Any = None) -> dict[str, float]:
    """Return AUROC, Brier, scaled Brier, intercept, slope, O/E, ICI, E50 and E90.

    Parameters
    ----------
    y, risk, sample_weight : array-like of shape (n_rows,)
        As in :func:`~lnrisk.training.metrics.auroc`, errors included.
    """
    return {**performance(y, risk, sample_weight), **calibration_error(y, risk, sample_weight)}


def figures(y: Any, risk: Any, sample_weight: Any, groups: Any, **bootstrap: Any) -> pd.DataFrame:
    """Return the nine figures with intervals from a bootstrap of patients.

    Parameters
    ----------
    y, risk, sample_weight, groups
        As in :func:`~lnrisk.training.metrics.bootstrap_intervals`.
    **bootstrap
        resamples, random_state, level.

    Returns
    -------
    DataFrame
        measure, estimate, lower, upper, resamples.
    """
    tables = [
        measured(y, risk, sample_weight, groups, **bootstrap)
        for measured in (bootstrap_intervals, calibration_error_intervals)
    ]
    table: pd.DataFrame = pd.concat(tables).rename_axis("measure").reset_index()
    return table


def quick_figures(
    y: Any, risk: Any, sample_weight: Any, groups: Any, level: float = 0.95
) -> pd.DataFrame:
    """Return AUROC, O/E and slope with their standard errors and the intervals that follow.

    Parameters
    ----------
    y, risk, sample_weight, groups
        As in :func:`~lnrisk.training.standard_errors.auroc_error`.
    level : float

    Returns
    -------
    DataFrame
        measure, estimate, standard_error (O/E: of its logarithm), lower, upper.
    """
    z = float(ndtri((1 + level) / 2))
    given = (y, risk, sample_weight)
    area, ratio = float(auroc(*given)), float(observed_expected(*given))
    slope = float(calibration_slope(*given))
    errors = [
        error(*given, groups) for error in (auroc_error, log_observed_expected_error, slope_error)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        half = z * errors[0] / (area * (1 - area))
        odds = area / (1 - area) * np.exp([-half, half])
        limits = [
            odds / (1 + odds),
            ratio * np.exp([-z * errors[1], z * errors[1]]),
            slope + np.array([-z * errors[2], z * errors[2]]),
        ]
    return pd.DataFrame(
        {
            "measure": COMPARED,
            "estimate": [area, ratio, slope],
            "standard_error": errors,
            "lower": [pair[0] for pair in limits],
            "upper": [pair[1] for pair in limits],
        }
    )
