"""A simulated registry is a registry: it passes the checks, looks like one, and says what it is."""

import json
import time

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


def test_the_unresponsive_are_the_refractory():
    truth = simulate(600, 1).truth.set_index("patient_id")
    labels = label(simulated(), load_definition()).labels.set_index("patient_id")
    refractory = labels["verdict"] == "refractory"
    falls = truth[["fall_1", "fall_2"]]
    assert falls[refractory].mean(axis=1).median() < 0.25 < falls["fall_1"][~refractory].median()


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


def test_a_patient_is_the_same_in_a_registry_of_any_size():
    few, many = simulate(30, 3), simulate(90, 3)
    pd.testing.assert_frame_equal(few.truth, many.truth.head(30))
    chosen = many.tables["measurements"]["patient_id"].isin(few.truth["patient_id"])
    measured = many.tables["measurements"][chosen].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.tables["measurements"], measured)


def per_patient(table):
    """Rows of a table per patient and year of follow-up after the index date."""
    years = (LAST - LARGE.truth.set_index("patient_id")["index_date"]).dt.days / 365.25
    return table.groupby("patient_id").size().reindex(years.index).fillna(0) / years


def truth_of(name):
    return LARGE.truth.set_index("patient_id")[name]


def test_the_sicker_are_seen_more_often_and_measured_more_completely():
    creatinine, upcr = per_patient(analyte("creatinine")), per_patient(analyte("upcr"))
    sick = truth_of("fall_1") < 0.25
    well = truth_of("fall_1") > 0.75
    assert creatinine[sick].median() > 1.1 * creatinine[well].median()
    c4 = per_patient(analyte("c4")) / per_patient(analyte("height")).clip(lower=1e-9)
    assert c4[sick].median() > c4[well].median()
    assert upcr[sick].median() > upcr[well].median()


def test_the_nonadherent_miss_visits_and_are_lost():
    adherent = truth_of("adherent_1") & truth_of("adherent_2")
    nonadherent = ~truth_of("adherent_1") & ~truth_of("adherent_2")
    followed = (LAST - truth_of("index_date")).dt.days
    lost = followed < 548
    rows = analyte("creatinine")
    day = (rows["date"] - rows["patient_id"].map(truth_of("index_date"))).dt.days
    seen = rows[day.between(1, 548)].groupby("patient_id").size().reindex(lost.index).fillna(0)
    alike = truth_of("fall_1").between(-0.2, 0.2) & ~lost
    assert seen[nonadherent & alike].mean() < 0.97 * seen[adherent & alike].mean()
    assert lost[nonadherent].mean() > 1.3 * lost[adherent].mean()


def test_centres_differ_in_practice_units_schedules_and_readers():
    site = LARGE.tables["patients"].set_index("patient_id")["site"]
    cyclophosphamide = truth_of("regimen_1").str.startswith("CYC").groupby(site).mean()
    assert cyclophosphamide.max() > 1.5 * cyclophosphamide.min()
    seen = per_patient(analyte("creatinine")).groupby(site).median()
    assert seen.max() > 1.3 * seen.min()
    units = analyte("upcr")["unit"].groupby(analyte("upcr")["patient_id"].map(site)).unique()
    assert (units.str.len() == 1).all()
    biopsies = LARGE.tables["biopsies"].groupby("patient_id")["chronicity_index"].first()
    read = (biopsies.astype(float) - truth_of("chronicity")).groupby(site).mean()
    assert read.max() - read.min() > 0.5
    adherent = truth_of("adherent_1").groupby(site).mean()
    assert adherent.max() - adherent.min() > 0.1


def test_practice_drifts_with_the_calendar():
    early = truth_of("index_date") < "2015-01-01"
    late = truth_of("index_date") > "2021-01-01"
    combined = truth_of("regimen_1").isin(["MPA_CNI", "MPA_BEL", "MPA_OBI"])
    assert combined[late].mean() > combined[early].mean() + 0.15
    drugs = LARGE.tables["treatments"]
    assert drugs.loc[drugs["drug"] == "voclosporin", "start_date"].min() >= pd.Timestamp(
        "2021-02-01"
    )


