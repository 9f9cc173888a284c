"""The report stands alone, can be read by everyone, and says what its figures rest on."""

import json
import re
from html.parser import HTMLParser

import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.serving.scoring import score
from lnrisk.training.report.figures import picture, save_picture
from lnrisk.training.report.page import render_report
from lnrisk.training.report.words import MEASURES, duration, number, percent
from registries import simulated, trained

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Collects tags, identifiers and text, and insists that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def results():
    return json.loads(json.dumps(trained().results, allow_nan=False))


@pytest.fixture(scope="module")
def patients():
    risks = score(trained().model, simulated(), landmark_weeks=12)
    return risks[risks["status"] == "ok"].head(10)


@pytest.fixture(scope="module")
def page(results, patients):
    return render_report(results, patients)


def test_the_page_asks_nothing_of_any_host(page):
    assert not re.search(r"(src|href)=[\"'](?!#)", page)
    assert "url(http" not in page
    assert "<script" not in page
    assert "@import" not in page


def test_the_page_is_well_formed_and_every_link_has_its_target(page):
    read = Page(page)
    assert len(read.ids) == len(set(read.ids))
    for tag, attributes in read.tags:
        if tag == "a":
            assert attributes["href"].removeprefix("#") in read.ids


def test_every_drawing_has_a_name_and_every_column_a_heading(page):
    read = Page(page)
    drawings = [attributes for tag, attributes in read.tags if tag == "svg"]
    assert len(drawings) == 4
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)
    assert all("scope" in attributes for tag, attributes in read.tags if tag == "th")
    assert dict(read.tags)["html"]["lang"] == "en"


def test_simulated_patients_are_called_so_and_real_ones_are_not(results):
    assert "Simulated patients" in render_report(results)
    real = {**results, "synthetic": False, "warnings": []}
    assert "imulated" not in render_report(real)


def test_every_figure_of_the_results_is_on_the_page(results, page):
    text = " ".join(" ".join(Page(page).text).split())
    for row in results["performance"]:
        assert MEASURES[row["measure"]].name in text
        digits = 3 if "brier" in row["measure"] else 2
        assert number(row["estimate"], digits) in text
        assert f"{number(row['lower'], digits)} to {number(row['upper'], digits)}" in text
    for row in results["attrition"]:
        assert row["step"] in text
    for row in results["features"]:
        assert row["name"] in text
    for warning in results["warnings"]:
        assert warning in text


def test_scored_patients_show_risk_and_rule_side_by_side(page, patients, results):
    text = " ".join(Page(page).text)
    for row in patients.to_dict("records"):
        assert row["patient_id"] in text
        assert percent(row["risk"]) in text
    assert "Scored patients" not in render_report(results)


def test_what_a_registry_says_is_text_and_never_markup(results, patients):
    named = {**results, "data": {**results["data"], "name": "<script>alert(1)</script>"}}
    assert "<script" not in render_report(named, patients.assign(patient_id="<b>p</b>"))


def test_a_measure_that_is_not_defined_is_called_so(results):
    rows = [{**row, "estimate": None, "lower": None} for row in results["performance"]]
    assert "not defined" in render_report({**results, "performance": rows})


def test_another_schema_is_refused(results):
    with pytest.raises(LnriskError, match=r"expected 'lnrisk\.results/1'"):
        render_report({**results, "schema": "lnrisk.results/0"})


def test_the_same_results_give_the_same_page_and_picture(results, page, patients):
    assert render_report(results, patients) == page
    assert picture(results) == picture(results)


def test_the_picture_is_a_png_of_its_size(results, tmp_path):
    save_picture(results, tmp_path / "picture.png")
    content = (tmp_path / "picture.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert (width, height) == (1600, 700)


def test_the_results_hold_no_patient(results):
    text = json.dumps(results)
    assert not re.search(r"P\d{5}", text)
    assert len(results["roc_curve"]) == 101


@pytest.mark.parametrize(
    ("days", "said"), [(84, "12 weeks"), (548, "18 months"), (1826, "5 years")]
)
def test_spans_are_said_as_people_say_them(days, said):
    assert duration(days) == said
