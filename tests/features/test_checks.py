"""Row by row: what is wrong, what is odd, what is kept, and what is left of a bad registry."""

import json

import bundles
import pandas as pd
import pytest
from lnrisk.features.tables import TABLES

ADMINISTERED = "mg, g, mg/m2 or mg/kg"
WRONG = [
    ("patients", ",female,1980,,,", "patient_id", "missing value", "required"),
    ("patients", ",male,1981,,,", "patient_id", "missing value", "required"),
    ("patients", "anna,female,1980,,,", "patient_id", "repeated patient", "one row"),
    ("patients", "carl,man,1980,,,", "sex", "unknown value", "female, male"),
    ("patients", "dora,,1980,,,", "sex", "missing value", "required"),
    ("patients", "emil,male,1980-02-30,,,", "birth_date", "impossible date", "a year YYYY"),
    ("patients", "fritz,male,80,,,", "birth_date", "impossible date", "since 1900"),
    ("patients", "gerd,male,1980,,3,", "apol1_risk_alleles", "out of range", "from 0 to 2"),
    ("patients", "hans,male,1980,,1.5,", "apol1_risk_alleles", "out of range", "whole number"),
    ("patients", "ida,female,1980,,,1979-01-01", "sle_onset_date", "before birth", "birth date"),
    ("events", "zoe,2020-06-01,death", "patient_id", "unknown patient", "no row of patients"),
    ("events", "anna,,death", "date", "missing value", "required"),
    ("events", "anna,2020-06-01,relapse", "event", "unknown value", "last_contact, death, kid"),
    ("events", "anna,2021-01-03,death", "date", "after last contact", "(2021-01-01)"),
    ("events", "bert,1970-01-01,last_contact", "date", "before birth", "birth date"),
    ("measurements", ",2020-01-02,upcr,1,g/g,", "patient_id", "missing value", "required"),
    ("measurements", "zoe,2020-01-02,upcr,1,g/g,", "patient_id", "unknown patient", "no row"),
    ("measurements", "anna,,upcr,1,g/g,", "date", "missing value", "required"),
    ("measurements", "anna,2020-1-2,upcr,1,g/g,", "date", "impossible date", "YYYY-MM-DD"),
    ("measurements", "anna,1980-05-03,upcr,1,g/g,", "date", "before birth", "birth date"),
    ("measurements", "anna,2021-01-03,upcr,1,g/g,", "date", "after last contact", "than a day"),
    ("measurements", "anna,2020-01-02,,1,g/g,", "analyte", "missing value", "required"),
    ("measurements", "anna,2020-01-02,upcr,,g/g,", "value", "missing value", "required"),
    ("measurements", "anna,2020-01-02,upcr,NaN,g/g,", "value", "not a number", "finite"),
    ("measurements", "anna,2020-01-02,upcr,inf,g/g,", "value", "not a number", "finite"),
    ("measurements", "anna,2020-01-02,upcr,1e400,g/g,", "value", "not a number", "finite"),
    ("measurements", "anna,2020-01-02,upcr,-1,g/g,", "value", "negative value", "0 or more"),
    ("measurements", "anna,2020-01-02,creatinine,0,mg/dL,", "value", "not above zero", "above 0"),
    ("measurements", "anna,2020-01-02,height,0,cm,", "value", "not above zero", "above 0"),
    ("measurements", "anna,2020-01-02,weight,0,kg,", "value", "not above zero", "above 0"),
    ("measurements", "anna,2020-01-02,upcr,1,,", "unit", "missing value", "required"),
    ("measurements", "anna,2020-01-02,upcr,1,g/l,", "unit", "unknown unit", "g/g, mg/mg, mg/g,"),
    ("measurements", "anna,2020-01-02,c3,1,MG/DL,", "unit", "unknown unit", "mg/dL, g/L"),
    ("measurements", "anna,2020-01-02,upcr,1,g/g,<=", "comparator", "unknown value", "<, >"),
    ("treatments", "zoe,rituximab,2020-01-02,,,,", "patient_id", "unknown patient", "no row"),
    ("treatments", "anna,,2020-01-02,,,,", "drug", "missing value", "required"),
    ("treatments", "anna,tacrolimus,,,,,", "start_date", "missing value", "required"),
    ("treatments", "anna,ivig,2020-02-02,2020-02-01,,,", "end_date", "end before start", "equal"),
    ("treatments", "anna,ivig,2020-02-02,2021-01-03,,,", "end_date", "after last contact", "day"),
    ("treatments", "anna,prednisone,2020-01-02,,x,mg/d,", "dose", "not a number", "finite"),
    ("treatments", "anna,prednisone,2020-01-02,,-5,mg/d,", "dose", "negative value", "0 or more"),
    ("treatments", "anna,prednisone,2020-01-02,,5,,", "dose_unit", "unknown unit", ADMINISTERED),
    ("treatments", "anna,prednisone,2020-01-02,,,mg/wk,", "dose_unit", "unknown unit", "g/d"),
    ("treatments", "anna,rituximab,2020-01-02,,1000,mg,", "dose_unit", "unknown unit", "period"),
    (
        *("treatments", "anna,rituximab,2020-01-02,2020-01-03,1,g,"),
        *("dose_unit", "unknown unit", "end_date = start_date"),
    ),
    ("treatments", "anna,ivig,2020-01-02,,,,lost", "stop_reason", "unknown value", "inefficacy,"),
    ("biopsies", "anna,,IV,,,,,,,", "date", "missing value", "required"),
    ("biopsies", "anna,2020-01-02,VII,,,,,,,", "isn_rps_class", "unknown value", "III+V"),
    ("biopsies", "anna,2020-01-02,IV,25,,,,,,", "activity_index", "out of range", "0 to 24"),
    ("biopsies", "anna,2020-01-02,IV,,13,,,,,", "chronicity_index", "out of range", "0 to 12"),
    ("biopsies", "anna,2020-01-02,IV,,,4,,,,", "glomerulosclerosis", "out of range", "0 to 3"),
    ("biopsies", "anna,2020-01-02,IV,,,,4,,,", "fibrous_crescents", "out of range", "0 to 3"),
    ("biopsies", "anna,2020-01-02,IV,,,,,4,,", "tubular_atrophy", "out of range", "0 to 3"),
    ("biopsies", "anna,2020-01-02,IV,,,,,,4,", "interstitial_fibrosis", "out of range", "0 to 3"),
    ("biopsies", "anna,2020-01-02,IV,,,,,,,2", "tma", "out of range", "from 0 to 1"),
    ("biopsies", "anna,2020-01-02,IV,,,,,,,0.5", "tma", "out of range", "whole number"),
    ("adherence", "anna,,2020-02-01,pdc,1,", "start_date", "missing value", "required"),
    ("adherence", "anna,2020-01-02,,pdc,1,", "end_date", "missing value", "required"),
    ("adherence", "anna,2020-01-02,2020-01-01,pdc,1,", "end_date", "end before start", "equal"),
    ("adherence", "anna,2020-01-02,2020-02-01,refill,1,", "measure", "unknown value", "pdc, mpr"),
    ("adherence", "anna,2020-01-02,2020-02-01,pdc,95,", "value", "out of range", "not per cent"),
    ("adherence", "anna,2020-01-02,2020-02-01,mpr,1.1,", "value", "out of range", "0 to 1"),
    ("adherence", "anna,2020-01-02,2020-02-01,self_report,9,", "value", "out of range", "0 to 1"),
    ("adherence", "anna,2020-01-02,2020-02-01,clinician,0.5,", "value", "out of range", "1 (adh"),
    (
        *("adherence", "anna,2020-01-02,2020-02-01,missed_infusions,1.5,"),
        *("value", "out of range", "whole number"),
    ),
    (
        *("adherence", "anna,2020-01-02,2020-02-01,missed_visits,0.5,"),
        *("value", "out of range", "whole number"),
    ),
    ("outcomes", "zoe,2020-01-01,2020-02-01,event", "patient_id", "unknown patient", "no row"),
    ("outcomes", "anna,2020-01-01,2020-02-01,event", "patient_id", "repeated patient", "one outc"),
    ("outcomes", ",2020-01-01,2020-02-01,event", "patient_id", "missing value", "required"),
    ("outcomes", "hugo,2020-03-01,2020-02-01,event", "date", "end before start", "index date"),
    ("outcomes", "inge,2020-01-01,2020-02-01,cured", "status", "unknown value", "competing"),
]
BESIDE = {"patients": "hugo,male,1970,,,\ninge,female,1970,,,\n"}


