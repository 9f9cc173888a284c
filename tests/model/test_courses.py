"""Courses: when one opens, what its regimen is, and what is only maintenance."""

import generated
import numpy as np
from generated import DAY_0, Patient
from lnrisk.features.days import NEVER, day_of
from lnrisk.features.treatment import treatments_of
from lnrisk.features.vocabulary import drugs_with_role
from lnrisk.model.courses import FollowUp, find_courses
from lnrisk.model.definition import load_definition
from lnrisk.model.regimen import regimen_names

FIRST = day_of(DAY_0)


def person(treatments, measurements=(), events=()):
    return Patient(
        birth=-9000,
        sex="female",
        treatments=list(treatments),
        measurements=list(measurements),
        events=list(events),
    )


def courses(*people, as_of=NEVER):
    """Return for each patient a list of (start, regimen, next start or None)."""
    registry = generated.registry(people)
    treatments = treatments_of(registry)
    days = np.full(len(registry), as_of)
    follow_up = FollowUp.of(registry, days, treatments)
    found = find_courses(registry, load_definition(), treatments, follow_up)
    names = regimen_names(found.regimen)
    result = [[] for _ in people]
    for i in range(len(found)):
        following = int(found.next_start[i])
        assert found.number[i] == len(result[found.patient[i]]) + 1
        result[found.patient[i]].append(
            (
                int(found.start[i]) - FIRST,
                str(names[i]),
                None if following == NEVER else following - FIRST,
            )
        )
    return result


def compare(expected):
    """Compare the courses of patients, each by the rows of treatment, with what is expected."""
    found = courses(*(person(rows) for rows, _ in expected))
    assert found == [wanted for _, wanted in expected]


def oral(drug, first=0, last=None, dose="2000", reason=""):
    return drug, first, last, dose, "mg/d", reason


def mmf(first=0, last=None):
    return oral("mycophenolate_mofetil", first, last)


def tac(first=0, last=None):
    return oral("tacrolimus", first, last, "4")


def infusion(drug, day, dose="500", reason=""):
    return drug, day, day, dose, "mg", reason


def euro_lupus(first=0, reason=""):
    return [
        infusion("cyclophosphamide", first + 14 * i, reason=reason if i == 5 else "")
        for i in range(6)
    ]


def upcr(*values):
    return [(day, "upcr", value, "g/g") for day, value in values]


def test_nobody_has_a_course_without_an_anchor():
    others = sorted(
        drugs_with_role("rescue") | drugs_with_role("maintenance") | drugs_with_role("background")
    )
    assert {"rituximab", "azathioprine", "prednisone"} <= set(others)
    assert courses(*(person([(drug, 0, 90, "", "", "")]) for drug in others)) == [[]] * len(others)


def test_what_starts_within_28_days_is_one_regimen():
    compare(
        [
            ([mmf(0), tac(28)], [(0, "CNI+MPA", None)]),
            ([mmf(0), tac(29)], [(0, "MPA", 29), (29, "CNI+MPA", None)]),
            ([tac(0), infusion("belimumab", 28), mmf(28)], [(0, "BEL+CNI+MPA", None)]),
            ([mmf(0, 5), tac(10)], [(0, "CNI+MPA", None)]),
            ([infusion("obinutuzumab", 0), mmf(3)], [(0, "MPA+OBI", None)]),
        ]
    )


def test_a_later_course_keeps_what_is_still_taken_on_its_day_28():
    compare(
        [
            ([mmf(0, 228), tac(200)], [(0, "MPA", 200), (200, "CNI+MPA", None)]),
            ([mmf(0, 227), tac(200)], [(0, "MPA", 200), (200, "CNI", None)]),
            ([mmf(0, 205), mmf(206, 228), tac(200)], [(0, "MPA", 200), (200, "CNI+MPA", None)]),
            ([mmf(0, 205), mmf(206, 220), tac(200)], [(0, "MPA", 200), (200, "CNI", None)]),
            ([mmf(0, 205), mmf(207, 220), tac(200)], [(0, "MPA", 200), (200, "CNI+MPA", None)]),
        ]
    )


def test_an_infusion_covers_its_own_day_only():
    def switched(day):
        return [infusion("belimumab", 0), infusion("belimumab", day), tac(200)]

    compare(
        [
            (switched(199), [(0, "BEL", 200), (200, "CNI", None)]),
            (switched(200), [(0, "BEL", 200), (200, "BEL+CNI", None)]),
            (switched(228), [(0, "BEL", 200), (200, "BEL+CNI", None)]),
            (switched(229), [(0, "BEL", 200), (200, "CNI", 229), (229, "BEL+CNI", None)]),
        ]
    )


def test_a_new_dose_a_restart_or_a_sister_drug_opens_nothing():
    compare(
        [
            ([mmf(0, 60), oral("mycophenolate_mofetil", 61, dose="3000")], [(0, "MPA", None)]),
            ([mmf(0, 60), mmf(300)], [(0, "MPA", None)]),
            ([mmf(0, 60), oral("mycophenolic_acid", 90, dose="1440")], [(0, "MPA", None)]),
            ([tac(0, 100), oral("voclosporin", 101, dose="47.4")], [(0, "CNI", None)]),
        ]
    )


