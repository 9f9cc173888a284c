"""A refusal as data says what the plain text says, and each interface can put it into words."""

import datetime

import numpy as np
import pytest
from lnrisk.serving.answers import assess_request
from lnrisk.serving.pages.refused import refusal_said
from lnrisk.serving.pages.words import load_words
from lnrisk.serving.refusals import CODES, Concerned, Reason, unlike_training
from lnrisk.serving.rows import PatientTables
from lnrisk.serving.topics import Lack
from served import patient, small_model, upcr

MODEL, WORDS = small_model(), load_words()
EVENT = {"date": "2015-09-01", "event": "kidney_failure"}


def answered(**changes):
    return assess_request(MODEL, PatientTables.model_validate(patient(**changes)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"as_of": "2015-06-20"}, Reason("too_early", day=19, limit=84)),
        ({"as_of": "2017-06-20"}, Reason("past_horizon", day=750, limit=548)),
        ({"events": [EVENT]}, Reason("ended", date=datetime.date(2015, 9, 1))),
        (
            {
                "events": [{"date": "2015-08-01", "event": "last_contact"}],
                "measurements": [upcr("2015-07-10", 2.25)],
            },
            Reason("left", date=datetime.date(2015, 8, 1)),
        ),
    ],
)
def test_the_reason_is_there_as_data_and_as_text(changes, reason):
    answer = answered(**changes)
    assert answer.reason == reason
    assert answer.why == reason.text


def test_where_there_is_a_risk_there_is_no_reason_against_it():
    assert answered().reason is None


def test_what_is_unlike_training_is_named_with_its_range():
    values = np.array([[term.mean for term in MODEL.terms]] * 2)
    values[0, 2], values[1, 0] = 500, np.nan
    little, beyond, _ = unlike_training(MODEL, values[:, 0], values)
    assert little.who.tolist() == [False, True]
    assert beyond.who.tolist() == [True, False]
    (feature,) = beyond.reason(0).features
    assert feature.feature == MODEL.terms[2].name
    assert (feature.value, feature.lowest, feature.highest) == ("500", "-90", "90")


@pytest.mark.parametrize("code", CODES)
def test_every_reason_has_words_for_programs_and_for_people(code):
    features = (Concerned("a", "feature a", "7 g", "1 g", "2 g"),)
    lacks = (Lack("c3", "C3", False, ("c3_change", "c3_last"), "C3 (in part)"),)
    told = lacks if code in ("too_little", "unseen_gaps") else ()
    reason = Reason(code, 11, 22, datetime.date(2025, 3, 4), features, told)
    plain, said = reason.text, refusal_said(reason, WORDS)
    assert "{" not in plain + said
    assert ("11" in plain) == ("11" in said)
    assert ("22" in plain) == ("22" in said)
    assert ("7 g" in plain) == ("7 g" in said)
    assert ("C3 (in part)" in plain) == ("C3 (in part)" in said) == bool(told)
