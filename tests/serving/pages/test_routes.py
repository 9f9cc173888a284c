"""The page as it is sent: what it shows, what it refuses, and that it keeps nothing."""

import datetime
import json
import re
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from html_page import Page
from lnrisk.serving.assessment import assess
from lnrisk.serving.pages import routes
from lnrisk.serving.patient_input import check_patient
from served import patient, small_model, upcr
from visits import browser, opened, page_of, sent, typed

FAILING = patient(
    as_of="2016-08-01",
    treatments=[
        {"drug": "mycophenolate_mofetil", "start_date": "2015-06-01", "end_date": "2015-12-20",
         "dose": 3000, "dose_unit": "mg/d", "stop_reason": "inefficacy"},
        {"drug": "tacrolimus", "start_date": "2015-12-20", "dose": 4, "dose_unit": "mg/d"},
    ],
    measurements=[upcr(f"{2015 + m // 12}-{m % 12 + 1:02}-15", 3.2) for m in range(4, 19)],
    adherence=[
        {"start_date": "2015-06-01", "end_date": "2015-12-19", "measure": "pdc", "value": 0.9},
        {"start_date": "2015-12-20", "end_date": "2016-07-20", "measure": "pdc", "value": 0.9},
    ],
)  # fmt: skip


def risk_of(given, model=None):
    registry = check_patient({k: v for k, v in given.items() if k != "as_of"}).registry
    (answer,) = assess(
        model or small_model(), registry, datetime.date.fromisoformat(given["as_of"])
    )
    return answer


@pytest.fixture(scope="module")
def answered():
    return opened(patient())


def test_the_empty_page_offers_three_ways_to_open_a_patient():
    page = Page(browser().get("/").text)
    buttons = {b["value"] for b in page.all("button", type="submit")}
    assert buttons == {"assess", "example", "open", "paste"}
    assert "no medical device" in page.text
    assert "trained on simulated patients" in page.text


def test_real_training_data_is_not_called_simulated():
    training = {"synthetic": False, "patients": 9, "events": 3, "data": "x", "sha256": ""}
    assert "simulated" not in Page(browser(small_model(training=training)).get("/").text).text


def test_the_worked_example_says_that_it_is_made_up():
    page = page_of(sent("example"))
    assert "made-up patient" in page.text
    assert page.with_class("people")


def test_the_number_is_the_number_of_the_assessment(answered):
    expected = risk_of(patient())
    page = page_of(answered)
    number = round(100 * expected.risk)
    assert page.with_class("number")[0].text.startswith(f"{number} in 100")
    alike, steady = (
        f"{100 * each.lower:.0f} to {100 * each.upper:.0f} in 100"
        for each in (expected.interval, expected.steadiness)
    )
    assert f"90 % of patients like this one have a risk of {alike}." in page.text
    assert f"The best guess itself is steady within {steady}." in page.text
    marked = [e for e in page.with_class("person") if e.has_class("marked")]
    assert len(marked) == number
    assert "week 12 (day 84), 24 Aug 2015" in page.text
    assert "69 later days are not used" in page.text


def test_typed_opened_and_pasted_come_to_the_same():
    given = patient()
    as_file = page_of(opened(given)).with_class("number")[0].text
    assert page_of(sent("assess", **typed(given))).with_class("number")[0].text == as_file
    rows = "\n".join(f"{m['date']}\t{m['value']}" for m in given["measurements"])
    without = typed({**given, "measurements": []})
    pasted = sent("paste", pasted=f"date\tUPCR (g/g)\n{rows}", **without)
    assert page_of(pasted).with_class("number")[0].text == as_file


def test_a_unit_changes_the_risk():
    def shown(unit):
        results = [upcr("2015-05-27", 300, unit), upcr("2015-08-20", 200, unit)]
        return page_of(opened(patient(measurements=results))).with_class("number")[0].text

    assert shown("mg/g") != shown("mg/mmol")