def all_wrong():
    texts = {name: text + BESIDE.get(name, "") for name, text in bundles.GOOD.items()}
    cases = []
    for table, row, column, kind, accepted in WRONG:
        number = texts[table].count("\n") + 1
        texts[table] += row + "\n"
        cases.append((table, row, number, column, kind, accepted))
    return texts, cases


TEXTS, CASES = all_wrong()


@pytest.fixture(scope="module")
def checked():
    return bundles.check(**TEXTS)


@pytest.fixture(scope="module")
def good():
    return bundles.check(patients=bundles.GOOD["patients"] + BESIDE["patients"])


def test_every_wrong_row_is_found_in_one_go(checked):
    _, findings, _ = checked
    expected = [(f"{table}.csv", row, column, kind) for table, _, row, column, kind, _ in CASES]
    assert sorted(bundles.found(findings)) == sorted(expected)


def test_errors_are_counted_by_kind(checked):
    _, findings, _ = checked
    kinds = [kind for *_, kind, _ in CASES]
    lines = findings.text(("error",)).splitlines()
    for kind in set(kinds):
        assert f"error: {kind} ({kinds.count(kind)})" in lines


@pytest.mark.parametrize(("table", "text", "row", "column", "kind", "accepted"), CASES)
def test_a_message_names_file_row_column_value_and_what_is_accepted(
    checked, table, text, row, column, kind, accepted
):
    _, findings, _ = checked
    messages = findings.table
    messages = messages[(messages["file"] == f"{table}.csv") & (messages["row"] == row)]
    names = bundles.GOOD[table].partition("\n")[0].split(",")
    value = text.split(",")[names.index(column)]
    start = f"{table}.csv, row {row}, {column} {value!r}: "
    assert [m.startswith(start) and accepted in m for m in messages["message"]] == [True], messages


