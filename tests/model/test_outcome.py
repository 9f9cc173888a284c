"""The outcome at the horizon: one test per sentence."""

from dataclasses import replace

import generated
import numpy as np
import pandas as pd
import pytest
from generated import Patient
from lnrisk.model.definition import load_definition
from lnrisk.model.outcome import outcome_by_registry, outcome_by_rule

HORIZON = 548
ADHERENT = [(0, 199, "pdc", "0.95", ""), (200, 420, "pdc", "0.95", "")]


def infusions(first):
    return [("cyclophosphamide", first + 14 * i, first + 14 * i, "500", "mg", "") for i in range(6)]


def treated(second=200, upcr=3.0, adherence=ADHERENT, events=((760, "last_contact"),), **changes):
    """MMF from day 0, cyclophosphamide from day `second`, the same UPCR throughout."""
    first = [("mycophenolate_mofetil", 0, second, "3000", "mg/d", "inefficacy")]
    days = range(-10, 700, 30)
    person = Patient(
        birth=-11000,
        sex="female",
        treatments=[*first, *infusions(second)]
        if second
        else [("mycophenolate_mofetil", 0, None, "3000", "mg/d", "")],
        measurements=[
            *((day, "upcr", str(upcr), "g/g") for day in days),
            *((day, "creatinine", "0.8", "mg/dL") for day in days),
        ],
        adherence=list(adherence),
        events=list(events),
    )
    return replace(person, **changes)


def until(person, day, *events):
    """Keep what is dated up to a day, on which the patient was last seen."""
    return replace(
        person,
        treatments=[t for t in person.treatments if t[1] <= day and (t[2] or 0) <= day],
        measurements=[m for m in person.measurements if m[0] <= day],
        adherence=[(s, min(e, day), *rest) for s, e, *rest in person.adherence],
        events=[(day, "last_contact"), *events],
    )


def outcome(*people):
    return outcome_by_rule(generated.registry(people), load_definition(), HORIZON)


def test_met_by_the_horizon_is_1_on_the_day_it_was_met():
    found = outcome(treated())
    assert found.status.tolist() == ["event"]
    assert found.y.tolist() == [1.0]
    assert found.days.tolist() == [380.0]


def test_followed_to_the_horizon_without_is_0():
    responder = treated(second=None)
    falling = [
        (m[0], m[1], "0.4" if m[0] > 60 and m[1] == "upcr" else m[2], m[3])
        for m in responder.measurements
    ]
    found = outcome(replace(responder, measurements=falling))
    assert found.status.tolist() == ["event_free"]
    assert found.y.tolist() == [0.0]
    assert found.days.tolist() == [HORIZON]


@pytest.mark.parametrize("ending", ["death", "kidney_failure"])
def test_a_competing_event_first_is_0(ending):
    found = outcome(until(treated(), 250, (250, ending)))
    assert found.status.tolist() == ["competing"]
    assert found.y.tolist() == [0.0]
    assert found.days.tolist() == [250.0]


def test_a_competing_event_after_it_was_met_changes_nothing():
    found = outcome(treated(events=[(760, "last_contact"), (500, "death")]))
    assert found.status.tolist() == ["event"]


def test_lost_before_the_horizon_has_no_y():
    found = outcome(until(treated(), 300))
    assert found.status.tolist() == ["censored"]
    assert np.isnan(found.y).all()
    assert found.days.tolist() == [300.0]


def test_indeterminate_at_the_horizon_has_no_y():
    oral = [
        ("mycophenolate_mofetil", 0, 200, "3000", "mg/d", ""),
        ("tacrolimus", 200, None, "4", "mg/d", ""),
    ]
    found = outcome(treated(adherence=[], treatments=oral))
    assert found.status.tolist() == ["indeterminate"]
    assert np.isnan(found.y).all()


def test_a_second_course_too_late_to_count_by_the_horizon_is_0():
    found = outcome(treated(second=480))
    assert found.status.tolist() == ["event_free"]


def test_a_second_course_cut_by_death_before_its_window_is_0():
    found = outcome(until(treated(), 290, (290, "death")))
    assert found.status.tolist() == ["competing"]


def test_death_does_not_resolve_what_was_unknown_before_it():
    oral = [
        ("mycophenolate_mofetil", 0, 150, "3000", "mg/d", ""),
        ("tacrolimus", 150, None, "4", "mg/d", ""),
    ]
    person = treated(adherence=[], treatments=oral)
    found = outcome(replace(person, events=[(760, "last_contact"), (400, "death")]))
    assert found.status.tolist() == ["indeterminate"]


def test_pseudo_refractory_is_0_and_told_apart():
    found = outcome(treated(adherence=[(0, 420, "pdc", "0.4", "")]))
    assert found.y.tolist() == [0.0]
    assert found.pseudo_refractory.tolist() == [True]


def test_evidence_that_ends_after_the_horizon_was_not_known_at_it():
    found = outcome(treated(adherence=[(0, 700, "pdc", "0.95", "")]))
    assert found.status.tolist() == ["indeterminate"]


def test_without_induction_there_is_no_index():
    found = outcome(Patient(birth=-9000, sex="male", events=[(700, "last_contact")]))
    assert found.status.tolist() == ["no_index"]
    assert np.isnan(found.days).all()


def test_without_last_contact_follow_up_ends_with_the_last_record():
    person = until(treated(), 300)
    found = outcome(replace(person, events=[]))
    last = max(row[0] for row in person.measurements)
    last = max(last, *(row[1] for row in person.treatments))
    assert found.status.tolist() == ["censored"]
    assert found.days.tolist() == [float(last)]


def test_nothing_dated_after_the_horizon_changes_the_outcome():
    person = treated(second=300)
    changed = replace(
        person,
        measurements=[
            (m[0], m[1], "0.1" if m[0] > HORIZON else m[2], m[3]) for m in person.measurements
        ],
    )
    assert outcome(person).status.tolist() == outcome(changed).status.tolist()


def with_outcomes(rows):
    people = [Patient(birth=-9000, sex="female") for _ in rows]
    registry = generated.registry(people)
    frame = pd.DataFrame(rows, columns=["index_date", "date", "status"])
    identifiers = pd.Categorical(registry.patient_ids, categories=registry.patients["patient_id"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("index_date", "date")}
    return registry.with_tables(outcomes=frame.assign(patient_id=identifiers, row=1, **dates))


def test_the_registrys_own_outcome():
    registry = with_outcomes(
        [
            ("2020-01-01", "2020-06-01", "event"),
            ("2020-01-01", "2020-06-01", "competing"),
            ("2020-01-01", "2020-06-01", "censored"),
            ("2020-01-01", "2023-06-01", "event"),
            ("2020-01-01", "2023-06-01", "censored"),
        ]
    )
    found = outcome_by_registry(registry, HORIZON)
    assert found.status.tolist() == ["event", "competing", "censored", "event_free", "event_free"]
    assert found.days.tolist() == [152, 152, 152, 548, 548]
