"""Replays share the past to the bit, follow the registry's own law, and leave it alone."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from lnrisk.features.asof import known_on
from lnrisk.features.days import as_days
from lnrisk.model.definition import load_definition
from lnrisk.model.judgement import judge
from lnrisk.model.kleene import NO, UNKNOWN, YES
from lnrisk.model.outcome import met_by_horizon, outcome_by_rule
from lnrisk.training.simulate import draw_registry, load_parameters, simulate
from lnrisk.training.simulator.adherence import adherence_table
from lnrisk.training.simulator.as_registry import registry_of
from lnrisk.training.simulator.completed import completed
from lnrisk.training.simulator.draws import Draws
from lnrisk.training.simulator.measurements import measurements_table
from lnrisk.training.simulator.replay import at_risk, recorded_in_full, replayed, true_risk
from lnrisk.training.simulator.treatments import treatments_table
from lnrisk.training.simulator.visits import draw_visits
from registries import simulated

WORLD = draw_registry(600, 1, load_parameters())
TABLES = {
    "measurements": (measurements_table, "date"),
    "treatments": (treatments_table, "start_date"),
    "adherence": (adherence_table, "end_date"),
}


@cache
def replays(landmark_days, replay):
    person = np.flatnonzero(at_risk(WORLD, landmark_days))
    return person, replayed(WORLD, person, np.full(len(person), replay), landmark_days)


def known(world, name, landmark_days):
    """A table as it was known on the landmark day."""
    make, date = TABLES[name]
    table = make(world)
    index = pd.Series(world.patients.index_day, world.patients.identifiers)
    landmark = table["patient_id"].map(index).to_numpy() + landmark_days
    if name == "treatments":
        later = as_days(table["end_date"]) > landmark
        table.loc[later, "end_date"] = pd.NaT
        table.loc[later, "stop_reason"] = None
    return table[as_days(table[date]) <= landmark].reset_index(drop=True)


@pytest.mark.parametrize("landmark_days", [0, 84, 182, 400])
@pytest.mark.parametrize("name", TABLES)
def test_the_past_is_the_same_to_the_bit_in_every_replay(name, landmark_days):
    person, one = replays(landmark_days, 1)
    _, other = replays(landmark_days, 2)
    past = known(WORLD, name, landmark_days)
    past = past[past["patient_id"].isin(WORLD.patients.identifiers[person])].reset_index(drop=True)
    pd.testing.assert_frame_equal(known(one, name, landmark_days), past)
    pd.testing.assert_frame_equal(known(other, name, landmark_days), past)
    make, _ = TABLES[name]
    assert not make(one).equals(make(other))


@pytest.mark.parametrize("landmark_days", [0, 84, 182, 400])
def test_what_is_true_on_the_landmark_stays_true_and_the_rest_is_drawn_anew(landmark_days):
    person, one = replays(landmark_days, 1)
    before, after = WORLD.courses, one.courses
    begun = after.start <= landmark_days
    np.testing.assert_array_equal(begun, before.start[person] <= landmark_days)
    for name in ("regimen", "start", "responsiveness", "plateau", "share", "adherent"):
        then = getattr(before, name)[person]
        np.testing.assert_array_equal(getattr(after, name)[begun], then[begun])
    later = ~begun[:, 1]
    assert (after.responsiveness[later, 1] != before.responsiveness[person][later, 1]).all()
    np.testing.assert_array_equal(one.patients.frailty, WORLD.patients.frailty[person])
    decided = before.decided_on[person, 0] <= landmark_days
    np.testing.assert_array_equal(
        after.decided_on[decided, 0], before.decided_on[person][decided, 0]
    )
    assert (after.decided_on[~decided, 0] > landmark_days).all()
    assert (np.minimum(after.death, after.kidney_failure) > landmark_days).all()


def test_nobody_is_lost_in_a_replay():
    _, one = replays(84, 1)
    ended = np.minimum(one.courses.death, one.courses.kidney_failure) <= 548
    assert (one.courses.last_day[~ended] == 548).all()
    status = outcome_by_rule(registry_of(one), load_definition(), 548).status
    assert "censored" not in status


def test_a_world_in_memory_is_labelled_as_the_bundle_is():
    direct = outcome_by_rule(registry_of(WORLD), load_definition(), 548)
    read = outcome_by_rule(simulated(600, 1), load_definition(), 548)
    np.testing.assert_array_equal(direct.status, read.status)
    np.testing.assert_array_equal(direct.days, read.days)


def test_the_registry_of_a_seed_does_not_depend_on_replays():
    without, with_them = simulate(60, 3), simulate(60, 3, landmark_days=84, replays=5)
    for name, table in without.tables.items():
        pd.testing.assert_frame_equal(table, with_them.tables[name])
    columns = [name for name in with_them.truth if name.startswith("true_risk")]
    assert columns == [
        "true_risk",
        "true_risk_replays",
        "true_risk_as_recorded",
        "true_risk_indeterminate",
    ]
    pd.testing.assert_frame_equal(with_them.truth.drop(columns=columns), without.truth)


def test_who_is_not_at_risk_has_no_true_risk():
    risk = true_risk(WORLD, 84, 3)
    here = at_risk(WORLD, 84)
    assert not here.all()
    assert np.isnan(risk["true_risk"][~here]).all()
    assert (risk["true_risk_replays"][here] <= 3).all()
    with pytest.raises(ValueError, match="expected 0 to 547"):
        true_risk(WORLD, 548, 3)
    with pytest.raises(ValueError, match="expected 1 or more"):
        true_risk(WORLD, 84, 0)


def test_the_true_risk_is_as_recorded_where_the_rule_can_tell_every_replay():
    risk = true_risk(WORLD, 84, 12)
    clear = risk["true_risk_indeterminate"] == 0
    assert (risk["true_risk"][clear] > 0).any()
    np.testing.assert_array_equal(risk["true_risk"][clear], risk["true_risk_as_recorded"][clear])
    np.testing.assert_array_equal(risk["true_risk_replays"][clear], 12)


def test_a_replay_is_told_from_what_is_recorded_and_for_the_rest_from_a_full_record():
    person, futures = replays(84, 1)
    settings = recorded_in_full(futures.parameters)
    visits = draw_visits(futures.draws, futures.patients, futures.courses, settings)
    horizon = futures.patients.index_day + 548
    recorded, full = (
        judge(known_on(registry_of(world), horizon), load_definition(), horizon)
        for world in (futures, replace(futures, visits=visits, parameters=settings))
    )
    met = met_by_horizon(completed(recorded, full), len(person), 2, horizon)
    risk = true_risk(WORLD, 84, 1)
    np.testing.assert_array_equal(risk["true_risk_replays"][person], met != UNKNOWN)
    np.testing.assert_array_equal(
        risk["true_risk"][person], np.where(met == UNKNOWN, np.nan, met == YES)
    )
    filled = risk["true_risk_indeterminate"][person] == 1
    assert {NO, YES} <= set(met[filled])


def test_the_same_seed_gives_the_same_true_risk():
    one, other = (true_risk(draw_registry(150, 9, load_parameters()), 84, 6) for _ in range(2))
    assert np.nanmax(one["true_risk_indeterminate"]) > 0
    for name, values in one.items():
        np.testing.assert_array_equal(other[name], values)


def test_patients_who_cannot_have_two_courses_are_rightly_spared_the_rule(monkeypatch):
    world = draw_registry(120, 4, load_parameters())
    some = true_risk(world, 84, 4)
    everyone = lambda courses: np.ones(len(courses.start), dtype=bool)  # noqa: E731
    monkeypatch.setattr("lnrisk.training.simulator.replay._may_have_two_courses", everyone)
    for name, values in true_risk(world, 84, 4).items():
        np.testing.assert_array_equal(values, some[name])


def test_chunks_do_not_show(monkeypatch):
    world = draw_registry(80, 5, load_parameters())
    whole = true_risk(world, 84, 5)
    monkeypatch.setattr("lnrisk.training.simulator.replay.MOST_FUTURES", 37)
    for name, values in true_risk(world, 84, 5).items():
        np.testing.assert_array_equal(values, whole[name])


def test_recording_more_changes_no_value_that_was_recorded():
    settings = load_parameters()
    some, full = (
        measurements_table(draw_registry(100, 6, given))
        for given in (settings, recorded_in_full(settings))
    )
    key = ["patient_id", "date", "analyte"]
    chosen = some["analyte"].isin(["upcr", "creatinine"])
    both = some[chosen].merge(full, on=key, suffixes=("", "_full"), how="left")
    kept = both["value_full"].notna() | (both["analyte"] == "upcr")
    assert kept.all()
    same = both["value_full"].isna() | (both["value"] == both["value_full"])
    assert same.all()
    assert len(full) > len(some)


@pytest.mark.slow
def test_the_true_risk_is_that_of_what_the_registry_shows():
    """Replays follow the law of the registry: where all are followed, shares agree."""
    followed = load_parameters({"calendar": {"follow_up_years": [1.6, 1.7]}})
    for centre in followed["site"]:
        centre["lost_per_year"] = 1e-9
    followed["calendar"]["extracted"] = np.datetime64("2035-01-01").astype(object)
    for settings, column in (
        (followed, "true_risk_as_recorded"),
        (recorded_in_full(followed), "true_risk"),
    ):
        world = draw_registry(3000, 7, settings)
        risk = true_risk(world, 84, 12)
        y = outcome_by_rule(registry_of(world), load_definition(), 548).y
        here = at_risk(world, 84) & ~np.isnan(y)
        told = 1 - risk["true_risk_indeterminate"]
        weight = told if column == "true_risk_as_recorded" else np.ones(len(y))
        known = at_risk(world, 84) & ~np.isnan(risk[column])
        expected = np.average(risk[column][known], weights=weight[known])
        error = np.sqrt(expected * (1 - expected) / here.sum())
        assert abs(y[here].mean() - expected) < 3 * error


@pytest.mark.parametrize("landmark_days", [None, 50])
def test_draws_are_uniform_and_do_not_hang_together(landmark_days):
    n = 50_000
    landmark = {} if landmark_days is None else {"landmark": landmark_days}
    draws = Draws(3, np.arange(n), np.arange(n) % 5, **landmark)
    columns = [draws.uniform("a", None, number, 60) for number in (-1, 0, 1, 2)]
    columns += [draws.uniform("b"), Draws(4, np.arange(n), np.zeros(n, dtype=int)).uniform("b")]
    for column in columns:
        counts = np.histogram(column, 20, (0, 1))[0]
        assert ((counts - n / 20) ** 2 / (n / 20)).sum() < 50
        assert abs(np.corrcoef(column[:-1], column[1:])[0, 1]) < 0.02
    assert (np.abs(np.corrcoef(columns) - np.eye(len(columns))) < 0.02).all()


def test_a_wait_is_drawn_given_that_it_has_lasted():
    n = 40_000
    since, person = np.zeros(n, dtype=int), np.arange(n)
    at_first = Draws(1, person, np.zeros(n, dtype=int)).waiting_within(
        "w", None, 0, since, [0, 100]
    )
    again = Draws(1, person, np.ones(n, dtype=int), 40).waiting_within(
        "w", None, 0, since, [0, 100]
    )
    past = at_first <= 40
    np.testing.assert_array_equal(again[past], at_first[past])
    assert again[~past].min() == 41
    assert abs(again[~past].mean() - 70) < 0.5
    assert abs(np.corrcoef(again[~past], at_first[~past])[0, 1]) < 0.02
