"""eGFR against published values, and one equation for each patient."""

import datetime

import bundles
import generated
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.asof import known_on
from lnrisk.features.days import NEVER, day_of
from lnrisk.features.egfr import ckd_epi_2021, ckid_u25, egfr_history, first_anchor_day

CREATININE = st.floats(0.2, 15)
AGES = st.floats(18, 100)


@pytest.mark.parametrize(
    ("creatinine", "age", "female", "published"),
    [(1.09, 55, False, 80), (85 / 88.42, 65, True, 66), (1.20, 55, False, 71)],
    ids=["NKF", "NKF in umol/L", "kidney.org"],
)
def test_ckd_epi_2021_gives_published_values(creatinine, age, female, published):
    assert round(float(ckd_epi_2021(creatinine, age, female))) == published


@pytest.mark.parametrize(
    ("creatinine", "age", "female", "stated"), [(0.8, 50, True, 89.7), (1.2, 50, False, 73.7)]
)
def test_ckd_epi_2021_gives_the_checks_of_the_definition(creatinine, age, female, stated):
    assert round(float(ckd_epi_2021(creatinine, age, female)), 1) == stated


@pytest.mark.parametrize(
    ("age", "height", "creatinine", "boy", "girl"),
    [(11, 120, 0.9, 51.6, 47.8), (15, 160, 1.9, 37.5, 32.5), (20, 181, 2.1, 43.8, 35.7)],
)
def test_ckid_u25_gives_its_authors_values(age, height, creatinine, boy, girl):
    found = ckid_u25(creatinine, age, [False, True], height)
    assert found == pytest.approx([boy, girl], abs=0.051)


@given(CREATININE, CREATININE, AGES, st.booleans())
def test_more_creatinine_is_never_more_filtration(one, other, age, female):
    low, high = sorted((one, other))
    assert ckd_epi_2021(low, age, female) >= ckd_epi_2021(high, age, female)
    assert ckid_u25(low, age, female, 160) >= ckid_u25(high, age, female, 160)


@pytest.mark.parametrize(("female", "threshold"), [(True, 0.7), (False, 0.9)])
def test_ckd_epi_2021_makes_no_jump_at_its_threshold(female, threshold):
    around = ckd_epi_2021([threshold * (1 - 1e-9), threshold * (1 + 1e-9)], 40, female)
    assert around[0] == pytest.approx(around[1], rel=1e-7)


@pytest.mark.parametrize("female", [True, False])
def test_ckid_u25_makes_no_jump_at_12(female):
    around = ckid_u25(0.6, [12 - 1e-9, 12], female, 150)
    assert around[0] == pytest.approx(around[1], rel=1e-7)


def patients(*rows):
    return "patient_id,sex,birth_date\n" + "".join(f"{row}\n" for row in rows)


def measurements(*rows):
    return bundles.GOOD["measurements"].partition("\n")[0] + "\n" + "".join(f"{r},\n" for r in rows)


BORN = {"anna": "female,2004-02-29", "bert": "male,2002-01-15"}
EMPTY = {name: text.partition("\n")[0] + "\n" for name, text in bundles.GOOD.items()}


def computed(rows, treatments=(), outcomes=(), as_of=None, people=BORN):
    texts = EMPTY | {
        "patients": patients(*(f"{name},{born}" for name, born in people.items())),
        "measurements": measurements(*rows),
        "treatments": EMPTY["treatments"] + "".join(f"{r},,,,\n" for r in treatments),
        "outcomes": EMPTY["outcomes"] + "".join(f"{r},2024-01-01,censored\n" for r in outcomes),
    }
    history = egfr_history(known_on(bundles.registry(**texts), as_of))
    days = [str(np.datetime64(int(day), "D")) for day in history.day]
    return dict(zip(zip(history.patient.tolist(), days, strict=True), history.value, strict=True))


def age(born, date):
    dates = [datetime.date.fromisoformat(text) for text in (born, date)]
    return (dates[1] - dates[0]).days / 365.25


GIRL = ("anna,2021-12-01,height,160,cm",)
AROUND = ("anna,2022-02-27,creatinine,0.8,mg/dL", "anna,2022-03-03,creatinine,0.8,mg/dL")


def test_an_eighteenth_birthday_makes_no_change_of_equation():
    found = computed([*GIRL, *AROUND], ["anna,mycophenolate_mofetil,2022-02-27"])
    for day in ("2022-02-27", "2022-03-03"):
        u25 = ckid_u25(0.8, age("2004-02-29", day), True, 160)
        assert found[0, day] == pytest.approx(float(u25), rel=1e-12)


def test_who_is_18_at_the_index_date_has_the_equation_of_adults_for_good():
    found = computed([*GIRL, *AROUND], ["anna,mycophenolate_mofetil,2022-03-01"])
    for day in ("2022-02-27", "2022-03-03"):
        adult = ckd_epi_2021(0.8, age("2004-02-29", day), True)
        assert found[0, day] == pytest.approx(float(adult), rel=1e-12)


