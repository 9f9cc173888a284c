"""A model updated to a site: as little as will do, and no more than the site's patients can carry.

Assumes that the site's patients are those who will be asked about. The intercept alone needs few
patients, the slope more, a refit as many as a new model; of what can be carried, the least is taken
that the next step up does not clearly beat.
"""

import datetime
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from ..features.errors import LnriskError
from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.calibration import logistic_line
from ..model.columns import Piece
from ..model.recalibrated import recalibrated
from ..model.sample_size import affordable_parameters
from ..model.terms import parameters_of
from .at_risk import AtRisk, expected_events, people
from .cohort import ELASTIC_NET, LOGISTIC, known_outcomes
from .external import site_config, site_rows
from .metrics import log_odds
from .progress import Step
from .train import fit_model

__all__ = ["METHODS", "Updated", "update"]

METHODS = ("unchanged", "intercept", "intercept and slope", "refit")
EVENTS_FOR_INTERCEPT = 20
EVENTS_FOR_SLOPE = 100
"""With the outcome and without; fewer than 100 leave a slope unknown (Vergouwe et al., J Clin
Epidemiol 2005;58:475)."""
SIGNIFICANT = 0.05
AUROC = 0.8
"""With which the size of the site is reckoned."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Updated:
    """The updated model and how it came about.

    Parameters
    ----------
    model : RiskModel
    method : str
        One of `METHODS`.
    steps : tuple of dict
        method, supported, why, p_value, taken: one for each method, simplest first.
    """

    model: RiskModel
    method: str
    steps: tuple[dict[str, Any], ...]

    def summary(self) -> str:
        """Return what was tried and taken, in lines."""
        lines = [f"updated by: {self.method}"]
        lines += [f"  {step['method']:<20} {step['why']}" for step in self.steps]
        return "\n".join([*lines, f"model {self.model.version}"])


def update(
    model: RiskModel,
    registry: Registry,
    site: str,
    today: datetime.date,
    step: Step,
    method: str | None = None,
) -> Updated:
    """Update a model to a site.

    Parameters
    ----------
    model : RiskModel
    registry : Registry
        Of the site.
    site : str
    today : date
    step : callable
        Told of the progress.
    method : str, optional
        One of `METHODS`; by default a closed test among the recalibrations that the site's size
        supports [1]_.

    Raises
    ------
    LnriskError
        When nobody at the site can be asked about, or its patients cannot carry the method.

    References
    ----------
    .. [1] Vergouwe Y, et al. A closed testing procedure to select an appropriate method for
       updating prediction models. Stat Med 2017;36:4529-4539.
    """
    rows = site_rows(model, registry)
    if not (rows.primary & rows.has_outcome).any():
        raise LnriskError(
            f"{registry.source.name}: of nobody at risk on day {rows.primary_landmark} is the "
            "outcome known; the model cannot be held against anything."
        )
    cannot = _cannot(model, rows)
    if method is not None and cannot.get(method):
        raise LnriskError(f"{registry.source.name}: {method} cannot be had: {cannot[method]}.")
    lines = _lines(model, rows)
    p_values = _p_values(model, rows, lines)
    taken = method or _closed_test(cannot, p_values)
    steps = tuple(
        {
            "method": name,
            "supported": not cannot[name],
            "why": cannot[name] or _why(name, p_values, taken),
            "p_value": p_values.get(name),
            "taken": name == taken,
        }
        for name in METHODS
    )
    note = {
        "site": site,
        "date": today.isoformat(),
        "method": taken,
        "data": registry.source.sha256,
    }
    if taken == "refit":
        refitted = _refit(model, registry, step)
        origin = {**refitted.training, "refit_of": model.sha256, "site": site}
        return Updated(replace(refitted, training=origin).sealed(), taken, steps)
    if taken == "unchanged":
        return Updated(model, taken, steps)
    return Updated(recalibrated(model, *lines[taken], note), taken, steps)


def _cannot(model: RiskModel, rows: AtRisk) -> dict[str, str]:
    """Return why a method cannot be had; empty where it can."""
    used = rows.primary & rows.has_outcome
    patients, _ = people(rows.y[used], rows.possible[used])
    events, without = known_outcomes(rows)
    fewer = min(events, without)
    has = f"the site has {events} with and {without} without the outcome"

    def needs(number: int) -> str:
        return "" if fewer >= number else f"needs {number} with and without the outcome; {has}"

    wanted, carried = _parameters(model), _carried(patients, expected_events(rows))
    enough = carried >= wanted
    return {
        "unchanged": "",
        "intercept": needs(EVENTS_FOR_INTERCEPT),
        "intercept and slope": needs(EVENTS_FOR_SLOPE),
        "refit": "" if enough else f"the site carries {carried} parameters, a refit has {wanted}",
    }


def _parameters(model: RiskModel) -> int:
    """Return how many parameters a refit has.

    Most columns of an elastic net are held back; it is refitted where the site carries as many
    parameters as the patients did whom it was trained on.
    """
    trained = model.training
    if _classifier(model) == ELASTIC_NET:
        return _carried(trained["patients"], trained.get("expected_events", trained["events"]))
    return parameters_of([Piece(column.term) for column in model.columns])


def _carried(patients: int, events: float) -> int:
    share = events / patients
    return affordable_parameters(patients, AUROC, share) if 0 < share < 1 else 0


def _classifier(model: RiskModel) -> str:
    return str(model.training.get("config", {}).get("classifier", LOGISTIC))


def _lines(model: RiskModel, rows: AtRisk) -> dict[str, tuple[float, float]]:
    """Return intercept and slope of each recalibration, from the resolved rows at all landmarks."""
    used = rows.has_outcome
    at, y, weight = _log_odds(model, rows, used), rows.y[used], rows.weights.weight[used]
    shift, _ = logistic_line(at, y, weight, slope=1.0)
    intercept, slope = logistic_line(at, y, weight)
    return {
        "unchanged": (0.0, 1.0),
        "intercept": (float(shift), 1.0),
        "intercept and slope": (float(intercept), float(slope)),
    }


def _log_odds(model: RiskModel, rows: AtRisk, used: npt.NDArray[np.bool_]) -> Floats:
    return log_odds(model.predict(rows.features[used]))


def _p_values(
    model: RiskModel, rows: AtRisk, lines: dict[str, tuple[float, float]]
) -> dict[str, float]:
    """Return for each simpler method how well the best line may be no better, at one landmark."""
    if not np.isfinite(list(lines.values())).all():
        return {}  # all had the outcome, or none: no line is the best
    used = rows.has_outcome & rows.primary
    at, y = _log_odds(model, rows, used), rows.y[used]
    weight = rows.weights.weight[used] / rows.weights.weight[used].mean()
    loss = {}
    for name, (intercept, slope) in lines.items():
        predictor = intercept + slope * at
        loss[name] = float(weight @ (np.logaddexp(0, predictor) - y * predictor))
    best = loss["intercept and slope"]
    freedom = {"unchanged": 2, "intercept": 1}
    return {
        name: float(chi2.sf(max(2 * (loss[name] - best), 0.0), freedom[name])) for name in freedom
    }


def _closed_test(cannot: dict[str, str], p_values: dict[str, float]) -> str:
    """Return the simplest supported line that the fullest does not clearly beat."""
    supported = [name for name in METHODS[:3] if not cannot[name]]
    for name in supported:
        if p_values.get(name, 1.0) > SIGNIFICANT:
            return name
    return supported[-1]


def _why(name: str, p_values: dict[str, float], taken: str) -> str:
    if name == "refit":
        return "taken because it was asked for" if taken == name else "only where it is asked for"
    tested = f"p = {p_values[name]:.3g} against intercept and slope" if name in p_values else ""
    return "; ".join(filter(None, ["taken" if name == taken else "not taken", tested]))


def _refit(model: RiskModel, registry: Registry, step: Step) -> RiskModel:
    """Train the model's own terms on the site's patients, or an elastic net anew."""
    again: dict[str, Any] = {"terms": tuple(model.feature_names)}
    if _classifier(model) == ELASTIC_NET:
        again = {"classifier": ELASTIC_NET}
    config = site_config(model).changed(**again)
    return fit_model(registry, model.definition, config, step)
