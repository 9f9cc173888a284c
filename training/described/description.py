"""Everything in the results that describes rather than validates, in one go.

Assumes the validation is done: comparators are judged on its folds.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ...features.registry import Registry
from ...model.artifact import RiskModel
from ...model.definition import Definition
from ..cohort import Cohort
from ..comparators.comparator import comparators
from ..comparators.recalibration import comparator_rows
from ..config import TrainingConfig
from ..overlap import overlap
from ..progress import Step
from ..validation.cross_validation import CrossValidation
from .baseline import baseline_table
from .effects import effects, worked_patients
from .labels import label_section

__all__ = ["description", "simple_rules"]

OFTEN_ENOUGH = 0.25
"""Share of patients for whom a rule must be computable to be drawn as a decision curve."""
SMALL_PROBABILITY = 0.1
RULES_DRAWN = 3


def description(
    registry: Registry,
    definition: Definition,
    cohort: Cohort,
    model: RiskModel,
    found: CrossValidation,
    config: TrainingConfig,
    step: Step,
) -> dict[str, Any]:
    """Return the sections by the names of the results' schema.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    cohort : Cohort
    model : RiskModel
    found : CrossValidation
    config : TrainingConfig
    step : callable
        Told of the progress.
    """
    at, plan = found.at(cohort.primary_landmark), config.validation
    rows = np.flatnonzero(cohort.primary & cohort.has_outcome)
    step("comparators", 0, 1)
    compared = comparator_rows(
        cohort.features.iloc[rows].reset_index(drop=True),
        at.y,
        at.weight,
        at.patient_id.astype(str),
        at.mean_risk,
        resamples=plan.resamples,
        level=plan.level,
        folds=plan.folds,
        random_state=config.seed,
    )
    step("comparators", 1, 1)
    shared = []
    if config.outcome == "rule":
        used = [entry for entry in cohort.dictionary if entry.name in model.feature_names]
        shared = overlap(used, definition, cohort.primary_landmark)
    found_effects = effects(model, cohort)
    strongest = [str(one["feature"]) for one in found_effects]
    return {
        "baseline": baseline_table(registry, cohort),
        "weights": _weighing(cohort, config),
        "effects": found_effects,
        "worked_patients": worked_patients(model, cohort, strongest),
        "comparators": compared,
        "overlap": shared,
        **label_section(registry, definition),
    }


def simple_rules(cohort: Cohort) -> dict[str, npt.NDArray[np.float64]]:
    """Return whom the simple rules call a failure, 1 for each such row.

    The first three that can be computed for a quarter of the patients at the primary landmark. Who
    acts on a rule does nothing where it cannot be computed, and so it is 0 there.
    """
    found = {}
    for one in comparators():
        said = one.raw(cohort.features)
        known = np.isfinite(said)
        if one.kind == "rule" and known[cohort.primary].mean() >= OFTEN_ENOUGH:
            found[one.name] = np.where(known, said, 0.0)
    return dict(list(found.items())[:RULES_DRAWN])


def _weighing(cohort: Cohort, config: TrainingConfig) -> dict[str, Any]:
    """Return how outcomes were weighted, and whether anybody stands in for too many."""
    used = cohort.primary & cohort.has_outcome
    probability = (cohort.weights.uncensored * cohort.weights.determinable)[used]
    smallest, below = float(probability.min()), float((probability < SMALL_PROBABILITY).mean())
    remarks = []
    if below:
        remarks.append(
            f"{100 * below:.1f} % of the patients had a chance below {SMALL_PROBABILITY:g} of a "
            "known outcome; the risk rests heavily on the few like them whose outcome is known."
        )
    return {
        "censoring": config.censoring,
        "smallest_probability": smallest,
        "share_below_tenth": below,
        "remarks": remarks,
    }
