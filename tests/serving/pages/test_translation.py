"""The page says nothing that its file of words does not: every state, with every text replaced.

Each text becomes a pseudo-translation, in which what stands in the file is between ⟦ and ⟧ and what
a value brings is not. What is left outside must be a value, a code, or what the user wrote.
"""

import datetime
import json
import re
import string
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from lnrisk.features.vocabulary import analytes
from lnrisk.serving.pages import routes
from lnrisk.serving.pages.refused import refusal_said
from lnrisk.serving.pages.words import Words, load_words
from lnrisk.serving.refusals import CODES, Concerned, Reason
from lnrisk.serving.topics import Lack
from markupsafe import escape
from models import linear_model, term
from records import bundle, observation, order, person
from served import patient, small_model, upcr
from test_fhir import on, records
from visits import browser, sent, typed

STRUCTURAL = ("read_as.", "site.language")
"""What is no text: headers that are recognised, and the language's own code."""
SIGNS = {"format.decimal": "·", "format.thousands": "\u2009"}
SHOWN_ATTRIBUTES = ("alt", "aria-label", "title", "placeholder", "label", "content", "data-wait",
                    "data-failed", "data-done", "data-row")  # fmt: skip
ALONE = {"meta", "link", "input", "br", "path", "circle", "rect", "line"}
UNITS = [unit for analyte in analytes().values() for unit in analyte.units]
CODES_SHOWN = [
    *UNITS, "mg/kg", "mg", "g", "arora-2022", "1.0.0", "II", "III", "IV", "V", "VI", "III+V",
    "IV+V", "ln", "width=device-width, initial-scale=1", "light dark", "noindex",
]  # fmt: skip
"""UCUM, the definition's name, ISN/RPS classes, the logarithm; and what a browser alone reads."""


def pseudo(key, text):
    if key.startswith(STRUCTURAL) or not text:
        return text
    if key in SIGNS:
        return SIGNS[key]
    if key == "format.months":
        return " ".join(f"⟦{month}⟧" for month in text.split())
    parts = string.Formatter().parse(text)
    said = ((f"⟦{literal}⟧" if re.search(r"\w", literal) else literal, field)
            for literal, field, _, _ in parts)  # fmt: skip
    return "".join(literal + ("" if field is None else f"{{{field}}}") for literal, field in said)


PSEUDO = Words({key: pseudo(key, text) for key, text in load_words().texts.items()})


class Shown(HTMLParser):
    """All that a page shows or says, but for what is marked as English and what the user wrote."""

    def __init__(self, text):
        super().__init__()
        self.open, self.said = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in ALONE:
            apart = tag in ("script", "style", "textarea", "code")
            english = tag != "html" and attributes.get("lang") == "en"
            self.open.append((tag, apart or english))
        self.said += [attributes[name] for name in SHOWN_ATTRIBUTES if attributes.get(name)]

    def handle_endtag(self, tag):
        while self.open and tag not in ALONE:
            if self.open.pop()[0] == tag:
                break

    def handle_data(self, data):
        if not any(apart for _, apart in self.open):
            self.said.append(data)


def unsaid(html, written=()):
    """Return what stands outside the words, and is neither a code nor written by the user."""
    left = []
    known = sorted([*CODES_SHOWN, *written], key=len, reverse=True)
    apart = re.compile("|".join(rf"(?<![\w.]){re.escape(each)}(?!\w|\.\d)" for each in known))
    for said in Shown(html).said:
        outside = apart.sub(" ", re.sub(r"⟦[^⟦⟧]*⟧", " ", said))
        if re.search(r"[^\W\d_]|\d[.,]\d", outside):
            left.append(" ".join(said.split()))
    return left


@pytest.fixture(scope="module", autouse=True)
def pseudo_words():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "load_words", lambda: PSEUDO)
        yield


def asked(given, model=None):
    client = browser(model or small_model())
    content = given if isinstance(given, bytes) else json.dumps(given).encode()
    return sent("open", [("patient.json", content)], client=client).text


def as_typed(given):
    """Return the values of results; they are shown as they were entered too."""
    return [str(row["value"]) for row in given.get("measurements", ())]


def treated(drug="mycophenolate_mofetil", start="2015-06-01", **more):
    return {"drug": drug, "start_date": start, "dose": 2000, "dose_unit": "mg/d", **more}


SECOND = treated("cyclophosphamide", "2015-12-01", dose=500, dose_unit="mg", end_date="2015-12-01")
RESCUE = treated("rituximab", "2016-03-01", dose=1, dose_unit="g", end_date="2016-03-01")
FAILED = [upcr("2015-05-27", 3), upcr("2015-10-20", 2.9), upcr("2016-05-01", 3.4)]
FILTRATION = [
    {"date": date, "analyte": "creatinine", "value": value, "unit": "mg/dL"}
    for date, value in (("2015-05-20", 0.8), ("2015-10-20", 1.9))
]
EVIDENCE = [
    {"start_date": "2015-06-01", "end_date": "2015-11-01", "measure": measure, "value": value}
    for measure, value in (("pdc", 0.9), ("self_report", 0.5), ("clinician", 0), ("mpr", 0.4),
                           ("missed_infusions", 3))
]  # fmt: skip
LEVELS = [
    {"date": "2015-09-01", "analyte": name, "value": 300, "unit": "ng/mL"}
    for name in ("hcq_blood", "hcq_serum")
]
BIOPSY = {"date": "2015-05-01", "isn_rps_class": "IV", "chronicity_index": 7, "tubular_atrophy": 2,
          "interstitial_fibrosis": 2, "activity_index": 4}  # fmt: skip
