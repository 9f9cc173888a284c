"""Who is at risk at the landmark, who is left out at each step, and what the model may see."""

from dataclasses import replace
from functools import cache

import generated
import numpy as np
import pandas as pd
import pytest
from generated import Patient
from lnrisk.features.errors import LnriskError
from lnrisk.features.vocabulary import drugs_with_role
from lnrisk.model.definition import load_definition
from lnrisk.training.cohort import (
    FEWEST_EVENTS,
    build_cohort,
    known_outcomes,
)
from lnrisk.training.config import TrainingConfig
from registries import simulated, trained

CONFIG = TrainingConfig(landmark_days=84, allow_small=True)
STRICT = CONFIG.changed(allow_small=False)


def person(number=0, *, second=200, falls=False, last=760, pdc="0.95", endings=(), first_value=-10):
    """Mycophenolate from day 0 and cyclophosphamide from day `second`, seen until `last`."""
    treatments = [("mycophenolate_mofetil", 0, None, "3000", "mg/d", "")]
    if second is not None and second <= last:
        treatments = [("mycophenolate_mofetil", 0, second, "3000", "mg/d", "")]
        infusions = [day for day in range(second, second + 71, 14) if day <= last]
        treatments += [("cyclophosphamide", day, day, "500", "mg", "") for day in infusions]
    days = [day for day in range(-10, 700, 30) if first_value <= day <= last]
    start = 2 + number % 4
    return Patient(
        birth=-9000 - 400 * number,
        sex=("female", "male")[number % 2],
        treatments=treatments,
        measurements=[
            *((day, "upcr", "0.4" if falls and day > 60 else str(start), "g/g") for day in days),
            *((day, "creatinine", "0.8", "mg/dL") for day in days),
        ],
        adherence=[
            (first, end, "pdc", pdc, "")
            for first, end in ((0, 60), (61, 199), (200, 500))
            if pdc and end <= last
        ],
        events=[(last, "last_contact"), *endings],
    )


def dies(day):
    return person(last=day, endings=[(day, "death")])


REFRACTORY = [person(number) for number in range(12)]
RESPONDERS = [person(number, second=None, falls=True) for number in range(12)]
NO_INDUCTION = Patient(birth=-9000, sex="male", events=[(700, "last_contact")])
NO_URINE = person(second=None, first_value=85)
TABLETS = [
    ("mycophenolate_mofetil", 0, 200, "3000", "mg/d", ""),
    ("tacrolimus", 200, None, "4", "mg/d", ""),
]
CANNOT_TELL = replace(person(pdc=""), treatments=TABLETS)


def cohort(*others, config=CONFIG, refractory=REFRACTORY):
    people = [*refractory, *RESPONDERS, *others]
    return build_cohort(generated.registry(people), load_definition(), config)


def everyone(config=CONFIG):
    """24 patients with an outcome, and one more for each way not to have one."""
    return cohort(
        NO_INDUCTION,
        dies(60),
        replace(dies(84), events=[(84, "last_contact"), (84, "kidney_failure")]),
        person(last=83),
        NO_URINE,
        person(last=300),
        CANNOT_TELL,
        person(last=84),
        config=config,
    )


@cache
def whole():
    return everyone()


def test_each_step_leaves_out_whom_it_names():
    left_out = whole().attrition.set_index("step")["left_out"].to_dict()
    assert left_out == {
        "in the registry": 0,
        "has an index date": 1,
        "not yet met": 0,
        "alive with kidney function": 2,
        "followed to the landmark": 1,
        "upcr measured by the landmark": 1,
        "followed to the horizon or an end": 2,
        "determinable": 1,
    }


def test_what_is_left_out_and_what_remains_add_up():
    for table in (whole().attrition, trained().cohort.attrition):
        remaining = table["remaining"].to_numpy()
        np.testing.assert_array_equal(remaining[:-1] - table["left_out"][1:], remaining[1:])
        assert (table["why"][1:] != "").all()
    assert whole().attrition["remaining"].iloc[0] == 32


