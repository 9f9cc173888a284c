"""Whether a model may take the place of today's champion: both fitted on the same folds.

Assumes a registry that both could have been trained on. What is compared is how each model is made
(its configuration), not one fit of it, since a fit cannot be tried on the patients it came from; a
champion that was recalibrated by hand is compared as it was trained. The classifier is that of the
model file: its choice is not repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from ..features.errors import LnriskError
from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.folds import PatientFolds
from .at_risk import people
from .cohort import Cohort, build_cohort
from .config import TrainingConfig
from .curves import calibration_error
from .fitting import fit_classifier
from .metrics import auroc, calibration_slope, drawn_counts, log_loss
from .progress import Step

__all__ = ["Check", "Comparison", "compare"]

FOLDS = 5
RESAMPLES = 200

Floats = npt.NDArray[np.float64]
Measure = Callable[[Floats, Floats, Floats], float]


_CHECKS: dict[str, Measure] = {
    "log_loss": lambda y, risk, weight: float(log_loss(y, risk, weight)),
    "one_minus_auroc": lambda y, risk, weight: 1 - float(auroc(y, risk, weight)),
    "ici": lambda y, risk, weight: float(calibration_error(y, risk, weight)["ici"]),
    "slope_off_one": lambda y, risk, weight: abs(float(calibration_slope(y, risk, weight)) - 1),
}
"""Each is the better the smaller."""


@dataclass(frozen=True)
class Check:
    """One measure of both, smaller being better.

    Parameters
    ----------
    measure : str
    candidate, champion : float
    standard_error : float
        Of their difference, patients drawn with replacement.
    """

    measure: str
    candidate: float
    champion: float
    standard_error: float

    @property
    def no_worse(self) -> bool:
        """Whether the candidate is at most one standard error behind."""
        return bool(self.candidate - self.champion <= self.standard_error)


@dataclass(frozen=True)
class Comparison:
    """Candidate and champion on the same folds.

    Parameters
    ----------
    patients, events : int
    checks : tuple of Check
    """

    patients: int
    events: int
    checks: tuple[Check, ...]

    @property
    def no_worse(self) -> bool:
        """Whether the candidate may be promoted."""
        return all(check.no_worse for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the ledger."""
        checks = [{**vars(check), "no_worse": check.no_worse} for check in self.checks]
        return {"patients": self.patients, "events": self.events, "checks": checks}

    def summary(self) -> str:
        """Return the checks in lines."""
        lines = [
            f"{self.patients} patients, {self.events} events, {FOLDS} folds, smaller is better"
        ]
        lines += [
            f"  {check.measure:<16} candidate {check.candidate:.4f}  champion "
            f"{check.champion:.4f}  standard error {check.standard_error:.4f}  "
            f"{'no worse' if check.no_worse else 'WORSE'}"
            for check in self.checks
        ]
        return "\n".join(lines)


def compare(
    candidate: RiskModel, champion: RiskModel, registry: Registry, step: Step
) -> Comparison:
    """Compare how two models are made, on the same folds of a registry.

    Parameters
    ----------
    candidate, champion : RiskModel
    registry : Registry
    step : callable
        Told of the progress.

    Raises
    ------
    LnriskError
        When the two answer different questions, or do not say how they were made.
    """
    _check_question(candidate, champion)
    with threadpool_limits(limits=1, user_api="blas"):
        cohorts = [
            build_cohort(registry, model.definition, config_of(model))
            for model in (candidate, champion)
        ]
        shared, risks = _out_of_fold(cohorts, step)
        y, weight = cohorts[0].y[shared], cohorts[0].weights.weight[shared]
        names = cohorts[0].patient_id[shared].astype(str)
        checks = _checks(y, risks, weight, names, step)
    return Comparison(*people(y, cohorts[0].possible[shared]), checks)


def config_of(model: RiskModel) -> TrainingConfig:
    """Return the configuration that a model was trained with.

    Raises
    ------
    LnriskError
        When its file holds none.
    """
    if "config" not in model.training:
        raise LnriskError(f"model {model.version} does not say how it was trained.")
    return TrainingConfig.model_validate(model.training["config"])


def _check_question(candidate: RiskModel, champion: RiskModel) -> None:
    for name in ("outcome", "horizon_days", "definition"):
        one, other = getattr(candidate, name), getattr(champion, name)
        if one != other:
            raise LnriskError(f"candidate and champion have another {name}; they do not compete.")


def _out_of_fold(
    cohorts: list[Cohort], step: Step
) -> tuple[npt.NDArray[np.bool_], tuple[Floats, Floats]]:
    """Return which rows of the first cohort both judge at its primary landmark, and the risks."""
    first = cohorts[0]
    at = [
        {str(c.patient_id[row]): row for row in np.flatnonzero(c.primary & c.has_outcome)}
        for c in cohorts
    ]
    both = [name for name in at[0] if name in at[1]]
    if not both or first.primary_landmark != cohorts[1].primary_landmark:
        raise LnriskError("candidate and champion share no patient at the same landmark.")
    shared = first.primary & first.has_outcome & np.isin(first.patient_id.astype(str), both)
    names, y = first.patient_id[shared].astype(str), first.y[shared]
    risks = (np.empty(len(names)), np.empty(len(names)))
    folds = PatientFolds(FOLDS).split(names, y, names)
    for fold, (_, test) in enumerate(folds):
        held = set(names[test])
        for number, cohort in enumerate(cohorts):
            step("same folds", 2 * fold + number, 2 * FOLDS)
            chosen = cohort.has_outcome & ~np.isin(cohort.patient_id.astype(str), list(held))
            classifier, _ = fit_classifier(cohort, chosen, 0)
            rows = np.array([at[number][names[k]] for k in test])
            risks[number][test] = classifier.predict_proba(cohort.inputs.iloc[rows])[:, 1]
    step("same folds", 2 * FOLDS, 2 * FOLDS)
    return shared, risks


def _checks(
    y: Floats,
    risks: tuple[Floats, Floats],
    weight: Floats,
    patient: npt.NDArray[np.str_],
    step: Step,
) -> tuple[Check, ...]:
    """Return each check, with the standard error of its difference when patients are drawn."""
    drawn: dict[str, list[float]] = {name: [] for name in _CHECKS}
    for done, times in enumerate(np.concatenate(list(drawn_counts(patient, RESAMPLES, 0)))):
        step("standard errors", done, RESAMPLES)
        used = times > 0
        if len(np.unique(y[used])) < 2:
            continue
        again = weight[used] * times[used]
        for name, measure in _CHECKS.items():
            one, other = (measure(y[used], risk[used], again) for risk in risks)
            drawn[name].append(one - other)
    step("standard errors", RESAMPLES, RESAMPLES)
    return tuple(
        Check(
            name,
            measure(y, risks[0], weight),
            measure(y, risks[1], weight),
            float(np.nanstd(drawn[name], ddof=1)),
        )
        for name, measure in _CHECKS.items()
    )
