"""The report in a real browser: nothing is cut, on a screen or on paper."""

import json

import pytest
from full_results import bare_page, full_page
from lnrisk.training.report.page import render_report
from registries import trained

A4 = int((210 - 2 * 14) / 25.4 * 96)
"""Width of the text on A4, in CSS pixels; US Letter is wider."""
BEYOND = """
(width) => [...document.querySelectorAll("table, svg, li.tile, dl, p")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > width + 0.5)
  .map((e) => e.outerHTML.slice(0, 80))
"""


def trained_page():
    return render_report(json.loads(json.dumps(trained().results)))


@pytest.mark.parametrize("page", [full_page, bare_page, trained_page])
def test_nothing_runs_over_the_edge_of_the_paper(chromium, page):
    sheet = chromium.new_page(viewport={"width": A4, "height": 1000})
    sheet.emulate_media(media="print")
    sheet.set_content(page())
    assert sheet.evaluate(BEYOND, A4) == []
    sheet.close()


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_wider_than_the_screen(chromium, width):
    screen = chromium.new_page(viewport={"width": width, "height": 900})
    screen.set_content(full_page())
    assert screen.evaluate("document.documentElement.scrollWidth") <= width
    screen.close()