def test_at_risk_are_the_unresolved_too_and_whom_the_rule_cannot_judge_has_both_outcomes():
    found = whole()
    known = ~found.possible
    assert pd.Series(found.status[known]).value_counts().to_dict() == {
        "event": 12,
        "event_free": 12,
        "censored": 2,
    }
    assert (found.has_outcome & known).sum() == found.attrition["remaining"].iloc[-1] == 24
    assert found.patient_id[found.each].tolist() == [f"p{i}" for i in (*range(24), 29, 30, 31)]
    np.testing.assert_array_equal(found.y[:24], [1] * 12 + [0] * 12)
    unresolved = np.isnan(found.y)
    assert (found.status[unresolved] == "censored").all()
    assert (found.weights.weight[unresolved] == 0).all()
    assert (found.weights.weight[:24] >= 1).all()
    assert found.status[found.possible].tolist() == ["event", "event_free"]
    assert found.y[found.possible].tolist() == [1.0, 0.0]
    assert len(set(found.patient_id[found.possible])) == 1
    chance = found.weights.chance
    assert chance[found.possible].sum() == pytest.approx(1.0)
    assert (chance[known] == 1.0).all()
    assert found.weights.weight[found.possible].sum() >= 1.0


def test_others_stand_in_for_whom_the_rule_cannot_judge_where_that_is_asked():
    found = everyone(CONFIG.changed(indeterminate="weight"))
    assert not found.possible.any()
    assert (found.status == "indeterminate").sum() == 1
    assert np.isnan(found.y[found.status == "indeterminate"]).all()
    assert (found.weights.chance == 1.0).all()


def test_expected_events_count_when_the_size_of_the_model_is_decided():
    found = trained().cohort
    at = found.primary & found.has_outcome
    known = (found.y[at] == 1) & ~found.possible[at]
    expected = found.weights.chance[at & found.possible & (found.y == 1)].sum()
    assert found.sample_size.events == pytest.approx(known.sum() + expected)
    assert found.sample_size.patients == (at & found.each).sum()


def test_who_met_the_definition_before_the_landmark_is_no_longer_at_risk():
    late = [person(number, second=300) for number in range(12)]
    config = CONFIG.changed(landmark_days=400)
    table = cohort(person(), config=config, refractory=late).attrition.set_index("step")
    assert table.loc["not yet met", "left_out"] == 1


def test_a_failure_that_nonadherence_may_explain_is_0_and_told_apart():
    found = cohort(person(pdc="0.4"))
    assert found.pseudo_refractory.tolist() == [False] * 24 + [True]
    assert found.y[24] == 0


def test_the_rows_of_all_parts_are_the_same_patients():
    found = whole()
    n = len(found.patient_id)
    assert {len(found.features), len(found.status), len(found.y), len(found.weights.weight)} == {n}
    assert found.features.index.tolist() == list(range(n))


def test_what_does_not_vary_or_was_never_recorded_is_left_out_with_the_reason():
    found = whole()
    reasons = dict(found.left_out_features)
    assert set(reasons.values()) == {
        "never recorded",
        "the same for all",
        "more than the sample affords",
    }
    assert reasons["activity_index"] == "never recorded"
    assert reasons["started_with_mpa"] == "the same for all"
    assert reasons["age"] == "more than the sample affords"
    assert not set(reasons) & {entry.name for entry in found.dictionary}


def test_no_rescue_ancestry_or_site_is_among_the_inputs():
    for found in (whole(), trained().cohort):
        names = " ".join([*found.features.columns, *(entry.name for entry in found.dictionary)])
        for word in ("ancestry", "race", "ethnic", "apol1", "site", "centre", "rescue"):
            assert word not in names
        for drug in drugs_with_role("rescue"):
            assert drug not in names


def test_the_rescue_ancestry_and_site_of_a_patient_change_no_input():
    rescue = ("rituximab", 40, 40, "1000", "mg", "")
    rescued = [replace(p, treatments=[*p.treatments, rescue]) for p in RESPONDERS]
    registry = generated.registry([*REFRACTORY, *rescued])
    patients = registry.patients
    text = patients.assign(ancestry="x" if "ancestry" in patients else None, apol1_risk_alleles=2.0)
    found = build_cohort(registry.with_tables(patients=text), load_definition(), CONFIG)
    pd.testing.assert_frame_equal(found.features, cohort().features)


