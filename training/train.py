"""The training run: cohort, fit, validation, model file and results.

Assumes that the registry passed its checks; everything that is random follows from one seed.
"""

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.definition import Definition
from .challengers.candidates import candidates, compare, how_often_chosen, served
from .choice import fit_all
from .cohort import LOGISTIC, Cohort, build_cohort
from .config import TrainingConfig
from .described.description import description, simple_rules
from .later_look import look_again, spread_results
from .model_file import to_risk_model
from .pieces import Pieces, kept_for, run_key
from .progress import Step
from .refits import refit
from .results import run_results
from .validation.cross_validation import CrossValidation
from .validation.suite import Validated, validate
from .validation.summary import validation_results

__all__ = ["TrainingRun", "fit_model", "train"]


@dataclass(frozen=True)
class TrainingRun:
    """What training gave."""

    model: RiskModel
    cohort: Cohort
    validation: Validated
    results: dict[str, Any]

    @property
    def validated(self) -> CrossValidation:
        """Risks by fits without the patient."""
        return self.validation.cross_validation


def train(
    registry: Registry,
    definition: Definition,
    config: TrainingConfig,
    step: Step,
    version: str,
    work: Path | None = None,
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
    work : Path, optional
        A folder in which finished pieces of the validation are kept until all is done, so that
        the same run takes up where it was interrupted.
    """
    with tempfile.TemporaryDirectory() as none_given:
        pieces = kept_for(work or Path(none_given), run_key(registry, definition, config, version))
        with threadpool_limits(limits=1, user_api="blas"):  # small matrices: threads only wait
            done = _train(registry, definition, config, step, version, pieces)
        pieces.clear()
    return done


def fit_model(
    registry: Registry, definition: Definition, config: TrainingConfig, step: Step
) -> RiskModel:
    """Train without validating: for a model whose figures come from elsewhere."""
    with threadpool_limits(limits=1, user_api="blas"):
        cohort = build_cohort(registry, definition, config)
        config = config.changed(classifier=cohort.classifier)
        fitted = fit_all(cohort, config.seed)
        refits = refit(cohort, fitted, config, step)
        spread, _ = look_again(registry, definition, config)
        classifier = fitted[cohort.classifier]
        return to_risk_model(classifier, cohort, registry, definition, config, refits, spread)


def _train(
    registry: Registry,
    definition: Definition,
    config: TrainingConfig,
    step: Step,
    version: str,
    pieces: Pieces,
) -> TrainingRun:
    step("cohort", 0, 1)
    found = candidates(
        build_cohort(registry, definition, config.changed(classifier=LOGISTIC)), config
    )
    step("cohort", 1, 1)
    competed = compare(found, config, step, pieces) if config.validation.challengers else []
    cohort = served(found, competed, config)
    config = config.changed(classifier=cohort.classifier)
    step("fit", 0, 1)
    fitted = fit_all(cohort, config.seed)
    step("fit", 1, 1)
    rules = simple_rules(cohort)
    validated = validate(registry, definition, cohort, fitted, config, step, pieces, rules)
    step("later look", 0, 1)
    spread, unknown = look_again(registry, definition, config)
    step("later look", 1, 1)
    classifier = fitted[cohort.classifier]
    model = to_risk_model(
        classifier, cohort, registry, definition, config, validated.refits, spread
    )
    today = datetime.datetime.now(tz=datetime.UTC).date()
    results = run_results(
        registry, cohort, validated.cross_validation, classifier, model, config, today, version
    )
    results |= validation_results(validated, cohort)
    results |= description(
        registry, definition, cohort, model, validated.cross_validation, config, step
    )
    taken = validated.cross_validation.classifiers, validated.refits.classifiers
    results["candidates"] = how_often_chosen(competed, cohort, *taken)
    results["spread"] = spread_results(spread)
    unranged = [f"Risks have no range. {unknown}"] if unknown else []
    results["warnings"] = [*results["warnings"], *unranged, *_beaten(results["candidates"])]
    return TrainingRun(model, cohort, validated, results)


def _beaten(competed: list[dict[str, Any]]) -> list[str]:
    """Return a warning where another candidate did clearly better than the one that is served."""
    held = next((one for one in competed if one["served"]), None)
    if held is None or held["difference"] <= held["difference_error"]:
        return []
    best = next(one for one in competed if one["difference"] == 0)
    return [
        f"The {best['name']} did better than the {held['name']} by more than one standard error in "
        "the same folds; the model file holds the latter."
    ]
