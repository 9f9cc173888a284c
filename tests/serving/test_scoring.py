"""Risk beside the rule: statuses, refusals, and a row that depends on nobody else."""

import datetime
from dataclasses import replace

import generated
import numpy as np
import pandas as pd
import pytest
from generated import Patient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.features.errors import ModelError
from lnrisk.features.pipeline import features_at, index_days
from lnrisk.serving.scoring import score
from models import linear_model, term

COEFFICIENTS = {
    "log_upcr_last": 0.7,
    "log_upcr_least_squares_slope": 0.9,
    "egfr_change": -0.03,
    "chronicity_index": 0.2,
    "prednisone_mg_per_day": 0.01,
    "refill_share": -1.5,
    "age": -0.02,
}


def model(**changes):
    random = np.random.default_rng(0)
    refits = tuple(tuple(row) for row in random.normal(0, 0.3, (20, 15)).tolist())
    terms = changes.pop("terms", None) or [term(name) for name in COEFFICIENTS]
    return linear_model(terms, COEFFICIENTS.values(), **{"refits": refits, **changes})


def day(number):
    return generated.DAY_0 + datetime.timedelta(days=number)


PERSON = Patient(
    birth=-11000,
    sex="female",
    treatments=[("mycophenolate_mofetil", 0, None, "2000", "mg/d", "")],
    measurements=[(-5, "upcr", "3", "g/g"), (40, "upcr", "2.25", "g/g"), (80, "upcr", "1", "g/g")],
    events=[(760, "last_contact")],
)


def scored(person, as_of=100, **how):
    return score(model(**how), generated.registry([person]), as_of=day(as_of)).iloc[0]


def test_a_patient_at_the_landmark_gets_a_risk_with_an_interval_and_its_reasons():
    row = scored(PERSON)
    assert row["status"] == "ok"
    assert 0 < row["risk"] < 1
    assert row["risk_lower"] <= row["risk_upper"]
    assert row["verdict"] == "not_refractory"
    assert "log upcr least squares slope" in row["drivers"]
    assert "missing: egfr change" in row["warnings"]
    assert "16 later days are not used" in row["warnings"]
    assert row["landmark_weeks"] == 12
    assert row["definition"] == "arora-2022 1.0.0"


@pytest.mark.parametrize(
    ("person", "as_of", "why"),
    [
        (PERSON, 83, "too early: day 83, the model needs day 84"),
        (PERSON, 549, "too late: day 549, the horizon is day 548"),
        (replace(PERSON, measurements=[]), 100, "too little data: UPCR is missing"),
        (
            replace(PERSON, events=[(760, "last_contact"), (90, "kidney_failure")]),
            100,
            "death or kidney failure on",
        ),
        (
            replace(PERSON, events=[(81, "last_contact")]),
            100,
            "last contact before the landmark, on",
        ),
    ],
)
def test_outside_the_model_there_is_no_number_but_a_reason(person, as_of, why):
    row = scored(person, as_of)
    assert row["status"] == "outside_model"
    assert np.isnan([row["risk"], row["risk_lower"], row["risk_upper"]]).all()
    assert why in row["warnings"]
    assert row["drivers"] == ""


@pytest.mark.parametrize(("start", "as_of"), [(None, 100), (200, 100)])
def test_before_induction_there_is_no_risk(start, as_of):
    given_later = [] if start is None else [("tacrolimus", start, None, "4", "mg/d", "")]
    row = scored(replace(PERSON, treatments=given_later), as_of)
    assert row["status"] == "no_induction"
    assert np.isnan(row["risk"])


def test_where_the_rule_is_met_the_risk_is_1_by_the_rule_and_says_so():
    failing = replace(
        PERSON,
        treatments=[
            ("mycophenolate_mofetil", 0, 200, "3000", "mg/d", "inefficacy"),
            ("tacrolimus", 200, None, "4", "mg/d", ""),
        ],
        measurements=[(d, "upcr", "3", "g/g") for d in range(-20, 400, 30)],
        adherence=[(0, 199, "pdc", "0.9", ""), (200, 390, "pdc", "0.9", "")],
    )
    row = scored(failing, 400)
    assert row["status"] == "met"
    assert row["verdict"] == "refractory"
    assert row["risk"] == 1.0
    assert "by the rule" in row["warnings"]
    assert np.isnan(row["risk_lower"])


def test_simulated_training_data_is_said_in_every_score():
    simulated = {"synthetic": True, "patients": 9, "events": 3, "data": "x", "sha256": ""}
    assert "simulated patients" in scored(PERSON, training=simulated)["warnings"]


