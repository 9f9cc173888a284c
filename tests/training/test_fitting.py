"""From a cohort to a model file: the same risks, bootstrap refits, and what is recorded."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.definition import load_definition
from lnrisk.training import fitting, refits
from lnrisk.training.config import TrainingConfig
from lnrisk.training.fitting import fit_classifier
from lnrisk.training.later_look import look_again
from lnrisk.training.model_file import to_risk_model
from lnrisk.training.refits import refit
from lnrisk.training.too_few import too_few
from registries import CONFIG, quietly, simulated, trained


@cache
def fitted():
    cohort = trained().cohort
    return fit_classifier(cohort, cohort.has_outcome, CONFIG.seed)[0]


def model(refits=2, seed=CONFIG.seed, step=quietly):
    config = CONFIG.changed(refits=refits, seed=seed)
    cohort = trained().cohort
    made = refit(cohort, {"logistic": fitted()}, config, step)
    return to_risk_model(fitted(), cohort, simulated(), load_definition(), config, made, spread())


@cache
def spread():
    return look_again(simulated(), load_definition(), CONFIG)[0]


def test_the_model_file_gives_the_risks_of_the_classifier():
    features = trained().cohort.features
    expected = fitted().predict_proba(trained().cohort.inputs)[:, 1]
    np.testing.assert_allclose(model().predict(features), expected, rtol=0, atol=1e-12)


def test_fitting_again_with_the_seed_gives_the_trained_model_to_the_bit():
    assert model(CONFIG.refits).to_json() == trained().model.to_json()


class Noted:
    """A classifier that notes what it is fitted to, and warns."""

    learns_from_steps = False

    def __init__(self, features, design, *, random_state):
        self.random_state = random_state

    def fit(self, features, y, *, sample_weight, groups):
        self.fitted = features, y, sample_weight, groups
        warnings.warn("recalibration: no better than chance", UserWarning, stacklevel=1)
        return self


def test_only_the_chosen_are_fitted_with_their_weights_and_warnings_are_remarks(monkeypatch):
    cohort = trained().cohort
    monkeypatch.setattr(fitting, "LogisticRisk", Noted)
    chosen = cohort.has_outcome.copy()
    chosen[np.flatnonzero(chosen)[::3]] = False
    classifier, remarks = fit_classifier(cohort, chosen, 4)
    features, y, weight, groups = classifier.fitted
    pd.testing.assert_frame_equal(features, cohort.inputs[chosen])
    np.testing.assert_array_equal(y, cohort.y[chosen])
    np.testing.assert_array_equal(weight, cohort.weights.weight[chosen])
    np.testing.assert_array_equal(groups, cohort.patient_id[chosen])
    assert classifier.random_state == 4
    assert remarks == ["recalibration: no better than chance"]


def test_terms_hold_the_dictionary_and_the_range_of_the_resolved():
    cohort = trained().cohort
    values = model().term_values(cohort.features[cohort.has_outcome])
    for term, entry in zip(model().terms, cohort.dictionary, strict=True):
        assert (term.name, term.meaning, term.unit) == (entry.name, entry.meaning, entry.unit)
        assert term.lowest == pytest.approx(values[term.name].min(), rel=1e-9)
        assert term.highest == pytest.approx(values[term.name].max(), rel=1e-9)
        assert term.scale > 0


def test_what_it_was_trained_on_is_recorded():
    cohort, found = trained().cohort, model()
    told = {k: v for k, v in found.training.items() if k not in ("config", "support")}
    assert TrainingConfig.model_validate(found.training["config"]) == CONFIG.changed(
        refits=2, classifier="logistic"
    )
    assert told == {
        "data": simulated().source.name,
        "sha256": simulated().source.sha256,
        "synthetic": True,
        "patients": int((cohort.has_outcome & cohort.primary & cohort.each).sum()),
        "events": int((cohort.status[cohort.primary & ~cohort.possible] == "event").sum()),
        "expected_events": cohort.sample_size.events,
        "rows": int(cohort.has_outcome.sum()),
        "too_few": too_few(cohort),
    }
    assert (found.landmarks, found.horizon_days, found.outcome) == ((0, 84, 182), 548, "rule")
    assert found.required_feature == "log_upcr_last"
    assert found.definition == load_definition()


def test_there_are_as_many_refits_as_asked_for_each_with_every_coefficient():
    found = model(3)
    assert len(found.refits) == 3
    assert {len(refit) for refit in found.refits} == {1 + len(found.columns)}
    assert len(set(found.refits)) == 3
    assert model(0).refits == ()


def test_the_first_refits_do_not_depend_on_how_many_follow_and_do_on_the_seed():
    assert model(3).refits[:2] == model(2).refits
    assert model(2, seed=7).refits != model(2).refits


def test_risks_lie_about_those_of_the_refits():
    features = trained().cohort.features
    found = model(12)
    lower, upper = found.interval(features)
    assert (lower <= upper).all()
    inside = (lower <= found.predict(features)) & (found.predict(features) <= upper)
    assert inside.mean() > 0.8


def test_a_draw_with_too_few_of_an_outcome_is_passed_over(monkeypatch):
    cohort = trained().cohort
    draws = [np.ones(len(cohort.y)), np.where(cohort.y == 1, 0.0, 1.0), np.ones(len(cohort.y))]
    monkeypatch.setattr(refits, "drawn_times", lambda *_: iter(draws))
    assert len(model(3).refits) == 2


def test_whole_patients_are_drawn_and_only_resolved_ones():
    cohort = trained().cohort
    (times,) = refits.drawn_times(cohort, 1, 0)
    by_patient = pd.Series(times).groupby(cohort.patient_id)
    assert (by_patient.min() == by_patient.max()).all()
    resolved = pd.Series(cohort.has_outcome).groupby(cohort.patient_id).any()
    assert by_patient.first().sum() == resolved.sum()
    assert (by_patient.first()[~resolved] == 0).all()


def test_a_refits_risks_are_told_by_the_columns_of_the_model():
    cohort, config = trained().cohort, CONFIG.changed(refits=2)
    made = refit(cohort, {"logistic": fitted()}, config, quietly)
    found = to_risk_model(fitted(), cohort, simulated(), load_definition(), config, made)
    design = found.design(cohort.features[cohort.has_outcome])
    for told, own in zip(found.refits, made.risk, strict=True):
        log_odds = told[0] + design @ np.array(told[1:])
        gap = np.abs(1 / (1 + np.exp(-log_odds)) - own)
        assert np.quantile(gap, 0.9) < 0.04


def test_progress_is_told_from_none_to_all():
    told = []
    model(2, step=lambda *said: told.append(said))
    assert told == [("refits", 0, 2), ("refits", 1, 2), ("refits", 2, 2)]
