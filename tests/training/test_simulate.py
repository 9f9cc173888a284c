"""A simulated registry is a registry: it passes the checks, looks like one, and says what it is."""

import json

import numpy as np
import pandas as pd
import pytest
from lnrisk.features.registry import check_registry
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label
from lnrisk.training.simulate import load_parameters, simulate, write
from lnrisk.training.simulator.measurements import in_unit, invert_ckd_epi_2021
from registries import simulated

LARGE = simulate(3000, 11)
LAST = LARGE.tables["events"].query("event == 'last_contact'").set_index("patient_id")["date"]


def analyte(name):
    table = LARGE.tables["measurements"]
    return table[table["analyte"] == name]


def test_the_same_seed_gives_the_same_registry_and_another_seed_another():
    one, again, other = simulate(40, 3), simulate(40, 3), simulate(40, 4)
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])
    pd.testing.assert_frame_equal(one.truth, again.truth)
    assert not one.truth["frailty"].equals(other.truth["frailty"])


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_it_passes_the_checks(tmp_path, format):
    write(simulate(200, 5), tmp_path / "registry", format)
    reading = check_registry(tmp_path / "registry")
    assert reading.findings.count("error") == 0
    assert len(reading.registry) == 200
    assert reading.registry.source.synthetic


def test_csv_and_parquet_hold_the_same_registry(tmp_path):
    one = simulate(60, 8)
    registries = []
    for format in ("csv", "parquet"):
        write(one, tmp_path / format, format)
        registries.append(check_registry(tmp_path / format).registry)
    for name in registries[0].tables:
        one, other = (registry.table(name).drop(columns="row") for registry in registries)
        pd.testing.assert_frame_equal(one, other)


def test_the_bundle_says_that_it_is_synthetic_and_how_it_was_made(tmp_path):
    write(simulate(3, 9), tmp_path / "registry")
    said = json.loads((tmp_path / "registry" / "registry.json").read_text())
    assert said["synthetic"] is True
    assert (said["patients"], said["seed"]) == (3, 9)
    truth = pd.read_parquet(tmp_path / "registry" / "truth.parquet")
    assert truth["patient_id"].tolist() == ["P00001", "P00002", "P00003"]


