"""The verdict: what counts, what is said of it, and which course stands for a regimen."""

import datetime
from dataclasses import replace
from itertools import product

import generated
import numpy as np
import pandas as pd
from generated import DAY_0, Patient
from lnrisk.features.days import day_of
from lnrisk.model.courses import Courses
from lnrisk.model.definition import load_definition
from lnrisk.model.judgement import COURSE_REASONS
from lnrisk.model.kleene import NO, UNKNOWN, YES
from lnrisk.model.label import different_regimens, label


def day(number):
    return DAY_0 + datetime.timedelta(days=number)


def numbers(*days):
    return np.array([day_of(day(number)) for number in days])


def oral(drug, first, last=None, dose="3000"):
    return drug, first, last, dose, "mg/d", ""


MMF = oral("mycophenolate_mofetil", 0, 189)
TAC = oral("tacrolimus", 190, None, "4")
RITUXIMAB = ("rituximab", 210, 210, "1000", "mg", "")


def person(
    treatments=(MMF, TAC),
    upcr=("3", "3", "3"),
    adherence=("0.95", "0.95"),
    creatinine=("0.8", "0.8", "0.8"),
    last=760,
    **more,
):
    """Two courses, the second from day 190, with values on days -3, 185 and 340."""
    periods = ((0, 189), (190, 340))
    return Patient(
        birth=-9000,
        sex="female",
        treatments=list(treatments),
        measurements=[
            (on, analyte, value, unit)
            for analyte, series, unit in (
                ("upcr", upcr, "g/g"),
                ("creatinine", creatinine, "mg/dL"),
            )
            for on, value in zip((-3, 185, 340), series, strict=True)
            if value
        ],
        adherence=[
            (*period, "pdc", share, "")
            for period, share in zip(periods, adherence, strict=True)
            if share
        ],
        events=[(last, "last_contact")],
        **more,
    )


def labelled(*people, as_of=None, definition="arora-2022"):
    chosen = load_definition(definition) if isinstance(definition, str) else definition
    return label(generated.registry(people), chosen, as_of)


def test_two_regimens_that_count_are_refractory_from_the_second_assessment():
    (row,) = labelled(person()).labels.itertuples()
    assert row.verdict == "refractory"
    assert row.met_on.date() == day(340)
    assert row.index_date.date() == DAY_0
    assert (row.n_courses, row.n_failed, row.n_counting) == (2, 2, 2)
    assert (row.definition, row.definition_version) == ("arora-2022", "1.0.0")
    assert pd.isna(row.as_of)


ADHERENCE = {"yes": "0.95", "no": "0.5", "unknown": ""}
RESPONSE = {"yes": "3", "no": "1", "unknown": ""}
DOSE = {"yes": "3000", "no": "1000", "unknown": ""}


def test_a_course_counts_when_failed_adequate_and_adherent_after_kleene():
    cases = list(product(("yes", "no", "unknown"), repeat=3))
    people = [
        person(
            [(*MMF[:3], DOSE[adequate], "mg/d" if DOSE[adequate] else "", "")],
            ("3", RESPONSE[failed], ""),
            (ADHERENCE[adherent], ""),
        )
        for failed, adequate, adherent in cases
    ]
    found = labelled(*people).courses
    assert (
        list(found[["failed", "adequate", "adherent"]].itertuples(index=False, name=None)) == cases
    )
    assert found["counts"].tolist() == [
        "no" if "no" in case else "unknown" if "unknown" in case else "yes" for case in cases
    ]


def expected_verdict(one, two):
    counts = [
        "no" if "no" in course else "unknown" if "unknown" in course else "yes"
        for course in (one, two)
    ]
    if counts == ["yes", "yes"]:
        return "refractory"
    if "no" not in counts:
        return "indeterminate"
    return "pseudo_refractory" if one[0] == two[0] == "yes" else "not_refractory"


def test_the_verdict_follows_from_two_courses_in_every_combination():
    answers = ("yes", "no", "unknown")
    cases = list(product(product(("yes", "no"), answers), repeat=2))
    people = [
        person(
            upcr=("6", "6" if one[0] == "yes" else "4", "6" if two[0] == "yes" else "2"),
            adherence=(ADHERENCE[one[1]], ADHERENCE[two[1]]),
        )
        for one, two in cases
    ]
    found = labelled(*people).labels["verdict"].tolist()
    assert found == [expected_verdict(one, two) for one, two in cases]
    assert set(found) == {"refractory", "indeterminate", "pseudo_refractory", "not_refractory"}


def courses_of(*rows):
    patient, regimen, number = (np.array(column) for column in zip(*rows, strict=True))
    return Courses(patient, number, regimen, number * 100, number * 100 + 100)


