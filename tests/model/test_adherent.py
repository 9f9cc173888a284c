"""Adherence: how each kind of evidence votes, which rank decides, and who outvotes whom."""

from itertools import product

import generated
import numpy as np
import pytest
from generated import DAY_0, Patient
from lnrisk.features.days import day_of
from lnrisk.features.treatment import treatments_of
from lnrisk.model.adherent import AdherenceEvidence, adherence_votes, adherent
from lnrisk.model.definition import load_definition
from lnrisk.model.kleene import words
from lnrisk.model.regimen import CLASS_BITS

MMF = ("mycophenolate_mofetil", 0, None, "3000", "mg/d", "")
LAST = 149


def course(*evidence, treatments=(MMF,), regimen="MPA"):
    """One patient with one course from day 0 to day 149.

    Evidence is (measure, value, first day, last day, drug), or (analyte, ng/mL, day) for a level.
    """
    levels = [e for e in evidence if e[0].startswith("hcq_")]
    rows = [(*e, *(0, LAST, "")[len(e) - 2 :]) for e in evidence if e not in levels]
    person = Patient(
        birth=-9000,
        sex="female",
        treatments=list(treatments),
        adherence=[(first, last, name, value, drug) for name, value, first, last, drug in rows],
        measurements=[(day, name, str(value), "ng/mL") for name, value, day in levels],
    )
    return person, sum(CLASS_BITS[name] for name in regimen.split("+"))


def asked(*courses):
    people, regimens = zip(*courses, strict=True)
    registry = generated.registry(people)
    start = np.full(len(people), day_of(DAY_0))
    votes = adherence_votes(
        AdherenceEvidence.of(registry),
        treatments_of(registry),
        load_definition(),
        np.arange(len(people)),
        np.array(regimens),
        start,
        start + LAST,
    )
    return words(adherent(votes)).tolist()


def compare(expected):
    """Compare the answers for courses, each by its pieces of evidence, with what is expected."""
    found = asked(*(course(*evidence) for evidence, _ in expected))
    assert found == [answer for _, answer in expected]


def infusion(day, drug="cyclophosphamide"):
    return drug, day, day, "500", "mg", ""


def test_without_evidence_it_is_unknown():
    assert asked(course()) == ["unknown"]


@pytest.mark.parametrize("measure", ["pdc", "mpr", "self_report"])
def test_a_share_of_80_percent_is_yes_and_below_is_no(measure):
    shares = {"0.8": "yes", "0.79": "no", "1": "yes", "0": "no"}
    compare([([(measure, share)], answer) for share, answer in shares.items()])


def test_refills_are_weighted_by_the_days_that_overlap():
    compare(
        [
            ([("pdc", "0.75", 0, 119), ("pdc", "1", 120, 400)], "yes"),
            ([("pdc", "0.75", 0, 120), ("pdc", "1", 121, 400)], "no"),
            ([("mpr", "0.9", -400, 29), ("pdc", "0.7", 30, 149)], "no"),
        ]
    )


def test_a_self_report_is_a_plain_mean():
    compare(
        [
            ([("self_report", "0.7", 0, 9), ("self_report", "0.9", 10, 149)], "yes"),
            ([("self_report", "0.6", 0, 9), ("self_report", "0.9", 10, 149)], "no"),
        ]
    )


@pytest.mark.parametrize("row", [("pdc", "0.1"), ("self_report", "0.1"), ("clinician", "0")])
def test_only_what_overlaps_the_span_is_evidence(row):
    compare(
        [
            ([(*row, -50, -1)], "unknown"),
            ([(*row, -50, 0)], "no"),
            ([(*row, 149, 200)], "no"),
            ([(*row, 150, 200)], "unknown"),
        ]
    )


def test_refills_speak_for_anchors_of_the_regimen_or_when_no_drug_is_named():
    expected = {
        ("mycophenolate_mofetil", "MPA"): "no",
        ("mycophenolic_acid", "MPA"): "no",
        ("tacrolimus", "CNI+MPA"): "no",
        ("tacrolimus", "MPA"): "unknown",
        ("hydroxychloroquine", "MPA"): "unknown",
        ("", "MPA"): "no",
    }
    for measure in ("pdc", "mpr"):
        cases = (
            course((measure, "0.2", 0, LAST, drug), regimen=regimen) for drug, regimen in expected
        )
        assert asked(*cases) == list(expected.values())