def test_nothing_after_the_landmark_is_among_the_inputs():
    def after(value):
        return [
            replace(
                p,
                measurements=[
                    *p.measurements,
                    (85, "albumin", value, "g/dL"),
                    (85, "weight", "70", "kg"),
                ],
            )
            for p in REFRACTORY
        ]

    found = cohort(refractory=after("2"))
    pd.testing.assert_frame_equal(found.features, cohort(refractory=after("4")).features)


def test_later_proteinuria_is_a_rank_of_what_lies_between_landmark_and_horizon():
    def with_values(person, *values):
        kept = [row for row in person.measurements if row[1] != "upcr" or row[0] <= 84]
        return replace(person, measurements=[*kept, *((d, "upcr", v, "g/g") for d, v in values)])

    low, high = ((300, "0.1"), (400, "0.3")), ((300, "7"), (400, "9"))
    outside = ((549, "0.01"), (600, "0.01"))
    some = [
        with_values(REFRACTORY[0], *low),
        with_values(REFRACTORY[1], *high, *outside),
        with_values(REFRACTORY[2], *outside),
    ]
    found = cohort(*some)
    later = dict(zip(found.position, found.steps[:, 0], strict=True))
    assert later[24] == np.nanmin(found.steps[:, 0]) > 0
    assert later[25] == np.nanmax(found.steps[:, 0]) < 1
    assert np.isnan(later[26])


def test_what_is_later_than_the_landmark_is_a_step_and_no_input():
    found = whole()
    assert found.steps.shape == (len(found.y), 3)
    known = found.steps[np.isfinite(found.steps)]
    assert ((known >= 0) & (known <= 1)).all()
    assert found.steps[found.y == 1, 1:].min() > 0.9


@pytest.mark.parametrize(
    ("refractory", "responders", "said"),
    [
        (9, 12, "9 of 21 resolved patients at risk on day 84 met the outcome by day 548"),
        (12, 9, "12 of 21 resolved patients at risk on day 84 met the outcome by day 548"),
    ],
)
def test_too_few_with_or_without_are_refused_with_the_attrition(refractory, responders, said):
    registry = generated.registry([*REFRACTORY[:refractory], *RESPONDERS[:responders]])
    with pytest.raises(LnriskError) as error:
        build_cohort(registry, load_definition(), CONFIG)
    assert said in str(error.value)
    assert "at least 10 with and 10 without are needed" in str(error.value)
    for step in whole().attrition["step"]:
        assert step in str(error.value)


def test_who_is_refused_for_unknown_adherence_hears_what_would_let_the_rule_judge():
    nobody_asked = [replace(one, adherence=[], treatments=TABLETS) for one in REFRACTORY]
    some = [*REFRACTORY[:5], *nobody_asked]
    with pytest.raises(
        LnriskError, match=r"cannot judge \d+ others: .* = \"assume_adherent\" judges those"
    ):
        cohort(config=STRICT, refractory=some)
    assumed = load_definition().with_adherence_unknown("assume_adherent")
    people = generated.registry([*some, *RESPONDERS])
    assert len(build_cohort(people, assumed, CONFIG).y) == len(some) + len(RESPONDERS)


def test_where_few_events_are_known_and_enough_expected_it_is_a_choice_to_train():
    untold = [replace(one, adherence=[], treatments=TABLETS) for one in REFRACTORY]
    some = [*REFRACTORY[:5], *untold]
    with pytest.raises(LnriskError, match=r"\d+ of them are expected .* --allow-small trains on"):
        cohort(config=STRICT, refractory=some)
    found = cohort(refractory=some)
    assert known_outcomes(found)[0] < FEWEST_EVENTS < found.sample_size.events


def test_who_is_refused_hears_what_is_unknown():
    no_dose = [(drug, first, last, "", unit, "") for drug, first, last, _, unit, _ in TABLETS]
    undosed = [replace(one, treatments=no_dose) for one in REFRACTORY]
    with pytest.raises(LnriskError, match=r"of \d+ whether it was dosed as it should be") as error:
        cohort(config=STRICT, refractory=[*REFRACTORY[:5], *undosed])
    assert "assume_adherent" not in str(error.value)