COLLECTED = {"date": "2015-10-20", "analyte": "protein_24h", "value": 3, "unit": "g/d"}
EXAMPLE = json.loads((routes.HERE / "example.json").read_text(encoding="utf-8"))
OWN = "a thing of the registry's own"

STATES = {
    "answered": patient(),
    "too early": patient(as_of="2015-06-20"),
    "past the horizon": patient(as_of="2017-06-20"),
    "ended": patient(events=[{"date": "2015-09-01", "event": "kidney_failure"}]),
    "left": patient(
        events=[{"date": "2015-08-01", "event": "last_contact"}],
        measurements=[upcr("2015-07-10", 2.25)],
    ),
    "too little": patient(measurements=[upcr("2016-01-01", 3)]),
    "beyond training": patient(patients=[{"sex": "male", "birth_date": "1905"}]),
    "no induction": patient(treatments=[treated("prednisone")]),
    "later data": patient(measurements=[*patient()["measurements"], upcr("2016-10-20", 1)]),
    "odd value": patient(measurements=[*patient()["measurements"], upcr("2015-09-20", 90)]),
    "rescued, with evidence": patient(
        as_of="2016-06-20",
        treatments=[treated(), SECOND, RESCUE,
                    treated("hydroxychloroquine", dose=300)],
        measurements=[*FAILED, *FILTRATION, *LEVELS],
        adherence=EVIDENCE,
        biopsies=[BIOPSY],
        patients=[{"sex": "female", "birth_date": "1985", "apol1_risk_alleles": 2}],
    ),
    "taken, in both arms": patient(
        measurements=[*patient()["measurements"], *FILTRATION],
        adherence=EVIDENCE[:1],
        treatments=[treated("tacrolimus", dose=4, end_date="2015-07-01", stop_reason="intolerance"),
                    treated()],
    ),
    "protein in 24 h": patient(measurements=[upcr("2015-05-27", 3), COLLECTED]),
    "nothing measured": patient(measurements=[], as_of="2015-11-01"),
}  # fmt: skip


SAID = {
    "too early": "refused.too_early",
    "past the horizon": "refused.past_horizon",
    "ended": "refused.ended",
    "left": "refused.left",
    "too little": "refused.too_little",
    "beyond training": "refused.beyond_training",
    "no induction": "refusal.no_induction",
    "answered": "beware.later_unused",
    "later data": "course_of.not_later",
    "odd value": "sentence.implausible",
    "rescued, with evidence": "together.rescue",
    "taken, in both arms": "choice.intolerance",
    "protein in 24 h": "reason.mixed_proteinuria",
    "nothing measured": "settle.upcr_window",
}


def part_of(key):
    """Return the longest part of a text that no value interrupts."""
    return max(re.findall(r"⟦[^⟦⟧]*⟧", PSEUDO.texts[key]), key=len)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("spread", [None, small_model().spread], ids=["unranged", "ranged"])
def test_an_answer_has_no_words_of_its_own(state, spread):
    html = asked(STATES[state], small_model(spread=spread))
    assert part_of(SAID[state]) in html
    assert unsaid(html, as_typed(STATES[state])) == []


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_has_no_words_of_its_own(code):
    beyond = Concerned("egfr_change", "", "90 mL/min/1.73 m2", "1 ln(g/g)/mo", "missing")
    reason = Reason(code, 11, 22, datetime.date(2025, 3, 4), (beyond,))
    assert unsaid(refusal_said(reason, PSEUDO)) == []
    partly = Lack("c3", "C3", False, ("c3_change", "c3_last"), "C3 (in part)")
    lacks = (partly, Lack("biopsy", "biopsy", True, ("ifta",), "biopsy"))
    assert unsaid(refusal_said(Reason(code, 11, 22, None, lacks=lacks), PSEUDO)) == []
    assert unsaid(refusal_said(Reason(code, 11, 22, None), PSEUDO)) == []


def test_so_do_a_rule_that_is_met_and_one_that_does_not_count():
    dosed = [treated(end_date="2016-01-10"),
             treated("tacrolimus", "2016-01-11", dose=6, dose_unit="mg/d")]  # fmt: skip
    trough = [{"date": f"2016-0{month}-01", "analyte": "tacrolimus_trough", "value": 7,
               "unit": "ng/mL"} for month in (2, 3, 4, 5)]  # fmt: skip
    values = [upcr("2015-05-27", 3), upcr("2015-11-10", 3.2), upcr("2016-01-05", 3.3),
              upcr("2016-06-10", 3.6), *trough]  # fmt: skip
    for clinician, verdict in ((1, "refractory"), (0, "pseudo_refractory")):
        taken = [{"start_date": "2015-06-01", "end_date": "2016-07-01", "measure": "clinician",
                  "value": clinician}]  # fmt: skip
        given = patient(as_of="2016-07-01", treatments=dosed, measurements=values, adherence=taken)
        html = asked(given)
        assert f'card rule {verdict}"' in html
        assert unsaid(html, as_typed(given)) == []