def test_a_level_votes_at_its_two_limits_and_not_between():
    compare(
        [
            ([("hcq_blood", 199, 40)], "no"),
            ([("hcq_blood", 200, 40)], "unknown"),
            ([("hcq_blood", 499, 40)], "unknown"),
            ([("hcq_blood", 500, 40)], "yes"),
            ([("hcq_serum", 105, 40)], "no"),
            ([("hcq_serum", 106, 40)], "unknown"),
            ([("hcq_serum", 229, 40)], "unknown"),
            ([("hcq_serum", 230, 40)], "yes"),
        ]
    )


def test_a_level_is_the_median_within_the_span():
    compare(
        [
            ([("hcq_blood", value, value) for value in (10, 50, 90)], "no"),
            ([("hcq_blood", 100, 10), ("hcq_blood", 500, 20), ("hcq_blood", 900, 30)], "yes"),
            ([("hcq_blood", 100, -1), ("hcq_blood", 100, 150)], "unknown"),
            ([("hcq_blood", 100, 0)], "no"),
            ([("hcq_blood", 100, 149)], "no"),
        ]
    )


def test_two_missed_infusions_in_all_are_a_no():
    compare(
        [
            ([("missed_infusions", "0")], "yes"),
            ([("missed_infusions", "1")], "yes"),
            ([("missed_infusions", "2")], "no"),
            ([("missed_infusions", "1", 0, 9), ("missed_infusions", "1", 10, 19)], "no"),
        ]
    )


def test_a_single_0_of_the_clinician_is_a_no():
    compare(
        [
            ([("clinician", "1")], "yes"),
            ([("clinician", "0")], "no"),
            ([("clinician", v, 9 * i, 9 * i + 8) for i, v in enumerate("1011")], "no"),
        ]
    )


def test_infusions_vote_yes_where_every_anchor_is_infused_and_recorded():
    bel, obi = infusion(3, "belimumab"), infusion(5, "obinutuzumab")
    oral = ("cyclophosphamide", 30, 60, "100", "mg/d", "")
    expected = [
        ([infusion(0)], "CYC", "yes"),
        ([bel, obi, infusion(0)], "BEL+CYC+OBI", "yes"),
        ([bel], "BEL+OBI", "unknown"),
        ([MMF, bel], "BEL+MPA", "unknown"),
        ([oral], "CYC", "unknown"),
        ([infusion(0), oral], "CYC", "unknown"),
        ([infusion(0), MMF], "CYC", "yes"),
        ([infusion(150)], "CYC", "unknown"),
        ([("belimumab", 0, None, "", "", "")], "BEL", "unknown"),
    ]
    cases = (course(treatments=rows, regimen=regimen) for rows, regimen, _ in expected)
    assert asked(*cases) == [answer for *_, answer in expected]


def test_an_infused_regimen_does_not_outvote_a_missed_infusion():
    missed = course(("missed_infusions", "2"), treatments=[infusion(0)], regimen="CYC")
    assert asked(missed) == ["no"]


def test_objective_evidence_decides_where_it_votes():
    reports = [("missed_visits", "5"), ("self_report", "0.1"), ("clinician", "0")]
    compare([([("pdc", "0.9"), report], "yes") for report in reports])
    compare([([("pdc", "0.2"), ("self_report", "1"), ("clinician", "1")], "no")])


def test_reported_evidence_decides_where_objective_evidence_does_not_vote():
    between = ("hcq_blood", 350, 40)
    compare([([between, ("self_report", "0.9")], "yes"), ([between, ("clinician", "0")], "no")])


def test_missed_visits_are_no_evidence():
    compare([([("missed_visits", "5")], "unknown"), ([("missed_visits", "0")], "unknown")])


VOTES = {
    "pdc": {"yes": ("pdc", "0.9"), "no": ("pdc", "0.2")},
    "missed": {"yes": ("missed_infusions", "0"), "no": ("missed_infusions", "3")},
    "blood": {"yes": ("hcq_blood", 800, 40), "no": ("hcq_blood", 99, 40)},
    "serum": {"yes": ("hcq_serum", 300, 40), "no": ("hcq_serum", 99, 40)},
}


def test_within_a_rank_one_no_outvotes_every_yes():
    expected = []
    for votes in product(("yes", "no", ""), repeat=len(VOTES)):
        evidence = [kind[vote] for kind, vote in zip(VOTES.values(), votes, strict=True) if vote]
        answer = "no" if "no" in votes else "yes" if "yes" in votes else "unknown"
        expected.append((evidence, answer))
    compare(expected)


def test_the_same_holds_among_reports():
    compare(
        [
            (
                [("self_report", said), ("clinician", judged)],
                "no" if "0" in said + judged else "yes",
            )
            for said, judged in product("01", repeat=2)
        ]
    )
