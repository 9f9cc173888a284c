"""Measurements: their limits, values of one day, implausible values, analytes of one's own."""

import datetime

import bundles
import generated
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.features.vocabulary import analytes


def test_the_comparator_is_kept_and_the_value_is_the_limit():
    measurements = bundles.registry().measurements
    below = measurements[measurements["comparator"] == "<"]
    assert below["value"].tolist() == [0.05]
    assert below["date"].dt.strftime("%Y-%m-%d").tolist() == ["2020-02-01"]
    assert measurements["comparator"].isna().sum() == 2


def measured(*rows):
    text = bundles.GOOD["measurements"] + "".join(f"{row}\n" for row in rows)
    tables, findings, _ = bundles.check(measurements=text)
    assert findings.count("error") == 0, findings.text(("error",))
    return tables["measurements"], findings


def test_the_same_day_twice_is_the_mean_and_a_note_in_any_unit():
    table, findings = measured("anna,2020-01-01,upcr,3000,mg/g,", "anna,2020-01-01,upcr,7,g/g,")
    assert table["value"].tolist() == [4.0, 0.05, 1.1]
    assert table["row"].tolist() == [2, 3, 4]
    notes = findings.table
    assert set(notes["severity"]) == {"note"}
    assert set(notes["kind"]) == {"measured twice"}
    assert len(notes) == 2
    assert notes["message"].str.contains("their mean is used").all()


@pytest.mark.parametrize(("second", "kept"), [("<", ["<"]), (">", []), ("", [])])
def test_a_mean_keeps_a_comparator_that_all_its_values_share(second, kept):
    table, _ = measured(f"anna,2020-02-01,upcr,0.15,g/g,{second}")
    mean = table[table["date"] == "2020-02-01"]
    assert mean["value"].tolist() == [0.1]
    assert mean["comparator"].dropna().tolist() == kept


def test_other_dates_analytes_and_patients_are_no_repetition():
    table, findings = measured(
        "anna,2020-01-01,protein_24h,2,g/d,",
        "bert,2020-01-01,upcr,2,g/g,",
        "anna,2020-01-02,upcr,2,g/g,",
    )
    assert len(table) == 6
    assert len(findings.table) == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("anna,2020-03-01,upcr,90,g/g,", "upcr of 90 g/g is outside 0 to 30; is the unit 'g/g'"),
        ("anna,2020-03-01,creatinine,88,mg/dL,", "creatinine of 88 mg/dL is outside 0.2 to 20"),
        ("anna,2020-03-01,creatinine,1,umol/L,", "creatinine of 0.01131 mg/dL is outside"),
        ("anna,2020-03-01,height,1.6,cm,", "height of 1.6 cm is outside 40 to 220"),
    ],
)
def test_an_implausible_value_is_kept_and_the_warning_names_its_row(row, says):
    table, findings = measured(row)
    assert len(table) == 4
    warning = findings.table.iloc[0]
    assert (warning["severity"], warning["kind"]) == ("warning", "implausible value")
    number = bundles.last_row("measurements")
    assert warning["message"].startswith(f"measurements.csv, row {number}, value ")
    assert says in warning["message"]


def test_the_ends_of_every_plausible_range_raise_no_question():
    days = pd.date_range("2020-03-01", periods=2 * len(analytes())).strftime("%Y-%m-%d")
    ends = [(a, value) for a in analytes().values() for value in a.plausible]
    _, findings = measured(
        *(
            f"anna,{day},{a.name},{value},{a.unit},"
            for day, (a, value) in zip(days, ends, strict=True)
        )
    )
    assert findings.text(("warning",)) == ""


def test_an_analyte_of_ones_own_is_kept_in_its_own_unit():
    table, findings = measured("anna,2020-03-01,crp,250,mg/L,", "bert,2020-03-01,crp,3,mg/L,")
    own = table[table["analyte"] == "crp"]
    assert own["value"].tolist() == [250.0, 3.0]
    assert own["unit"].tolist() == ["mg/L", "mg/L"]
    assert len(findings.table) == 0


def test_a_second_unit_of_an_analyte_of_ones_own_is_an_error():
    text = bundles.with_row("measurements", "anna,2020-03-01,crp,25,mg/L,")
    text += "bert,2020-03-01,crp,3,mg/dL,\n"
    _, findings, _ = bundles.check(measurements=text)
    assert bundles.found(findings) == [("measurements.csv", 6, "unit", "unknown unit")]
    assert findings.table["message"][0].endswith("crp is accepted in mg/L.")


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated.cohorts, st.integers(0, 2**16))
def test_the_order_of_rows_changes_no_measurement(cohort, order):
    shuffled = generated.registry(cohort, order=order).measurements
    pd.testing.assert_frame_equal(
        shuffled.drop(columns="row"), generated.registry(cohort).measurements.drop(columns="row")
    )


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated.cohorts)
def test_every_day_has_the_mean_of_its_values(cohort):
    table = generated.registry(cohort).measurements
    found = dict(
        zip(
            zip(table["patient_id"], table["analyte"], table["date"], strict=True),
            table["value"],
            strict=True,
        )
    )
    written = {}
    for number, person in enumerate(cohort):
        for day, analyte, value, _ in person.measurements:
            date = pd.Timestamp(generated.DAY_0 + datetime.timedelta(days=day))
            written.setdefault((f"p{number}", analyte, date), []).append(float(value))
    assert found.keys() == written.keys()
    for key, values in written.items():
        assert found[key] == pytest.approx(np.mean(values), rel=1e-14)
