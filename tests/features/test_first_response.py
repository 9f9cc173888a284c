"""What the first regimen has shown by the landmark, by hand and against the definition itself."""

import generated
import numpy as np
import pytest
from lnrisk.features.asof import known_on
from lnrisk.features.days import day_of
from lnrisk.features.feature import landmark_view
from lnrisk.features.first_response import first_response
from lnrisk.features.pipeline import index_days
from lnrisk.features.registry import read_registry
from lnrisk.model.definition import load_definition
from lnrisk.model.judgement import judge
from lnrisk.model.kleene import NO, YES
from lnrisk.training.simulate import simulate, write

DAY_0 = day_of(generated.DAY_0)
FAILED, RESPONDED, NOTHING = (1, 0), (0, 1), (0, 0)


def mmf(start=0, end=None):
    return "mycophenolate_mofetil", start, end, "2000", "mg/d", ""


def cyc(*days):
    return [("cyclophosphamide", day, day, "500", "mg", "") for day in days]


def upcr(day, value):
    return day, "upcr", str(value), "g/g"


def egfr(day, share):
    """Return creatinine for which eGFR is about a share of that at 1 mg/dL."""
    return day, "creatinine", str(round(share ** (-1 / 1.2), 4)), "mg/dL"


BEFORE = [upcr(-3, 4.0), egfr(-3, 1)]
CASES = {
    "unmoved": (182, [mmf()], [*BEFORE, upcr(120, 3.5), egfr(120, 1)], FAILED),
    "unmoved, eGFR unknown": (182, [mmf()], [upcr(-3, 4.0), upcr(120, 3.5)], FAILED),
    "a quarter less": (182, [mmf()], [*BEFORE, upcr(120, 3.0), egfr(120, 1)], RESPONDED),
    "a quarter less, eGFR unknown": (182, [mmf()], [upcr(-3, 4.0), upcr(120, 3.0)], NOTHING),
    "at target": (182, [mmf()], [egfr(-3, 1), upcr(120, 0.5), egfr(120, 1)], RESPONDED),
    "above target, no baseline": (182, [mmf()], [egfr(-3, 1), upcr(120, 2), egfr(120, 1)], NOTHING),
    "eGFR a third less": (182, [mmf()], [*BEFORE, upcr(120, 1.0), egfr(120, 0.66)], FAILED),
    "on day 111": (182, [mmf()], [*BEFORE, upcr(111, 3.5), egfr(111, 1)], NOTHING),
    "on day 112": (182, [mmf()], [*BEFORE, upcr(112, 3.5), egfr(112, 1)], FAILED),
    "after the landmark": (119, [mmf()], [*BEFORE, upcr(120, 3.5), egfr(120, 1)], NOTHING),
    "on day 197": (300, [mmf()], [*BEFORE, upcr(197, 3.5), egfr(197, 1)], NOTHING),
    "the latest counts": (
        182,
        [mmf()],
        [*BEFORE, upcr(120, 3.5), egfr(120, 1), upcr(150, 1.0), egfr(150, 1)],
        RESPONDED,
    ),
    "another drug before": (
        182,
        [mmf(0, 99), *cyc(100, 114)],
        [*BEFORE, upcr(120, 3.5), egfr(120, 1)],
        NOTHING,
    ),
    "another drug after": (
        182,
        [mmf(0, 129), *cyc(130, 144)],
        [*BEFORE, upcr(120, 3.5), egfr(120, 1), upcr(150, 1.0), egfr(150, 1)],
        FAILED,
    ),
    "cyclophosphamide not in full": (
        182,
        [*cyc(0, 14, 28), mmf(60)],
        [*BEFORE, upcr(120, 3.5), egfr(120, 1)],
        NOTHING,
    ),
    "maintenance is no other": (
        182,
        [*cyc(0, 14, 28, 42, 56, 70), mmf(84)],
        [*BEFORE, upcr(120, 3.5), egfr(120, 1)],
        FAILED,
    ),
}


def shown(registry, index, landmark):
    found = first_response(landmark_view(registry, index, landmark))
    by_name = {feature.name: values for feature, values in found.items()}
    return np.column_stack([by_name["failure_shown"], by_name["response_shown"]])


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown_by_the_landmark(name):
    landmark, treatments, measurements, expected = CASES[name]
    person = generated.Patient(-9000, "female", treatments=treatments, measurements=measurements)
    registry = generated.registry([person])
    assert tuple(shown(registry, np.array([DAY_0]), landmark)[0]) == expected


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "registry"
    write(simulate(600, 5), folder, "parquet")
    return read_registry(folder)


@pytest.mark.parametrize("landmark", [140, 182])
def test_it_is_the_answer_of_the_definition_to_first_courses(registry, landmark):
    index = index_days(registry)
    as_of = index + landmark
    judgement = judge(known_on(registry, as_of), load_definition(), as_of)
    first = judgement.courses.number == 1
    patient = judgement.courses.patient[first]
    judged = ~judgement.reasons["too_short"][first]
    found = shown(registry, index, landmark)[patient[judged]]
    answers = judgement.failed[first][judged]
    assert (answers == YES).sum() > 30
    for column, answer in enumerate((YES, NO)):
        assert np.mean(found[:, column] == (answers == answer)) > 0.97
