"""The whole validation, by parts and as plain data."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.definition import load_definition, presets
from lnrisk.training.config import TrainingConfig, Validation
from lnrisk.training.metrics import auroc
from lnrisk.training.pieces import Pieces
from lnrisk.training.refits import refit
from lnrisk.training.validation import sensitivity as module
from lnrisk.training.validation import suite
from lnrisk.training.validation.cross_validation import cross_validate
from lnrisk.training.validation.sensitivity import sensitivity
from lnrisk.training.validation.suite import validate
from lnrisk.training.validation.summary import validation_results
from people import PLAN, people
from registries import CONFIG, quietly, simulated, trained
from sklearn.linear_model import LogisticRegression


def groups(cohort, *_):
    who = cohort.position
    return pd.DataFrame(
        {"centre": np.array(["east", "west", "south"])[who % 3], "sex": np.full(len(who), "female")}
    )


@pytest.fixture
def whole(fits, monkeypatch):
    """Validate a cohort of numbers, with and without a rule."""
    monkeypatch.setattr(suite, "strata", groups)
    cohort = people(200)
    rows = cohort.has_outcome
    model = LogisticRegression(C=100).fit(
        cohort.features[rows], cohort.y[rows], sample_weight=cohort.weights.weight[rows]
    )
    rules = {"a above 1": (cohort.features["a"] > 1).to_numpy(float)}
    fitted = {"logistic": model}
    return cohort, model, validate(None, None, cohort, fitted, PLAN, quietly, rules=rules)


def test_every_part_is_there_and_writable(whole):
    cohort, _, found = whole
    plain = validation_results(found, cohort)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert set(plain) == {
        "performance",
        "performance_by_landmark",
        "auroc_in_time",
        "optimism",
        "calibration_curve",
        "calibration_by_landmark",
        "net_benefit",
        "centres",
        "instability",
        "learning_curve",
        "subgroups",
        "sensitivity",
    }
    assert {row["strategy"] for row in plain["net_benefit"]} == {
        "model",
        "treat_all",
        "treat_none",
        "a above 1",
    }
    assert {row["landmark_days"] for row in plain["performance_by_landmark"]} == {0, 84}
    counts = plain["performance_by_landmark"][0]
    at_day_0 = cohort.has_outcome & (cohort.landmark_days == 0)
    assert (counts["patients"], counts["events"]) == (at_day_0.sum(), cohort.y[at_day_0].sum())
    text = json.dumps(plain)
    assert not any(identifier in text for identifier in cohort.patient_id)


def test_instability_and_optimism_are_of_the_refits_at_the_primary_landmark(whole):
    cohort, model, found = whole
    assert found.instability.refits == PLAN.refits == len(found.refits.risk)
    rows = cohort.primary & cohort.has_outcome
    risk = model.predict_proba(cohort.features[rows])[:, 1]
    within = found.refits.risk[:, cohort.primary[cohort.has_outcome]]
    expected = np.average(np.abs(within - risk).mean(axis=0), weights=cohort.weights.weight[rows])
    assert found.instability.mean_absolute_error == pytest.approx(expected)
    apparent = found.optimism.set_index("measure").loc["auroc", "apparent"]
    assert apparent == pytest.approx(auroc(cohort.y[rows], risk, cohort.weights.weight[rows]))


def test_auroc_in_time_counts_everyone_at_risk(whole):
    cohort, _, found = whole
    assert found.auroc_in_time["days"].tolist() == [175, 266, 357, 448, 548]
    shown = found.auroc_in_time["events"]
    assert shown.dropna().is_monotonic_increasing
    assert ((shown >= 10) | (shown == 0) | shown.isna()).all()
    events = (cohort.status == "event") & cohort.primary
    assert found.auroc_in_time["events"].iloc[-1] == events.sum()


def test_a_day_with_few_outcomes_is_not_shown(whole):
    cohort, _, found = whole
    plan = PLAN.changed(validation={**PLAN.validation.model_dump(), "smallest_cell": 30})
    table = suite._in_time(cohort, found.cross_validation, plan)
    events = [
        int(((cohort.status == "event") & cohort.primary & (cohort.days <= day)).sum())
        for day in table["days"]
    ]
    few = np.array([0 < number < 30 for number in events])
    assert few.any()
    assert not few.all()
    columns = table[["auroc", "lower", "upper", "events"]]
    assert columns[few].isna().all(axis=None)
    assert columns[~few].notna().all(axis=None)


def test_an_interrupted_validation_is_taken_up_and_gives_the_same(fits, monkeypatch, tmp_path):
    monkeypatch.setattr(suite, "strata", groups)
    cohort = people(120)
    expected = validation_results(
        validate(None, None, cohort, _fitted(cohort), PLAN, quietly), cohort
    )
    made = len(fits)
    fits.clear()
    pieces = Pieces(tmp_path)

    def stop(what, done, total):
        if (what, done) == ("refits", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        validate(None, None, cohort, _fitted(cohort), PLAN, stop, pieces)
    before = len(fits)
    again = validate(None, None, cohort, _fitted(cohort), PLAN, quietly, pieces)
    assert len(fits) == made
    assert 0 < before < made
    found = validation_results(again, cohort)
    assert {k: v for k, v in found.items() if k != "performance"} == {
        k: v for k, v in expected.items() if k != "performance"
    }


def _fitted(cohort):
    rows = cohort.has_outcome
    return {"logistic": LogisticRegression(C=100).fit(cohort.features[rows], cohort.y[rows])}


@pytest.mark.usefixtures("fits")
def test_refits_draw_whole_patients_and_the_first_do_not_depend_on_how_many():
    cohort = people(80)
    eight, four = (refit(cohort, {}, PLAN.changed(refits=n), quietly) for n in (8, 4))
    np.testing.assert_array_equal(eight.risk[:4], four.risk)
    patient = cohort.patient_id[cohort.has_outcome]
    for times in eight.times:
        assert times.sum() == len(patient)
        assert (times[patient == "p001"] == times[patient == "p001"][0]).all()


def settings_tried(monkeypatch, definition):
    tried = []

    def build(registry, rule, config):
        tried.append((rule, config.indeterminate))
        assert config.allow_small
        if rule.name == "kdigo-2024":
            raise module.LnriskError("2 of 30 resolved patients met the outcome")
        return people(100, seed=len(tried))

    monkeypatch.setattr(module, "build_cohort", build)
    monkeypatch.setattr(module, "outcome_certainty", lambda *_: np.linspace(0.1, 0.9, 160))
    cohort = people(160)
    validated = cross_validate(cohort, PLAN, quietly)
    table = sensitivity(None, definition, cohort, {}, validated, PLAN, quietly)
    return tried, table, validated


@pytest.mark.usefixtures("fits")
def test_every_other_preset_and_reading_is_tried_once(monkeypatch):
    definition = load_definition()
    tried, table, validated = settings_tried(monkeypatch, definition)
    names = set(table[table["analysis"] == "definition"]["setting"])
    assert names == set(presets())
    assert len(tried) == len(presets()) - 1 + 1 + 1
    assert (definition, "chance") not in tried
    assert (definition, "weight") in tried
    both = table[table["analysis"] == "indeterminate"]["setting"].unique().tolist()
    assert both == ["chance", "weight"]
    readings = table[table["analysis"] == "adherence"]["setting"].unique().tolist()
    assert readings == ["unknown", "assume_adherent"]
    at = validated.at(84)
    base = table[(table["setting"] == "arora-2022") & (table["measure"] == "auroc")]
    assert base["estimate"].item() == pytest.approx(auroc(at.y, at.mean_risk, at.weight))
    failed = table[table["setting"] == "kdigo-2024"]
    assert failed["estimate"].isna().all()
    assert failed["note"].item().startswith("Not fitted: too few")
    assert not failed["note"].str.contains("2 of").any()


@pytest.mark.usefixtures("fits")
def test_weights_and_certainty_are_put_to_the_same_risks(monkeypatch):
    _, table, validated = settings_tried(monkeypatch, load_definition())
    at = validated.at(84)
    table = table[table["measure"] == "auroc"].set_index("setting")["estimate"]
    assert table["none"] == pytest.approx(auroc(at.y, at.mean_risk))
    met = np.linspace(0.1, 0.9, 160)[~np.isnan(people(160).y[::2])]
    right = np.where(at.y == 1, met, 1 - met)
    name = "weighted by the probability that the label is right"
    assert table[name] == pytest.approx(auroc(at.y, at.mean_risk, at.weight * right))


@pytest.mark.usefixtures("fits")
def test_a_registrys_own_outcome_has_no_other_definition():
    cohort, plan = people(160), PLAN.changed(outcome="registry")
    validated = cross_validate(cohort, plan, quietly)
    table = sensitivity(None, load_definition(), cohort, {}, validated, plan, quietly)
    assert set(table["analysis"]) == {"weights"}


def test_a_training_run_says_all_of_it():
    found = trained().results
    assert found["instability"]["refits"] == CONFIG.refits
    assert {row["group"] for row in found["subgroups"]} >= {"sex", "age", "centre", "era"}
    assert [row["measure"] for row in found["optimism"]][:2] == ["auroc", "brier"]
    assert len(simulated()) == 600
    assert found["calibration_curve"][0].keys() == {"predicted", "observed", "lower", "upper"}


def test_a_quick_plan_does_everything_once():
    plan = Validation.quick()
    assert (plan.folds, plan.repeats, plan.sensitivity) == (3, 1, False)
    assert TrainingConfig(validation=plan).validation.resamples == 100
    assert SimpleNamespace(**plan.model_dump()).centres is True
