"""From a cohort to a model file: the same risks, bootstrap refits, and what is recorded."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.definition import load_definition
from lnrisk.training import fitting
from lnrisk.training.fitting import fit_classifier, to_risk_model
from registries import CONFIG, quietly, simulated, trained


@cache
def fitted():
    cohort = trained().cohort
    return fit_classifier(cohort, cohort.resolved, CONFIG.seed)[0]


def model(refits=2, seed=CONFIG.seed, step=quietly):
    return to_risk_model(
        fitted(),
        trained().cohort,
        simulated(),
        load_definition(),
        CONFIG.changed(refits=refits, seed=seed),
        step,
    )


def test_the_model_file_gives_the_risks_of_the_classifier():
    features = trained().cohort.features
    expected = fitted().predict_proba(features)[:, 1]
    np.testing.assert_allclose(model().predict(features), expected, rtol=0, atol=1e-12)


def test_fitting_again_with_the_seed_gives_the_trained_model_to_the_bit():
    assert model(CONFIG.refits).to_json() == trained().model.to_json()


class Noted:
    """A classifier that notes what it is fitted to, and warns."""

    def __init__(self, features, *, random_state):
        self.random_state = random_state

    def fit(self, features, y, *, sample_weight, groups):
        self.fitted = features, y, sample_weight, groups
        warnings.warn("recalibration: no better than chance", UserWarning, stacklevel=1)
        return self


def test_only_the_chosen_are_fitted_with_their_weights_and_warnings_are_remarks(monkeypatch):
    monkeypatch.setattr(fitting, "LogisticRisk", Noted)
    cohort = trained().cohort
    chosen = cohort.resolved.copy()
    chosen[np.flatnonzero(chosen)[::3]] = False
    classifier, remarks = fit_classifier(cohort, chosen, 4)
    features, y, weight, groups = classifier.fitted
    pd.testing.assert_frame_equal(features, cohort.features[chosen])
    np.testing.assert_array_equal(y, cohort.y[chosen])
    np.testing.assert_array_equal(weight, cohort.weights.weight[chosen])
    np.testing.assert_array_equal(groups, cohort.patient_id[chosen])
    assert classifier.random_state == 4
    assert remarks == ["recalibration: no better than chance"]


def test_terms_hold_the_dictionary_and_the_range_of_the_resolved():
    cohort = trained().cohort
    values = model().term_values(cohort.features[cohort.resolved])
    for term, entry in zip(model().terms, cohort.dictionary, strict=True):
        assert (term.name, term.meaning, term.unit) == (entry.name, entry.meaning, entry.unit)
        assert term.lowest == pytest.approx(values[term.name].min(), rel=1e-9)
        assert term.highest == pytest.approx(values[term.name].max(), rel=1e-9)
        assert term.scale > 0


def test_what_it_was_trained_on_is_recorded():
    cohort, found = trained().cohort, model()
    assert found.training == {
        "data": simulated().source.name,
        "sha256": simulated().source.sha256,
        "synthetic": True,
        "patients": int(cohort.resolved.sum()),
        "events": int((cohort.status == "event").sum()),
    }
    assert (found.landmark_days, found.horizon_days, found.outcome) == (84, 548, "rule")
    assert found.required_feature == "log_upcr_last"
    assert found.definition == load_definition()


def test_there_are_as_many_refits_as_asked_for_each_with_every_coefficient():
    found = model(3)
    assert len(found.refits) == 3
    assert {len(refit) for refit in found.refits} == {1 + 2 * len(found.terms)}
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


def test_a_sample_with_one_class_is_passed_over(monkeypatch):
    cohort = trained().cohort
    events = cohort.y[cohort.resolved] == 1

    class Drawn:
        def __init__(self):
            self.times = 0

        def multinomial(self, n, shares):
            self.times += 1
            return np.where(events, 0, 1) if self.times == 2 else np.ones(n, int)

    monkeypatch.setattr(fitting.np.random, "default_rng", lambda seed: Drawn())
    found = model(3)
    assert len(found.refits) == 2


def test_progress_is_told_from_none_to_all():
    told = []
    model(2, step=lambda *said: told.append(said))
    assert told == [("refits", 0, 2), ("refits", 1, 2), ("refits", 2, 2)]