def test_the_earliest_course_that_counts_stands_for_a_regimen_else_the_earliest_unknown():
    courses = courses_of(*((0, 1, number) for number in range(1, 4)))
    failed = np.array([NO, YES, UNKNOWN])
    for counts in product((NO, UNKNOWN, YES), repeat=3):
        found = different_regimens(courses, np.array(counts), failed)
        assert found.course.tolist() == [counts.index(max(counts))]
        assert found.counts.tolist() == [max(counts)]
        assert found.failed.tolist() == [YES]


def test_regimens_are_told_apart_by_patient_and_set_and_stay_in_order_of_their_courses():
    courses = courses_of((0, 3, 1), (0, 1, 2), (0, 3, 3), (1, 1, 1), (1, 3, 2))
    counts = np.array([NO, YES, YES, UNKNOWN, NO])
    found = different_regimens(courses, counts, counts)
    assert found.course.tolist() == [1, 2, 3, 4]
    assert found.patient.tolist() == [0, 0, 1, 1]
    assert found.counts.tolist() == [YES, YES, UNKNOWN, NO]


def test_no_courses_are_no_regimens():
    nothing = np.zeros(0, int)
    courses = Courses(nothing, nothing, nothing, nothing, nothing)
    assert len(different_regimens(courses, nothing, nothing).course) == 0


AGAIN = [MMF, oral("tacrolimus", 190, 380, "4"), oral("mycophenolate_mofetil", 400)]


def three(upcr, adherence):
    """Mycophenolate, tacrolimus and mycophenolate again from day 400."""
    base = person(AGAIN, upcr[:3], adherence[:2])
    more = [(395, "upcr", upcr[3], "g/g"), (550, "upcr", upcr[4], "g/g")]
    more += [(395, "creatinine", "0.8", "mg/dL"), (550, "creatinine", "0.8", "mg/dL")]
    last = [(400, 550, "pdc", adherence[2], "")] if adherence[2] else []
    return replace(base, measurements=base.measurements + more, adherence=base.adherence + last)


def test_two_failures_of_the_same_regimen_are_one():
    (row,) = labelled(three(tuple("33133"), ("0.95", "0.95", "0.95"))).labels.itertuples()
    assert (row.verdict, row.n_counting) == ("not_refractory", 2)


def test_the_second_regimen_in_time_is_the_one_it_was_met_on():
    (row,) = labelled(three(tuple("33333"), ("0.5", "0.95", "0.95"))).labels.itertuples()
    assert (row.verdict, row.met_on.date()) == ("refractory", day(550))
    (row,) = labelled(three(tuple("33333"), ("0.95", "0.95", "0.95"))).labels.itertuples()
    assert (row.verdict, row.met_on.date()) == ("refractory", day(340))


def test_a_third_regimen_does_not_move_the_day_it_was_met_on():
    rows = [*AGAIN[:2], ("cyclophosphamide", 400, 500, "100", "mg/d", "")]
    patient = replace(three(tuple("33333"), ("0.95",) * 3), treatments=rows)
    (row,) = labelled(patient).labels.itertuples()
    assert (row.n_counting, row.verdict, row.met_on.date()) == (3, "refractory", day(340))


def test_more_regimens_may_be_asked_for():
    content = load_definition().model_dump(exclude_none=True)
    content["verdict"]["different_regimens"] = 3
    stricter = type(load_definition()).model_validate(content)
    assert labelled(person(), definition=stricter).labels["verdict"].tolist() == ["not_refractory"]
    content["verdict"]["different_regimens"] = 1
    once = type(load_definition()).model_validate(content)
    found = labelled(person(), definition=once).labels
    assert found["verdict"].tolist() == ["refractory"]
    assert found["met_on"].dt.date.tolist() == [day(185)]


SAID = [
    (person(), "refractory", "", ""),
    (person(adherence=("", "0.95")), "indeterminate", "adherence_unknown", ""),
    (
        person([(*MMF[:3], "", "", ""), TAC]),
        "indeterminate",
        "adequacy_unknown",
        "",
    ),
    (person(upcr=("3", "3", "")), "indeterminate", "not_measured", ""),
    (
        person([MMF, TAC], ("3", "3", ""), ("", ""), ("0.8", "0.8", ""), last=290),
        "indeterminate",
        "follow_up_ended;adherence_unknown",
        "",
    ),
    (person(adherence=("0.5", "0.95")), "pseudo_refractory", "nonadherent", "nonadherence"),
    (
        person([(*MMF[:3], "1000", "mg/d", ""), TAC]),
        "pseudo_refractory",
        "undertreated",
        "undertreatment",
    ),
    (
        person([(*MMF[:3], "1000", "mg/d", ""), TAC], adherence=("0.95", "0.5")),
        "pseudo_refractory",
        "undertreated;nonadherent",
        "nonadherence;undertreatment",
    ),
    (person([]), "not_refractory", "no_induction", ""),
    (person(upcr=("4", "1", "0.4")), "not_refractory", "", ""),
    (
        person([*AGAIN[:1], RITUXIMAB], upcr=("4", "1", "1")),
        "not_refractory",
        "",
        "rescue_given",
    ),
    (
        person(upcr=("4", "1", "0.4"), adherence=("0.5", "0.95")),
        "not_refractory",
        "",
        "nonadherence",
    ),
]


