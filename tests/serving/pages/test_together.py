"""Rule and risk are compared with each other, and a disagreement is called one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lnrisk.model.support import support_of
from lnrisk.serving.pages.together import compare
from served import patient, small_model
from test_routes import risk_of

ASSESSMENT = risk_of(patient())


def compared(verdict, risk, events=30, consider=()):
    training = {"synthetic": True, "patients": 100, "events": events, "data": "x", "sha256": ""}
    label = replace(ASSESSMENT.label, verdict=verdict, consider=consider)
    return compare(small_model(training=training), replace(ASSESSMENT, label=label, risk=risk))


@pytest.mark.parametrize(
    ("verdict", "risk", "key", "differ"),
    [
        ("not_refractory", 0.1, "agree_low", False),
        ("not_refractory", 0.4, "early_warning", True),
        ("indeterminate", 0.1, "unknown_low", False),
        ("indeterminate", 0.4, "unknown_high", False),
        ("pseudo_refractory", 0.4, "pseudo", False),
        ("not_refractory", None, "refused", False),
        ("refractory", 1.0, "met", False),
    ],
)
def test_each_pair_has_its_sentence(verdict, risk, key, differ):
    together = compared(verdict, risk)
    assert (together.key, together.differ, together.rescue) == (key, differ, False)
    assert together.average == 0.3


def test_the_average_is_that_of_the_training_patients_at_the_same_landmark():
    day = ASSESSMENT.landmark.day
    risks = np.repeat([0.6, 0.1], 50)
    days = np.repeat([day, day + 98], 50)
    support = support_of(pd.DataFrame(index=range(100)), risks, np.ones(100), days)
    training = {"synthetic": True, "patients": 100, "events": 1, "data": "x", "sha256": ""}
    model = small_model(training={**training, "support": support})
    assert compare(model, replace(ASSESSMENT, risk=0.4)).average == pytest.approx(0.6)


def test_rescue_hides_what_the_rule_could_say_unless_it_is_met():
    assert compared("not_refractory", 0.1, consider=("rescue_given",)).rescue
    assert not compared("refractory", 1.0, consider=("rescue_given",)).rescue
