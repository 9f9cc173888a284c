"""All of the validation in one go: what a training run does to find out how far it can be believed.

Assumes a cohort, the model fitted to it, and a plan; every piece can be interrupted and taken up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...features.registry import Registry
from ...model.crossfitted import CrossFittedRisk
from ...model.definition import Definition
from ...model.weights import fit_censoring
from ..choice import Fits
from ..cohort import Cohort
from ..comparators.comparator import comparators
from ..config import TrainingConfig
from ..curves import calibration_band, calibration_curve
from ..decision_curve import decision_curve
from ..instability import Instability, instability
from ..metrics import Floats
from ..pieces import NOWHERE, Pieces
from ..progress import Step
from ..refits import Refits, refit
from ..time_dependent import auroc_in_time
from .centres import Centres, across_centres
from .cross_validation import CrossValidation, cross_validate
from .learning_curve import learning_curve
from .optimism import optimism
from .sensitivity import sensitivity
from .strata import strata
from .subgroups import subgroup_figures

__all__ = ["Validated", "validate"]

STEP_DAYS = 91
CURVE_POINTS = 21
ANSWERED = 0.5


@dataclass(frozen=True)
class Validated:
    """What the validation found; tables hold no patient's row.

    Parameters
    ----------
    cross_validation : CrossValidation
    refits : Refits
    optimism : DataFrame
    instability : Instability, optional
        None without refits.
    auroc_in_time : DataFrame
    calibration_curve : DataFrame
        At the primary landmark, with its band.
    calibration_by_landmark : DataFrame
    net_benefit : DataFrame
    centres : Centres
    learning_curve : DataFrame
    subgroups : DataFrame
    sensitivity : DataFrame
    """

    cross_validation: CrossValidation
    refits: Refits
    optimism: pd.DataFrame
    instability: Instability | None
    auroc_in_time: pd.DataFrame
    calibration_curve: pd.DataFrame
    calibration_by_landmark: pd.DataFrame
    net_benefit: pd.DataFrame
    centres: Centres
    learning_curve: pd.DataFrame
    subgroups: pd.DataFrame
    sensitivity: pd.DataFrame


def validate(
    registry: Registry,
    definition: Definition,
    cohort: Cohort,
    fitted: Fits,
    config: TrainingConfig,
    step: Step,
    pieces: Pieces = NOWHERE,
    rules: Mapping[str, Floats] | None = None,
) -> Validated:
    """Validate a fitted model.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    cohort : Cohort
    fitted : mapping of str to CrossFittedRisk
        The contenders, fitted to all resolved rows; the model is that of the cohort's classifier.
    config : TrainingConfig
    step : callable
        Told of the progress.
    pieces : Pieces
        Where finished pieces are kept.
    rules : mapping of str to ndarray of float, shape (n_rows,), optional
        Simple rules to hold against the model, 0 or 1 for each row of the cohort; by default those
        of `lnrisk.training.comparators` that can be answered for most. Whom a rule cannot be asked
        of is not treated by it.
    """
    plan = config.validation
    found = cross_validate(cohort, config, step, pieces)
    refits = refit(cohort, fitted, config, step, pieces)
    groups = strata(cohort, registry, config.outcome)
    centres = Centres(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), ("not asked for.",))
    if plan.centres:
        centres = across_centres(cohort, groups["centre"].to_numpy(str), config, step, pieces)
    learned = learning_curve(cohort, found, config, step, pieces)
    tried = pd.DataFrame()
    if plan.sensitivity:
        tried = sensitivity(registry, definition, cohort, fitted, found, config, step, pieces)
    step("summaries", 0, 1)
    at = found.at(cohort.primary_landmark)
    rows = cohort.primary & cohort.has_outcome
    judged = (at.y, at.mean_risk, at.weight, at.patient_id.astype(str))
    again: dict[str, Any] = {
        "resamples": plan.resamples,
        "random_state": config.seed,
        "level": plan.level,
    }
    flagged = _rules(cohort) if rules is None else rules
    model = fitted[cohort.classifier]
    corrected, steady = _refit_figures(cohort, model, refits, plan.level)
    validated = Validated(
        cross_validation=found,
        refits=refits,
        optimism=corrected,
        instability=steady,
        auroc_in_time=_in_time(cohort, found, config),
        calibration_curve=calibration_band(*judged, **again),
        calibration_by_landmark=_calibration_by_landmark(found),
        net_benefit=decision_curve(
            *judged, rules={name: by_rule[rows] for name, by_rule in flagged.items()}, **again
        ),
        centres=centres,
        learning_curve=learned,
        subgroups=subgroup_figures(
            groups[rows],
            *judged,
            at.possible,
            smallest=plan.smallest_cell,
            level=plan.level,
        ),
        sensitivity=tried,
    )
    step("summaries", 1, 1)
    return validated


def _rules(cohort: Cohort) -> dict[str, Floats]:
    rows = cohort.primary & cohort.has_outcome
    answers = {one.name: one.raw(cohort.features) for one in comparators() if one.kind == "rule"}
    return {
        name: np.nan_to_num(answer)
        for name, answer in answers.items()
        if np.isfinite(answer[rows]).mean() >= ANSWERED
    }


def _refit_figures(
    cohort: Cohort, classifier: CrossFittedRisk, refits: Refits, level: float
) -> tuple[pd.DataFrame, Instability | None]:
    if not len(refits.risk):
        return pd.DataFrame(), None
    rows = cohort.primary & cohort.has_outcome
    within = cohort.primary[cohort.has_outcome]
    y, weight = cohort.y[rows], cohort.weights.weight[rows]
    risk = classifier.predict_proba(cohort.inputs[rows])[:, 1]
    table = optimism(y, weight, risk, refits.risk[:, within], refits.times[:, within], level)
    return table, instability(risk, refits.risk[:, within].T, weight)


def _in_time(cohort: Cohort, found: CrossValidation, config: TrainingConfig) -> pd.DataFrame:
    """Return AUROC by each quarter after the primary landmark, of all at risk there.

    Nothing is shown of a day by which fewer than the smallest cell had the outcome.
    """
    rows, plan = cohort.primary, config.validation
    first = config.primary_landmark + STEP_DAYS
    days = [*range(first, config.horizon_days - STEP_DAYS // 2, STEP_DAYS), config.horizon_days]
    weights, status = cohort.weights, cohort.status[rows]
    chance = weights.chance[rows]
    table: pd.DataFrame = auroc_in_time(
        status,
        cohort.days[rows],
        found.risk_of_all[rows],
        days,
        censoring=fit_censoring(cohort.days[rows], status == "censored", chance),
        sample_weight=chance / weights.determinable[rows],
        known=~cohort.possible[rows],
        groups=cohort.patient_id[rows].astype(str),
        resamples=plan.resamples,
        random_state=config.seed,
        level=plan.level,
    )
    few = table["events"].between(1, plan.smallest_cell - 1)
    shown = ["auroc", "lower", "upper", "events"]
    return table.assign(**{name: table[name].astype(float).mask(few) for name in shown})


def _calibration_by_landmark(found: CrossValidation) -> pd.DataFrame:
    tables = []
    for day in np.unique(found.landmark_days).tolist():
        at = found.landmark_days == day
        if len(np.unique(found.y[at])) == 2:
            curve = calibration_curve(
                found.y[at], found.mean_risk[at], found.weight[at], points=CURVE_POINTS
            )
            tables.append(curve.assign(landmark_days=day))
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return whole