def test_bad_rows_are_left_out_and_nothing_else_is(checked, good):
    for name in TABLES:
        pd.testing.assert_frame_equal(checked[0][name], good[0][name], check_categorical=False)


def test_rejected_rows_carry_their_reason_and_what_was_written(checked):
    *_, rejected = checked
    assert rejected.columns.tolist() == ["file", "row", "kind", "message", "record"]
    for table, text, row, _, kind, accepted in CASES:
        mine = rejected[(rejected["file"] == f"{table}.csv") & (rejected["row"] == row)]
        assert mine["kind"].tolist() == [kind]
        assert accepted in mine["message"].item()
        assert list(json.loads(mine["record"].item()).values()) == text.split(",")
    assert len(rejected) == len(CASES)


def test_a_row_with_two_errors_is_rejected_once_with_both():
    text = bundles.with_row("measurements", "anna,2020-01-02,upcr,-1,g/l,")
    _, findings, rejected = bundles.check(measurements=text)
    assert findings.count("error") == 2
    assert rejected["kind"].tolist() == ["negative value;unknown unit"]
    assert "0 or more" in rejected["message"][0]
    assert "accepted in g/g" in rejected["message"][0]


def test_a_good_bundle_has_no_findings(good):
    _, findings, rejected = bundles.check()
    assert len(findings.table) == 0
    assert len(rejected) == 0


def test_a_bad_patient_takes_all_rows_along():
    patients = bundles.GOOD["patients"].replace("bert,male", "bert,man")
    tables, findings, rejected = bundles.check(patients=patients)
    rows = {name: bundles.GOOD[name].splitlines() for name in TABLES}
    expected = [("patients.csv", 3, "sex", "unknown value")] + [
        (f"{name}.csv", number, "patient_id", "patient left out")
        for name in TABLES
        for number, line in enumerate(rows[name], start=1)
        if line.startswith("bert") and name != "patients"
    ]
    assert sorted(bundles.found(findings)) == sorted(expected)
    assert len(rejected) == len(expected)
    for name in TABLES:
        assert set(tables[name]["patient_id"]) <= {"anna"}
        assert len(tables[name]) > 0


def test_a_last_contact_before_birth_convicts_no_other_row():
    events = bundles.GOOD["events"].replace("anna,2021", "anna,1921")
    tables, findings, _ = bundles.check(events=events)
    assert bundles.found(findings) == [("events.csv", 2, "date", "before birth")]
    assert len(tables["measurements"]) == 3
    assert bundles.found(findings, "warning") == [
        ("patients.csv", 2, "patient_id", "no last contact")
    ]


def test_the_latest_of_several_last_contacts_counts():
    events = bundles.GOOD["events"] + "anna,2022-05-01,last_contact\nanna,2020-05-01,last_contact\n"
    measurements = bundles.with_row("measurements", "anna,2022-05-02,upcr,1,g/g,")
    assert len(bundles.registry(events=events, measurements=measurements).measurements) == 4


def test_without_a_last_contact_no_date_is_too_late_but_a_warning_says_so():
    events = bundles.GOOD["events"].replace("anna,2021-01-01,last_contact\n", "")
    measurements = bundles.with_row("measurements", "anna,2035-01-01,upcr,1,g/g,")
    _, findings, _ = bundles.check(events=events, measurements=measurements)
    assert findings.count("error") == 0
    assert bundles.found(findings, "warning") == [
        ("patients.csv", 2, "patient_id", "no last contact")
    ]


