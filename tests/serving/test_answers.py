"""A patient's answer is the same alone, in a batch, in any order, beside patients with errors."""

import copy
import datetime

import generated
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lnrisk.serving.answers import assess_request, assess_requests
from lnrisk.serving.problems import Problem
from lnrisk.serving.rows import PatientTables
from served import PATIENT, small_model

MODEL = small_model()
NUMBERS = ("value", "dose", "chronicity_index", "activity_index", "tubular_atrophy")
UNSHRUNK = [phase for phase in Phase if phase is not Phase.shrink]


def sent(person, as_of):
    """Return a generated patient as a request."""
    content = {"as_of": (generated.DAY_0 + datetime.timedelta(days=as_of)).isoformat()}
    for name, table in generated.bundle([person]).items():
        content[name] = [
            {
                key: float(value) if key in NUMBERS else value
                for key, value in row.items()
                if key != "patient_id" and value != ""
            }
            for row in table.to_dict("records")
        ]
    return content


def odd_units():
    """Return a patient of whom one analyte, which is not listed, comes in a unit of its own."""
    changed = copy.deepcopy(PATIENT)
    unit = {"date": "2015-07-01", "analyte": "rare", "value": 1.0, "unit": "one"}
    changed["measurements"].append(unit)
    other = copy.deepcopy(changed)
    other["measurements"][-1]["unit"] = "other"
    return changed, other


def wrong():
    changed = copy.deepcopy(PATIENT)
    changed["measurements"][1]["unit"] = "furlong"
    return changed


def implausible():
    changed = copy.deepcopy(PATIENT)
    changed["measurements"][2]["value"] = 90.0
    return changed


def alone(request):
    try:
        return assess_request(MODEL, request)
    except Problem as problem:
        return problem.details


def together(requests):
    answers = assess_requests(MODEL, requests)
    return [each.details if isinstance(each, Problem) else each for each in answers]


def test_errors_and_units_of_one_do_not_touch_the_others():
    contents = [*odd_units(), wrong(), PATIENT, implausible()]
    requests = [PatientTables.model_validate(content) for content in contents]
    found = together(requests)
    assert found == [alone(request) for request in requests]
    assert found[2].errors[0].pointer == "/measurements/1/unit"
    assert found[2].errors[0].detail.startswith("measurements, row 2, unit 'furlong'")
    assert found[4].warnings[0].startswith("measurements, row 3, value")


def test_a_batch_of_errors_has_no_answer():
    request = PatientTables.model_validate(wrong())
    assert together([request]) == [alone(request)]


@settings(
    max_examples=6,
    deadline=None,
    phases=UNSHRUNK,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    st.lists(generated.patient(), min_size=1, max_size=4),
    st.lists(st.integers(0, 500), min_size=4, max_size=4),
)
def test_the_same_answer_alone_and_in_a_batch(people, days):
    contents = [sent(person, day) for person, day in zip(people, days, strict=False)]
    requests = [PatientTables.model_validate(content) for content in contents]
    assert together(requests) == [alone(request) for request in requests]
    assert together(requests[::-1]) == together(requests)[::-1]
