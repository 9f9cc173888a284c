"""Sections that describe: baseline, effects, worked patients, labels; and nobody in them."""

import re

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.definition import load_definition
from lnrisk.training.described.baseline import SMALLEST_CELL, baseline_table
from lnrisk.training.described.effects import effects, worked_patients
from lnrisk.training.described.labels import label_section
from lnrisk.training.schema.explanation import Effect, WorkedPatient
from lnrisk.training.schema.patients import BaselineRow
from lnrisk.training.schema.robustness import LabelCertainty
from registries import simulated, trained


def test_the_baseline_table_is_what_is_counted_by_hand():
    cohort = trained().cohort
    rows = baseline_table(simulated(), cohort)
    [BaselineRow.model_validate(row) for row in rows]
    table = pd.DataFrame(rows)
    upcr = table[table["variable"] == "upcr_baseline"].set_index("group")
    values = np.exp(cohort.features["log_upcr_baseline"][cohort.primary & cohort.each])
    assert upcr.loc["all", "median"] == pytest.approx(values.median())
    assert upcr.loc["all", "unit"] == "g/g"
    assert upcr.loc["all", "known"] == values.notna().sum()
    female = table[table["variable"] == "female"].set_index("group")
    event = cohort.primary & (cohort.y == 0) & ~cohort.possible
    assert female.loc["event_free", "share"] == pytest.approx(
        cohort.features["female"][event].mean()
    )


def test_no_small_cell_is_in_the_baseline_table():
    for row in baseline_table(simulated(), trained().cohort):
        for name in ("patients", "known"):
            assert row[name] is None or row[name] >= SMALLEST_CELL
        if row["share"]:
            count = row["share"] * row["known"]
            assert count >= SMALLEST_CELL - 1e-9
            assert row["known"] - count == pytest.approx(0) or row["known"] - count >= 10 - 1e-9


def test_ancestry_is_told_though_no_input():
    levels = [
        r["level"]
        for r in baseline_table(simulated(), trained().cohort)
        if r["variable"] == "ancestry"
    ]
    assert levels


def test_an_effect_is_the_models_risk_with_all_else_at_its_mean():
    model, cohort = trained().model, trained().cohort
    found = effects(model, cohort)
    [Effect.model_validate(one) for one in found]
    assert {one["feature"] for one in found} == set(model.feature_names)
    spans = [max(one["risks"]) - min(one["risks"]) for one in found]
    assert spans == sorted(spans, reverse=True)
    change = next(one for one in found if one["feature"] == "log_upcr_shrunken_change")
    assert change["risks"][0] < change["risks"][-1]
    assert all(value > 0 for value in change["values"])


def test_worked_patients_are_ordered_and_nobody():
    model, cohort = trained().model, trained().cohort
    low, typical, high = worked_patients(model, cohort)
    [WorkedPatient.model_validate(one) for one in (low, typical, high)]
    assert low["risk"] < typical["risk"] < high["risk"]
    for one in (low, typical, high):
        assert one["lower"] <= one["upper"]
        assert len(one["text"]) == len(model.terms)
        assert len(one["drivers"]) == 3
        assert all("percentage points" in driver for driver in one["drivers"])
        assert not any(re.search(r"(nonadherence|later) 0:", driver) for driver in one["drivers"])


def test_label_certainty_is_told_with_what_it_assumes():
    found = label_section(simulated(), load_definition())["label_certainty"]
    LabelCertainty.model_validate(found)
    assert found["assumptions"]
    for row in found["verdicts"]:
        assert row["patients"] is None or row["patients"] >= SMALLEST_CELL
    known = [r["mean_probability_right"] for r in found["verdicts"] if r["mean_probability_right"]]
    assert all(0.5 < value <= 1 for value in known)