def test_what_is_known_of_nobody_is_named_too():
    untold = [replace(one, adherence=[], treatments=TABLETS) for one in REFRACTORY]
    with pytest.raises(LnriskError, match=r"cannot judge 12 others: .*assume_adherent") as error:
        build_cohort(generated.registry([*untold, *RESPONDERS]), load_definition(), STRICT)
    assert "are expected" not in str(error.value)


def test_ten_with_and_ten_without_are_enough():
    registry = generated.registry([*REFRACTORY[:10], *RESPONDERS[:10]])
    assert build_cohort(registry, load_definition(), CONFIG).has_outcome.sum() == 20


def test_the_registrys_outcome_needs_the_table_of_outcomes():
    with pytest.raises(LnriskError, match=r"needs a table outcomes \(patient_id, index_date, date"):
        cohort(config=CONFIG.changed(outcome="registry"))


def test_each_landmark_has_a_row_of_everyone_at_risk_there():
    several = CONFIG.changed(landmark_days=(0, 84, 300))
    found = cohort(person(last=200), config=several)
    assert found.primary_landmark == 84
    rows = pd.Series(found.landmark_days).value_counts().to_dict()
    assert rows == {0: 25, 84: 25, 300: 24}
    alone = cohort(person(last=200), config=CONFIG)
    pd.testing.assert_frame_equal(
        found.features[found.primary].reset_index(drop=True), alone.features
    )
    np.testing.assert_array_equal(found.weights.weight[found.primary], alone.weights.weight)


def test_too_few_patients_for_the_terms_are_refused_and_told_what_is_needed():
    with pytest.raises(LnriskError, match=r"carry 0 parameters.*--allow-small"):
        cohort(config=CONFIG.changed(allow_small=False))


def test_terms_that_a_configuration_names_are_all_taken_or_refused():
    named = ("log_upcr_level", "log_upcr_shrunken_change", "egfr_level", "age")
    assert cohort(config=CONFIG.changed(terms=named)).terms == named
    with pytest.raises(LnriskError, match="carry 0 parameters, not the 4"):
        cohort(config=CONFIG.changed(terms=named, allow_small=False))


@pytest.mark.parametrize("classifier", ["logistic", "elastic net"])
def test_the_course_of_what_nobody_or_hardly_anybody_had_measured_is_left_out(classifier):
    settings = CONFIG.changed(classifier=classifier)
    without = [
        replace(one, measurements=[row for row in one.measurements if row[1] == "upcr"])
        for one in (*REFRACTORY, *RESPONDERS)
    ]
    seen = replace(without[0], measurements=[*without[0].measurements, (0, "albumin", "3", "g/dL")])
    people = generated.registry([seen, *without[1:]])
    found = build_cohort(people, load_definition(), settings)
    assert not [name for name in found.terms if name.startswith("egfr") or "albumin_shr" in name]
    why = dict(found.left_out_features)
    assert why["egfr_slope"] == "never recorded"
    assert why["albumin_shrunken_change"] == "recorded of too few"
    assert "log_upcr" in found.trajectories.series
    assert not {"egfr", "albumin"} & set(found.trajectories.series)


def test_a_gap_costs_no_parameter_that_a_value_could_have():
    config = TrainingConfig(allow_small=True)
    few = build_cohort(simulated(), load_definition(), config)
    assert few.features["chronicity_index_shrunken"].isna().any()
    assert not [piece for piece in few.pieces if piece.shape == "missing"]
    terms = ("chronicity_index_shrunken", "log_upcr_change")
    named = build_cohort(simulated(), load_definition(), config.changed(terms=terms))
    assert {piece.term for piece in named.pieces if piece.shape == "missing"} == set(terms)


def test_terms_that_are_named_all_enter_and_their_gaps_as_far_as_there_is_room():
    config = TrainingConfig(allow_small=True)
    few = build_cohort(simulated(), load_definition(), config)
    room = few.sample_size.affordable_parameters
    terms = few.terms[:-1]
    named = build_cohort(simulated(), load_definition(), config.changed(terms=terms))
    assert named.terms == terms
    assert len(terms) < named.sample_size.parameters == room
    more = (*few.terms, "log_upcr_change", "albumin_change", "c3_change")
    named = build_cohort(simulated(), load_definition(), config.changed(terms=more))
    assert named.terms == more
    assert named.sample_size.parameters == len(more) > room
