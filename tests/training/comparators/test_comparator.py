"""Comparators: each entry is well-formed, says what its publication says, and never guesses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.pipeline import features_at, index_days
from lnrisk.training.comparators.comparator import Comparator, comparators
from pydantic import ValidationError
from training.registries import simulated

EVERY = {one.name: one for one in comparators()}
WEEK_12 = {"landmark_month": 84 / 30.4375, "log_upcr_days_since": 3.0}
MONTH_6 = {"landmark_month": 182 / 30.4375, "log_upcr_days_since": 3.0}


def row(**values):
    return pd.DataFrame([values], dtype=float)


def said(name, **values):
    return EVERY[name].raw(row(**values))[0]


def test_names_are_unique_and_every_entry_has_a_source():
    assert len(EVERY) == len(comparators())
    assert all(one.source and one.meaning and one.horizon for one in comparators())


def test_no_comparator_needs_race_or_ancestry():
    for one in comparators():
        assert not any(word in name for name in one.needs for word in ("race", "ancestry", "white"))


@pytest.mark.parametrize(("fall", "fails"), [(0.24, 1.0), (0.26, 0.0), (-0.5, 1.0)])
def test_fall_of_a_quarter(fall, fails):
    assert said("fall_below_25_week_12", **WEEK_12, log_upcr_change=np.log(1 - fall)) == fails


def test_a_fall_of_exactly_a_quarter_is_enough():
    assert said("fall_below_25_week_12", **WEEK_12, log_upcr_change=np.log(0.75)) == 0.0


@pytest.mark.parametrize("name", ["fall_below_25_week_12", "eular_month_3"])
def test_a_rule_of_week_12_is_not_asked_at_other_times_nor_of_old_values(name):
    known = {"log_upcr_change": 0.0, "egfr_last": 90, "egfr_baseline": 90}
    assert said(name, **WEEK_12, **known) == 1.0
    assert np.isnan(said(name, **{**WEEK_12, "landmark_month": 0.9}, **known))
    assert np.isnan(said(name, **MONTH_6, **known))
    assert np.isnan(said(name, **{**WEEK_12, "log_upcr_days_since": 60}, **known))


@pytest.mark.parametrize(
    ("change", "egfr", "expected"),
    [
        (np.log(0.7), 90, 0.0),
        (np.log(0.7), 70, 1.0),
        (np.log(0.9), np.nan, 1.0),  # proteinuria decides alone
        (np.log(0.7), np.nan, np.nan),
        (np.nan, 70, 1.0),
        (np.nan, 90, np.nan),
    ],
)
def test_eular_month_3(change, egfr, expected):
    found = said(
        "eular_month_3", **WEEK_12, log_upcr_change=change, egfr_last=egfr, egfr_baseline=90
    )
    np.testing.assert_equal(found, expected)


def test_last_upcr_is_itself():
    assert said("last_upcr", log_upcr_last=1.3) == 1.3


@pytest.mark.parametrize(
    ("dsdna", "change", "upcr", "expected"),
    [
        (10, -1.0, -1.0, 0.0),
        (40, -1.0, -1.0, np.log(12.7)),
        (40, 0.1, -1.0, np.log(12.7 * 2.9)),
        (40, 0.1, 0.0, np.log(12.7 * 2.9 * 2.6)),
    ],
)
def test_alms_treatment_failure_multiplies_the_printed_odds(dsdna, change, upcr, expected):
    found = said(
        "alms_treatment_failure",
        **WEEK_12,
        log_anti_dsdna_baseline=np.log(dsdna),
        log_anti_dsdna_change=change,
        log_upcr_change=upcr,
    )
    assert found == pytest.approx(expected, abs=0.005)


def test_a_model_of_response_is_turned_round():
    good = said("alms_complete_response", **MONTH_6, egfr_last=100, log_upcr_last=np.log(0.4))
    bad = said("alms_complete_response", **MONTH_6, egfr_last=50, log_upcr_last=np.log(2.0))
    assert good == pytest.approx(-0.693)
    assert bad == pytest.approx(1.204)


@pytest.mark.parametrize("name", ["mcdonald_improvement", "nagasaki_month_12"])
def test_an_input_that_no_feature_gives_makes_it_not_computable(name):
    table = row(**MONTH_6, age=30, female=1, log_upcr_baseline=1.0, activity_index=9)
    assert EVERY[name].absent(table)
    assert np.isnan(EVERY[name].raw(table)).all()


def test_inputs_are_features_of_the_pipeline_or_said_to_be_absent():
    registry = simulated()
    whole = features_at(registry, index_days(registry), 84).whole
    absent = {name for one in comparators() for name in one.absent(whole)}
    assert absent == {
        "normal_hemoglobin",
        "bilag_haematological_a_or_b",
        "bilag_mucocutaneous_a_or_b",
        "damage_index_above_1",
        "nephritis_for_2_to_4_years",
        "early_onset",
        "mixed_class",
    }
    asked = {question.feature for one in comparators() for question in one.requires}
    assert asked <= set(whole.columns)


@given(st.data())
def test_a_missing_input_is_never_a_number_but_where_the_rule_is_decided(data):
    one = data.draw(st.sampled_from([c for c in comparators() if c.kind != "rule"]))
    values = {name: data.draw(st.floats(0, 4)) for name in one.needs}
    asked = {"landmark_month": 2.76, "log_upcr_days_since": 1.0}
    if one.name in ("alms_failure_in_maintenance", "alms_complete_response"):
        asked["landmark_month"] = 6.0
    whole = row(**{**values, **asked})
    assert np.isfinite(one.raw(whole)).all()
    gone = data.draw(st.sampled_from(one.needs))
    assert np.isnan(one.raw(whole.assign(**{gone: np.nan}))).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "value"},
        {"fails_when_any": []},
        {"fails_when_any": [{"feature": "age"}]},
        {"fails_when_any": [{"feature": "age", "above": 1, "below": 2}]},
        {"terms": [{"coefficient": 1.0, "of": {"feature": "age"}}]},
        {"colour": "red"},
    ],
)
def test_an_entry_that_is_not_one_is_refused(changes):
    entry = EVERY["fall_below_25_week_12"].model_dump(exclude_none=True, exclude_defaults=True)
    assert Comparator.model_validate(entry)
    with pytest.raises(ValidationError):
        Comparator.model_validate({**entry, **changes})
