"""The default and its challengers in the same folds, and which of them the model file holds."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.definition import load_definition
from lnrisk.training.challengers import candidates as module
from lnrisk.training.challengers.candidates import MEANINGS, candidates, compare, served
from lnrisk.training.cohort import build_cohort
from lnrisk.training.config import TrainingConfig, Validation
from lnrisk.training.fitting import fit_classifier, unfitted_classifier
from lnrisk.training.model_file import to_risk_model
from lnrisk.training.refits import refit
from lnrisk.training.validation.cross_validation import OutOfFold
from training.registries import quietly, simulated

CONFIG = TrainingConfig(
    landmark_days=84,
    allow_small=True,
    refits=2,
    validation=Validation(folds=2, repeats=1, resamples=50),
)


@pytest.fixture(scope="module")
def found():
    return candidates(build_cohort(simulated(), load_definition(), CONFIG), CONFIG)


@pytest.fixture(scope="module")
def fitted(found):
    whole = found["elastic net"]
    return fit_classifier(whole, whole.has_outcome, 0)[0]


@pytest.fixture(scope="module")
def model(found, fitted):
    whole = found["elastic net"]
    made = refit(whole, {"elastic net": fitted}, CONFIG, quietly)
    config = CONFIG.changed(classifier="elastic net")
    return to_risk_model(fitted, whole, simulated(), load_definition(), config, made)


def test_the_elastic_net_sees_every_feature_and_boosting_the_terms(found):
    few, every = set(found["boosting"].terms), set(found["elastic net"].terms)
    assert few == set(found["logistic"].terms)
    assert few < every
    assert {"hcq_blood", "c3_slope", "log_upcr_last", "upcr_fall_below_50"} <= every
    assert not any(":" in name or "ancestry" in name or "apol1" in name for name in every)


def test_how_closely_a_patient_was_watched_is_no_reason_for_a_risk(found):
    whole = found["elastic net"]
    why = dict(whole.left_out_features)
    for name in ("c4_count", "refill_coverage", "log_upcr_days_since", "egfr_slope_sd"):
        assert name not in whole.terms
        assert why[name] == "tells how closely a patient was watched"


def test_what_was_named_beforehand_comes_first(found):
    whole, named = found["elastic net"], found["logistic"].pieces
    assert whole.named == named
    assert whole.pieces[: len(named)] == named


def test_a_course_is_told_once(found):
    whole, why = found["elastic net"], dict(found["elastic net"].left_out_features)
    for name in ("log_upcr_mean", "c3_first", "egfr_least_squares_slope", "albumin_variability"):
        assert name not in whole.terms
        assert why[name] == "baseline, last value, change and shrunken course tell it too"
    assert {"log_upcr_baseline", "c3_last", "egfr_slope", "albumin_change"} <= set(whole.terms)


def test_columns_that_are_missing_in_the_same_rows_share_one_that_says_so(found):
    whole = found["elastic net"]
    told = [p.term for p in whole.pieces if p.shape == "missing" and p not in whole.named]
    gaps = [tuple(whole.features[name].isna()) for name in told if name in whole.features]
    assert len(gaps) > 5
    assert len(set(gaps)) == len(gaps)


def test_a_refit_tries_penalties_near_that_of_the_whole(found, fitted):
    near = unfitted_classifier(found["elastic net"], 0, fitted)
    assert near.around == fitted.setting_
    assert unfitted_classifier(found["logistic"], 0, fitted).get_params().keys() >= {"Cs"}


def test_the_model_file_gives_the_risks_of_the_elastic_net_and_holds_what_it_kept(
    found, fitted, model
):
    whole = found["elastic net"]
    expected = fitted.predict_proba(whole.inputs)[:, 1]
    np.testing.assert_allclose(model.predict(whole.features), expected, rtol=0, atol=1e-12)
    assert 0 < len(model.columns) == np.count_nonzero(fitted.coef_) < len(fitted.coef_)
    assert {column.term for column in model.columns} >= set(model.feature_names)
    assert len(model.feature_names) < len(whole.terms)
    assert model.training["config"]["classifier"] == "elastic net"


def test_a_cohort_can_be_built_for_the_elastic_net_at_once(found):
    config = CONFIG.changed(classifier="elastic net")
    again = build_cohort(simulated(), load_definition(), config)
    assert again.pieces == found["elastic net"].pieces
    assert again.named == found["logistic"].pieces


@pytest.mark.slow
def test_candidates_are_judged_on_the_same_rows(found):
    told = []
    rows = compare(found, CONFIG, lambda *progress: told.append(progress))
    assert [row["name"] for row in rows] == list(MEANINGS)
    assert sum(row["chosen"] for row in rows) == sum(row["served"] for row in rows) == 1
    assert ("cross-validation, elastic net", 2, 2) in told
    assert rows[0]["parameters"] == found["logistic"].sample_size.parameters
    assert max(row["auroc"] for row in rows) > 0.6


def _risks(**good):
    """Return what stands in for fits: risks that are near the outcome to a degree."""

    def out_of_fold(cohort, *_):
        share = good[cohort.classifier.replace(" ", "_")]
        y = np.nan_to_num(cohort.y)
        return OutOfFold((0.2 + share * (y - 0.2))[:, None], (), ())

    return out_of_fold


@pytest.mark.parametrize(
    ("good", "config", "expected"),
    [
        ({"logistic": 0.5, "elastic_net": 0.5, "boosting": 0.5}, {}, "logistic"),
        ({"logistic": 0.2, "elastic_net": 0.5, "boosting": 0.5}, {}, "elastic net"),
        ({"logistic": 0.2, "elastic_net": 0.5, "boosting": 0.9}, {}, "elastic net"),
        ({"logistic": 0.5, "elastic_net": 0.2, "boosting": 0.9}, {}, "logistic"),
        (
            {"logistic": 0.2, "elastic_net": 0.5, "boosting": 0.5},
            {"terms": ("age", "log_upcr_last")},
            "logistic",
        ),
        (
            {"logistic": 0.9, "elastic_net": 0.2, "boosting": 0.2},
            {"classifier": "elastic net"},
            "elastic net",
        ),
    ],
)
def test_the_simplest_near_the_best_is_served_unless_one_was_asked_for(
    monkeypatch, found, good, config, expected
):
    monkeypatch.setattr(module, "out_of_fold", _risks(**good))
    changed = CONFIG.changed(**config)
    rows = compare(found, changed, quietly)
    assert [row["name"] for row in rows if row["served"]] == [expected]
    cohort = served(found, rows, changed)
    assert cohort.classifier == expected
    to_be_chosen = not config
    assert [one.classifier for one in cohort.contenders] == (
        ["logistic", "elastic net"] if to_be_chosen else [expected]
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [({}, "logistic"), ({"classifier": "elastic net"}, "elastic net")],
)
def test_without_a_comparison_the_default_is_served_and_nothing_is_chosen(found, config, expected):
    cohort = served(found, [], CONFIG.changed(**config))
    assert (cohort.classifier, cohort.rivals) == (expected, ())


def test_a_cohort_of_the_elastic_net_leaves_out_what_tells_nothing(found):
    whole = found["elastic net"]
    nothing = whole.features.assign(hcq_blood=np.nan, age=40.0)
    again = module.with_every_feature(
        dataclasses.replace(found["logistic"], features=pd.DataFrame(nothing)), CONFIG
    )
    assert {"hcq_blood", "age"}.isdisjoint(again.terms)
    assert dict(again.left_out_features)["hcq_blood"] == "never recorded"
