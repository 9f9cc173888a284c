"""What model and definition share: named up to the landmark, refused after it."""

import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.features.feature import Feature
from lnrisk.features.pipeline import (
    DEFAULT_ANALYTES,
    features_at,
    index_days,
    trajectory_plan,
)
from lnrisk.features.trajectories import shrunken_dictionary
from lnrisk.model.definition import load_definition
from lnrisk.training.overlap import overlap, refuse_the_outcome
from training.registries import simulated

ARORA = load_definition()


def dictionary(landmark=84):
    registry = simulated()
    table = features_at(registry, index_days(registry), landmark)
    shrunken = shrunken_dictionary(trajectory_plan(DEFAULT_ANALYTES).series)
    return {feature.name: feature for feature in (*table.dictionary, *shrunken)}


EVERY = dictionary()


def looking(back, name="mine"):
    return {name: Feature(name, "meaning", "1", "measurements", back)}


@pytest.mark.parametrize("landmark", [0, 28, 56, 84, 112, 140, 182])
def test_no_feature_of_the_pipeline_is_refused_at_any_landmark(landmark):
    refuse_the_outcome(tuple(EVERY), EVERY, landmark)


@pytest.mark.parametrize("term", ["upcr_assessed", "failed", "verdict", "met_on", "true_risk"])
def test_columns_of_the_outcome_are_refused(term):
    with pytest.raises(LnriskError, match=f"'{term}' belongs to the outcome"):
        refuse_the_outcome(("age", term), EVERY, 84)


@pytest.mark.parametrize(
    "back",
    [
        "day 112 to 196",
        "day 85 to 196",
        "after the landmark",
        "index date to day 196",
        "the landmark + 30 days",
        "from the landmark to day 196",
        "whole follow-up",
        "",
    ],
)
def test_a_look_back_past_the_landmark_is_refused(back):
    with pytest.raises(LnriskError, match="does not end by day 84"):
        refuse_the_outcome(("mine",), looking(back), 84)


@pytest.mark.parametrize(
    "back", ["day -90 to the landmark", "day 0 to 84", "index date", "up to the landmark"]
)
def test_a_look_back_by_the_landmark_is_accepted(back):
    refuse_the_outcome(("mine",), looking(back), 84)


def test_a_feature_may_be_called_like_a_column_of_the_courses():
    refuse_the_outcome(("upcr_baseline",), looking("day -90 to 7", "upcr_baseline"), 84)


def test_every_wrong_term_is_named_in_one_go():
    with pytest.raises(LnriskError) as refused:
        refuse_the_outcome(("failed", "mine"), looking("day 112 to 196"), 84)
    assert "'failed'" in str(refused.value)
    assert "'mine'" in str(refused.value)


def criteria(name, definition=ARORA, landmark=84):
    return [row["criterion"] for row in overlap([EVERY[name]], definition, landmark)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log_upcr_level", ["failed: proteinuria"]),
        ("upcr_fall_below_25", ["failed: proteinuria"]),
        ("egfr_slope", ["failed: eGFR"]),
        ("upcr_and_egfr_fall", ["failed: proteinuria", "failed: eGFR"]),
        ("started_with_cni", ["different regimens"]),
        ("mpa_share_of_target", ["adequate"]),
        ("gap_share_of_days", ["adequate"]),
        ("adherence_probability", ["adherent"]),
        ("hcq_blood", ["adherent"]),
        ("age", []),
        ("chronicity_index_shrunken", []),
        ("c3_level", []),
        ("mpa_trough", []),
    ],
)
def test_overlap_before_the_landmark_is_named(name, expected):
    assert criteria(name) == expected


def test_an_arm_that_the_definition_does_not_ask_for_is_no_overlap():
    trial = load_definition("upcr-1")
    assert criteria("egfr_slope", trial) == []
    assert criteria("log_upcr_level", trial) == ["failed: proteinuria"]


def test_a_landmark_inside_the_window_is_said():
    (early,) = overlap([EVERY["log_upcr_last"]], ARORA, 84)
    (late,) = overlap([EVERY["log_upcr_last"]], ARORA, 182)
    assert "already have been assessed" not in early["meaning"]
    assert "by day 182 the first course may already have been assessed" in late["meaning"]