ACCEPTED = [
    ("events", "anna,2021-01-02,death"),
    ("measurements", "anna,2021-01-02,upcr,1,g/g,>"),
    ("measurements", "anna,1980-05-04,upcr,0,g/g,"),
    ("measurements", "bert,1975-07-01,height,50,cm,"),
    ("treatments", "anna,rituximab,2020-02-02,2020-02-02,1000,mg,completed"),
    ("treatments", "anna,rituximab,2020-03-02,2020-03-02,375,mg/m2,pregnancy"),
    ("treatments", "anna,cyclophosphamide,2020-04-02,2020-04-02,15,mg/kg,other"),
    ("treatments", "anna,prednisone,2020-02-02,,0.01,g/d,nonadherence"),
    ("treatments", "anna,prednisone,2020-02-02,2021-01-02,,,intolerance"),
    ("treatments", "anna,prednisone,2020-02-02,,,mg/d,"),
    ("biopsies", "anna,2020-01-02,VI,24,12,3,3,3,3,1"),
    ("biopsies", "anna,2020-01-02,,0,0,0,0,0,0,0"),
    ("biopsies", "anna,2020-01-02,,,1.5,,,,,"),
    ("adherence", "anna,2020-01-02,2020-01-02,mpr,0,prednisone"),
    ("adherence", "anna,2020-01-02,2020-02-02,clinician,0,"),
    ("adherence", "anna,2020-01-02,2020-02-02,missed_visits,12,"),
    ("outcomes", "hugo,2020-01-01,2020-01-01,competing"),
]


def test_values_on_the_edge_are_accepted(good):
    texts = {name: bundles.GOOD[name] for name in TABLES}
    texts["patients"] += BESIDE["patients"]
    for table, row in ACCEPTED:
        texts[table] += row + "\n"
    tables, findings, _ = bundles.check(**texts)
    assert findings.text(("error",)) == ""
    for name in TABLES:
        more = sum(table == name for table, _ in ACCEPTED)
        assert len(tables[name]) == len(good[0][name]) + more


def test_a_year_alone_is_1_july_and_a_date_is_itself():
    patients = bundles.registry().patients
    assert patients["birth_date"].dt.strftime("%Y-%m-%d").tolist() == ["1980-05-04", "1975-07-01"]


def test_a_drug_that_is_not_listed_is_kept_with_a_note():
    row = "anna,telitacicept,2020-02-01,2020-03-01,160,mg/wk,"
    tables, findings, _ = bundles.check(treatments=bundles.with_row("treatments", row))
    kept = tables["treatments"].query("drug == 'telitacicept'")
    assert kept["dose"].tolist() == [160.0]
    assert kept["dose_unit"].tolist() == ["mg/wk"]
    assert findings.count("error") == 0
    assert bundles.found(findings, "note") == [("treatments.csv", 4, "drug", "drug without a role")]


def test_doses_come_out_in_milligrams():
    rows = [
        "anna,prednisone,2020-02-01,,0.02,g/d,",
        "anna,rituximab,2020-02-02,2020-02-02,1,g,",
        "anna,rituximab,2020-02-03,2020-02-03,375,mg/m2,",
        "anna,cyclophosphamide,2020-02-04,2020-02-04,15,mg/kg,",
    ]
    table = bundles.registry(treatments=bundles.with_row("treatments", "\n".join(rows))).treatments
    table = table[table["row"] >= bundles.last_row("treatments")]
    assert list(zip(table["dose"], table["dose_unit"], strict=True)) == [
        (20.0, "mg/d"),
        (1000.0, "mg"),
        (375.0, "mg/m2"),
        (15.0, "mg/kg"),
    ]


def test_rows_of_patients_are_found_when_no_patient_exists():
    header = bundles.GOOD["patients"].partition("\n")[0] + "\n"
    tables, findings, _ = bundles.check(patients=header)
    rows = sum(text.count("\n") - 1 for name, text in bundles.GOOD.items() if name != "patients")
    assert [kind for *_, kind in bundles.found(findings)] == ["unknown patient"] * rows
    assert all(len(table) == 0 for table in tables.values())


def test_an_empty_registry_has_nothing_wrong():
    headers = {name: text.partition("\n")[0] + "\n" for name, text in bundles.GOOD.items()}
    tables, findings, rejected = bundles.check(**headers)
    assert {name: len(table) for name, table in tables.items()} == dict.fromkeys(TABLES, 0)
    assert len(findings.table) == len(rejected) == 0
