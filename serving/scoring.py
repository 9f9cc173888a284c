"""The risk beside the rule for every patient of a registry, as of a day.

Assumes that the registry holds what was known on the day; the risk is that of the very day where
the model was trained around it, and is refused rather than guessed where it does not apply.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.asof import as_of_days, known_on
from ..features.days import NEVER, Days, as_dates, days_after
from ..features.errors import ModelError
from ..features.laboratory import LANDMARK_MONTH
from ..features.pipeline import FeatureTable, features_at, index_days
from ..features.registry import Registry
from ..features.treatment import treatments_of
from ..model.artifact import RiskModel
from ..model.courses import FollowUp
from ..model.label import Labels, label_known
from .cautions import LATER_UNUSED, MISSING
from .refusals import Reason, refusals_of, unlike_training
from .topics import added_up, lacking, leading, silent, topics_of

__all__ = ["Scored", "asked_day", "landmark_days", "score", "scored"]

DRIVERS_SHOWN = 3
SMALLEST_SHOWN = 0.005
DAYS_PER_WEEK = 7
TOO_FEW = "model trained on too few patients or known events"
SIMULATED = "model trained on simulated patients"

Floats = npt.NDArray[np.float64]


def asked_day(model: RiskModel, landmark_weeks: float | None) -> int:
    """Return the day after the index date that is asked for; by default the model's last.

    Raises
    ------
    ModelError
        When the model does not score on that day.
    """
    first, last = model.landmarks[0], model.landmarks[-1]
    asked = last if landmark_weeks is None else round(landmark_weeks * DAYS_PER_WEEK)
    if not first <= asked <= last:
        raise ModelError(
            f"the model scores from week {first / DAYS_PER_WEEK:g} to week "
            f"{last / DAYS_PER_WEEK:g} (day {first} to {last}), not at week {landmark_weeks:g}."
        )
    return asked


def _scoring_days(
    model: RiskModel,
    registry: Registry,
    as_of: datetime.date | Days | None,
    landmark_weeks: float | None,
) -> tuple[Days, Days]:
    """Return each patient's index day and the day on which the score is asked for."""
    since = asked_day(model, landmark_weeks)
    index = index_days(registry, model.outcome)
    if as_of is None:
        return index, days_after(index, since)
    days = as_of_days(registry, as_of)
    return np.where(index <= days, index, NEVER), days


def landmark_days(model: RiskModel, index: Days, days: Days) -> Days:
    """Return the day after each index date that the risk rests on, shape (n_patients,).

    The day asked for, where the model was trained around it; a model of a single landmark always
    rests on that one.
    """
    landmark: Days = np.clip(days - index, model.landmarks[0], model.landmarks[-1])
    return landmark


def _drivers(model: RiskModel, parts: Floats, values: Floats) -> npt.NDArray[np.object_]:
    """Return the largest contributions by topic in words, with their log-odds."""
    topics = topics_of(model)
    together = added_up(parts, topics)
    leads = leading(parts, together, topics)
    largest = np.argsort(-np.abs(together), axis=1, kind="stable")[:, :DRIVERS_SHOWN]
    texts = []
    for row, columns in enumerate(largest.tolist()):
        said = []
        for column in columns:
            part, lead = together[row, column], leads[row, column]
            if abs(part) >= SMALLEST_SHOWN:
                first = f"{model.terms[lead].meaning} {model.terms[lead].shown(values[row, lead])}"
                effect = "raises" if part > 0 else "lowers"
                alone = len(topics[column].positions) == 1
                said.append(
                    f"{first} {effect} ({part:+.2f})"
                    if alone
                    else f"{topics[column].meaning} {effect} ({part:+.2f}, most of all {first})"
                )
        texts.append("; ".join(said))
    return np.array(texts, dtype=object)


def _remarks(model: RiskModel, values: Floats, since: Days) -> npt.NDArray[np.object_]:
    """Return what to beware of in a risk that is given."""
    topics, last = topics_of(model), model.landmarks[-1]
    missing, nothing = np.isnan(values), silent(model, values)
    named: dict[bytes, str] = {}
    texts = []
    for row, later in enumerate((since - last).tolist()):
        said = []
        if later > 0:
            said.append(LATER_UNUSED.format(day=last, days=later))
        pattern = missing[row].tobytes() + nothing[row].tobytes()
        if pattern not in named:
            lacks = lacking(model, topics, missing[row], nothing[row])
            named[pattern] = ", ".join(lack.text for lack in lacks)
        if named[pattern]:
            said.append(MISSING.format(names=named[pattern]))
        if model.too_few:
            said.append(TOO_FEW)
        if model.synthetic:
            said.append(SIMULATED)
        texts.append("; ".join(said))
    return np.array(texts, dtype=object)


@dataclass(frozen=True)
class Scored:
    """Risk and label of every patient, and what they were computed from.

    Parameters
    ----------
    known : Registry
        As known on each patient's day.
    index, days, landmark : ndarray of int, shape (n_patients,)
        Index day, day of the question, days from the one to the day that the risk rests on.
    labels : Labels
    features : dict of str to ndarray of float, shape (n_patients,)
        The model's inputs.
    terms : ndarray of float, shape (n_patients, n_terms)
        Values of the model's terms, nan where missing.
    design : ndarray of float, shape (n_patients, n_columns)
    status, why : ndarray of str, shape (n_patients,)
        `why` is what to beware of where the status is ``ok``, else why there is no risk by the
        model.
    reasons : dict of int to Reason
        By position, of whoever is outside the model.
    risk, lower, upper : ndarray of float, shape (n_patients,)
        The range holds most patients who look like this one to the model.
    steady_lower, steady_upper : ndarray of float, shape (n_patients,)
        Range of the risk over refits to other samples of patients.
    """

    known: Registry
    index: Days
    days: Days
    landmark: Days
    labels: Labels
    features: dict[str, Floats]
    terms: Floats
    design: Floats
    status: npt.NDArray[np.str_]
    why: npt.NDArray[np.object_]
    reasons: dict[int, Reason]
    risk: Floats
    lower: Floats
    upper: Floats
    steady_lower: Floats
    steady_upper: Floats

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """Who has a risk by the model, shape (n_patients,)."""
        fine: npt.NDArray[np.bool_] = self.status == "ok"
        return fine


