"""The results of a run as plain data: complete, writable as JSON, and nobody's."""

import datetime
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.definition import load_definition
from lnrisk.training.metrics import auroc
from lnrisk.training.results import SCHEMA, THRESHOLDS, run_results
from registries import CONFIG, simulated, trained


def results():
    return trained().results


def test_results_can_be_written_as_json_and_read_again_unchanged():
    assert json.loads(json.dumps(results(), allow_nan=False)) == results()


def test_they_say_schema_version_data_and_task():
    found = results()
    assert (found["schema"], found["lnrisk_version"]) == (SCHEMA, "0.0.0")
    assert datetime.date.fromisoformat(found["created_on"])
    source = simulated().source
    assert found["data"] == {"name": source.name, "sha256": source.sha256, "patients": 600}
    assert found["task"] == {
        "outcome": "rule",
        "definition": "arora-2022",
        "definition_version": "1.0.0",
        "landmarks": [0, 84, 182],
        "primary_landmark": 84,
        "horizon_days": 548,
    }
    assert found["validation"] == CONFIG.validation.model_dump(mode="json")
    assert found["model"]["sha256"] == trained().model.sha256


def test_simulated_patients_are_flagged_and_warned_of():
    assert results()["synthetic"] is True
    assert any("simulated: no figure is evidence" in said for said in results()["warnings"])


def test_no_patient_is_in_them():
    text = json.dumps(results())
    for identifier in simulated().patient_ids:
        assert str(identifier) not in text


def test_no_list_is_as_long_as_the_cohort():
    def lengths(value):
        parts = value.values() if isinstance(value, dict) else value
        if not isinstance(value, (dict, list)):
            return []
        return [len(value), *(n for part in parts for n in lengths(part))]

    assert max(lengths(results())) <= 400 < len(trained().cohort.status)


def test_counts_add_up():
    counts, cohort = results()["cohort"], trained().cohort
    statuses = ("events", "competing", "event_free", "censored", "indeterminate")
    at = cohort.primary & cohort.each
    assert sum(counts[name] for name in statuses) == counts["patients"] == at.sum()
    assert counts["pseudo_refractory"] == cohort.pseudo_refractory[at].sum()
    assert 0 < counts["expected_of_indeterminate"] < counts["indeterminate"]
    rows = cohort.has_outcome & cohort.primary
    rate = np.average(cohort.y[rows], weights=cohort.weights.weight[rows])
    assert [one["landmark_days"] for one in counts["landmarks"]] == [0, 84, 182]
    assert counts["weighted_event_rate"] == pytest.approx(rate)
    assert results()["attrition"] == cohort.attrition.to_dict("records")


def test_figures_are_those_of_the_validation():
    table = pd.DataFrame(results()["performance"])
    pd.testing.assert_frame_equal(table, trained().validated.at(84).performance)


def test_the_distribution_holds_the_weight_of_every_resolved_patient():
    found, validated = results()["risk_distribution"], trained().validated.at(84)
    assert len(found["edges"]) == len(found["with_event"]) + 1
    for name, value in (("with_event", 1), ("without_event", 0)):
        assert sum(found[name]) == pytest.approx(validated.weight[validated.y == value].sum())


def test_thresholds_split_the_patients_as_counted_by_hand():
    validated = trained().validated.at(84)
    rows = results()["flagged"]
    assert [row["threshold"] for row in rows] == list(THRESHOLDS)
    for row in rows:
        above = validated.mean_risk >= row["threshold"]
        with_event = validated.y == 1
        weight = validated.weight
        assert row["share"] == pytest.approx(weight[above].sum() / weight.sum())
        sensitivity = weight[above & with_event].sum() / weight[with_event].sum()
        assert row["sensitivity"] == pytest.approx(sensitivity)
        specificity = weight[~above & ~with_event].sum() / weight[~with_event].sum()
        assert row["specificity"] == pytest.approx(specificity)
        for name, chosen, hit in (
            ("positive_predictive_value", above, with_event),
            ("negative_predictive_value", ~above, ~with_event),
        ):
            if chosen.any():
                value = weight[chosen & hit].sum() / weight[chosen].sum()
                assert row[name] == pytest.approx(value)
            else:
                assert row[name] is None


