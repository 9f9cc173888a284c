"""All descriptive sections of a run: in the schema's words, and none forgotten."""

import numpy as np
from lnrisk.training.described.description import simple_rules
from lnrisk.training.schema.results import as_results, unknown_fields
from lnrisk.training.train import _beaten
from registries import trained


def test_every_section_is_in_the_results_and_known_to_the_schema():
    results = as_results(trained().results)
    assert unknown_fields(results) == []
    for name in ("baseline", "effects", "worked_patients", "comparators", "overlap"):
        assert getattr(results, name), name
    assert results.weights.censoring == "kaplan-meier"
    assert 0 < results.weights.smallest_probability <= 1
    assert results.label_certainty.verdicts


def test_candidates_are_left_out_where_not_asked_for():
    assert as_results(trained().results).candidates == []


def test_simple_rules_say_yes_or_no_of_every_row():
    rules = simple_rules(trained().cohort)
    assert "fall_below_25_week_12" in rules
    for said in rules.values():
        assert set(np.unique(said)) <= {0.0, 1.0}
        assert len(said) == len(trained().cohort.y)


def test_the_decision_curve_holds_the_rules_beside_the_model():
    strategies = {row["strategy"] for row in trained().results["net_benefit"]}
    assert {"model", "treat_all", "treat_none", *simple_rules(trained().cohort)} == strategies


def test_what_did_clearly_better_than_what_is_served_is_said_among_the_warnings():
    held = {"name": "elastic net", "served": True, "difference": 0.004, "difference_error": 0.001}
    best = {"name": "boosting", "served": False, "difference": 0.0, "difference_error": 0.0}
    (said,) = _beaten([held, best])
    assert said.startswith("The boosting did better than the elastic net")
    assert _beaten([{**held, "difference_error": 0.005}, best]) == []
    assert _beaten([]) == []
