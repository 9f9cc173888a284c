"""Doses, days and starts, against loops over days."""

import bundles
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features.days import NEVER
from lnrisk.features.treatment import Treatments, starts_anew, treatments_of

PEOPLE = 3
NAMES = ("mycophenolate_mofetil", "mycophenolic_acid", "prednisone", "elsewhere")
quickly = settings(max_examples=30, deadline=None)


@st.composite
def row(draw):
    start = draw(st.integers(-20, 40))
    daily = draw(st.booleans())
    length = draw(st.none() | st.integers(0, 30)) if daily else 0
    return (
        draw(st.integers(0, PEOPLE - 1)),
        start,
        NEVER if length is None else start + length,
        draw(st.sampled_from(NAMES)),
        draw(st.just(float("nan")) | st.integers(0, 4000).map(float)),
        daily,
    )


rows_of_treatment = st.lists(row(), max_size=10).map(sorted)
spans = st.lists(
    st.tuples(st.integers(0, PEOPLE - 1), st.integers(-30, 50), st.integers(-30, 60)), max_size=6
)


def treatments(rows):
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    patient, start, end = (np.array(column, dtype=np.int64) for column in columns[:3])
    return Treatments(
        patient,
        start,
        end,
        np.array(columns[3], dtype=str),
        np.array(columns[4], dtype=float),
        np.array(columns[5], dtype=bool),
        np.full(len(rows), ""),
        np.arange(len(rows)),
    )


def asked(queries):
    return tuple(np.array([q[i] for q in queries], dtype=np.int64) for i in range(3))


def days_within(given, span):
    person, first, last = span
    if given[0] != person:
        return []
    return [day for day in range(first, last + 1) if given[1] <= day <= given[2]]


@quickly
@given(rows_of_treatment, spans)
def test_doses_of_rows_that_overlap_add_up_day_by_day(rows, queries):
    doses = treatments(rows).doses(*asked(queries))
    for span, milligrams, missing in zip(queries, doses.milligrams, doses.missing, strict=True):
        inside = [given for given in rows if days_within(given, span)]
        unknown = [given for given in inside if np.isnan(given[4])]
        total = sum(
            given[4] * len(days_within(given, span)) for given in inside if given not in unknown
        )
        assert milligrams == total
        assert missing == bool(unknown)


@quickly
@given(rows_of_treatment, spans)
def test_equivalents_weigh_every_dose(rows, queries):
    given_rows = treatments(rows)
    factor = np.arange(len(rows)) + 0.5
    weighed = [(*r[:4], r[4] * f, r[5]) for r, f in zip(rows, factor, strict=True)]
    found = given_rows.doses(*asked(queries), factor)
    wanted = treatments(weighed).doses(*asked(queries))
    np.testing.assert_array_equal(found.milligrams, wanted.milligrams)
    np.testing.assert_array_equal(found.missing, wanted.missing)


@quickly
@given(rows_of_treatment, spans)
def test_a_day_is_covered_once_however_many_rows_run(rows, queries):
    found = treatments(rows).days_covered(*asked(queries))
    expected = [len({d for given in rows for d in days_within(given, span)}) for span in queries]
    assert found.tolist() == expected


@quickly
@given(rows_of_treatment, spans)
def test_a_day_is_covered_when_a_row_runs_on_it(rows, queries):
    patient, day, _ = asked(queries)
    found = treatments(rows).covers(patient, day)
    expected = [any(days_within(given, (who, on, on)) for given in rows) for who, on, _ in queries]
    assert found.tolist() == expected


@quickly
@given(rows_of_treatment, spans)
def test_overlaps_are_the_rows_that_share_days_with_a_span(rows, queries):
    found = zip(
        *(part.tolist() for part in treatments(rows).overlaps(*asked(queries))), strict=True
    )
    assert list(found) == [
        (i, j, len(days_within(given, span)))
        for i, span in enumerate(queries)
        for j, given in enumerate(rows)
        if days_within(given, span)
    ]


