"""A FHIR Bundle that is opened comes to what $assess says of it, and hides nothing it left out."""

import json

import pytest
from records import bundle, observation, order, person
from test_fhir import UPCR, assess, on, records
from visits import browser, opened, page_of, sent

DAY = "2015-10-20"
CLIENT = browser()
ODD = [
    observation("upcr", "2015-09-20", 2, "g/g", status="preliminary"),
    order("2015-09-01", {"text": "as needed"}),
]


@pytest.mark.parametrize("more", [[], ODD])
@pytest.mark.parametrize("how", ["bundle", "parameters", "pasted"])
def test_the_risk_and_the_remarks_are_those_of_assess(how, more):
    asked = on(DAY, *records(*more))
    answer = assess(CLIENT, asked).json()
    content = asked["parameter"][1]["resource"] if how == "bundle" else asked
    if how == "pasted":
        page = page_of(sent("paste", pasted=json.dumps(content)))
    else:
        page = page_of(opened(content))
    percent = answer["prediction"][0]["probabilityDecimal"]
    assert page.with_class("number")[0].text.startswith(f"{percent:.0f} in 100")
    notes = [note["text"] for note in answer["note"]]
    told = [note for note in notes if note.startswith(("Not used: ", "Assumed: "))]
    remarks = [note.replace("mycophenolate_mofetil", "mycophenolate mofetil") for note in told]
    assert [each["value"] for each in page.all("input", name="remark")] == remarks
    assert bool(remarks) == bool(page.with_class("remarks"))
    assert all(remark in page.text for remark in remarks)
    assert len(remarks) >= len(more)


def test_that_the_records_end_is_no_last_contact():
    page = page_of(opened(bundle(*records())))
    assert page.one("input", name="events.0.date")["value"] == ""


def test_remarks_come_back_with_the_form():
    page = page_of(opened(on(DAY, *records(*ODD))))
    (first, *_) = [each["value"] for each in page.all("input", name="remark")]
    again = page_of(sent("assess", remark=first))
    assert [each["value"] for each in again.all("input", name="remark")] == [first]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bundle(person(), person(id="bea")), "2 Patient resources; expected one patient"),
        (bundle(person(gender="other")), "The Patient cannot be assessed"),
        ({"resourceType": "Observation"}, "expected a Bundle with a Patient"),
        ({"resourceType": "Parameters", "parameter": [{"name": "x"}]}, "expected bundle"),
        (bundle(*[person()] * 501), "501 resources; at most 500 are accepted"),
        ({**bundle(person()), "link": [{"relation": "next"}]}, "put all pages together"),
        ({"kind": "report"}, "or a FHIR R4 Bundle of one patient"),
    ],
)
def test_what_is_no_patient_is_refused_with_the_reason(content, why):
    response = opened(content)
    assert response.status_code == 422
    assert why in page_of(response).text


def test_the_bundle_is_wholly_in_the_form():
    page = page_of(opened(bundle(*records())))
    shown = [page.one("input", name=f"measurements.{row}.value")["value"] for row in range(4)]
    assert shown == [f"{value:g}" for _, value in UPCR]
