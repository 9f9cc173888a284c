"""The report stands alone, can be read by everyone, and says what its figures rest on."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from full_results import bare_page, bare_results, full_page, full_results
from lnrisk.features.errors import LnriskError
from lnrisk.serving.scoring import score
from lnrisk.training.report import page as module
from lnrisk.training.report.page import render_report
from lnrisk.training.report.words import MEASURES, number, percent
from reading_pages import Page, parts, section
from registries import simulated, trained

BYTES = 600_000
SUBSECTIONS = (
    "flow",
    "baseline",
    "sample-size",
    "calibration",
    "discrimination",
    "optimism",
    "decision",
    "flagged",
    "comparators",
    "candidates",
    "centres",
    "subgroups",
    "sensitivity",
    "certainty",
    "overlap",
    "effects",
    "worked",
    "inputs",
)
PAGES = pytest.mark.parametrize("page", [full_page, bare_page])


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


@PAGES
def test_the_page_asks_nothing_of_any_host(page):
    assert not re.search(r"(src|href)=[\"'](?!#)", page())
    assert "url(http" not in page()
    assert "<script" not in page()
    assert "@import" not in page()


@PAGES
def test_the_page_is_well_formed_and_every_link_has_its_target(page):
    read = Page(page())
    assert len(read.ids) == len(set(read.ids))
    for attributes in read.having("a"):
        assert attributes["href"].removeprefix("#") in read.ids
    for tag, attributes in read.tags:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in read.ids, tag


def test_a_full_page_is_small_enough_to_send():
    assert len(full_page().encode()) < BYTES


def test_every_figure_has_a_name_a_caption_and_a_table():
    figures = parts(full_page(), "figure")
    assert len(figures) >= 18
    for text in figures:
        read = Page(text)
        labels = [
            attributes.get("aria-label")
            for tag, attributes in read.tags
            if attributes.get("role") in ("img", "group")
        ]
        assert len(labels) == 1
        assert len(labels[0]) > 20
        assert len(read.having("figcaption")) == 1
        assert "table" in [tag for tag, _ in read.tags]
        assert text.count("<tr>") > 1
    drawings = Page(full_page()).having("svg")
    assert len(drawings) == len(figures) - 1  # the flow is a list, which needs no drawing


@PAGES
def test_headings_never_skip_a_level_and_every_column_has_one(page):
    read = Page(page())
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert all("scope" in attributes for attributes in read.having("th"))
    assert dict(read.tags)["html"]["lang"] == "en"


@PAGES
def test_the_keyboard_reaches_what_scrolls_and_skips_what_repeats(page):
    read = Page(page())
    scrolled = [a for a in read.having("div") if "wide" in a.get("class", "").split()]
    assert scrolled
    assert all(a["tabindex"] == "0" and a["role"] and a["aria-label"] for a in scrolled)
    first = read.having("a")[0]
    assert (first["class"], first["href"]) == ("skip", "#main")
    assert read.having("main")[0]["id"] == "main"


@PAGES
def test_the_contents_list_leads_to_every_section(page):
    read = Page(page())
    listed = {a["href"].removeprefix("#") for a in read.having("a")}
    sections = {a["id"] for a in read.having("section")}
    assert sections <= listed
    assert {a["id"] for a in read.having("h3") if "id" in a} <= listed


@pytest.mark.parametrize("name", SUBSECTIONS)
def test_what_was_not_done_is_called_so(name):
    assert "Not done." in section(bare_page(), name)
    assert "Not done." not in section(full_page(), name)


def test_what_was_not_done_is_also_on_the_first_screen():
    text = Page(bare_page()).text
    assert "Not done in this run:" in text
    assert "validation centre by centre" in text
    assert "Not done in this run:" not in Page(full_page()).text


@pytest.mark.parametrize("only", sorted(set(full_results()) - set(bare_results())))
def test_any_section_can_come_alone(only):
    Page(render_report({**bare_results(), only: full_results()[only]}))


def test_simulated_patients_are_called_so_and_real_ones_are_not():
    assert "Simulated patients" in Page(full_page()).text
    assert "(simulated patients)" in full_page().split("</title>")[0]
    data = {**full_results()["data"], "name": "a registry"}
    real = {**bare_results(), "synthetic": False, "warnings": [], "data": data}
    assert "imulated" not in render_report(real)


def test_results_of_a_run_are_all_on_the_page(results, page):
    text = Page(page).text
    for row in results["performance"]:
        assert MEASURES[row["measure"]].name in text
        assert number(row["estimate"], 3) in text
    for row in results["attrition"]:
        assert row["step"] in text
    for row in results["features"]:
        assert row["name"] in text
    for warning in results["warnings"]:
        assert warning in text


def test_the_numbers_of_every_section_are_on_the_page():
    text = Page(full_page()).text
    results = full_results()
    for row in results["performance"]:
        assert f"{number(row['lower'], 3)} to {number(row['upper'], 3)}" in text
    for row in results["centres"]["rows"]:
        assert row["centre"] in text
    for row in results["subgroups"]:
        assert row["level"] in text
    for row in results["sensitivity"]:
        assert row["setting"] in text
    for row in results["comparators"]:
        assert row["meaning"] in text
    for row in results["candidates"]:
        assert row["why"] in text
    for patient in results["worked_patients"]:
        assert percent(patient["risk"]) in text
    for row in results["overlap"]:
        assert row["meaning"] in text
    assert "too few to show" in text


def test_how_often_each_candidate_was_chosen_anew_is_said_where_the_choice_was_repeated():
    said = (
        "chose anew between those that a model file can hold: penalised logistic in 19 of 25 folds "
        "and 131 of 200 refits, elastic net in 6 of 25 folds and 69 of 200 refits."
    )
    text = Page(full_page()).text
    assert said in text
    assert "tuning, choice of the classifier, calibration" in text
    rows = [{**row, "chosen_in_refits": 0} for row in full_results()["candidates"]]
    without = Page(render_report({**full_results(), "candidates": rows})).text
    assert "elastic net in 6 of 25 folds." in without
    rows = [{**row, "chosen_in_folds": None} for row in full_results()["candidates"]]
    settled = Page(render_report({**full_results(), "candidates": rows})).text
    assert "chose anew" not in settled
    assert "choice of the classifier" not in settled


def test_the_flow_ends_with_those_at_risk_and_leaves_out_steps_that_left_nobody_out():
    steps = (("registry", 0, 90), ("index date", 5, 85), ("met", 0, 85), ("alive", 5, 80))
    rows = [
        {"step": step, "why": f"not {step}", "left_out": out, "remaining": left}
        for step, out, left in (*steps, ("outcome known", 30, 50))
    ]
    cohort = {"patients": 80, "events": 10, "event_free": 40, "censored": 30}
    text = render_report({**bare_results(), "attrition": rows, "cohort": cohort})
    (flow,) = [f for f in parts(text, "figure") if 'id="flow-figure"' in f]
    drawn = Page(flow.split("<details>")[0] + "</figure>").text
    assert re.findall(r"(\d+) left out", drawn) == ["5", "5"]
    assert "80 at risk on day 84" in drawn
    assert "outcome known" not in drawn
    assert "outcome known" in flow


def test_a_cell_that_is_too_small_shows_neither_estimate_nor_count():
    figures = parts(full_page(), "figure")
    (subgroups,) = [f for f in figures if 'id="subgroups-auroc-figure"' in f]
    assert re.search(r"Indigenous American</th><td[^>]*>too few to show</td>", subgroups)


def test_adherence_is_explained_where_the_definition_asks_for_it():
    assert "Why does good adherence raise this risk?" in Page(full_page()).text
    task = {**full_results()["task"], "outcome": "registry", "definition": None}
    other = render_report({**bare_results(), "task": task})
    assert "adherence raise this risk" not in other
    assert 'href="#adherence"' not in other


def test_scored_patients_show_risk_and_rule_side_by_side(page, patients, results):
    text = Page(page).text
    for row in patients.to_dict("records"):
        assert row["patient_id"] in text
        assert percent(row["risk"]) in text
    assert "Scored patients" not in render_report(results)


def test_what_a_registry_says_is_text_and_never_markup():
    evil = "<script>alert(1)</script>"
    results = full_results()
    named = {**bare_results(), "data": {**results["data"], "name": evil}, "warnings": [evil]}
    named["centres"] = {
        **results["centres"],
        "rows": [{**row, "centre": evil} for row in results["centres"]["rows"]],
    }
    named["subgroups"] = [{**row, "level": '"><b>'} for row in results["subgroups"]]
    text = render_report(named)
    assert "<script" not in text
    Page(text)


def test_a_measure_that_is_not_defined_is_called_so():
    rows = [{**row, "estimate": None, "lower": None} for row in full_results()["performance"]]
    assert "not defined" in render_report({**bare_results(), "performance": rows})


def test_another_schema_is_refused():
    with pytest.raises(LnriskError, match=r"expected 'lnrisk\.results/2'"):
        render_report({**full_results(), "schema": "lnrisk.results/0"})


def test_the_same_results_give_the_same_page():
    some = {**bare_results(), "roc_curve": full_results()["roc_curve"]}
    assert render_report(some) == render_report(some)


def colours(theme):
    css = (Path(module.__file__).parent / "report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[theme]))


def luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_and_lines_can_be_told_from_what_they_are_on(theme):
    found = colours(theme)
    for ground in ("paper", "ground", "quiet", "warn-ground", "fine-ground"):
        for text in ("ink", "muted", "risk", "event", "third"):
            assert contrast(found[text], found[ground]) >= 4.5, (text, ground)


def test_contrast_is_computed_as_the_guidelines_do():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)
