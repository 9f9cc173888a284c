"""The chance of the definition where the rule cannot tell, against full records and enumeration."""

from dataclasses import replace
from itertools import product

import generated
import numpy as np
import pytest
from generated import Patient
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.asof import known_on
from lnrisk.model.chance_met import at_least
from lnrisk.model.definition import load_definition
from lnrisk.model.kleene import UNKNOWN, YES, all_of
from lnrisk.model.label import different_regimens, judge
from lnrisk.model.outcome import outcome_by_rule
from lnrisk.training.simulate import draw_registry, load_parameters
from lnrisk.training.simulator.as_registry import registry_of
from lnrisk.training.simulator.replay import _met_when_completed

HORIZON = 548
PATIENTS = 4000


def outcome(chances=True, **changes):
    world = draw_registry(PATIENTS, 5, load_parameters(changes))
    return outcome_by_rule(registry_of(world), load_definition(), HORIZON, chances=chances)


def doses_missing(share):
    return outcome(regimens={"given": {"dose_missing": share}})


def expected(found):
    """1 for an event, the chance where the rule cannot tell."""
    chance = np.where(np.isnan(found.chance), 0.0, found.chance)
    return np.where(found.status == "event", 1.0, chance)


@pytest.fixture(scope="module")
def complete():
    return doses_missing(0.0)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_chances_make_up_for_doses_that_are_missing_at_random(complete, share):
    found = doses_missing(share)
    before, after = expected(complete), expected(found)
    lost = (found.status == "indeterminate") & (complete.status == "event")
    assert lost.sum() > 40
    assert (found.status == "event").sum() < 0.8 * (complete.status == "event").sum()
    assert abs(after.sum() - before.sum()) < 3 * np.sqrt(((after - before) ** 2).sum())
    assert after.sum() == pytest.approx(before.sum(), rel=0.08)


def test_chances_tell_who_is_likelier_to_have_met_it(complete):
    found = doses_missing(0.5)
    lost = (found.status == "indeterminate") & (complete.status != "indeterminate")
    met = complete.status[lost] == "event"
    assert found.chance[lost][met].mean() > found.chance[lost][~met].mean() + 0.05


def without_creatinine(of_patient):
    """Outcomes where some patients have no creatinine, as before and after."""
    registry = registry_of(draw_registry(PATIENTS, 5, load_parameters()))
    table = registry.measurements
    gone = (table["analyte"] == "creatinine").to_numpy() & of_patient[
        registry.positions("measurements")
    ]
    lacking = replace(registry, tables={**registry.tables, "measurements": table[~gone]})
    return (
        outcome_by_rule(one, load_definition(), HORIZON, chances=True)
        for one in (registry, lacking)
    )


def test_an_arm_that_is_not_measured_makes_failures_no_likelier():
    """Proteinuria alone can say that a course failed, and not that it did not."""
    some = np.random.default_rng(0).uniform(size=PATIENTS) < 0.5
    before, after = without_creatinine(some)
    unclear = [(one.status[some] == "indeterminate").sum() for one in (before, after)]
    assert unclear[1] > unclear[0] + 100
    was, now = expected(before)[some], expected(after)[some]
    assert abs(now.sum() - was.sum()) < 3 * np.sqrt(((now - was) ** 2).sum())
    assert now.sum() == pytest.approx(was.sum(), rel=0.1)


def test_an_arm_that_nobody_has_measured_gives_no_chance():
    before, after = without_creatinine(np.ones(PATIENTS, dtype=bool))
    lost = (after.status == "indeterminate") & (before.status == "event_free")
    assert lost.sum() > 200
    assert np.isnan(after.chance[lost]).mean() > 0.9


def test_answers_known_from_infusions_and_reports_do_not_make_the_unknown_ones_likelier():
    """Refills answer for two courses in three where they are kept; infusions nearly always yes."""
    world = draw_registry(3 * PATIENTS, 5, load_parameters())
    found = outcome_by_rule(registry_of(world), load_definition(), HORIZON, chances=True)
    unclear = np.flatnonzero(found.status == "indeterminate")
    met = _met_when_completed(world, unclear)
    told = met != UNKNOWN
    chance, truly = found.chance[unclear][told], met[told] == YES
    error = np.sqrt((chance * (1 - chance)).sum())
    assert told.sum() > 700
    assert abs(chance.sum() - truly.sum()) < 2.5 * error


def test_only_the_indeterminate_have_a_chance_and_nothing_else_changes(complete):
    asked, plain = outcome(), outcome(chances=False)
    assert (asked.status == plain.status).all()
    indeterminate = asked.status == "indeterminate"
    assert (np.isfinite(asked.chance) == indeterminate).all()
    assert ((asked.chance[indeterminate] >= 0) & (asked.chance[indeterminate] <= 1)).all()
    assert (asked.possible_days[indeterminate] <= HORIZON).all()
    assert np.isnan(plain.chance).all()
    assert np.isnan(plain.possible_days).all()


