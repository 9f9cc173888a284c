"""The results of a training run as plain data, one schema, for reports and anything else.

Assumes that whoever reads it has no access to the patients: it holds no row of any of them.
"""

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.crossfitted import CrossFittedRisk
from ..model.definition import Definition, load_definition, presets
from ..model.weights import LARGEST_WEIGHT
from .cohort import Cohort
from .config import TrainingConfig
from .curves import calibration_curve, grouped_calibration, roc_curve
from .records import records
from .too_few import too_few
from .unmeasured import unmeasured
from .validation.cross_validation import CrossValidation

__all__ = ["SCHEMA", "run_results"]

SCHEMA = "lnrisk.results/2"
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
BINS = 20
ROC_POINTS = 101


def _flagged(
    y: npt.NDArray[np.float64], risk: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> pd.DataFrame:
    rows = []
    for threshold in THRESHOLDS:
        above = risk >= threshold
        positive, true = (weight * above).sum(), (weight * above * y).sum()
        negative = (weight * ~above).sum()
        rows.append(
            {
                "threshold": threshold,
                "share": positive / weight.sum(),
                "sensitivity": true / (weight * y).sum(),
                "specificity": (weight * ~above * (1 - y)).sum() / (weight * (1 - y)).sum(),
                "positive_predictive_value": true / positive if positive else np.nan,
                "negative_predictive_value": (
                    (weight * ~above * (1 - y)).sum() / negative if negative else np.nan
                ),
            }
        )
    return pd.DataFrame(rows)


def _roc(
    y: npt.NDArray[np.float64], risk: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]
) -> pd.DataFrame:
    """Return the ROC curve at even steps of specificity, so that no point is one patient's."""
    curve = roc_curve(y, risk, weight)
    false_positive = np.linspace(0, 1, ROC_POINTS)
    sensitivity = np.interp(false_positive, 1 - curve["specificity"], curve["sensitivity"])
    return pd.DataFrame({"specificity": 1 - false_positive, "sensitivity": sensitivity})


def _distribution(validated: CrossValidation) -> dict[str, list[float]]:
    edges = np.linspace(0, 1, BINS + 1)
    counts = {}
    for name, value in (("with_event", 1), ("without_event", 0)):
        of = validated.y == value
        counts[name], _ = np.histogram(validated.mean_risk[of], edges, weights=validated.weight[of])
    return {"edges": edges.tolist()} | {name: part.tolist() for name, part in counts.items()}


def _cohort_counts(cohort: Cohort, at: npt.NDArray[np.bool_]) -> dict[str, Any]:
    with_outcome, each = cohort.has_outcome & at, cohort.each & at
    known, chance = at & ~cohort.possible, cohort.weights.chance
    weight, possible = cohort.weights.weight, each & cohort.possible
    counts = {
        name: int((cohort.status[known] == status).sum())
        for name, status in (
            ("events", "event"),
            ("competing", "competing"),
            ("event_free", "event_free"),
            ("censored", "censored"),
            ("indeterminate", "indeterminate"),
        )
    }
    counts["indeterminate"] += int(possible.sum())
    return {
        "patients": int(each.sum()),
        **counts,
        "expected_of_indeterminate": float(chance[possible].sum()),
        "pseudo_refractory": int(cohort.pseudo_refractory[each].sum()),
        "weighted_event_rate": float(
            np.average(cohort.y[with_outcome], weights=weight[with_outcome])
        ),
        "truncated_weights": int((weight[at] == LARGEST_WEIGHT).sum()),
    }


def _about_the_definition(definition: Definition) -> list[str]:
    """Return what a reader who knows the definition by its name would not expect."""
    said = []
    if definition.adherent.when_adherence_unknown == "assume_adherent":
        said.append("Adherence that nobody recorded was taken for granted (assume_adherent).")
    if definition.name in presets():
        own, preset = definition.model_dump(), load_definition(definition.name).model_dump()
        other = [name for name in own if own[name] != preset[name] and name != "source"]
        if other:
            said.append(
                f"The definition is not the preset of its name, {definition.name}: it has another "
                f"{', '.join(other)}."
            )
    return said


