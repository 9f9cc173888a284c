"""What must hold for the label of any registry."""

import datetime
from dataclasses import replace

import generated
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.model.definition import load_definition, presets
from lnrisk.model.label import label

patients = generated.cohorts
DEFINITION = load_definition()
quickly = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def day(number):
    return generated.DAY_0 + datetime.timedelta(days=number)


def labelled(cohort, as_of=None, definition=DEFINITION, **how):
    result = label(generated.registry(cohort, **how), definition, as_of)
    return result.labels, result.courses


def assert_same(found, wanted):
    for have, want in zip(found, wanted, strict=True):
        pd.testing.assert_frame_equal(have, want)


@quickly
@given(patients, st.integers(0, 2**16))
def test_order_of_rows_changes_nothing(cohort, order):
    assert_same(labelled(cohort, order=order), labelled(cohort))


@quickly
@given(patients, patients)
def test_splitting_a_registry_changes_nothing(some, others):
    names = [f"p{i}" for i in range(len(some) + len(others))]
    parts = labelled(some, names=names[: len(some)]), labelled(others, names=names[len(some) :])
    together = labelled([*some, *others], names=names)
    joined = [pd.concat(part, ignore_index=True) for part in zip(*parts, strict=True)]
    assert_same(joined, together)


@quickly
@given(patients)
def test_other_names_change_nothing(cohort):
    names = [f"z{len(cohort) - i}" for i in range(len(cohort))]
    renamed = dict(zip((f"p{i}" for i in range(len(cohort))), names, strict=True))
    expected = [
        table.assign(patient_id=table["patient_id"].map(renamed)) for table in labelled(cohort)
    ]
    for found, wanted in zip(labelled(cohort, names=names), expected, strict=True):
        assert found.astype(str).equals(wanted.astype(str))


@quickly
@given(patients, st.integers(-2000, 2000))
def test_shifting_every_date_changes_nothing_else(cohort, days):
    for found, wanted in zip(labelled(cohort, shift=days), labelled(cohort), strict=True):
        dates = wanted.select_dtypes("datetime").columns
        moved = wanted.assign(**{name: wanted[name] + pd.Timedelta(days=days) for name in dates})
        pd.testing.assert_frame_equal(found, moved.astype(found.dtypes))


@quickly
@given(patients, patients, st.integers(0, 600))
def test_what_is_dated_after_as_of_changes_nothing(cohort, later, cut):
    def after(records, first):
        return [r for r in records if r[first] > cut]

    more = [
        replace(
            person,
            treatments=[*person.treatments, *after(other.treatments, 1)],
            measurements=[*person.measurements, *after(other.measurements, 0)],
            adherence=[*person.adherence, *after(other.adherence, 1)],
            biopsies=[*person.biopsies, *after(other.biopsies, 0)],
            events=[
                *person.events,
                *(e for e in other.events if e[0] > cut and e[1] != "last_contact"),
            ],
        )
        for person, other in zip(cohort, later * len(cohort), strict=False)
    ]
    more = [
        replace(
            person,
            events=[e for e in person.events if e[1] != "last_contact"] + [(900, "last_contact")],
        )
        for person in more
    ]
    assert_same(labelled(more, day(cut)), labelled(cohort, day(cut)))


@quickly
@given(patients, st.integers(0, 600))
def test_a_later_end_is_not_known(cohort, cut):
    def ongoing(row):
        drug, start, end, dose, unit, _ = row
        if end is None or end <= cut or unit == "mg":
            return row
        return drug, start, None, dose, unit, ""

    seen = [replace(p, treatments=[ongoing(row) for row in p.treatments]) for p in cohort]
    assert_same(labelled(seen, day(cut)), labelled(cohort, day(cut)))


@quickly
@given(patients)
def test_without_urine_and_creatinine_failed_is_never_yes_and_no_only_when_too_short(cohort):
    speaks = ("upcr", "protein_24h", "creatinine", "egfr")
    silent = [
        replace(p, measurements=[m for m in p.measurements if m[1] not in speaks]) for p in cohort
    ]
    _, courses = labelled(silent)
    too_short = courses["reasons"].str.contains("too_short")
    assert (courses["failed"][~too_short] == "unknown").all()
    assert (courses["failed"][too_short] == "no").all()


@quickly
@given(patients)
def test_without_evidence_adherence_is_never_no(cohort):
    silent = [
        replace(p, adherence=[], measurements=[m for m in p.measurements if m[1] != "hcq_blood"])
        for p in cohort
    ]
    _, courses = labelled(silent)
    assert not (courses["adherent"] == "no").any()


@quickly
@given(patients)
def test_without_doses_adequacy_is_what_it_was_or_unknown(cohort):
    silent = [replace(p, treatments=[(*t[:3], "", *t[4:]) for t in p.treatments]) for p in cohort]
    (_, before), (_, after) = labelled(cohort), labelled(silent)
    alike = before.merge(after, on=["patient_id", "start_date", "regimen", "assessed_on"])
    changed = alike["adequate_x"] != alike["adequate_y"]
    assert (alike["adequate_y"][changed] == "unknown").all()


@quickly
@given(patients, st.sampled_from(presets()))
def test_verdict_follows_from_the_courses(cohort, name):
    labels, courses = labelled(cohort, definition=load_definition(name))
    for row in labels.itertuples():
        own = courses[courses["patient_id"] == row.patient_id]
        counts = own.groupby("regimen")["counts"].agg(set)
        yes = sum("yes" in values for values in counts)
        possible = sum(bool(values & {"yes", "unknown"}) for values in counts)
        failed = own.loc[own["failed"] == "yes", "regimen"].nunique()
        expected = (
            "refractory"
            if yes >= 2
            else "indeterminate"
            if possible >= 2
            else "pseudo_refractory"
            if failed >= 2
            else "not_refractory"
        )
        assert row.verdict == expected
        assert (row.met_on is pd.NaT) == (expected != "refractory")


def test_empty_registry():
    labels, courses = labelled([])
    assert len(labels) == 0
    assert len(courses) == 0


@pytest.mark.parametrize("name", presets())
def test_patient_without_anything(name):
    person = generated.Patient(birth=-9000, sex="female")
    labels, courses = labelled([person], definition=load_definition(name))
    assert labels.loc[0, "verdict"] == "not_refractory"
    assert labels.loc[0, "reasons"] == "no_induction"
    assert len(courses) == 0


def test_course_without_measurements():
    person = generated.Patient(
        birth=-9000,
        sex="male",
        treatments=[("mycophenolate_mofetil", 0, None, "2000", "mg/d", "")],
    )
    _, courses = labelled([person])
    assert courses.loc[0, "failed"] == "unknown"
    assert courses.loc[0, "reasons"] == "not_measured;adherence_unknown"
