"""What the validation found, as the results file holds it.

Assumes that whoever reads it has no access to the patients: counts of the few are left out.
"""

from typing import Any

import numpy as np
import pandas as pd

from ..at_risk import people
from ..cohort import Cohort
from ..records import records
from .suite import Validated

__all__ = ["validation_results"]


def validation_results(validated: Validated, cohort: Cohort) -> dict[str, Any]:
    """Return the validation as plain data, by the names of the results' schema.

    Parameters
    ----------
    validated : Validated
    cohort : Cohort
    """
    found = validated.cross_validation
    primary = found.at(cohort.primary_landmark)
    by_landmark = found.performance.merge(_counts(validated), on="landmark_days", how="left")
    columns = ["landmark_days", "patients", "events", "measure", "estimate", "lower", "upper"]
    steady = validated.instability
    centres = validated.centres
    return {
        "performance": records(primary.performance),
        "performance_by_landmark": records(by_landmark[columns]),
        "auroc_in_time": records(validated.auroc_in_time),
        "optimism": records(validated.optimism),
        "calibration_curve": records(validated.calibration_curve),
        "calibration_by_landmark": records(validated.calibration_by_landmark),
        "net_benefit": records(validated.net_benefit),
        "centres": {
            "rows": records(centres.rows),
            "pooled": records(centres.pooled),
            "calibration_by_centre": records(centres.calibration),
            "remarks": list(centres.remarks),
        },
        "instability": None if steady is None else steady.to_dict(),
        "learning_curve": records(validated.learning_curve),
        "subgroups": records(validated.subgroups),
        "sensitivity": records(validated.sensitivity),
    }


def _counts(validated: Validated) -> pd.DataFrame:
    found = validated.cross_validation
    counted = [
        (day, *people(found.y[at], found.possible[at]))
        for day in np.unique(found.landmark_days).tolist()
        for at in [found.landmark_days == day]
    ]
    return pd.DataFrame(counted, columns=["landmark_days", "patients", "events"])