WRONG = {
    "measurements": [
        upcr("2015-02-30", 3), upcr("1970-01-01", 3), upcr("2019-01-01", 3),
        upcr("2015-07-10", "x"), upcr("2015-07-11", -1), upcr("2015-07-12", 1, "mg/L"),
        upcr("", 2), {**upcr("2015-07-13", 0, "mg/dL"), "analyte": "creatinine"},
    ],
    "treatments": [
        treated(end_date="2015-05-01"), treated(dose_unit="spoon"), treated(dose_unit="mg"),
        treated(stop_reason="bored"),
    ],
    "adherence": [
        {"start_date": "2015-06-01", "end_date": "2015-07-01", "measure": measure, "value": value}
        for measure, value in (("pdc", 90), ("clinician", 0.5), ("missed_visits", 1.5))
    ],
    "biopsies": [{"date": "2015-05-01", "chronicity_index": 14, "tma": 0.5}],
}  # fmt: skip


def test_what_the_checks_refuse_is_said_in_words_of_the_page():
    html = asked(patient(**WRONG))
    assert html.count('class="why"') >= 14
    assert unsaid(html, ["x", "mg/L", "spoon", "bored", "0.5", "1.5"]) == []
    two = patient(patients=patient()["patients"] * 2)
    assert unsaid(asked(two)) == []
    assert (
        unsaid(asked(patient(patients=[{"sex": "female", "birth_date": "soon"}])), ["soon"]) == []
    )


@pytest.mark.parametrize(
    "content",
    [b"{", b"[" * 100_000, b"[]", b"\xff\xfe", b'{"resourceType": "Observation"}',
     b'{"resourceType": "Bundle"}', b'{"resourceType": "Parameters", "parameter": [{"name": "p"}]}',
     json.dumps(bundle(person(gender="other"))).encode(),
     json.dumps(bundle(*[person()] * 600)).encode()],
)  # fmt: skip
def test_what_cannot_be_opened_is_said_in_words_of_the_page(content):
    assert unsaid(asked(content), ["patient.json", "gender", "p"]) == []


ODD_RECORD = [
    observation("upcr", "2015-09-20", 2, "g/g", status="preliminary"),
    observation("upcr", "2015-09-21", 2, "cups"),
    observation("9318-7", "2015-09-22", 20, "mg/g"),
    observation("tacrolimus_trough", "2015-09-22", 7, "ng/mL"),
    order("2015-09-01", {"text": "as needed"}),
]


def test_remarks_on_a_record_are_said_in_words_of_the_page():
    html = asked(on("2015-10-20", *records(*ODD_RECORD)))
    names = ["Observation", "MedicationRequest", "preliminary", "cups", *as_typed(patient())]
    assert html.count('name="remark"') >= 5
    assert unsaid(html, names) == []


def test_pages_without_a_patient_have_no_words_of_their_own():
    client = browser()
    for html in (
        client.get("/").text,
        sent("example", client=client).text,
        sent("open", client=client).text,
        sent("paste", client=client).text,
        sent("paste", client=client, pasted="a,b\n1,2").text,
        sent("paste", client=client, pasted="date,CRP (mg/L),UPCR (g/g)\n2024-01-01,3,2\n").text,
        sent("assess", client=client, **{"as_of": "soon", "events.0.date": "2015-01-01"}).text,
        sent(
            "assess", client=client, **typed(patient(patients=[{"sex": "", "birth_date": ""}]))
        ).text,
        client.post("/", json={}).text,
        client.post("/", headers={"content-type": "multipart/form-data"}, content=b"x").text,
    ):
        assert "<html" in html
        assert unsaid(html, ["a, b", "CRP (mg/L)", "soon", *as_typed(EXAMPLE)]) == []


def test_a_feature_without_words_keeps_its_meaning_marked_as_english():
    own = replace(term("il6_last", 4.0, lowest=3, highest=5), meaning=OWN)
    known, scales = small_model(), {"upcr": "log", "egfr": "identity", "il6": "identity"}
    model = linear_model(
        [*known.terms, own], [*known.coefficients[: len(known.terms)], 0.7], analytes=scales
    )
    il6 = {"date": "2015-07-10", "analyte": "il6", "value": 9, "unit": "pg/mL"}
    given = patient(measurements=[*patient()["measurements"], il6])
    html = asked(given, model)
    assert f'<span lang="en">{escape(OWN)}</span>' in html
    assert unsaid(html, ["il6", "pg/mL", *as_typed(given)]) == []


def test_this_test_sees_english():
    assert unsaid('<p>⟦one⟧ two</p><img alt="three">') == ["⟦one⟧ two", "three"]
    assert unsaid("<p>⟦one⟧ 2 mg/d</p>") == []