def test_training_on_too_few_is_said_in_every_score():
    few = {**model().training, "too_few": ["FEW KNOWN EVENTS"]}
    assert "trained on too few patients" in scored(PERSON, training=few)["warnings"]
    assert "too few" not in scored(PERSON)["warnings"]


def test_another_landmark_is_refused():
    with pytest.raises(ModelError, match="week 12"):
        score(model(), generated.registry([PERSON]), landmark_weeks=8)


def test_at_their_own_landmarks_the_day_is_each_patients_own():
    later = replace(PERSON, treatments=[("tacrolimus", 30, None, "4", "mg/d", "")])
    found = score(model(), generated.registry([PERSON, later]), landmark_weeks=12)
    assert found["as_of"].dt.date.tolist() == [day(84), day(114)]
    assert found["status"].tolist() == ["ok", "ok"]


DAILY = (0, 84, 182)


def test_between_its_landmarks_a_model_scores_the_very_day():
    found = scored(PERSON, 100, landmarks=DAILY)
    assert found["status"] == "ok"
    assert found["landmark_weeks"] == pytest.approx(100 / 7)
    assert "later days" not in found["warnings"]
    earlier = scored(PERSON, 60, landmarks=DAILY)
    assert earlier["landmark_weeks"] == pytest.approx(60 / 7)
    assert earlier["risk"] != found["risk"]


def test_after_its_last_landmark_a_model_of_several_is_too_late():
    found = scored(PERSON, 183, landmarks=DAILY)
    assert found["status"] == "outside_model"
    assert found["warnings"] == "too late: day 183, the model ends on day 182"


def test_a_value_unlike_any_in_training_is_refused_with_both():
    near = tuple(replace(term, lowest=-3.0, highest=0.5) for term in model().terms)
    found = scored(PERSON, 100, terms=near)
    assert found["status"] == "outside_model"
    assert "age" in found["warnings"]
    assert "(in training -3 to 0.5)" in found["warnings"]


def test_missing_values_never_seen_together_are_refused():
    found = scored(PERSON, 100, missing_patterns=("0000000",))
    assert found["status"] == "outside_model"
    assert "never seen in training with this missing: egfr change" in found["warnings"]


quickly = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quickly
@given(generated.cohorts, st.integers(60, 500), st.randoms(use_true_random=False))
def test_the_same_row_alone_in_a_batch_in_any_order_and_twice(people, as_of, random):
    names = [f"p{i}" for i in range(len(people))]
    together = generated.registry(people, names=names)
    expected = score(model(), together, as_of=day(as_of)).set_index("patient_id")
    again = score(model(), together, as_of=day(as_of)).set_index("patient_id")
    pd.testing.assert_frame_equal(expected, again, check_exact=True)
    order = list(range(len(people)))
    random.shuffle(order)
    shuffled = generated.registry([people[i] for i in order], names=[names[i] for i in order])
    found = score(model(), shuffled, as_of=day(as_of)).set_index("patient_id")
    pd.testing.assert_frame_equal(found.loc[names], expected, check_exact=True)
    for position, name in enumerate(names):
        alone = together.select(np.arange(len(people)) == position)
        row = score(model(), alone, as_of=day(as_of)).set_index("patient_id")
        pd.testing.assert_frame_equal(row, expected.loc[[name]], check_exact=True)


@quickly
@given(generated.cohorts, generated.cohorts)
def test_nothing_after_the_landmark_changes_a_feature(people, others):
    def changed(person, other):
        last = min((t[1] for t in person.treatments if t[0] in ANCHORS), default=None)
        cut = 10_000 if last is None else last + 84
        return replace(
            person,
            measurements=[
                *(m for m in person.measurements if m[0] <= cut),
                *(m for m in other.measurements if m[0] > cut),
            ],
            treatments=[
                t if t[2] is not None and t[2] <= cut else (*t[:2], None, *t[3:5], "")
                for t in person.treatments
                if t[1] <= cut
            ],
            adherence=[a for a in person.adherence if a[1] <= cut],
            biopsies=[b for b in person.biopsies if b[0] <= cut],
        )

    before = generated.registry(people)
    after = generated.registry(
        [changed(p, o) for p, o in zip(people, others * len(people), strict=False)]
    )
    for registry in (before, after):
        assert len(registry) == len(people)
    first, second = (features_at(r, index_days(r), 84).frame for r in (before, after))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


ANCHORS = (
    "mycophenolate_mofetil",
    "mycophenolic_acid",
    "cyclophosphamide",
    "tacrolimus",
    "voclosporin",
    "belimumab",
    "obinutuzumab",
)