@pytest.mark.parametrize(("start", "young"), [("2022-02-28", True), ("2022-03-01", False)])
def test_born_on_29_february_one_is_18_on_1_march(start, young):
    without_height = computed(AROUND, [f"anna,tacrolimus,{start}"])
    assert (without_height == {}) is young


@pytest.mark.parametrize(
    ("treatments", "outcomes", "young"),
    [
        (["anna,tacrolimus,2023-01-01"], ["anna,2022-01-01"], False),
        (["anna,prednisone,2021-01-01"], ["anna,2022-04-01"], False),
        (["anna,rituximab,2023-01-01"], ["anna,2022-01-01"], True),
        ([], ["anna,2022-04-01"], False),
        ([], [], True),
    ],
    ids=["anchor first", "background is no anchor", "rescue is none", "outcome", "creatinine"],
)
def test_the_age_is_that_at_the_anchor_else_the_registrys_index_else_the_first_creatinine(
    treatments, outcomes, young
):
    assert (computed(AROUND, treatments, outcomes) == {}) is young


def test_under_18_without_a_height_there_is_no_egfr():
    rows = [
        "anna,2015-01-01,creatinine,0.5,mg/dL",
        "bert,2015-01-01,creatinine,0.5,mg/dL",
        "bert,2015-01-01,height,150,cm",
    ]
    assert list(computed(rows)) == [(1, "2015-01-01")]


HEIGHTS = [
    "anna,2015-01-01,creatinine,0.5,mg/dL",
    "anna,2015-02-01,height,140,cm",
    "anna,2016-01-01,creatinine,0.5,mg/dL",
    "anna,2016-01-01,height,146,cm",
    "anna,2016-03-01,height,149,cm",
    "anna,2017-01-01,creatinine,0.5,mg/dL",
]


@pytest.mark.parametrize(
    ("day", "height"), [("2015-01-01", 140), ("2016-01-01", 146), ("2017-01-01", 149)]
)
def test_the_latest_height_up_to_a_creatinine_serves_else_the_first_one_after_it(day, height):
    expected = ckid_u25(0.5, age("2004-02-29", day), True, height)
    assert computed(HEIGHTS)[0, day] == pytest.approx(float(expected), rel=1e-12)


def test_a_height_that_is_not_yet_known_gives_no_egfr():
    assert computed(HEIGHTS, as_of=datetime.date(2015, 1, 31)) == {}
    assert list(computed(HEIGHTS, as_of=datetime.date(2015, 2, 1))) == [(0, "2015-01-01")]


def test_a_reported_egfr_serves_only_on_days_without_creatinine():
    found = computed(
        [
            "anna,2023-01-01,egfr,40,mL/min/{1.73_m2}",
            "anna,2023-01-01,creatinine,0.8,mg/dL",
            "anna,2023-02-01,egfr,50,mL/min/{1.73_m2}",
            "bert,2023-02-01,creatinine,1.2,mg/dL",
            "bert,2023-01-01,egfr,60,mL/min/{1.73_m2}",
        ]
    )
    expected = {
        (0, "2023-01-01"): float(ckd_epi_2021(0.8, age("2004-02-29", "2023-01-01"), True)),
        (0, "2023-02-01"): 50.0,
        (1, "2023-01-01"): 60.0,
        (1, "2023-02-01"): float(ckd_epi_2021(1.2, age("2002-01-15", "2023-02-01"), False)),
    }
    assert list(found) == list(expected)
    assert list(found.values()) == pytest.approx(list(expected.values()), rel=1e-12)


def test_a_reported_egfr_does_not_stand_in_for_a_missing_height():
    rows = [
        "anna,2015-01-01,creatinine,0.5,mg/dL",
        "anna,2015-01-01,egfr,90,mL/min/{1.73_m2}",
        "anna,2015-02-01,egfr,80,mL/min/{1.73_m2}",
    ]
    assert computed(rows) == {(0, "2015-02-01"): 80.0}


def test_ancestry_changes_no_egfr():
    texts = {"measurements": measurements(*AROUND).replace("anna", "bert")}
    values = [
        egfr_history(
            bundles.registry(
                **texts, events=EMPTY["events"], patients=bundles.GOOD["patients"].replace(",,,", a)
            )
        ).value
        for a in (",,,", ",black,,", ",white,,")
    ]
    assert values[0].tolist() == values[1].tolist() == values[2].tolist()
    assert len(values[0]) == 2


def test_the_first_anchor_is_the_earliest_of_any_class():
    cohort = [
        generated.Patient(
            birth=-9000,
            sex="female",
            treatments=[
                ("prednisone", -30, None, "10", "mg/d", ""),
                ("belimumab", 20, 20, "500", "mg", ""),
                ("tacrolimus", 9, None, "4", "mg/d", ""),
            ],
        ),
        generated.Patient(
            birth=-9000, sex="male", treatments=[("rituximab", 3, 3, "1000", "mg", "")]
        ),
    ]
    day = first_anchor_day(generated.registry(cohort))
    assert day.tolist() == [day_of(generated.DAY_0) + 9, NEVER]