def test_nothing_is_overwritten_or_half_written(tmp_path):
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not an empty folder"):
        write(simulate(3, 9), tmp_path / "registry")
    with pytest.raises(ValueError, match="expected 'csv' or 'parquet'"):
        write(simulate(3, 9), tmp_path / "new", "xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["registry"]
    assert [path.name for path in (tmp_path / "registry").iterdir()] == ["mine.txt"]


def test_a_parameter_changes_what_it_names_and_an_unknown_one_is_refused():
    women = simulate(50, 2, {"person": {"female": 1.0}}).tables["patients"]
    assert set(women["sex"]) == {"female"}
    with pytest.raises(KeyError, match=r"person\.womanly"):
        load_parameters({"person": {"womanly": 1}})
    with pytest.raises(ValueError, match="expected 1 or more"):
        simulate(0, 1)


def test_nothing_is_recorded_after_the_last_contact_or_kidney_failure():
    events = LARGE.tables["events"]
    failed = events[events["event"] == "kidney_failure"].set_index("patient_id")["date"]
    for name, column in (("measurements", "date"), ("treatments", "start_date"),
                         ("biopsies", "date"), ("adherence", "end_date")):  # fmt: skip
        table = LARGE.tables[name]
        assert (table[column] <= table["patient_id"].map(LAST)).all()
        ended = table["patient_id"].map(failed)
        if name != "biopsies":
            assert ((table[column] <= ended) | ended.isna()).all()


def test_visits_are_irregular_and_values_missing_and_in_the_units_of_several_centres():
    upcr = analyte("upcr")
    days = upcr.sort_values(["patient_id", "date"]).groupby("patient_id")["date"].diff().dt.days
    assert days.quantile(0.9) > 2 * days.quantile(0.1)
    assert set(upcr["unit"]) == {"g/g", "mg/g", "mg/mmol"}
    assert set(upcr["comparator"].dropna()) == {"<"}
    assert LARGE.tables["patients"]["ancestry"].isna().any()
    assert LARGE.tables["treatments"]["dose"].isna().any()
    counts = LARGE.tables["measurements"]["analyte"].value_counts()
    assert counts["upcr"] < counts["creatinine"]


def test_the_truth_is_that_of_the_published_cohorts():
    truth, patients = LARGE.truth, LARGE.tables["patients"]
    assert 2.0 <= truth["upcr"].median() <= 3.5
    assert 0.6 <= np.log(truth["upcr"]).std() <= 1.0
    assert 0.63 <= (truth["egfr"] >= 60).mean() <= 0.85
    assert 0.78 <= (patients["sex"] == "female").mean() <= 0.93
    age = (truth["index_date"] - patients["birth_date"]).dt.days / 365.25
    assert 29 <= age.mean() <= 36
    assert 5 <= truth["activity"].median() <= 10
    assert 2 <= truth["chronicity"].median() <= 4
    assert 0.2 <= (~truth["adherent_1"] | ~truth["adherent_2"]).mean() <= 0.45
    assert 0.03 <= truth["would_be_refractory"].mean() <= 0.20
    conventional = truth["regimen_1"].isin(["MPA", "CYC_LOW", "CYC_HIGH"])
    assert 0.47 <= (truth["fall_1"][conventional] >= 0.5).mean() <= 0.65
    assert 0.2 <= (truth["fall_1"] < 0.25).mean() <= 0.45


def test_the_registry_labels_and_loses_as_many_as_registries_do():
    labels = label(simulated(), load_definition()).labels
    shares = labels["verdict"].value_counts(normalize=True)
    assert 0.03 <= shares["refractory"] <= 0.20
    assert 0.08 <= shares["indeterminate"] <= 0.35
    followed = (LAST - LARGE.truth.set_index("patient_id")["index_date"]).dt.days
    assert 0.10 <= (followed < 548).mean() <= 0.30


def test_hydroxychloroquine_levels_have_two_humps():
    level = np.log(analyte("hcq_blood")["value"])
    low, middle, high = (
        ((level >= np.log(edge)) & (level < np.log(2 * edge))).mean() for edge in (120, 300, 800)
    )
    assert middle < low
    assert middle < high


def test_the_unresponsive_are_the_refractory():
    truth = simulate(600, 1).truth.set_index("patient_id")
    labels = label(simulated(), load_definition()).labels.set_index("patient_id")
    refractory = labels["verdict"] == "refractory"
    falls = truth[["fall_1", "fall_2"]].mean(axis=1)
    assert falls[refractory].median() < 0.25 < falls[~refractory].median()


def test_the_creatinine_of_an_egfr_gives_the_egfr_back():
    from lnrisk.features.egfr import ckd_epi_2021

    egfr = np.array([8.0, 30.0, 60.0, 90.0, 120.0])
    age, female = np.array([20.0, 30, 40, 50, 60]), np.array([True, False, True, False, True])
    creatinine = invert_ckd_epi_2021(egfr, age, female)
    np.testing.assert_allclose(ckd_epi_2021(creatinine, age, female), egfr, rtol=1e-12)


@pytest.mark.parametrize(
    ("analyte", "unit", "value", "written"),
    [
        ("upcr", "mg/mmol", 1.0, 113.0),
        ("creatinine", "umol/L", 1.0, 88.0),
        ("c3", "g/L", 90.0, 0.9),
        ("albumin", "g/L", 3.5, 35.0),
    ],
)
def test_values_are_written_in_a_laboratorys_unit(analyte, unit, value, written):
    assert in_unit(analyte, unit, np.array([value])) == pytest.approx(written)
