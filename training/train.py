"""The training run: cohort, cross-validation, final fit, model file and results.

Assumes that the registry passed its checks; everything that is random follows from one seed.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.definition import Definition
from .cohort import Cohort, build_cohort
from .config import TrainingConfig
from .fitting import fit_classifier
from .model_file import to_risk_model
from .progress import Step
from .refits import refit
from .results import run_results
from .validation import CrossValidation, cross_validate

__all__ = ["TrainingRun", "fit_model", "train"]


@dataclass(frozen=True)
class TrainingRun:
    """What training gave."""

    model: RiskModel
    cohort: Cohort
    validated: CrossValidation
    results: dict[str, Any]


def train(
    registry: Registry,
    definition: Definition,
    config: TrainingConfig,
    step: Step,
    version: str,
) -> TrainingRun:
    """Train, calibrate and validate.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    config : TrainingConfig
    step : callable
        Told of the progress.
    version : str
        Of this software, for the record.
    """
    with threadpool_limits(limits=1, user_api="blas"):  # small matrices: threads only wait
        return _train(registry, definition, config, step, version)


def fit_model(
    registry: Registry, definition: Definition, config: TrainingConfig, step: Step
) -> RiskModel:
    """Train without validating: for a model whose figures come from elsewhere."""
    with threadpool_limits(limits=1, user_api="blas"):
        cohort = build_cohort(registry, definition, config)
        classifier, _ = fit_classifier(cohort, cohort.resolved, config.seed)
        refits = refit(cohort, config, step)
        return to_risk_model(classifier, cohort, registry, definition, config, refits)


def _train(
    registry: Registry,
    definition: Definition,
    config: TrainingConfig,
    step: Step,
    version: str,
) -> TrainingRun:
    step("cohort", 0, 1)
    cohort = build_cohort(registry, definition, config)
    step("cohort", 1, 1)
    validated = cross_validate(cohort, config, step)
    classifier, _ = fit_classifier(cohort, cohort.resolved, config.seed)
    refits = refit(cohort, config, step)
    model = to_risk_model(classifier, cohort, registry, definition, config, refits)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    results = run_results(registry, cohort, validated, classifier, model, config, today, version)
    return TrainingRun(model, cohort, validated, results)
