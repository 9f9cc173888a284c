"""The columns that a model takes, for whoever asks it by features rather than by tables.

Assumes that they are computed as `lnrisk.serving.scoring` does: cut at each patient's landmark.
"""

import json
from dataclasses import asdict

import pandas as pd

from ..features.laboratory import LANDMARK_MONTH, statistic_name
from ..features.registry import Registry
from ..features.summaries import STATISTICS
from ..model.artifact import RiskModel
from .scoring import scored

__all__ = ["inputs_of"]

ENTRY = ("name", "meaning", "unit", "table", "look_back", "formula")


def inputs_of(
    model: RiskModel, registry: Registry, landmark_weeks: float
) -> tuple[pd.DataFrame, str]:
    """Return the model's columns for every patient, and their dictionary as JSON.

    Parameters
    ----------
    model : RiskModel
    registry : Registry
    landmark_weeks : float

    Returns
    -------
    table : DataFrame, shape (n_patients, n_inputs)
        nan where missing, and for a patient without index date.
    dictionary : str
        `features` of the model, `trajectories` that are fitted to sufficient statistics, and which
        columns those are.

    Raises
    ------
    ModelError
        When the model does not score at that time.
    """
    found = scored(model, registry, landmark_weeks=landmark_weeks)
    content = {
        "features": [{name: getattr(term, name) for name in ENTRY} for term in model.terms],
        "trajectories": [asdict(trajectory) for trajectory in model.trajectories],
        "statistics": {
            trajectory.name: [statistic_name(trajectory.name, part) for part in STATISTICS]
            for trajectory in model.trajectories
        },
        "landmark": LANDMARK_MONTH,
    }
    return pd.DataFrame(found.features), json.dumps(content, indent=1) + "\n"