def _warnings(
    registry: Registry, cohort: Cohort, validated: CrossValidation, model: RiskModel
) -> list[str]:
    said = list(validated.remarks)
    if model.outcome == "rule":
        said.extend(_about_the_definition(model.definition))
        said.extend(unmeasured(registry, model.definition))
    said.extend(too_few(cohort))
    said.extend(cohort.sample_size.remarks)
    if cohort.weights.truncated:
        said.append(f"{cohort.weights.truncated} outcome weights were truncated.")
    if registry.source.synthetic:
        said.append("The patients are simulated: no figure is evidence about real people.")
    return said


def _task(model: RiskModel, config: TrainingConfig) -> dict[str, Any]:
    rule = config.outcome == "rule"
    return {
        "outcome": config.outcome,
        "definition": model.definition.name if rule else None,
        "definition_version": model.definition.version if rule else None,
        "landmarks": list(config.landmark_days),
        "primary_landmark": config.primary_landmark,
        "horizon_days": config.horizon_days,
    }


def _features(cohort: Cohort, model: RiskModel) -> list[dict[str, Any]]:
    missing = model.term_values(cohort.features).isna().mean()
    return [
        {
            "name": entry.name,
            "meaning": entry.meaning,
            "unit": entry.unit,
            "table": entry.table,
            "look_back": entry.look_back,
            "formula": entry.formula,
            "citation": entry.citation,
            "missing": float(missing[entry.name]),
        }
        for entry in cohort.dictionary
        if entry.name in missing
    ]


def _model_facts(cohort: Cohort, classifier: CrossFittedRisk, model: RiskModel) -> dict[str, Any]:
    return {
        "classifier": cohort.classifier,
        "C": getattr(classifier, "C_", None),
        "penalty": getattr(classifier.setting_, "penalty", None),
        "l1_ratio": getattr(classifier.setting_, "l1_ratio", None),
        "drawn": getattr(classifier.setting_, "drawn", None),
        "columns": len(model.columns),
        "columns_tried": len(cohort.pieces),
        "calibration": model.calibration.kind,
        "calibration_intercept": getattr(classifier.calibration_, "intercept_", None),
        "calibration_slope": getattr(classifier.calibration_, "slope_", None),
        "landmarks": list(model.landmarks),
        "sha256": model.sha256,
    }


def run_results(
    registry: Registry,
    cohort: Cohort,
    validated: CrossValidation,
    classifier: CrossFittedRisk,
    model: RiskModel,
    config: TrainingConfig,
    created_on: datetime.date,
    version: str,
) -> dict[str, Any]:
    """Return everything a report needs, as plain data.

    Parameters
    ----------
    registry : Registry
    cohort : Cohort
    validated : CrossValidation
    classifier : CrossFittedRisk
    model : RiskModel
    config : TrainingConfig
    created_on : date
    version : str
        Of this software.

    Returns
    -------
    dict
        Of schema `SCHEMA`; can be written as JSON.
    """
    primary = validated.at(cohort.primary_landmark)
    y, risk, weight = primary.y, primary.mean_risk, primary.weight
    return {
        "schema": SCHEMA,
        "lnrisk_version": version,
        "created_on": created_on.isoformat(),
        "synthetic": registry.source.synthetic,
        "data": {
            "name": registry.source.name,
            "sha256": registry.source.sha256,
            "patients": len(registry),
        },
        "task": _task(model, config),
        "attrition": records(cohort.attrition),
        "cohort": {
            **_cohort_counts(cohort, cohort.primary),
            "landmarks": [
                {"landmark_days": day, **_cohort_counts(cohort, cohort.landmark_days == day)}
                for day in config.landmark_days
            ],
        },
        "performance": records(primary.performance),
        "validation": config.validation.model_dump(mode="json"),
        "calibration_curve": records(calibration_curve(y, risk, weight)),
        "calibration_groups": records(grouped_calibration(y, risk, weight)),
        "roc_curve": records(_roc(y, risk, weight)),
        "sample_size": cohort.sample_size.to_dict(),
        "risk_distribution": _distribution(primary),
        "flagged": records(_flagged(y, risk, weight)),
        "features": _features(cohort, model),
        "features_left_out": [{"name": n, "why": why} for n, why in cohort.left_out_features],
        "warnings": _warnings(registry, cohort, validated, model),
        "model": _model_facts(cohort, classifier, model),
    }