def test_what_fails_once_fails_again():
    """Frailty and chronic damage act on all regimens of a patient."""
    first, second = truth_of("responsiveness_1"), truth_of("responsiveness_2")
    assert 0.2 < np.corrcoef(first, second)[0, 1] < 0.8
    assert np.corrcoef(first, truth_of("frailty"))[0, 1] > 0.2
    assert np.corrcoef(first, truth_of("chronicity"))[0, 1] < -0.3


def test_adherence_is_a_state_that_every_source_shows_with_error():
    rows = LARGE.tables["adherence"]
    early = rows[
        rows["end_date"] <= rows["patient_id"].map(truth_of("index_date")) + pd.Timedelta(days=100)
    ]
    taken, adherent = truth_of("share_taken_1"), truth_of("adherent_1")
    for measure, least in (("pdc", 0.9), ("self_report", 0.5)):
        seen = early[early["measure"] == measure].groupby("patient_id")["value"].mean()
        correlation = np.corrcoef(seen, taken[seen.index])[0, 1]
        assert least < correlation < 0.999
        assert len(seen) < 0.6 * len(taken)
        if measure == "self_report":
            assert seen.mean() > taken[seen.index].mean()
    missed = early[early["measure"] == "missed_infusions"].set_index("patient_id")["value"]
    assert missed[~adherent[missed.index]].mean() > 3 * missed[adherent[missed.index]].mean()
    level = analyte("hcq_blood").groupby("patient_id")["value"].median()
    low = level < 300
    wrong = (low == adherent[level.index]).mean()
    assert 0.03 < wrong < 0.35


def test_clinicians_notice_a_part_of_the_nonadherent_and_clinics_count_their_missed_visits():
    rows, adherent = LARGE.tables["adherence"], truth_of("adherent_1")
    first = rows[
        rows["end_date"] <= rows["patient_id"].map(truth_of("index_date")) + pd.Timedelta(days=100)
    ]
    trusted = first[first["measure"] == "clinician"].set_index("patient_id")["value"]
    assert set(trusted) == {0.0, 1.0}
    state = adherent[trusted.index].to_numpy()
    assert trusted[state].mean() > 0.9
    assert 0.3 < trusted[~state].mean() < 0.8
    missed = first[first["measure"] == "missed_visits"].set_index("patient_id")["value"]
    state = adherent[missed.index].to_numpy()
    assert missed[~state].mean() > 1.5 * missed[state].mean()
    assert (missed == missed.round()).all()


def test_troughs_of_mycophenolic_acid_show_the_last_days_only():
    trough = analyte("mpa_trough")
    nonadherent = ~truth_of("adherent_1")[trough["patient_id"]].to_numpy()
    early = (trough["date"] - trough["patient_id"].map(truth_of("index_date"))).dt.days < 100
    below = (trough["comparator"] == "<").to_numpy()
    assert 1.5 < trough["value"][~below].median() < 3.5
    assert below[early & ~nonadherent].mean() < 0.05
    assert 0.1 < below[early & nonadherent].mean() < 0.5


def test_sglt2_inhibitors_come_in_with_the_calendar():
    drugs = LARGE.tables["treatments"]
    begun = drugs.loc[drugs["drug"] == "sglt2_inhibitor", "start_date"]
    assert begun.min() >= pd.Timestamp("2021-01-01")
    assert len(begun) > 100


def test_centres_without_an_interface_enter_values_days_later():
    site = LARGE.tables["patients"].set_index("patient_id")["site"]
    for name, date in (("measurements", "date"), ("adherence", "end_date")):
        rows = LARGE.tables[name]
        by_hand = rows["patient_id"].map(site).isin(["E", "F"])
        assert rows.loc[~by_hand, "recorded_on"].isna().all()
        wait = (rows.loc[by_hand, "recorded_on"] - rows.loc[by_hand, date]).dt.days
        assert wait.min() >= 0
        assert 3 <= wait.median() <= 12


def test_a_row_says_nothing_that_was_not_known_on_its_day():
    """An infusion is over on its day; that treatment changed later does not show in it."""
    drugs = LARGE.tables["treatments"]
    infused = drugs[drugs["start_date"] == drugs["end_date"]]
    single = infused[infused["drug"].isin(["cyclophosphamide", "belimumab", "obinutuzumab"])]
    assert set(single["stop_reason"].dropna()) == {"completed"}


def test_ten_thousand_patients_take_less_than_a_minute():
    began = time.perf_counter()
    simulate(1000, 2)
    assert time.perf_counter() - began < 6