def test_a_class_may_come_back_after_another():
    compare(
        [
            (
                [mmf(0, 150), tac(200, 350), mmf(400)],
                [(0, "MPA", 200), (200, "CNI", 400), (400, "MPA", None)],
            ),
            (
                [mmf(0, 150), tac(200), mmf(400)],
                [(0, "MPA", 200), (200, "CNI", 400), (400, "CNI+MPA", None)],
            ),
        ]
    )


def test_a_rescue_neither_opens_a_course_nor_ends_one():
    compare([([mmf(0), infusion("rituximab", 50, "1000"), mmf(60)], [(0, "MPA", None)])])


def test_mycophenolate_soon_after_full_cyclophosphamide_is_maintenance():
    compare(
        [
            ([*euro_lupus(), mmf(84)], [(0, "CYC", None)]),
            ([*euro_lupus(), mmf(160)], [(0, "CYC", None)]),
            ([*euro_lupus(), mmf(161)], [(0, "CYC", 161), (161, "MPA", None)]),
            ([*euro_lupus(), mmf(84, 200), mmf(400)], [(0, "CYC", None)]),
            ([*euro_lupus(), oral("mycophenolic_acid", 84)], [(0, "CYC", None)]),
            ([oral("cyclophosphamide", 0, 69, "50"), mmf(84)], [(0, "CYC", None)]),
            ([*euro_lupus(), mmf(20)], [(0, "CYC+MPA", None)]),
        ]
    )


def test_cyclophosphamide_that_was_not_given_in_full_has_no_maintenance():
    four, done = euro_lupus()[:4], infusion("cyclophosphamide", 56, reason="completed")
    opened = [(0, "CYC", 84), (84, "MPA", None)]
    unknown = [*four, infusion("cyclophosphamide", 56, ""), infusion("cyclophosphamide", 70, "")]
    unknown = [row if row[3] else (*row[:4], "", "") for row in unknown]
    compare(
        [
            ([*four, mmf(84)], opened),
            ([*four, done, mmf(84)], [(0, "CYC", None)]),
            ([*unknown, mmf(84)], opened),
            ([*euro_lupus(reason="inefficacy"), mmf(84)], opened),
            ([*euro_lupus(reason="intolerance"), mmf(84)], [(0, "CYC", None)]),
        ]
    )


def test_only_mycophenolate_is_maintenance():
    compare([([*euro_lupus(), tac(84)], [(0, "CYC", 84), (84, "CNI", None)])])


def test_another_class_after_maintenance_keeps_the_maintenance_drug():
    compare([([*euro_lupus(), mmf(84), tac(300)], [(0, "CYC", 300), (300, "CNI+MPA", None)])])


def test_cyclophosphamide_before_the_course_is_not_its_own():
    rows = [*euro_lupus(), tac(100, 150), mmf(155)]
    compare([(rows, [(0, "CYC", 100), (100, "CNI", 155), (155, "MPA", None)])])


OPENED = [(0, "CYC", 140), (140, "MPA", None)]


KEPT = [(0, "CYC", None)]


def test_mycophenolate_after_a_failure_that_was_known_opens_a_course():
    expected = [
        ([], KEPT),
        ([(-3, "3"), (120, "3")], OPENED),
        ([(-3, "3"), (140, "3")], OPENED),
        ([(-3, "3"), (141, "3")], KEPT),
        ([(-3, "3"), (111, "3")], KEPT),
        ([(-3, "3"), (120, "1")], KEPT),
        ([(-3, "3"), (120, "3"), (130, "1")], KEPT),
        ([(120, "3")], KEPT),
    ]
    people = (person([*euro_lupus(), mmf(140)], upcr(*values)) for values, _ in expected)
    assert courses(*people) == [wanted for _, wanted in expected]


def test_maintenance_of_one_patient_is_not_that_of_another():
    failed = person([*euro_lupus(), mmf(140)], upcr((-3, "3"), (120, "3")))
    fine = person([*euro_lupus(), mmf(140)], upcr((-3, "3"), (120, "1")))
    assert courses(failed, fine, failed) == [OPENED, KEPT, OPENED]


def test_follow_up_ends_with_the_first_ending_and_the_last_contact():
    events = [(50, "last_contact"), (300, "last_contact"), (200, "death"), (150, "kidney_failure")]
    registry = generated.registry(
        [person([mmf(0)], events=events[:2]), person([mmf(0)], events=events[2:]), person([mmf(0)])]
    )
    follow_up = FollowUp.of(registry, np.full(3, NEVER), treatments_of(registry))
    assert (follow_up.end(np.arange(2)) - FIRST).tolist() == [300, 150]
    assert (follow_up.competing == NEVER).tolist() == [True, False, True]
    assert follow_up.end(np.array([2])).tolist() == [NEVER]


def test_the_first_rescue_is_the_first_after_a_day():
    rows = [mmf(0), *(infusion("rituximab", day, "1000") for day in (0, 14, 200))]
    registry = generated.registry([person(rows), person([mmf(0)])])
    follow_up = FollowUp.of(registry, np.full(2, NEVER), treatments_of(registry))
    patient, day = np.array([0, 0, 0, 0, 1]), FIRST + np.array([-1, 0, 14, 200, 0])
    found = follow_up.first_rescue_after(patient, day)
    assert (found[:3] - FIRST).tolist() == [0, 14, 200]
    assert found[3:].tolist() == [NEVER, NEVER]