@quickly
@given(rows_of_treatment)
def test_a_row_starts_anew_when_nothing_of_its_group_ran_that_day_or_the_day_before(rows):
    rows = [(r[0], r[1], r[2]) for r in rows]
    rows = [r for i, r in enumerate(rows) if r[:2] not in [other[:2] for other in rows[:i]]]
    group, start, end = asked(rows)
    expected = [
        not any(other[0] == who and other[1] < begin and other[2] >= begin - 1 for other in rows)
        for who, begin, _ in rows
    ]
    assert starts_anew(group, start, end).tolist() == expected
    back = slice(None, None, -1)
    assert starts_anew(group[back], start[back], end[back]).tolist() == expected[back]


def test_of_rows_that_start_together_one_starts_anew():
    group, start = np.zeros(2, dtype=int), np.array([3, 3])
    assert starts_anew(group, start, np.array([5, 9])).sum() == 1


@quickly
@given(rows_of_treatment)
def test_rows_are_found_by_drug_and_by_class(rows):
    table = treatments(rows)
    acid = table.of_drugs(frozenset({"mycophenolic_acid"}))
    assert acid.row.tolist() == [i for i, r in enumerate(rows) if r[3] == "mycophenolic_acid"]
    mpa = table.of_class("MPA")
    assert mpa.row.tolist() == [i for i, r in enumerate(rows) if r[3].startswith("mycophenol")]
    assert len(table.of_class("CYC")) == 0


def test_equivalents_are_those_of_the_drugs_and_unknown_for_others():
    table = treatments([(0, 0, 0, name, 1.0, True) for name in NAMES])
    expected = [1.0, 2000 / 1440, np.nan, np.nan]
    np.testing.assert_allclose(table.equivalents("mycophenolate_mofetil_equivalent"), expected)


DOSED = (
    "anna,mycophenolic_acid,2020-02-01,,1.44,g/d,\n"
    "anna,rituximab,2020-02-02,2020-02-02,375,mg/m2,pregnancy\n"
    "anna,cyclophosphamide,2020-02-03,2020-02-03,10,mg/kg,\n"
    "anna,cyclophosphamide,2020-03-03,2020-03-03,10,mg/kg,\n"
    "bert,cyclophosphamide,2020-02-03,2020-02-03,10,mg/kg,"
)


def dosed(weights=None):
    tables = {"treatments": bundles.with_row("treatments", DOSED)}
    if weights:
        tables["measurements"] = bundles.with_row("measurements", weights)
    return treatments_of(bundles.registry(**tables))


def test_doses_are_in_mg_and_know_whether_they_are_daily():
    found = dosed()
    assert found.patient.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert found.dose.tolist() == [2000.0, 1440.0, 375 * 1.7, 600.0, 600.0, 500.0, 600.0]
    assert found.daily.tolist() == [True, True, False, False, False, False, False]
    assert found.end.tolist()[1] == NEVER
    assert found.stop_reason.tolist() == ["inefficacy", "", "pregnancy", "", "", "", ""]
    assert found.row.tolist() == [2, 4, 5, 6, 7, 3, 8]


def test_a_weight_up_to_that_day_serves_else_the_first_one_after_it():
    found = dosed("anna,2020-02-10,weight,50,kg,\nanna,2020-03-03,weight,80,kg,")
    per_weight = found.of_class("CYC")
    assert per_weight.dose.tolist() == [500.0, 800.0, 500.0, 600.0]


def test_a_dose_that_is_not_recorded_is_unknown():
    registry = bundles.registry(
        treatments=bundles.with_row("treatments", "anna,prednisone,2020-02-01,,,,")
    )
    dose = treatments_of(registry).of_drugs(frozenset({"prednisone"})).dose
    assert dose.tolist() == pytest.approx([np.nan], nan_ok=True)


def test_rows_are_in_order_of_patient_and_start():
    found = dosed()
    assert sorted(zip(found.patient, found.start, strict=True)) == list(
        zip(found.patient, found.start, strict=True)
    )
