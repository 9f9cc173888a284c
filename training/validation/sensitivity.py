"""What the figures would be had a doubtful choice been made otherwise.

Another definition, or another reading of unknown adherence, makes other outcomes: the cohort is
built and the model cross-validated anew, the classifier chosen anew where it is to be chosen.
Weights and the certainty of the label are put to the risks at hand. None of it says which choice is
right.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.errors import LnriskError
from ...features.registry import Registry
from ...model.certainty import outcome_certainty
from ...model.definition import Definition, load_definition, presets
from ..at_risk import people
from ..choice import Fits, fit_and_predict, lean
from ..cohort import LOGISTIC, Cohort, build_cohort, enough_known, with_every_feature
from ..config import TrainingConfig
from ..metrics import Floats
from ..pieces import NOWHERE, Arrays, Pieces
from ..progress import Step
from .cross_validation import CrossValidation, folds_of
from .figures import quick_figures

__all__ = ["sensitivity"]

COLUMNS = (
    "analysis",
    "setting",
    "patients",
    "events",
    "measure",
    "estimate",
    "lower",
    "upper",
    "note",
)
READINGS = ("unknown", "assume_adherent")
_NOT_FITTED = {
    "note": np.array(["Not fitted: too few patients known to be with, or without, the outcome."])
}


@dataclass(frozen=True)
class _Setting:
    analysis: str
    name: str
    definition: Definition
    config: TrainingConfig


def sensitivity(
    registry: Registry,
    definition: Definition,
    cohort: Cohort,
    near: Fits,
    validated: CrossValidation,
    config: TrainingConfig,
    step: Step,
    pieces: Pieces = NOWHERE,
) -> pd.DataFrame:
    """Return the figures at the primary landmark under each other choice.

    Parameters
    ----------
    registry : Registry
    definition : Definition
        The one trained on.
    cohort : Cohort
    near : mapping of str to CrossFittedRisk
        The contenders as trained; where settings take long to try, those near theirs are.
    validated : CrossValidation
    config : TrainingConfig
    step : callable
        Told of the progress.
    pieces : Pieces

    Returns
    -------
    DataFrame
        analysis ("definition", "adherence", "indeterminate", "weights" or "label certainty"),
        setting, patients, events, measure, estimate, lower, upper, note.
    """
    settings = _settings(definition, config) if config.outcome == "rule" else []
    trained = (definition, config)
    other = [one for one in settings if (one.definition, one.config) != trained]
    made = pieces.run(
        partial(_under, registry, near, bool(cohort.rivals)),
        {
            f"setting-{cohort.recipe}-{config.validation.folds}-{one.analysis}-{one.name}": one
            for one in other
        },
        "sensitivity",
        step,
        heavy=True,
    )
    under = dict(zip([(one.analysis, one.name) for one in other], made.values(), strict=True))
    as_trained = _as_trained(cohort, validated)
    tables = [
        _as_table(one, under.get((one.analysis, one.name), as_trained), config.validation.level)
        for one in settings
    ]
    tables.extend(_same_risks(registry, definition, cohort, validated, config))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def _settings(definition: Definition, config: TrainingConfig) -> list[_Setting]:
    """Return every preset and every reading of what is unknown, each once."""
    others = [load_definition(name) for name in presets()]
    named = {one.name: one for one in others} | {definition.name: definition}
    return [
        *(_Setting("definition", name, one, config) for name, one in named.items()),
        *(
            _Setting("adherence", reading, definition.with_adherence_unknown(reading), config)
            for reading in READINGS
        ),
        *(
            _Setting("indeterminate", name, definition, config.changed(indeterminate=name))
            for name in ("chance", "weight")
        ),
    ]


def _cohort(registry: Registry, setting: _Setting, choosing: bool) -> Cohort:
    """Build the cohort under another choice, with the rival of the default if one is to choose."""
    config = setting.config.changed(allow_small=True)
    if not choosing:
        return build_cohort(registry, setting.definition, config)
    cohort = build_cohort(registry, setting.definition, config.changed(classifier=LOGISTIC))
    return replace(cohort, rivals=(with_every_feature(cohort, config),))


def _under(registry: Registry, near: Fits, choosing: bool, setting: _Setting) -> Arrays:
    """Return outcomes, weights and out-of-fold risks under another choice."""
    config = setting.config
    try:
        cohort = _cohort(registry, setting, choosing)
    except LnriskError:
        return _NOT_FITTED
    if not enough_known(cohort):
        return _NOT_FITTED
    rows = cohort.primary & cohort.has_outcome
    risk = np.full(len(rows), np.nan)
    needed = lean(cohort)
    for fold in folds_of(cohort, config.validation.folds, config.seed):
        risk[fold.test] = fit_and_predict(needed, config.seed, fold, near)["risk"]
    return {
        "y": cohort.y[rows],
        "weight": cohort.weights.weight[rows],
        "possible": cohort.possible[rows],
        "risk": risk[rows],
        "position": cohort.position[rows],
    }


def _as_trained(cohort: Cohort, validated: CrossValidation) -> Arrays:
    at = validated.at(cohort.primary_landmark)
    position = cohort.position[cohort.primary & cohort.has_outcome]
    return {
        "y": at.y,
        "weight": at.weight,
        "possible": at.possible,
        "risk": at.mean_risk,
        "position": position,
    }


def _as_table(setting: _Setting, arrays: Arrays, level: float) -> pd.DataFrame:
    if "note" in arrays:
        return _table(setting.analysis, setting.name, None, note=str(arrays["note"][0]))
    y, weight, risk = arrays["y"], arrays["weight"], arrays["risk"]
    figures = quick_figures(y, risk, weight, arrays["position"], level)
    note = "Trained and cross-validated under this choice."
    counts = people(y, arrays["possible"])
    return _table(setting.analysis, setting.name, figures, *counts, note)


def _same_risks(
    registry: Registry,
    definition: Definition,
    cohort: Cohort,
    validated: CrossValidation,
    config: TrainingConfig,
) -> list[pd.DataFrame]:
    """Return the figures of the same risks under other weights."""
    at = validated.at(cohort.primary_landmark)
    y, risk, patient = at.y, at.mean_risk, at.patient_id.astype(str)
    level, counts = config.validation.level, people(at.y, at.possible)

    def figures(weight: Floats) -> pd.DataFrame:
        return quick_figures(y, risk, weight, patient, level)

    tables = [
        _table("weights", "as trained", figures(at.weight), *counts, "The same risks."),
        _table(
            "weights",
            "none",
            figures((~at.possible).astype(float)),
            *counts,
            "The resolved patients as they are.",
        ),
    ]
    if config.outcome == "rule":
        certain = _probability_right(registry, definition, cohort, config)
        tables.append(
            _table(
                "label certainty",
                "weighted by the probability that the label is right",
                figures(at.weight * certain),
                *counts,
                "The same risks; a value on a threshold counts half.",
            )
        )
    return tables


def _probability_right(
    registry: Registry, definition: Definition, cohort: Cohort, config: TrainingConfig
) -> npt.NDArray[np.float64]:
    """Return the probability that y is right, of each resolved row at the primary landmark.

    What the rule cannot tell from the values alone, as after a death, is taken as right.
    """
    met = outcome_certainty(registry, definition, config.horizon_days)
    rows = cohort.has_outcome & cohort.primary
    mine, y = met[cohort.position[rows]], cohort.y[rows]
    right: npt.NDArray[np.float64] = np.where(y == 1, mine, 1 - mine)
    return np.nan_to_num(right, nan=1.0)


def _table(
    analysis: str,
    setting: str,
    figures: pd.DataFrame | None,
    patients: int | float = np.nan,
    events: int | float = np.nan,
    note: str = "",
) -> pd.DataFrame:
    empty = {"measure": ["auroc"], "estimate": [np.nan], "lower": [np.nan], "upper": [np.nan]}
    table = pd.DataFrame(empty) if figures is None else figures
    return table.assign(
        analysis=analysis,
        setting=setting,
        patients=float(patients),
        events=float(events),
        note=note,
    )