def test_every_value_stands_in_a_table_behind_the_figure(answered):
    page = page_of(answered)
    figure, *_ = page.with_class("timeline")
    title = page.one("title", id=figure["aria-labelledby"])
    assert "table that follows" in title.text
    cells = " ".join(cell.text for cell in page.all("td"))
    for value in ("3 g/g", "2.25 g/g", "2 g/g", "2.9 g/g", "2,000 mg/day"):
        assert value in cells


def test_the_checklist_says_what_would_settle_what_is_unknown(answered):
    page = page_of(answered)
    questions = page.with_class("questions")[0]
    items = [e for e in page.all("li") if questions in e.ancestors and e["class"]]
    answers = {e["class"].split()[0]: e["class"].split()[1] for e in items}
    assert answers == {
        "failed": "yes",
        "adequate": "yes",
        "adherent": "unknown",
        "counts": "unknown",
    }
    assert "Refill records" in page.with_class("settle")[0].text
    assert "UPCR in the window over UPCR at baseline > 0.75" in page.text
    assert "(Results, row 1)" in page.text


def test_what_to_look_at_first_is_in_the_order_of_the_paper(answered):
    page = page_of(answered)
    (ordered,) = page.with_class("consider")
    heads = [e.text for e in page.all("h3") if ordered in e.ancestors]
    assert heads == ["Adherence", "Dose", "Chronic damage", "Genetics"]


def test_a_rule_that_is_met_is_no_risk():
    page = page_of(opened(FAILING))
    assert "Met: refractory" in page.text
    assert "The rule is already met" in page.text
    assert not page.with_class("person")
    assert not page.with_class("number")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"as_of": "2015-06-20"}, "Too early"),
        ({"as_of": "2017-06-20"}, "Too late: it is day 750 after the first induction treatment"),
        (
            {"measurements": [upcr("2016-01-01", 3)]},
            "Too little is known: there is no risk without UPCR",
        ),
        (
            {"treatments": [{"drug": "prednisone", "start_date": "2015-06-01"}]},
            "No standard induction treatment was started",
        ),
    ],
)
def test_a_refusal_is_an_answer_without_a_number(changes, said):
    response = opened(patient(**changes))
    page = page_of(response)
    assert response.status_code == 200
    assert said in page.text
    assert "No risk is given" in page.text
    assert not page.with_class("people")


def test_the_range_of_earlier_landmarks_is_named_also_where_there_is_no_risk_now():
    training = small_model().training
    model = small_model(landmarks=(0, 84, 182), training=training)
    page = page_of(opened(patient(as_of="2017-06-01"), client=browser(model)))
    assert "No risk is given" in page.text
    assert "the risk of 90 % of patients who looked alike then" in page.text


def test_disagreement_is_said_openly():
    training = {"synthetic": True, "patients": 1000, "events": 1, "data": "x", "sha256": ""}
    model = small_model(training=training)
    page = page_of(opened(patient(as_of="2015-09-01"), client=browser(model)))
    assert page.with_class("differ")
    assert "They differ: the rule is not met" in page.text


def test_a_rescue_is_no_reassurance():
    given = patient()
    given["treatments"].append({"drug": "rituximab", "start_date": "2015-08-01"})
    assert "no reassurance" in page_of(opened(given)).text


def test_what_is_wrong_is_said_at_its_field_and_above():
    given = patient()
    given["measurements"][2]["unit"] = "mg/L"
    given["treatments"][0]["start_date"] = "2015-13-01"
    response = opened(given)
    page = page_of(response)
    assert response.status_code == 422
    assert page.with_class("errors")[0]["role"] == "alert"
    field = page.one("select", name="measurements.2.unit")
    assert field["aria-invalid"] == "true"
    why = page.one("small", id=field["aria-describedby"])
    assert "g/g, mg/mg, mg/g" in why.text
    assert "#measurements.2.unit" in [a["href"] for a in page.all("a")]
    assert page.one("input", name="treatments.0.start_date")["value"] == "2015-13-01"
    assert not page.with_class("people")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Nothing was entered yet"),
        ({"events.0.date": "2024-01-01"}, "say the sex"),
        ({"patients.0.sex": "female", "as_of": "soon"}, "“soon” is no date"),
        ({"patients.0.sex": "female", "patients.0.birth_date": "1990"}, "no day was given"),
    ],
)
def test_what_is_lacking_is_asked_for(fields, said):
    response = sent("assess", **fields)
    assert response.status_code == 422
    assert said in page_of(response).text