def scored(
    model: RiskModel,
    registry: Registry,
    as_of: datetime.date | Days | None = None,
    landmark_weeks: float | None = None,
) -> Scored:
    """Score every patient; see `score`."""
    index, days = _scoring_days(model, registry, as_of, landmark_weeks)
    known = known_on(registry, days)
    labels = label_known(known, model.definition, days)
    landmark = landmark_days(model, index, days)
    features = _inputs(model, features_at(known, index, landmark, model.analytes))
    terms = model.terms_of(features)
    values = np.column_stack([np.empty((len(known), 0)), *terms.values()])
    design = model.design_of(terms, features[LANDMARK_MONTH])
    status, why, reasons = _statuses(
        model, known, (index, days, landmark), labels, features[model.required_feature], values
    )
    ok = status == "ok"
    risk, steady = model.risk_of(design), model.interval_of(design)
    lower, upper = model.range_of(risk, features[LANDMARK_MONTH], steady)
    return Scored(
        known=known,
        index=index,
        days=days,
        landmark=landmark,
        labels=labels,
        features=features,
        terms=values,
        design=design,
        status=status,
        why=why,
        reasons=reasons,
        risk=np.where(status == "met", 1.0, np.where(ok, risk, np.nan)),
        lower=np.where(ok, lower, np.nan),
        upper=np.where(ok, upper, np.nan),
        steady_lower=np.where(ok, steady[0], np.nan),
        steady_upper=np.where(ok, steady[1], np.nan),
    )


def _inputs(model: RiskModel, table: FeatureTable) -> dict[str, Floats]:
    """Return the model's inputs; each a column of shape (n_patients,)."""
    columns: dict[str, Floats] = {}
    for frame in (table.frame, table.statistics):
        columns |= zip(frame.columns, frame.to_numpy(dtype=np.float64).T, strict=True)
    return {name: columns[name] for name in model.input_names}


def _statuses(
    model: RiskModel,
    known: Registry,
    at: tuple[Days, Days, Days],
    labels: Labels,
    required: Floats,
    values: Floats,
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.object_], dict[int, Reason]]:
    """Return each patient's status, why it is so or what to beware of, and reasons as data.

    `at` holds index day, day of the question, and days from the one to that of the risk.
    """
    index, days, landmark = at
    status = np.full(len(known), "ok", dtype="<U13")
    why = _remarks(model, values, days - index)
    met = (labels.labels["verdict"] == "refractory").to_numpy() & (model.outcome == "rule")
    status[met], why[met] = "met", "the rule is already met: 1 by the rule, not by the model"
    without = index == NEVER
    status[without], why[without] = "no_induction", ""
    follow_up = FollowUp.of(known, days, treatments_of(known))
    reasons: dict[int, Reason] = {}
    for refusal in (
        *refusals_of(model, known, index, days, index + landmark, follow_up),
        *unlike_training(model, required, values),
    ):
        refused = refusal.who & (status == "ok")
        status[refused] = "outside_model"
        for row in np.flatnonzero(refused).tolist():
            reasons[row] = refusal.reason(row)
            why[row] = reasons[row].text
    return status, why, reasons


def score(
    model: RiskModel,
    registry: Registry,
    *,
    as_of: datetime.date | None = None,
    landmark_weeks: float | None = None,
) -> pd.DataFrame:
    """Return risk and label of every patient.

    Parameters
    ----------
    model : RiskModel
    registry : Registry
    as_of : date, optional
        The day for all patients. Without it and `landmark_weeks` each is scored on the day of the
        model's last landmark.
    landmark_weeks : float, optional
        Score each patient so many weeks after the index date, within the model's landmarks.

    Returns
    -------
    DataFrame
        patient_id, as_of, landmark_weeks, risk, risk_lower, risk_upper, verdict, status, drivers,
        warnings, model_version, definition; one row per patient, the same whoever else is there.

    Raises
    ------
    ModelError
        When the model has no such landmark.
    """
    found = scored(model, registry, as_of, landmark_weeks)
    ok = found.ok
    drivers = np.full(len(ok), "", dtype=object)
    drivers[ok] = _drivers(model, model.contributions_of(found.design[ok]), found.terms[ok])
    without = found.index == NEVER
    return pd.DataFrame(
        {
            "patient_id": found.known.patient_ids,
            "as_of": as_dates(found.days),
            "landmark_weeks": np.where(without, np.nan, found.landmark / DAYS_PER_WEEK),
            "risk": found.risk,
            "risk_lower": found.lower,
            "risk_upper": found.upper,
            "verdict": found.labels.labels["verdict"],
            "status": found.status,
            "drivers": drivers,
            "warnings": found.why,
            "model_version": model.version,
            "definition": f"{model.definition.name} {model.definition.version}",
        }
    )
