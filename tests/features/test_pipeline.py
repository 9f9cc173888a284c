"""The feature table: nothing later, nobody else and no ancestry in a row."""

import json
from dataclasses import replace

import generated
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lnrisk.features.checks import check_bundle
from lnrisk.features.days import NEVER, day_of
from lnrisk.features.pipeline import DEFAULT_ANALYTES, features_at, index_days
from lnrisk.features.reading import RawTable
from lnrisk.features.registry import Registry

DAY_0 = day_of(generated.DAY_0)
LANDMARK = 84
ANALYTES = {**DEFAULT_ANALYTES, "tacrolimus_trough": "log", "weight": "identity"}
few = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def features(registry, landmark=LANDMARK):
    return features_at(registry, index_days(registry), landmark, ANALYTES)


def rows(frame):
    return [row.tobytes() for row in frame.to_numpy()]


def after(records, first, cut):
    return [record for record in records if record[first] > cut]


@few
@given(generated.cohorts, generated.cohorts)
def test_what_is_dated_after_the_landmark_changes_no_bit(cohort, later):
    with_index = [
        replace(p, treatments=[("tacrolimus", 0, None, "4", "mg/d", ""), *p.treatments])
        for p in cohort
    ]
    more = [
        replace(
            p,
            treatments=[*p.treatments, *after(other.treatments, 1, LANDMARK)],
            measurements=[*p.measurements, *after(other.measurements, 0, LANDMARK)],
            adherence=[*p.adherence, *after(other.adherence, 1, LANDMARK)],
            biopsies=[*p.biopsies, *after(other.biopsies, 0, LANDMARK)],
            events=[(900, "last_contact"), (LANDMARK + 1, "death")],
        )
        for p, other in zip(with_index, later * len(cohort), strict=False)
    ]
    found, wanted = (features(generated.registry(people)).whole for people in (more, with_index))
    assert found.equals(wanted)


@few
@given(generated.cohorts, st.integers(0, 300))
def test_an_end_after_the_landmark_changes_no_bit(cohort, landmark):
    def ongoing(row, index):
        drug, start, end, dose, unit, _ = row
        later = end is not None and end > index + landmark and unit == "mg/d"
        return (drug, start, None, dose, unit, "") if later else row

    whole = generated.registry(cohort)
    index = index_days(whole) - DAY_0
    seen = [
        replace(p, treatments=[ongoing(row, first) for row in p.treatments])
        for p, first in zip(cohort, index, strict=True)
    ]
    assert features(generated.registry(seen), landmark).whole.equals(
        features(whole, landmark).whole
    )


@few
@given(generated.cohorts, st.randoms())
def test_a_patient_alone_or_in_any_company_has_the_same_row(cohort, random):
    together = rows(features(generated.registry(cohort)).whole)
    alone = [rows(features(generated.registry([person])).whole)[0] for person in cohort[:3]]
    assert alone == together[:3]
    order = random.sample(range(len(cohort)), len(cohort))
    turned = rows(features(generated.registry([cohort[i] for i in order])).whole)
    assert turned == [together[i] for i in order]


@few
@given(generated.cohorts, st.sampled_from(("black", "white", "asian")))
def test_ancestry_changes_no_bit(cohort, ancestry):
    tables = generated.bundle(cohort)
    patients = tables["patients"].assign(ancestry=ancestry)
    raw = {
        name: RawTable(name, f"{name}.csv", table, 2)
        for name, table in {**tables, "patients": patients}.items()
    }
    changed = Registry(check_bundle(raw)[0])
    assert (changed.patients["ancestry"] == ancestry).all()
    assert features(changed).whole.equals(features(generated.registry(cohort)).whole)


WORKED = generated.Patient(
    birth=-3652,
    sex="female",
    treatments=[
        ("mycophenolate_mofetil", 0, None, "2000", "mg/d", ""),
        ("prednisone", 0, 41, "20", "mg/d", ""),
    ],
    measurements=[(0, "upcr", "4", "g/g"), (84, "upcr", "1", "g/g"), (0, "albumin", "2", "g/dL")],
    biopsies=[(-7, "4", "")],
    events=[(generated.FOLLOWED, "last_contact")],
)
WITHOUT_INDEX = replace(WORKED, treatments=[("rituximab", 0, 0, "1000", "mg", "")])


@pytest.fixture(scope="module")
def worked():
    return features(generated.registry([WORKED, WITHOUT_INDEX]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", 3652 / 365.25),
        ("female", 1.0),
        ("log_upcr_baseline", np.log(4)),
        ("log_upcr_last", 0.0),
        ("log_upcr_change", -np.log(4)),
        ("log_upcr_least_squares_slope", -np.log(4) / (84 / 30.4375)),
        ("albumin_baseline", 2.0),
        ("albumin_change", np.nan),
        ("egfr_last", np.nan),
        ("c3_last", np.nan),
        ("chronicity_index", 4.0),
        ("started_with_mpa", 1.0),
        ("started_with_cni", 0.0),
        ("mpa_mg_per_day", 2000.0),
        ("cyc_mg", 0.0),
        ("prednisone_mg_per_day", 42 * 20 / 85),
        ("refill_share", np.nan),
        ("missed_infusions", np.nan),
    ],
)
def test_features_of_a_worked_patient(worked, name, value):
    assert worked.frame.loc[0, name] == pytest.approx(value, nan_ok=True, abs=1e-12)


def test_a_patient_without_index_date_has_no_feature(worked):
    assert worked.frame.loc[1].isna().all()


def test_every_column_has_its_entry_in_the_dictionary(worked):
    assert [feature.name for feature in worked.dictionary] == worked.frame.columns.tolist()
    assert worked.frame.columns.is_unique
    assert (worked.frame.dtypes == np.float64).all()
    for record in json.loads(worked.dictionary_json())["features"]:
        assert all(record[key] for key in ("name", "meaning", "unit", "table", "look_back"))


def test_no_feature_is_ancestry_or_follows_failure(worked):
    text = worked.dictionary_json().lower()
    for word in ("ancestry", "race", "ethnic", "black", "apol1", "site", "rituximab", "rescue"):
        assert word not in text


def test_an_empty_registry_has_columns_and_no_row(worked):
    empty = features(generated.registry([]))
    assert empty.frame.columns.equals(worked.frame.columns)
    assert len(empty.frame) == 0


def test_the_index_day_is_of_the_first_anchor_or_the_registrys_own():
    registry = generated.registry([WORKED, WITHOUT_INDEX])
    assert index_days(registry).tolist() == [DAY_0, NEVER]
    assert index_days(registry, "registry").tolist() == [NEVER, NEVER]
    own = registry.outcomes.reindex([0]).assign(
        patient_id=pd.Categorical(["p1"], categories=registry.patient_ids),
        index_date=pd.Timestamp(generated.DAY_0) + pd.Timedelta(days=9),
    )
    assert index_days(registry.with_tables(outcomes=own), "registry").tolist() == [NEVER, DAY_0 + 9]
