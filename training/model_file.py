"""From a fitted classifier and its refits to the model file that is scored with.

Assumes that the refits are of the same cohort; their risks are told by the columns of the model
itself, which is close because trajectories and scales hardly move from refit to refit.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.feature import Feature
from ..features.registry import Registry
from ..features.trajectories import Trajectory, shrunken_dictionary
from ..model.artifact import RiskModel, Term
from ..model.crossfitted import CrossFittedRisk
from ..model.definition import Definition
from ..model.gaps import missing_together
from ..model.spread import Spread
from ..model.support import support_of
from ..model.table_calibration import VennAbersCalibration
from ..model.terms import terms_of
from .at_risk import expected_events, people, required_feature
from .cohort import Cohort
from .config import TrainingConfig
from .refits import Refits, refit_coefficients
from .too_few import too_few

__all__ = ["to_risk_model"]


def to_risk_model(
    classifier: CrossFittedRisk,
    cohort: Cohort,
    registry: Registry,
    definition: Definition,
    config: TrainingConfig,
    refits: Refits,
    spread: Spread | None = None,
) -> RiskModel:
    """Return the fitted classifier as a sealed model file, without what it left at 0.

    Parameters
    ----------
    classifier : LogisticRisk or ElasticNetRisk
    cohort : Cohort
    registry : Registry
    definition : Definition
    config : TrainingConfig
    refits : Refits
        To bootstrap samples of the patients: how steady a risk is.
    spread : Spread, optional
        How far the risks of patients alike lie apart.
    """
    rows = cohort.has_outcome
    features, design = classifier.preparation_["features"], classifier.preparation_["design"]
    made = features.transform(cohort.inputs[rows])
    used = classifier.coef_ != 0
    used_columns = tuple(compress(design.columns_, used))
    columns = design.transform(made)[:, used]
    terms = set(terms_of(used_columns))
    dictionary = [entry for entry in cohort.dictionary if entry.name in terms]
    values = pd.DataFrame(made[:, 1:], columns=list(cohort.terms))
    values = values[[entry.name for entry in dictionary]]
    y, weight = cohort.y[rows], cohort.weights.weight[rows]
    pairs = VennAbersCalibration().fit(classifier.out_of_fold_linear_predictor_, y, weight)
    at_primary = cohort.primary & rows
    patients, events = people(cohort.y[at_primary], cohort.possible[at_primary])
    model = RiskModel(
        landmarks=config.landmark_days,
        horizon_days=config.horizon_days,
        outcome=config.outcome,
        definition=definition,
        analytes=dict(config.analytes),
        trajectories=_needed(features.trajectories_, terms),
        terms=_terms(dictionary, values, weight),
        columns=used_columns,
        intercept=classifier.intercept_,
        coefficients=tuple(classifier.coef_[used].tolist()),
        calibration=classifier.calibration_.map_,
        venn_abers=pairs.map_,
        refits=refit_coefficients(refits, columns),
        spread=spread,
        missing_patterns=missing_together(values.to_numpy()),
        required_feature=required_feature(config.analytes),
        training={
            "data": registry.source.name,
            "sha256": registry.source.sha256,
            "synthetic": registry.source.synthetic,
            "patients": patients,
            "events": events,
            "expected_events": expected_events(cohort),
            "rows": int(rows.sum()),
            "too_few": too_few(cohort),
            "config": {**config.model_dump(mode="json"), "classifier": cohort.classifier},
        },
    )
    at, each = cohort.landmark_days[rows], cohort.each[rows]
    support = support_of(values, model.risk_of(columns), weight, at, each)
    return replace(model, training={**model.training, "support": support}).sealed()


def _needed(trajectories: Sequence[Trajectory], terms: Collection[str]) -> tuple[Trajectory, ...]:
    """Return the trajectories that some term rests on."""
    return tuple(
        one
        for one in trajectories
        if any(feature.name in terms for feature in shrunken_dictionary([one.name]))
    )


def _terms(
    dictionary: Sequence[Feature], values: pd.DataFrame, weight: npt.NDArray[np.float64]
) -> tuple[Term, ...]:
    return tuple(
        Term(
            name=entry.name,
            meaning=entry.meaning,
            unit=entry.unit,
            table=entry.table,
            look_back=entry.look_back,
            formula=entry.formula,
            **_spread(values[entry.name].to_numpy(), weight),
        )
        for entry in dictionary
    )


def _spread(values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return weighted mean and standard deviation, and the range, of the known values."""
    known = ~np.isnan(values)
    mean = float(np.average(values[known], weights=weight[known]))
    variance = np.average((values[known] - mean) ** 2, weights=weight[known])
    return {
        "mean": mean,
        "scale": float(np.sqrt(variance)),
        "lowest": float(values[known].min()),
        "highest": float(values[known].max()),
    }