def test_nothing_that_is_typed_is_taken_for_markup():
    given = patient()
    given["treatments"][0]["drug"] = "<script>alert(1)</script>"
    given["measurements"].append(upcr("2015-08-01", 1, "\"'><img src=x>"))
    for response in (opened(given), sent("paste", pasted="<script>x</script>")):
        assert "<script>" not in response.text
        assert "<img" not in response.text


def test_limits_of_size_and_rows():
    big = sent("open", [("a.json", b" " * (5 << 20))])
    assert big.status_code == 413
    assert "More than 4 MB" in page_of(big).text
    many = patient(measurements=[upcr("2015-08-01", 1)] * 600)
    assert "More than 500 rows" in page_of(opened(many)).text
    plain = browser().post("/", content=b"do=example")
    assert plain.status_code == 415


def test_nothing_is_stored(answered):
    assert "set-cookie" not in answered.headers
    assert answered.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answered.headers["content-security-policy"]
    page = page_of(answered)
    assert page.one("form")["method"] == "post"
    fields = [e for e in page.all("input") if e["type"] in ("text", "date")]
    assert {e["autocomplete"] for e in fields} == {"off"}
    script = (Path(routes.__file__).parent / "page.js").read_text()
    assert not re.search(r"localStorage|sessionStorage|indexedDB|cookie", script)


def test_a_large_file_stays_in_memory(monkeypatch):
    def written(self):
        raise AssertionError("the file went to disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", written)
    padded = json.dumps(patient()).encode() + b" " * (2 << 20)
    assert sent("open", [("p.json", padded)]).status_code == 200


def test_all_of_it_comes_from_here_and_nothing_is_inline(answered):
    page = page_of(answered)
    addresses = [e[name] for e in page.elements for name in ("src", "href", "action") if e[name]]
    assert all(a.startswith(("/", "#")) and not a.startswith("//") for a in addresses)
    assert not [
        e for e in page.elements if e["style"] or any(n.startswith("on") for n in e.attributes)
    ]
    assert not page.all("style")
    assert [e["src"] for e in page.all("script")] == ["/page/page.js"]
    client = browser()
    for name, kind in routes.STATIC.items():
        response = client.get(f"/page/{name}")
        assert response.headers["content-type"] == kind
        assert "http" not in response.text.replace("http://www.w3.org/2000/svg", "")


def test_structure_for_screen_readers(answered):
    for page in (page_of(answered), Page(browser().get("/").text)):
        assert page.one("html")["lang"] == "en"
        assert len(page.all("h1")) == 1
        assert len(page.all("main")) == 1
        levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
        assert all(b - a <= 1 for a, b in pairwise(levels))
        identities = [e["id"] for e in page.elements if e["id"]]
        assert len(identities) == len(set(identities))
        for name in ("aria-labelledby", "aria-describedby"):
            assert all(e[name] in identities for e in page.elements if e[name])
        fields = [e for e in page.elements if e.tag in ("input", "select", "textarea")]
        for field in fields:
            assert field["type"] == "hidden" or any(a.tag == "label" for a in field.ancestors)
        assert all(page.all("th", scope=scope) for scope in ("col", "row") if page.all("table"))
        assert all(any(a.tag == "table" for a in e.ancestors) for e in page.all("caption"))
        assert all(svg["role"] == "img" or svg["aria-hidden"] == "true" for svg in page.all("svg"))
