"""Checklists: every item is there, and none is answered that the results do not answer."""

import pytest
from full_results import bare_page, bare_results, full_page, full_results
from lnrisk.training.report.page import render_report
from lnrisk.training.report.probast import probast
from lnrisk.training.report.tripod import tripod
from lnrisk.training.schema.results import as_results
from reading_pages import Page

FULL, BARE = as_results(full_results()), as_results(bare_results())
LETTERS = {
    3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef",
    20: "abc", 23: "ab", 27: "abc",
}  # fmt: skip
PEOPLE_ONLY = ("3c", "5b", "6a", "17", "18a", "18b", "18c", "18d", "18e", "19", "25", "27c")
SECTION_OF = {
    "10": "sample_size",
    "12d": "centres",
    "20b": "baseline",
    "22": "model",
    "23a": "performance",
    "23b": "centres",
}


def numbers(items):
    return [item.number for item in items]


def by_number(results):
    return {item.number: item.answer for item in tripod(as_results(results))}


@pytest.mark.parametrize("results", [FULL, BARE], ids=["full", "bare"])
def test_all_27_items_are_there_in_order(results):
    expected = [f"{n}{letter}" for n in range(1, 28) for letter in LETTERS.get(n, [""])]
    assert numbers(tripod(results)) == expected
    assert len(expected) == 52


@pytest.mark.parametrize("page", [full_page, bare_page])
def test_every_item_and_question_is_on_the_page(page):
    text = Page(page()).text
    for item in tripod(FULL):
        assert f"{item.number} {item.topic} {item.asks}" in text
    for question in probast(FULL):
        assert f"{question.number} {question.domain} {question.asks}" in text


@pytest.mark.parametrize("results", [FULL, BARE], ids=["full", "bare"])
def test_what_only_people_know_stays_open(results):
    answers = {item.number: item.answer for item in tripod(results)}
    for number in PEOPLE_ONLY:
        assert answers[number].status == "open"
        assert answers[number].text


@pytest.mark.parametrize(("number", "section"), SECTION_OF.items())
def test_an_item_is_answered_only_by_a_section_that_is_there(number, section):
    assert by_number(full_results())[number].status == "answered"
    without = {name: value for name, value in full_results().items() if name != section}
    assert by_number(without)[number].status == "open"


def test_centres_without_a_row_answer_nothing():
    empty = {"rows": [], "pooled": [], "remarks": ["not asked for."]}
    assert by_number({**full_results(), "centres": empty})["12d"].status == "open"


def test_links_lead_to_sections_of_the_page():
    ids = Page(full_page()).ids
    assert all(item.answer.link in {*ids, ""} for item in tripod(FULL))


def test_probast_asks_16_and_18_questions():
    found = probast(FULL)
    development = [q.number for q in found if q.part == "development"]
    evaluation = [q.number for q in found if q.part == "evaluation"]
    shared = ["1.1", "1.2", "1.3", *(f"{d}.{q}" for d in (2, 3) for q in range(1, 5))]
    assert development == [*shared, *(f"4.{q}" for q in range(1, 6))]
    assert evaluation == [*shared, *(f"4.{q}" for q in range(1, 8))]
    assert (len(development), len(evaluation)) == (16, 18)
    assert [q.part for q in found] == ["development"] * 16 + ["evaluation"] * 18


def test_probast_does_not_flatter():
    def says(results, part, number):
        questions = probast(as_results(results))
        return next(q.says for q in questions if (q.part, q.number) == (part, number))

    assert says(full_results(), "development", "4.1") == "no"
    assert says(bare_results(), "development", "4.1") == "no information"
    assert says(full_results(), "evaluation", "3.3") == "probably no"
    assert says(bare_results(), "evaluation", "4.1") == "no"
    assert says(bare_results(), "evaluation", "4.7") == "probably no"
    wide = [
        {**row, "lower": 0.6, "upper": 0.9} if row["measure"] == "auroc" else row
        for row in full_results()["performance"]
    ]
    assert says({**full_results(), "performance": wide}, "evaluation", "4.2") == "probably no"


def test_a_model_that_chose_its_columns_is_not_called_small_enough_for_the_sample():
    results = full_results()
    results = results | {"sample_size": results["sample_size"] | {"too_small": False}}
    tried = {"classifier": "elastic net", "penalty": 0.01, "l1_ratio": 0.5, "C": None}
    chosen = results | {"model": results["model"] | tried | {"columns": 20, "columns_tried": 174}}
    answers = by_number(chosen)
    assert "chose among 174 columns" in answers["10"].text
    assert "of the default; enough" in answers["10"].text
    assert "kept by the elastic net" in answers["9a"].text
    assert "before anyone looks" in by_number(results)["9a"].text
    questions = {q.number: q for q in probast(as_results(chosen)) if q.part == "development"}
    assert questions["4.1"].says == "probably no"
    assert "anew in every fold" in questions["4.5"].why
    text = Page(render_report(chosen)).text
    assert "For the default, yes." in text
    assert "chose among 174 columns" in text
    assert "the model has" not in text
    assert "the model has" in Page(render_report(results)).text


@pytest.mark.parametrize(("drawn", "told"), [(True, True), (False, False), (None, False)])
def test_a_model_that_learned_from_earlier_steps_says_so(drawn, told):
    results = full_results()
    results = results | {"model": results["model"] | {"drawn": drawn}}
    assert ("earlier steps to the outcome" in by_number(results)["12c"].text) == told
