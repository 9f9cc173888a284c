"""Cells, strata, subgroups, centres and the learning curve."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.training.metrics import auroc, observed_expected
from lnrisk.training.validation.cells import hidden
from lnrisk.training.validation.centres import across_centres
from lnrisk.training.validation.cross_validation import cross_validate
from lnrisk.training.validation.figures import COMPARED, quick_figures
from lnrisk.training.validation.learning_curve import learning_curve
from lnrisk.training.validation.strata import GROUPS, strata
from lnrisk.training.validation.subgroups import subgroup_figures
from people import PLAN, people
from registries import quietly, simulated, trained


@given(st.lists(st.integers(0, 60), min_size=2, max_size=8))
def test_no_hidden_count_can_be_reckoned_from_the_total(counts):
    few = hidden(counts, 10)
    number = np.array(counts)
    assert few[(number > 0) & (number < 10)].all()
    assert not few[number == 0].any()
    if few.any() and (number >= 10).any():
        assert few.sum() >= 2
    if not ((number > 0) & (number < 10)).any():
        assert not few.any()


def test_strata_are_those_of_the_registry():
    cohort, registry = trained().cohort, simulated()
    levels = strata(cohort, registry)
    assert tuple(levels.columns) == GROUPS
    assert len(levels) == len(cohort.y)
    by_id = registry.patients.set_index("patient_id")
    assert (levels["sex"] == by_id.loc[cohort.patient_id, "sex"].to_numpy()).all()
    assert (levels["centre"] == by_id.loc[cohort.patient_id, "site"].to_numpy()).all()
    age = cohort.features["age"].to_numpy()
    young = (levels["age"] == "under 30").to_numpy()
    assert age[young].max() < 30.6
    assert age[~young & (levels["age"] != "").to_numpy()].min() >= 30
    proliferative = cohort.features["class_proliferative"].to_numpy() == 1
    assert (levels["class"].str.startswith("III or IV").to_numpy() == proliferative).all()
    assert levels["era"].str.fullmatch(r"\d{3}[05] to \d{3}[49]").all()


def grouped(n=400, seed=0):
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 6, size=n)
    y = (rng.uniform(size=n) < risk).astype(float)
    sex = np.where(np.arange(n) < n - 6, "female", "")
    return pd.DataFrame({"sex": sex, "half": np.where(np.arange(n) % 2, "a", "b")}), y, risk


def test_subgroups_are_figures_of_their_rows():
    levels, y, risk = grouped()
    weight, patient = np.linspace(1, 2, len(y)), np.arange(len(y)).astype(object)
    known = np.zeros(len(y), dtype=bool)
    found = subgroup_figures(levels, y, risk, weight, patient, known).set_index(
        ["group", "level", "measure"]
    )
    rows = (levels["half"] == "a").to_numpy()
    row = found.loc[("half", "a", "auroc")]
    assert row["estimate"] == pytest.approx(auroc(y[rows], risk[rows], weight[rows]))
    assert (row["patients"], row["events"]) == (rows.sum(), y[rows].sum())
    assert row["lower"] < row["estimate"] < row["upper"]
    ratio = found.loc[("half", "a", "observed_expected"), "estimate"]
    assert ratio == pytest.approx(observed_expected(y[rows], risk[rows], weight[rows]))


def test_the_few_are_not_shown_and_cannot_be_reckoned():
    levels, y, risk = grouped()
    n = len(y)
    found = subgroup_figures(levels, y, risk, np.ones(n), np.arange(n), np.zeros(n, dtype=bool))
    few = found[(found["group"] == "sex") & (found["level"] == "not recorded")]
    assert few["suppressed"].all()
    assert few[["patients", "events", "estimate", "lower", "upper"]].isna().all(axis=None)
    others = found[(found["group"] == "sex") & (found["level"] == "female")]
    assert others[["patients", "events"]].isna().all(axis=None)
    assert others["estimate"].notna().all()


def test_intervals_cover_what_made_the_outcomes():
    inside = []
    for seed in range(60):
        _, y, risk = grouped(seed=seed)
        table = quick_figures(y, risk, None, np.arange(len(y))).set_index("measure")
        for measure, truth in (("observed_expected", 1.0), ("calibration_slope", 1.0)):
            inside.append(table.loc[measure, "lower"] <= truth <= table.loc[measure, "upper"])
    assert 0.88 <= np.mean(inside) <= 1


def centre_of(cohort):
    names = np.array(["east", "west", "south", "tiny"])
    return names[np.where(cohort.position < 4, 3, cohort.position % 3)]


def test_a_centre_is_predicted_by_the_others(fits):
    cohort = people()
    centre = centre_of(cohort)
    found = across_centres(cohort, centre, PLAN, quietly)
    assert len(fits) == 3
    for chosen, name in zip((chosen for chosen, _ in fits), ["east", "south", "west"], strict=True):
        np.testing.assert_array_equal(chosen, cohort.has_outcome & (centre != name))
    assert set(found.rows["centre"]) == {"east", "south", "tiny", "west"}
    shown = found.rows[(found.rows["measure"] == "auroc") & ~found.rows["suppressed"]]
    counts = {
        name: int((cohort.has_outcome & cohort.primary & (centre == name)).sum())
        for name in shown["centre"]
    }
    assert shown.set_index("centre")["patients"].to_dict() == counts
    assert list(found.pooled["measure"]) == list(COMPARED)
    pooled = found.pooled.set_index("measure").loc["auroc"]
    assert pooled["centres"] == 3
    assert pooled["prediction_lower"] <= pooled["lower"] < pooled["estimate"]
    assert "1 of 4 centres" in found.remarks[0]


@pytest.mark.usefixtures("fits")
def test_a_centre_of_few_patients_is_not_shown():
    cohort = people()
    rows = across_centres(cohort, centre_of(cohort), PLAN, quietly).rows
    tiny = rows[rows["centre"] == "tiny"]
    assert tiny["suppressed"].all()
    assert tiny[["patients", "events", "estimate", "standard_error"]].isna().all(axis=None)
    assert rows[rows["suppressed"]]["centre"].nunique() >= 2


@pytest.mark.parametrize(("name", "said"), [("", "no centre is recorded."), ("A", "one centre")])
def test_without_centres_that_is_said(name, said):
    cohort = people()
    found = across_centres(cohort, np.full(len(cohort.y), name), PLAN, quietly)
    assert len(found.rows) == 0
    assert said in found.remarks[0]


def test_learning_curve_ends_in_the_whole(fits):
    cohort = people(300)
    validated = cross_validate(cohort, PLAN, quietly)
    fits.clear()
    table = learning_curve(cohort, validated, PLAN, quietly)
    assert len(fits) == 8
    sizes = [len(set(cohort.patient_id[chosen])) for chosen, _ in fits]
    whole = len(set(cohort.patient_id[cohort.has_outcome])) * 3 / 4
    np.testing.assert_allclose(sizes, np.repeat([0.3, 0.6], 4) * whole, atol=2)
    shares = [cohort.y[chosen].mean() for chosen, _ in fits]
    assert np.ptp(shares) < 0.05
    assert table["patients"].nunique() == 3
    at = validated.at(84)
    last = table[table["measure"] == "auroc"].iloc[-1]
    assert last["estimate"] == pytest.approx(auroc(at.y, at.risk[:, 0], at.weight))
    assert (table["lower"] <= table["upper"]).all()


@pytest.mark.usefixtures("fits")
def test_sizes_with_too_few_outcomes_are_left_out():
    cohort = people(60, effect=0.1)
    validated = cross_validate(cohort, PLAN, quietly)
    plan = PLAN.changed(validation={**PLAN.validation.model_dump(), "learning_sizes": (0.05, 0.9)})
    assert learning_curve(cohort, validated, plan, quietly)["patients"].nunique() == 2