def test_the_roc_curve_runs_from_corner_to_corner():
    curve = pd.DataFrame(results()["roc_curve"])
    validated = trained().validated.at(84)
    assert curve["specificity"].iloc[[0, -1]].tolist() == [1, 0]
    assert curve["sensitivity"].is_monotonic_increasing
    assert curve["sensitivity"].iloc[-1] == 1
    area = np.trapezoid(curve["sensitivity"], 1 - curve["specificity"])
    expected = auroc(validated.y, validated.mean_risk, validated.weight)
    assert area == pytest.approx(expected, abs=0.01)


def test_effects_are_ordered_by_size_and_features_say_how_often_they_are_missing():
    spans = [max(effect["risks"]) - min(effect["risks"]) for effect in results()["effects"]]
    assert spans == sorted(spans, reverse=True)
    values = trained().model.term_values(trained().cohort.features)
    for feature in results()["features"]:
        assert feature["missing"] == pytest.approx(values[feature["name"]].isna().mean())
    assert len(results()["features"]) == len(trained().model.terms)


def again(registry=None, config=CONFIG, model=None, **changes):
    run = trained()
    calibration = SimpleNamespace(intercept_=0.1, slope_=0.9)
    classifier = SimpleNamespace(C_=0.3, setting_=0.3, calibration_=calibration)
    return run_results(
        registry or simulated(),
        replace(run.cohort, **changes),
        run.validated,
        classifier,
        model or run.model,
        config,
        datetime.date(2026, 1, 2),
        "9",
    )


def test_real_patients_are_not_called_simulated_and_truncated_weights_are_counted():
    real = replace(simulated(), source=replace(simulated().source, synthetic=False))
    weights = replace(trained().cohort.weights, truncated=4)
    found = again(real, weights=weights)
    assert found["synthetic"] is False
    assert not any("simulated" in said for said in found["warnings"])
    assert "4 outcome weights were truncated." in found["warnings"]
    assert (found["created_on"], found["lnrisk_version"]) == ("2026-01-02", "9")
    model = found["model"]
    assert (model["C"], model["calibration_intercept"], model["calibration_slope"]) == (
        0.3,
        0.1,
        0.9,
    )


def test_an_arm_of_the_definition_that_nobody_has_measured_is_told():
    registry = simulated()
    table = registry.measurements
    without = {**registry.tables, "measurements": table[table["analyte"] != "creatinine"]}
    found = again(registry=replace(registry, tables=without))
    assert any("asks about eGFR, which the registry has of nobody" in s for s in found["warnings"])
    proteinuria_alone = replace(trained().model, definition=load_definition("upcr-1"))
    found = again(registry=replace(registry, tables=without), model=proteinuria_alone)
    for one in (found, results()):
        assert not any("of nobody" in said for said in one["warnings"])


def test_a_definition_that_is_not_the_preset_of_its_name_is_told():
    assumed = load_definition().with_adherence_unknown("assume_adherent")
    run = trained()
    found = again(model=replace(run.model, definition=assumed))
    assert any("assume_adherent" in said for said in found["warnings"])
    other = "not the preset of its name, arora-2022: it has another adherent."
    assert any(other in said for said in found["warnings"])
    renamed = assumed.model_copy(update={"name": "ours"})
    found = again(model=replace(run.model, definition=renamed))
    assert not any("preset of its name" in said for said in found["warnings"])
    assert not any("definition" in said for said in trained().results["warnings"])


def test_the_registrys_outcome_names_no_definition():
    found = again(config=CONFIG.changed(outcome="registry"))
    assert found["task"]["outcome"] == "registry"
    assert found["task"]["definition"] is None
    assert found["task"]["definition_version"] is None