def test_reasons_say_what_the_verdict_rests_on_and_consider_whatever_else_is_there():
    people, *expected = zip(*SAID, strict=True)
    found = labelled(*people).labels[["verdict", "reasons", "consider"]]
    assert list(found.itertuples(index=False, name=None)) == list(zip(*expected, strict=True))


def test_a_course_that_was_too_short_is_no_failure():
    rows = [oral("mycophenolate_mofetil", 0, 110), oral("tacrolimus", 111, None, "4")]
    found = labelled(person(rows, ("3", "3", "3")))
    assert found.courses["failed"].tolist()[0] == "no"
    assert found.courses["reasons"].tolist()[0] == "too_short"
    assert "too_short" in found.labels["reasons"].tolist()[0]


def test_reasons_of_a_course_come_in_the_order_of_their_names():
    found = labelled(
        person([(*MMF[:3], "1000", "mg/d", "")], ("3", "", ""), ("0.5", "")),
        person([MMF], ("3", "", "3"), ("", "")),
    ).courses["reasons"]
    assert found.tolist() == [
        "not_measured;undertreated;nonadherent",
        "not_measured;adherence_unknown",
    ]
    for reasons in found:
        positions = [COURSE_REASONS.index(name) for name in reasons.split(";")]
        assert positions == sorted(positions)


def test_adherence_that_is_assumed_is_said_everywhere():
    assumed = load_definition().with_adherence_unknown("assume_adherent")
    found = labelled(person(adherence=("", "")), person(), definition=assumed)
    assert found.labels["verdict"].tolist() == ["refractory", "refractory"]
    assert found.labels["reasons"].tolist() == ["assume_adherent", "assume_adherent"]
    assert found.courses["adherent"].tolist() == ["yes"] * 4
    assert found.courses["reasons"].tolist() == ["assume_adherent", "assume_adherent", "", ""]


BIOPSIES = [
    ([], ""),
    ([(-10, "4", "")], "chronic_damage"),
    ([(-10, "3", "1")], ""),
    ([(-10, "3", "2")], "chronic_damage"),
    ([(-10, "", "2")], "chronic_damage"),
    ([(-10, "8", "2"), (300, "3", "1")], ""),
    ([(-10, "3", "1"), (300, "4", "1")], "chronic_damage"),
    ([(-10, "8", "2"), (300, "", "")], "chronic_damage"),
]


def test_chronic_damage_is_that_of_the_latest_biopsy_that_was_scored():
    people = (person([], biopsies=biopsies) for biopsies, _ in BIOPSIES)
    assert labelled(*people).labels["consider"].tolist() == [damage for _, damage in BIOPSIES]


def test_two_risk_alleles_are_considered_and_unknown_ones_are_not():
    registry = generated.registry([person()] * 4)
    patients = registry.patients.assign(apol1_risk_alleles=[np.nan, 0.0, 1.0, 2.0])
    found = label(registry.with_tables(patients=patients), load_definition()).labels
    assert found["consider"].tolist() == ["", "", "", "genetic"]


def test_what_is_dated_later_does_not_exist():
    patient = person([MMF, TAC, RITUXIMAB], adherence=("0.95", ""))
    patient = replace(patient, adherence=[(0, 185, "pdc", "0.95", "")])
    expected = {
        -1: ("not_refractory", 0, ""),
        185: ("not_refractory", 1, ""),
        190: ("indeterminate", 2, ""),
        209: ("indeterminate", 2, ""),
        210: ("not_refractory", 2, "rescue_given"),
    }
    found = labelled(*[patient] * 5, as_of=numbers(*expected)).labels
    rows = found[["verdict", "n_courses", "consider"]].itertuples(index=False, name=None)
    assert dict(zip(expected, rows, strict=True)) == expected
    assert found["as_of"].dt.date.tolist() == [day(number) for number in expected]


def test_one_day_for_all_is_that_day_for_each():
    together = labelled(person(), person(), as_of=day(200)).labels
    pd.testing.assert_frame_equal(
        together, labelled(person(), person(), as_of=numbers(200, 200)).labels
    )


def test_each_patient_may_be_asked_on_a_day_of_their_own():
    found = labelled(person(), person(), as_of=numbers(200, 340)).labels
    assert found["verdict"].tolist() == ["indeterminate", "refractory"]
    assert found["as_of"].dt.date.tolist() == [day(200), day(340)]
