"""From a cohort to a model file: fit, calibrate, refit to bootstrap samples, seal.

Assumes that the resolved patients, weighted, stand for all at risk; only they are fitted.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..features.registry import Registry
from ..features.trajectory_transformer import TrajectoryFeatures
from ..model.artifact import RiskModel, Term
from ..model.classifier import LogisticRisk
from ..model.definition import Definition
from .cohort import Cohort, required_feature
from .config import TrainingConfig

__all__ = ["Step", "fit_classifier", "to_risk_model"]

Step = Callable[[str, int, int], None]
"""Called with what is being done, how many are done and how many there are."""


def fit_classifier(
    cohort: Cohort, chosen: npt.NDArray[np.bool_], seed: int
) -> tuple[LogisticRisk, list[str]]:
    """Fit the calibrated classifier, trajectories included, to some resolved patients.

    Parameters
    ----------
    cohort : Cohort
    chosen : ndarray of bool, shape (n_patients,)
    seed : int

    Returns
    -------
    classifier : LogisticRisk
    remarks : list of str
        What it warned of.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        classifier = LogisticRisk(_features_step(cohort), random_state=seed).fit(
            cohort.features[chosen],
            cohort.y[chosen].astype(int),
            sample_weight=cohort.weights.weight[chosen],
            groups=cohort.patient_id[chosen].astype(str),
        )
    return classifier, [str(warning.message) for warning in caught]


def _features_step(cohort: Cohort) -> TrajectoryFeatures:
    plan = cohort.trajectories
    return TrajectoryFeatures(plan.series, plan.groups, plan.knots, keep=cohort.terms)


def _coefficients(classifier: LogisticRisk, n_features: int) -> tuple[float, Any, Any]:
    """Return calibrated intercept, coefficients, and coefficients of missingness."""
    scaler, regression = classifier.pipeline_["scaler"], classifier.pipeline_["regression"]
    intercept, slope = classifier.calibration_.intercept_, classifier.calibration_.slope_
    coefficients = slope * regression.coef_[0]
    when_missing = np.zeros(n_features)
    when_missing[scaler.indicator_columns_] = coefficients[n_features:]
    return (
        float(intercept + slope * regression.intercept_[0]),
        coefficients[:n_features],
        when_missing,
    )


def _refit(
    classifier: LogisticRisk,
    scaled: npt.NDArray[np.float64],
    y: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
    refits: int,
    seed: int,
    step: Step,
) -> list[npt.NDArray[np.float64]]:
    """Refit the regression to bootstrap samples of the patients, penalty and scaling held."""
    from sklearn.base import clone

    random = np.random.default_rng(seed)
    slope, shift = classifier.calibration_.slope_, classifier.calibration_.intercept_
    found: list[npt.NDArray[np.float64]] = []
    for done in range(refits):
        step("refits", done, refits)
        drawn = weight * random.multinomial(len(y), np.full(len(y), 1 / len(y)))
        if len(np.unique(y[drawn > 0])) < 2:
            continue
        regression = clone(classifier.pipeline_["regression"])
        regression.fit(scaled[drawn > 0], y[drawn > 0], sample_weight=drawn[drawn > 0])
        found.append(
            np.concatenate(
                [[shift + slope * regression.intercept_[0]], slope * regression.coef_[0]]
            )
        )
    step("refits", refits, refits)
    return found


def to_risk_model(
    classifier: LogisticRisk,
    cohort: Cohort,
    registry: Registry,
    definition: Definition,
    config: TrainingConfig,
    step: Step,
) -> RiskModel:
    """Return the fitted classifier as a sealed model file.

    Parameters
    ----------
    classifier : LogisticRisk
    cohort : Cohort
    registry : Registry
    definition : Definition
    config : TrainingConfig
    step : callable
        Told of the progress of the bootstrap refits.
    """
    resolved, n = cohort.resolved, len(cohort.terms)
    step_of_features, scaler = classifier.pipeline_["features"], classifier.pipeline_["scaler"]
    values = step_of_features.transform(cohort.features[resolved])
    intercept, coefficients, when_missing = _coefficients(classifier, n)
    terms = tuple(
        Term(
            name=entry.name,
            meaning=entry.meaning,
            unit=entry.unit,
            table=entry.table,
            look_back=entry.look_back,
            formula=entry.formula,
            mean=float(scaler.mean_[position]),
            scale=float(scaler.scale_[position]),
            coefficient=float(coefficients[position]),
            missing_coefficient=float(when_missing[position]),
            lowest=float(np.nanmin(values[:, position])),
            highest=float(np.nanmax(values[:, position])),
        )
        for position, entry in enumerate(cohort.dictionary)
    )
    refits = _refit(
        classifier,
        scaler.transform(values),
        cohort.y[resolved].astype(int),
        cohort.weights.weight[resolved],
        config.refits,
        config.seed,
        step,
    )
    return RiskModel(
        landmark_days=config.landmark_days,
        horizon_days=config.horizon_days,
        outcome=config.outcome,
        definition=definition,
        analytes=dict(config.analytes),
        trajectories=step_of_features.trajectories_,
        intercept=intercept,
        terms=terms,
        refits=tuple(_with_all_indicators(refit, scaler.indicator_columns_, n) for refit in refits),
        required_feature=required_feature(config.analytes),
        training={
            "data": registry.source.name,
            "sha256": registry.source.sha256,
            "synthetic": registry.source.synthetic,
            "patients": int(resolved.sum()),
            "events": int(np.nansum(cohort.y)),
        },
    ).sealed()


def _with_all_indicators(
    refit: npt.NDArray[np.float64], indicator_columns: npt.NDArray[np.intp], n: int
) -> tuple[float, ...]:
    when_missing = np.zeros(n)
    when_missing[indicator_columns] = refit[1 + n :]
    return tuple(np.concatenate([refit[: 1 + n], when_missing]).tolist())
