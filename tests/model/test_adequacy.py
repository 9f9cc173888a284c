"""Adequate doses: each class at its threshold, missing doses, and Kleene's or over the classes."""

from itertools import product

import generated
import numpy as np
from generated import DAY_0, Patient
from lnrisk.features.days import day_of
from lnrisk.features.history import history_of
from lnrisk.features.treatment import treatments_of
from lnrisk.model.adequacy import adequately_treated, dose_checks
from lnrisk.model.definition import load_definition
from lnrisk.model.kleene import words
from lnrisk.model.regimen import CLASS_BITS


def course(treatments, regimen, last=150, troughs=(), weight=None):
    """One patient with one course, judged from day 0 to `last`."""
    levels = [(day, "tacrolimus_trough", str(value), "ng/mL") for day, value in troughs]
    person = Patient(
        birth=-9000,
        sex="female",
        treatments=list(treatments),
        measurements=[*levels, *([(-5, "weight", weight, "kg")] if weight else [])],
    )
    return person, sum(CLASS_BITS[name] for name in regimen.split("+")), last


def adequate(*courses):
    people, regimens, last = zip(*courses, strict=True)
    registry = generated.registry(people)
    start = np.full(len(people), day_of(DAY_0))
    checks = dose_checks(
        treatments_of(registry),
        history_of(registry, "tacrolimus_trough"),
        load_definition(),
        np.arange(len(people)),
        np.array(regimens),
        start,
        start + np.array(last),
    )
    return words(adequately_treated(checks)).tolist()


def compare(expected, **how):
    """Compare the answers for courses, each by its rows of treatment, with what is expected."""
    found = adequate(*(course(rows, **how) for rows, _ in expected))
    assert found == [answer for _, answer in expected]


def mmf(dose, first=0, last=None, drug="mycophenolate_mofetil"):
    return drug, first, last, str(dose), "mg/d" if dose != "" else "", ""


def cyc(day, dose="500", unit="mg"):
    return "cyclophosphamide", day, day, dose, unit if dose else "", ""


def tac(first=0, last=None, drug="tacrolimus"):
    return drug, first, last, "", "", ""


BEL = ("belimumab", 0, 0, "600", "mg", "")
OBI = ("obinutuzumab", 0, 0, "1000", "mg", "")


def test_mpa_needs_a_mean_of_two_grams_from_day_28_on():
    compare(
        [
            ([mmf(2000)], "yes"),
            ([mmf(1999)], "no"),
            ([mmf(1440, drug="mycophenolic_acid")], "yes"),
            ([mmf(1439, drug="mycophenolic_acid")], "no"),
            ([mmf(1000), mmf(720, drug="mycophenolic_acid")], "yes"),
            ([mmf(1000, 0, 27), mmf(2000, 28)], "yes"),
            ([mmf(4000, 0, 27), mmf(1999, 28)], "no"),
            ([mmf(2050, 0, 147)], "yes"),
            ([mmf(2050, 0, 146)], "no"),
            ([mmf("", 0, 27), mmf(2000, 28)], "yes"),
            ([mmf(3000), mmf("", 150)], "unknown"),
            ([mmf(3000), mmf("", 151)], "yes"),
            ([], "no"),
        ],
        regimen="MPA",
    )


def test_mpa_is_unknown_in_a_span_that_ends_before_day_28():
    spans = (course([mmf(3000)], "MPA", last=last) for last in (0, 27, 28))
    assert adequate(*spans) == ["unknown", "unknown", "yes"]


def test_mpa_beside_a_cni_needs_one_gram():
    compare([([mmf(1000)], "yes"), ([mmf(999)], "no")], regimen="CNI+MPA")
    compare([([mmf(1000)], "no")], regimen="MPA")


def test_cyclophosphamide_needs_three_grams_in_all():
    five = [cyc(14 * i) for i in range(5)]
    compare(
        [
            ([*five, cyc(70)], "yes"),
            (five, "no"),
            ([*five, cyc(151)], "no"),
            ([*five, cyc(150)], "yes"),
            ([*five, cyc(90, "")], "unknown"),
            ([*five, cyc(70), cyc(90, "")], "yes"),
            ([cyc(0, "3", "g")], "yes"),
            ([cyc(0, "1000", "mg/m2"), cyc(30, "764.7", "mg/m2")], "no"),
            ([cyc(0, "1000", "mg/m2"), cyc(30, "764.8", "mg/m2")], "yes"),
            ([cyc(0, "50", "mg/kg")], "yes"),
            ([cyc(0, "49.9", "mg/kg")], "no"),
            ([("cyclophosphamide", 0, 59, "50", "mg/d", "")], "yes"),
            ([("cyclophosphamide", 0, 58, "50", "mg/d", "")], "no"),
            ([], "no"),
        ],
        regimen="CYC",
    )


def test_a_weight_that_is_known_counts():
    rows = [cyc(0, "60", "mg/kg")]
    found = adequate(*(course(rows, "CYC", weight=weight) for weight in ("50", "49", None)))
    assert found == ["yes", "no", "yes"]


def test_a_cni_is_taken_on_four_of_five_days_whatever_the_dose():
    compare(
        [
            ([tac(0, 119)], "yes"),
            ([tac(0, 118)], "no"),
            ([tac(0, 59), tac(40, 119, "voclosporin")], "yes"),
            ([tac(0, 59), tac(90, 149, "cyclosporine")], "yes"),
            ([tac(0, 59), tac(91, 149)], "no"),
            ([], "no"),
        ],
        regimen="CNI",
        last=149,
    )


def test_the_median_trough_counts_where_there_is_one_in_the_span():
    expected = [
        ([], "yes"),
        ([(30, 4)], "yes"),
        ([(30, 3.99)], "no"),
        ([(30, 3), (60, 5)], "yes"),
        ([(30, 3), (60, 3.9), (90, 9)], "no"),
        ([(-1, 2)], "yes"),
        ([(0, 2)], "no"),
        ([(150, 2)], "no"),
        ([(151, 2)], "yes"),
    ]
    found = adequate(*(course([tac()], "CNI", troughs=troughs) for troughs, _ in expected))
    assert found == [answer for _, answer in expected]


def test_belimumab_and_obinutuzumab_alone_are_never_adequate():
    regimens = ("BEL", "OBI", "BEL+OBI")
    assert adequate(*(course([BEL, OBI], regimen) for regimen in regimens)) == ["no"] * 3


def test_a_class_outside_the_regimen_does_not_count():
    regimens = ("BEL", "BEL+MPA", "CYC")
    found = adequate(*(course([mmf(3000), BEL], regimen) for regimen in regimens))
    assert found == ["no", "yes", "no"]


MPA = {"yes": [mmf(1000)], "no": [mmf(999)], "unknown": [mmf("")]}
CYC = {"yes": [cyc(0, "3000")], "no": [cyc(0, "2000")], "unknown": [cyc(0, "2000"), cyc(30, "")]}
CNI = {"yes": [tac()], "no": [tac(0, 20)]}


def test_any_class_of_the_regimen_suffices_after_kleene():
    cases = {}
    for answers in product(MPA, CYC, CNI):
        mpa, cyc_, cni = answers
        expected = "yes" if "yes" in answers else "unknown" if "unknown" in answers else "no"
        cases[answers] = ([*MPA[mpa], *CYC[cyc_], *CNI[cni]], expected)
    compare(list(cases.values()), regimen="CNI+CYC+MPA")
