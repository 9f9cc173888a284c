"""Figures draw the numbers they are given, and say them in words and in a table."""

import re

import pytest
from full_results import bare_results, full_page, full_results
from lnrisk.training.report.figures import calibration, effects, forest, stability, usefulness
from lnrisk.training.report.figures.drawing import COLOURS
from lnrisk.training.report.figures.picture import picture, save_picture
from lnrisk.training.report.page import FIGURES
from lnrisk.training.report.words import number
from lnrisk.training.schema.results import as_results
from reading_pages import parts

FULL, BARE = as_results(full_results()), as_results(bare_results())


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_drawn_of_nothing(name):
    assert FIGURES[name](BARE) is None


def test_colours_are_the_pages_own_so_that_they_follow_its_theme():
    for svg in parts(full_page(), "svg"):
        assert not re.search("#[0-9a-f]{6}", svg.replace("&#34;", "")), svg[:200]
        assert "var(--ink)" in svg
        assert "DejaVu" not in svg
        assert "font-family" not in svg
    assert len(set(COLOURS)) == len(COLOURS)


def test_no_figure_is_wider_than_a_phone():
    for svg in parts(full_page(), "svg"):
        width = float(re.search(r'viewBox="0 0 ([0-9.]+) ', svg)[1])
        assert width == pytest.approx(324)


def test_text_keeps_its_digits_while_coordinates_are_rounded():
    drawn = forest.candidates(FULL)
    assert "0.0011" in drawn.svg
    assert not re.search(r' d="[^"]*\d\.\d{3}', drawn.svg)


def test_a_forest_plot_has_a_row_per_centre_and_the_range_of_a_new_one():
    drawn = forest.centres(FULL, "auroc")
    centres = full_results()["centres"]
    names = [row[0] for row in drawn.rows]
    assert names[:-1] == [r["centre"] for r in centres["rows"] if r["measure"] == "auroc"]
    pooled = next(p for p in centres["pooled"] if p["measure"] == "auroc")
    assert drawn.rows[-1][:2] == ("Pooled", number(pooled["estimate"]))
    assert number(pooled["prediction_lower"]) in drawn.rows[-1][3]
    assert number(pooled["prediction_upper"]) in drawn.svg.split(">")[0]
    assert forest.centres(FULL, "brier") is None


def test_a_name_is_never_a_formula():
    rows = [forest.Row(r"$\frac{$ & <b>", 0.7, 0.6, 0.8)]
    drawn = forest.forest(rows, "f", "AUROC", "alt", "caption")
    assert r"$\frac{$ &amp; &lt;b&gt;" in drawn.svg


def test_a_row_without_an_estimate_says_why_and_draws_no_point():
    rows = [forest.Row("one", 0.7, 0.6, 0.8), forest.Row("two")]
    drawn = forest.forest(rows, "f", "AUROC", "alt", "caption")
    assert drawn.rows[1] == ("two", "too few to show", "", "")
    assert "too few to show" in drawn.svg


def test_decision_curves_name_every_strategy_and_say_where_the_model_is_best():
    drawn = usefulness.decision_curves(FULL)
    assert drawn.columns[1:4] == ("the model", "everyone", "no one")
    assert "fall &lt; 25 % at week 12" in drawn.svg
    rows = [
        {"strategy": name, "threshold": 0.1, "net_benefit": value}
        for name, value in (("model", 0.03), ("treat_all", 0.01), ("treat_none", 0.0))
    ]
    alone = usefulness.decision_curves(as_results({**bare_results(), "net_benefit": rows}))
    assert "highest net benefit at 1 of 1 thresholds, from 10% to 10%" in alone.svg
    rows[0]["net_benefit"] = -0.1
    worse = usefulness.decision_curves(as_results({**bare_results(), "net_benefit": rows}))
    assert "highest net benefit nowhere" in worse.svg


def test_calibration_says_the_ends_of_the_curve():
    drawn = calibration.calibration(FULL)
    assert "perfect" not in drawn.svg.split(">")[0]
    groups = full_results()["calibration_groups"]
    assert sum(row[0] == "group" for row in drawn.rows) == len(groups)
    assert "Slope" in drawn.svg.split(">")[0]


def test_effects_of_early_and_late_landmarks_are_told_apart():
    drawn = effects.partial_effects(FULL)
    assert {row[1] for row in drawn.rows if row[0].startswith("UPCR")} == {
        "week 0",
        "week 12",
        "week 26",
    }
    assert "Thin lines are early landmarks" in drawn.caption
    assert len(effects.odds(FULL).rows) == 7


def test_effects_of_one_landmark_name_it():
    primary = [one for one in FULL.effects if one.at_landmark == FULL.task.primary_landmark]
    drawn = effects.partial_effects(FULL.model_copy(update={"effects": primary}))
    assert drawn.caption.startswith("The risk at week 12 as one input changes")


def test_instability_and_learning_show_the_numbers():
    found = full_results()["instability"]
    assert len(stability.instability(FULL).rows) == len(found["points"])
    assert len(stability.learning_curve(FULL, "auroc").rows) == 5
    assert stability.learning_curve(FULL, "brier") is None


def test_the_picture_is_a_png_of_its_size_and_always_the_same(tmp_path):
    save_picture(full_results(), tmp_path / "picture.png")
    content = (tmp_path / "picture.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content == picture(FULL)
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert (width, height) == (1600, 700)
