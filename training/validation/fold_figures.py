"""The figures of every single fold: how much they vary is seen before any of them is believed.

Assumes the folds of the cross-validation that the risks come from. A fold holds few patients: its
figures are for comparing runs, and the headline figures are those of all folds together.
"""

import numpy as np
import pandas as pd

from ..at_risk import people
from ..cohort import Cohort
from ..config import TrainingConfig
from ..metrics import auroc, brier, calibration_slope, log_loss
from .cross_validation import CrossValidation, folds_of

__all__ = ["MEASURES", "fold_figures"]

MEASURES = {
    "log_loss": log_loss,
    "auroc": auroc,
    "brier": brier,
    "calibration_slope": calibration_slope,
}


def fold_figures(cohort: Cohort, found: CrossValidation, config: TrainingConfig) -> pd.DataFrame:
    """Return log loss, AUROC, Brier score and slope of each fold at the primary landmark.

    Parameters
    ----------
    cohort : Cohort
    found : CrossValidation
        Of this cohort, by this configuration.
    config : TrainingConfig

    Returns
    -------
    DataFrame
        repeat, fold (both from 0), patients, events, and the measures; nan where a measure is not
        defined, as AUROC without events.
    """
    primary = cohort.primary[cohort.has_outcome]
    rows = []
    for repeat in range(config.validation.repeats):
        folds = folds_of(cohort, config.validation.folds, config.seed + repeat)
        for number, fold in enumerate(folds):
            at = fold.test[cohort.has_outcome] & primary
            given = found.y[at], found.risk[at, repeat], found.weight[at]
            shown = {
                name: float(measure(*given)) if at.any() else np.nan
                for name, measure in MEASURES.items()
            }
            patients, events = people(found.y[at], found.possible[at])
            counts = {"patients": patients, "events": events}
            rows.append({"repeat": repeat, "fold": number, **counts, **shown})
    return pd.DataFrame(rows)
