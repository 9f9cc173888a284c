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
from ..features.days import NEVER, Days, as_dates
from ..features.errors import ModelError
from ..features.laboratory import LANDMARK_MONTH
from ..features.pipeline import FeatureTable, features_at, index_days
from ..features.registry import Registry
from ..features.treatment import treatments_of
from ..model.artifact import RiskModel
from ..model.courses import FollowUp
from ..model.label import Labels, label_known

__all__ = ["Scored", "asked_day", "landmark_days", "score", "scored"]

DRIVERS_SHOWN = 3
SMALLEST_SHOWN = 0.005
DAYS_PER_WEEK = 7
SIMULATED = "model trained on simulated patients"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Refusal:
    """Why some patients are outside the model."""

    who: npt.NDArray[np.bool_]
    why: npt.NDArray[np.object_]


def _date_text(days: Days) -> npt.NDArray[np.str_]:
    return np.datetime_as_string(as_dates(days), unit="D")


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
        return index, np.where(index < NEVER, index + since, NEVER)
    days = as_of_days(registry, as_of)
    return np.where(index <= days, index, NEVER), days


def landmark_days(model: RiskModel, index: Days, days: Days) -> Days:
    """Return the day after each index date that the risk rests on, shape (n_patients,).

    The day asked for, where the model was trained around it; a model of a single landmark always
    rests on that one.
    """
    landmark: Days = np.clip(days - index, model.landmarks[0], model.landmarks[-1])
    return landmark


def _refusals(
    model: RiskModel, known: Registry, index: Days, days: Days, follow_up: FollowUp
) -> list[_Refusal]:
    """Return who is outside the model and why, the weightiest reason first."""
    since = days - index
    first, last = model.landmarks[0], model.landmarks[-1]
    latest = model.horizon_days if first == last else last
    until = f"the horizon is day {latest}" if first == last else f"the model ends on day {latest}"
    landmark = index + landmark_days(model, index, days)
    ended = follow_up.competing
    own_event = np.zeros(len(known), dtype=bool)
    if model.outcome == "registry":
        outcomes = known.outcomes
        happened = (outcomes["status"] != "censored").to_numpy()
        own_event[known.positions("outcomes")[happened]] = True

    def told(text: str, values: npt.NDArray[np.generic] | None = None) -> npt.NDArray[np.object_]:
        filled = [text] * len(known) if values is None else [text.format(v) for v in values]
        return np.array(filled, dtype=object)

    return [
        _Refusal(ended < NEVER, told("death or kidney failure on {}", _date_text(ended))),
        _Refusal(own_event, told("the registry's outcome has been reached")),
        _Refusal(
            since < first,
            told(f"too early: day {{}}, the model needs day {first}", since),
        ),
        _Refusal(
            follow_up.last_contact < landmark,
            told("last contact before the landmark, on {}", _date_text(follow_up.last_contact)),
        ),
        _Refusal(
            since > latest,
            told(f"too late: day {{}}, {until}", since),
        ),
    ]


def _unlike(model: RiskModel, values: Floats) -> list[_Refusal]:
    """Return who is unlike every training patient, and in what."""
    outside, unseen = model.outside_of(values), model.unseen_of(values)
    why = np.full(len(values), "", dtype=object)
    for row in np.flatnonzero(outside.any(axis=1)):
        said = [
            f"{term.meaning} {term.shown(values[row, k])} "
            f"(in training {term.shown(term.lowest)} to {term.shown(term.highest)})"
            for k, term in enumerate(model.terms)
            if outside[row, k]
        ]
        why[row] = f"outside the training data: {'; '.join(said)}"
    missing = np.full(len(values), "", dtype=object)
    names = np.array(model.feature_names)
    for row in np.flatnonzero(unseen):
        absent = ", ".join(names[np.isnan(values[row])]) or "nothing"
        missing[row] = f"never seen in training with this missing: {absent}"
    beyond = np.asarray(outside.any(axis=1))
    return [_Refusal(beyond, why), _Refusal(unseen, missing)]


def _drivers(model: RiskModel, parts: Floats, values: Floats) -> npt.NDArray[np.object_]:
    """Return the largest contributions in words, with their log-odds."""
    largest = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :DRIVERS_SHOWN]
    texts = []
    for row, columns in enumerate(largest):
        said = []
        for column in columns:
            term, part = model.terms[column], parts[row, column]
            if abs(part) >= SMALLEST_SHOWN:
                effect = "raises" if part > 0 else "lowers"
                said.append(
                    f"{term.meaning} {term.shown(values[row, column])} {effect} ({part:+.2f})"
                )
        texts.append("; ".join(said))
    return np.array(texts, dtype=object)


def _remarks(model: RiskModel, values: Floats, since: Days) -> npt.NDArray[np.object_]:
    """Return what to beware of in a risk that is given."""
    names = np.array(model.feature_names)
    missing = np.isnan(values)
    texts = []
    last = model.landmarks[-1]
    for row, later in enumerate((since - last).tolist()):
        said = []
        if later > 0:
            said.append(f"rests on day {last}; {later} later days are not used")
        if missing[row].any():
            said.append(f"missing: {', '.join(names[missing[row]])}")
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
    status, why = _statuses(model, known, index, days, labels, features, values)
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
    index: Days,
    days: Days,
    labels: Labels,
    features: dict[str, Floats],
    values: Floats,
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.object_]]:
    """Return each patient's status, and why it is so or what to beware of."""
    n, first = len(known), model.required_feature
    status = np.full(n, "ok", dtype="<U13")
    why = _remarks(model, values, days - index)
    little = np.full(n, f"too little data: {first} is missing", dtype=object)
    refusals = [
        *_refusals(model, known, index, days, FollowUp.of(known, days, treatments_of(known))),
        _Refusal(np.isnan(features[first]), little),
        *_unlike(model, values),
    ]
    for refusal in reversed(refusals):
        status[refusal.who] = "outside_model"
        why[refusal.who] = refusal.why[refusal.who]
    met = (labels.labels["verdict"] == "refractory").to_numpy() & (model.outcome == "rule")
    status[met], why[met] = "met", "the rule is already met: 1 by the rule, not by the model"
    without = index == NEVER
    status[without], why[without] = "no_induction", ""
    return status, why


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
