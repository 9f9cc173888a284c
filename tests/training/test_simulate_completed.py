"""What is recorded stands; only what is unknown is taken from the full record."""

from dataclasses import replace
from functools import cache

import generated
import numpy as np
from generated import Patient
from lnrisk.features.asof import known_on
from lnrisk.features.pipeline import index_days
from lnrisk.model.definition import load_definition
from lnrisk.model.judgement import judge
from lnrisk.model.kleene import NO, UNKNOWN, YES, all_of
from lnrisk.model.outcome import met_by_horizon
from lnrisk.training.simulate import draw_registry, load_parameters
from lnrisk.training.simulator.as_registry import registry_of
from lnrisk.training.simulator.completed import completed
from lnrisk.training.simulator.replay import recorded_in_full

HORIZON = 548
QUESTIONS = ("failed", "adequate", "adherent")
PARTLY = Patient(
    birth=-9000,
    sex="female",
    treatments=[
        ("mycophenolate_mofetil", 0, 189, "", "mg/d", ""),
        ("tacrolimus", 190, None, "4", "mg/d", ""),
    ],
    measurements=[
        (day, analyte, value, unit)
        for day in (-3, 185, 340)
        for analyte, value, unit in (("upcr", "3", "g/g"), ("creatinine", "0.8", "mg/dL"))
    ],
    adherence=[(0, 189, "self_report", "0.95", ""), (190, 340, "pdc", "0.95", "")],
    events=[(760, "last_contact")],
)
IN_FULL = replace(
    PARTLY,
    treatments=[("mycophenolate_mofetil", 0, 189, "3000", "mg/d", ""), PARTLY.treatments[1]],
    measurements=[*PARTLY.measurements, (188, "upcr", "0.4", "g/g")],
    adherence=[*PARTLY.adherence, (0, 188, "pdc", "0.4", "")],
)


def judged(registry):
    """The judgement at the horizon, and what the rule says by it."""
    horizon = index_days(registry) + HORIZON
    judgement = judge(known_on(registry, horizon), load_definition(), horizon)
    return judgement, lambda given: met_by_horizon(given, len(registry), 2, horizon)


def first(judgement):
    return [getattr(judgement, name)[0] for name in QUESTIONS]


@cache
def simulated():
    """The same 900 patients as recorded, in full and completed, and what the rule says."""
    settings = load_parameters()
    recorded, met = judged(registry_of(draw_registry(900, 8, settings)))
    full, _ = judged(registry_of(draw_registry(900, 8, recorded_in_full(settings))))
    return recorded, full, completed(recorded, full), met


def test_where_only_the_dose_is_unknown_response_and_adherence_stay_as_recorded():
    recorded, met = judged(generated.registry([PARTLY]))
    full, _ = judged(generated.registry([IN_FULL]))
    assert first(recorded) == [YES, UNKNOWN, YES]
    assert first(full) == [NO, YES, NO]
    both = completed(recorded, full)
    assert first(both) == [YES, YES, YES]
    assert met(recorded).tolist() == [UNKNOWN]
    assert met(full).tolist() == [NO]
    assert met(both).tolist() == [YES]


def test_a_course_that_the_full_record_does_not_have_keeps_its_unknown():
    later = [("mycophenolate_mofetil", 5, 189, "3000", "mg/d", ""), *IN_FULL.treatments[1:]]
    other = [("voclosporin", 0, 189, "47.4", "mg/d", ""), *IN_FULL.treatments[1:]]
    recorded, met = judged(generated.registry([PARTLY]))
    for treatments in (later, other):
        full, _ = judged(generated.registry([replace(IN_FULL, treatments=treatments)]))
        both = completed(recorded, full)
        assert first(both) == first(recorded)
        assert met(both).tolist() == [UNKNOWN]


def test_every_recorded_answer_stands_and_some_unknown_ones_are_filled():
    recorded, full, both, _ = simulated()
    for name in QUESTIONS:
        before, after = getattr(recorded, name), getattr(both, name)
        known = before != UNKNOWN
        np.testing.assert_array_equal(after[known], before[known])
        assert (after[~known] != UNKNOWN).any()
        assert set(after[~known]) <= set(getattr(full, name))
    np.testing.assert_array_equal(both.counts, all_of(both.failed, both.adequate, both.adherent))


def test_recorded_answers_are_overruled_in_the_full_record():
    """Otherwise taking the full record as it is would have been the same."""
    recorded, full, both, met = simulated()
    assert (met(full) != met(both)).any()
    assert len(full.courses) != len(recorded.courses)


def test_what_the_rule_can_tell_as_recorded_it_tells_when_completed():
    recorded, _, both, met = simulated()
    told = met(recorded) != UNKNOWN
    np.testing.assert_array_equal(met(both)[told], met(recorded)[told])
    assert (met(recorded)[told] == YES).any()
    assert {NO, YES} <= set(met(both)[~told])


def test_a_record_completed_from_itself_is_the_same():
    recorded, *_ = simulated()
    again = completed(recorded, recorded)
    for name in (*QUESTIONS, "counts"):
        np.testing.assert_array_equal(getattr(again, name), getattr(recorded, name))
