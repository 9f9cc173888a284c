"""What matters is shown at once, and all else can be unfolded."""

import datetime
from dataclasses import replace

from client import Client
from lnrisk.serving.answers import assess_request
from lnrisk.serving.app import create_app
from lnrisk.serving.pages.why import MOST_SHOWN, SMALLEST_MOVE, SMALLEST_SHARE, why_of
from lnrisk.serving.rows import PatientTables
from lnrisk.serving.settings import Settings
from served import broad_model, patient
from visits import sent, typed

MODEL = broad_model()
ANSWER = assess_request(MODEL, PatientTables.model_validate(patient(as_of="2015-08-24")))


def test_nothing_is_lost_and_the_largest_is_first():
    why = why_of(ANSWER)
    assert why.groups + why.small_groups == ANSWER.driver_groups
    assert why.missing + why.small_missing == ANSWER.missing
    assert why.features == ANSWER.drivers
    assert len(why.groups) <= MOST_SHOWN
    assert len(why.missing) <= MOST_SHOWN


def test_what_matters_little_is_folded_away():
    groups = tuple(replace(ANSWER.driver_groups[0], points=p) for p in (-10.0, 4.0, 0.9, 0.2))
    ends = [(0.1, 0.5), (0.2, 0.205)]
    missing = tuple(replace(ANSWER.missing[0], risk_lowest=a, risk_highest=b) for a, b in ends)
    why = why_of(replace(ANSWER, driver_groups=groups, missing=missing))
    assert why.groups == groups[:2]
    assert why.missing == missing[:1]
    assert SMALLEST_SHARE * 10 > 0.9
    assert SMALLEST_MOVE > 0.005


def test_without_a_risk_nothing_is_shown():
    none = replace(ANSWER, driver_groups=(), drivers=(), missing=())
    why = why_of(replace(none, as_of=datetime.date(2015, 8, 24)))
    assert (why.groups, why.small_groups, why.features, why.missing) == ((), (), (), ())


def test_the_page_of_a_model_of_many_terms_shows_few_lines():
    client = Client(create_app(MODEL, Settings()))
    html = sent("assess", client=client, **typed(patient(as_of="2015-08-24"))).text
    section = html.partition('id="drivers-title"')[2].partition("<details>")[0]
    assert 0 < section.count("<tr>") - 1 <= MOST_SHOWN