def test_what_is_known_of_nobody_gives_no_chance_and_no_day():
    """Tablets alone, whose taking nobody recorded."""
    tablets = [
        ("mycophenolate_mofetil", 0, 200, "3000", "mg/d", "inefficacy"),
        ("tacrolimus", 200, None, "4", "mg/d", ""),
    ]
    days = range(-10, 700, 30)
    person = Patient(
        birth=-11000,
        sex="female",
        treatments=tablets,
        measurements=[
            *((day, "upcr", "3.0", "g/g") for day in days),
            *((day, "creatinine", "0.8", "mg/dL") for day in days),
        ],
        events=[(760, "last_contact")],
    )
    registry = generated.registry([person] * 3)
    found = outcome_by_rule(registry, load_definition(), HORIZON, chances=True)
    assert (found.status == "indeterminate").all()
    assert np.isnan(found.chance).all()
    assert np.isnan(found.possible_days).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.integers(1, 3))
def test_at_least_is_what_enumeration_gives(chances, needed):
    expected = sum(
        np.prod([p if came else 1 - p for p, came in zip(chances, all_of, strict=True)])
        for all_of in product([True, False], repeat=len(chances))
        if sum(all_of) >= needed
    )
    found = at_least(needed, np.array(chances), np.zeros(len(chances), dtype=np.int64), 1)
    np.testing.assert_allclose(found, [expected], atol=1e-12)


@given(st.permutations(range(4)))
def test_at_least_does_not_depend_on_the_order_of_courses(order):
    chance, patient = np.array([0.5, 0.2, 0.9, 0.4]), np.array([0, 1, 0, 1])
    order = np.array(order)
    np.testing.assert_allclose(at_least(2, chance[order], patient[order], 2), [0.45, 0.08])


def test_nearly_met_is_the_definition_met_with_one_regimen_less():
    world = draw_registry(PATIENTS, 5, load_parameters())
    registry, definition = registry_of(world), load_definition()
    one_less = definition.model_copy(
        update={"verdict": definition.verdict.model_copy(update={"different_regimens": 1})}
    )
    found = outcome_by_rule(registry, definition, HORIZON, chances=True).nearly_met
    other = outcome_by_rule(registry, one_less, HORIZON, chances=True)
    expected = np.select(
        [other.status == "event", np.isin(other.status, ("event_free", "competing"))],
        [1.0, 0.0],
        other.chance,
    )
    np.testing.assert_allclose(np.clip(found, 1e-3, 1 - 1e-3), np.clip(expected, 1e-3, 1 - 1e-3))
    assert np.isnan(other.nearly_met).all()
    assert np.nansum(found) > 3 * expected_of(registry, definition)


def test_treatment_as_asked_is_the_share_of_regimens_that_would_count():
    world = draw_registry(PATIENTS, 5, load_parameters())
    registry, definition = registry_of(world), load_definition()
    found = outcome_by_rule(registry, definition, HORIZON, chances=True)
    horizon = found.index_day + HORIZON
    judgement = judge(known_on(registry, horizon), definition, horizon)
    regimens = different_regimens(judgement.courses, judgement.counts, judgement.failed)
    would = all_of(judgement.adequate[regimens.course], judgement.adherent[regimens.course])
    share = np.full(PATIENTS, np.nan)
    for one in range(PATIENTS):
        own = would[regimens.patient == one]
        if len(own) and (own != UNKNOWN).all():
            share[one] = (own == YES).mean()
    told = np.isfinite(share) & np.isfinite(found.treated)
    assert told.sum() > 1000
    np.testing.assert_allclose(found.treated[told], share[told], atol=1e-12)
    guessed = np.isnan(share) & np.isfinite(found.treated)
    assert 0.3 < found.treated[guessed].mean() < 0.9


def test_treatment_as_asked_is_no_likelier_where_doses_are_missing(complete):
    found = doses_missing(0.5)
    both = np.isfinite(found.treated) & np.isfinite(complete.treated)
    before, after = complete.treated[both], found.treated[both]
    assert (before != after).sum() > 500
    assert after.mean() == pytest.approx(before.mean(), abs=0.03)
    assert np.corrcoef(before, after)[0, 1] > 0.7


def test_one_regimen_that_is_enough_has_no_step_before_it():
    registry = registry_of(draw_registry(400, 5, load_parameters()))
    definition = load_definition()
    one = definition.verdict.model_copy(update={"different_regimens": 1})
    found = outcome_by_rule(
        registry, definition.model_copy(update={"verdict": one}), HORIZON, chances=True
    )
    assert np.isnan(found.treated).all()


def expected_of(registry, definition):
    return np.nansum(expected(outcome_by_rule(registry, definition, HORIZON, chances=True)))
