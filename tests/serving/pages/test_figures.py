"""Figures: places keep the order of values, nothing leaves the drawing, and a name says it all."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.pages.moves import Move, draw_moves
from lnrisk.serving.pages.people import draw_people
from lnrisk.serving.pages.ranges import InHundred
from lnrisk.serving.pages.scales import TimeScale, log_scale, plain_scale
from lnrisk.serving.pages.timeline import (
    Band,
    Dose,
    Mark,
    Panel,
    Point,
    Segment,
    Timeline,
    draw_timeline,
)
from lnrisk.serving.pages.words import load_words

POSITIVE = st.floats(0.01, 1e5)


@given(st.integers(0, 100))
def test_the_picture_has_as_many_people_as_the_risk_says(expected):
    drawn = draw_people(expected, "title")
    assert drawn.count('class="person') == 100
    assert drawn.count('class="person marked"') == expected


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3).map(sorted))
def test_the_frame_holds_as_many_people_as_its_ends_are_apart(ends):
    lower, expected, upper = ends
    drawn = draw_people(expected, "title", InHundred(lower, upper, 0.9), ("from", "to"))
    people = [
        (float(x), float(y)) for x, y in re.findall(r"translate\(([0-9.]+) ([0-9.]+)\)", drawn)
    ]
    framed = [_inside(x + 10, y + 14, _frame(drawn)) for x, y in people]
    assert framed == [lower <= position < upper for position in range(100)]
    assert drawn.count('class="person marked"') == expected
    assert drawn.count('class="end"') == drawn.count('end-name"') == 2


@given(st.lists(st.integers(0, 100), min_size=2, max_size=2).map(sorted))
def test_brackets_stand_at_the_ends_with_a_name_in_their_row(ends):
    lower, upper = ends
    drawn = draw_people(0, "title", InHundred(lower, upper, 0.9), ("from", "to"))
    brackets = re.findall(r'd="M([0-9.]+) ([0-9.]+)m[^"]*" class="end"', drawn)
    names = [float(y) for y in re.findall(r'<text x="[0-9.]+" y="([0-9.]+)"', drawn)]
    (left, top), (right, bottom) = [(float(x), float(y)) for x, y in brackets]
    assert [name - y for name, y in zip(names, (top, bottom), strict=True)] == [21, 21]
    before = [
        10 * round((y - 2) / 30) + round((x - 74) / 24) for x, y in ((left, top), (right, bottom))
    ]
    assert before == [lower, upper]


def test_a_range_that_is_not_known_is_not_framed():
    drawn = draw_people(20, "title")
    assert "alike" not in drawn
    assert 'class="end' not in drawn


def _frame(drawn):
    found = re.search(r'<path d="([^"]*)" class="alike"', drawn)
    pieces = found[1].strip("Mz").split("zM") if found else []
    return [[tuple(map(float, corner.split())) for corner in piece.split("L")] for piece in pieces]


def _inside(x, y, pieces):
    """Count the upright sides right of a point: an odd number means inside."""
    sides = [side for piece in pieces for side in zip(piece, [*piece[1:], piece[0]], strict=True)]
    crossed = [a[0] > x and min(a[1], b[1]) < y < max(a[1], b[1]) for a, b in sides]
    return sum(crossed) % 2 == 1


@given(st.lists(POSITIVE, min_size=1), st.booleans())
def test_higher_values_are_drawn_higher_and_inside(values, logged):
    scale = (log_scale if logged else plain_scale)(values, 10.0, 200.0)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places, reverse=True)
    assert all(10 <= place <= 200 for place in places)
    assert 1 <= len(scale.ticks) <= 24
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)


@given(st.integers(-180, 0), st.integers(1, 500), st.integers(0, 600))
def test_days_are_drawn_in_order_and_the_future_never_takes_over(first, now, later):
    time = TimeScale(first, now, now + later, 40.0, 700.0)
    places = [time(day) for day in range(first, now + later + 1, 7)]
    assert places == sorted(places)
    assert places[0] >= 40
    assert places[-1] <= 700
    assert time.bend >= 40 + 0.67 * 660
    assert time.narrowed == (later / (now - first + later) > 0.32)


def timeline(**changes):
    upcr = Panel(
        "upcr", "UPCR", tuple(Point(d, v, f"day {d}") for d, v in ((-5, 3.0), (60, 2.0))), 0.5,
        "target", (Segment(112, 196, 2.25),), True, 100.0,
    )  # fmt: skip
    egfr = Panel("egfr", "eGFR", (Point(0, 80.0, "day 0"),), None, "", (), False, 80.0)
    bands = (Band("a <b>", "2 g", "2 g", "anchor", (Dose(0, 10_000, 1.0, True),)),)
    marks = (
        Mark(84, "today", "assessed"),
        Mark(80, "landmark", "week"),
        Mark(548, "horizon", "end"),
    )
    content = {
        "panels": (upcr, egfr), "bands": bands, "windows": ((112, 196, "window"),),
        "marks": marks, "first_day": -10, "now": 84, "last_day": 548, "week_said": "weeks",
    }  # fmt: skip
    return Timeline(**{**content, **changes})


@pytest.mark.parametrize("width", [360, 780])
def test_the_course_has_a_name_for_screen_readers_and_stays_inside(width):
    drawn = str(draw_timeline(timeline(), width, "What it shows", "one"))
    assert 'role="img" aria-labelledby="one"' in drawn
    assert '<title id="one">What it shows</title>' in drawn
    assert "a &lt;b&gt;" in drawn
    assert "style=" not in drawn
    places = [float(x) for x in re.findall(r' (?:x|x1|x2|cx)="([-0-9.]+)"', drawn)]
    assert all(0 <= x <= width for x in places)
    assert drawn.count("<circle") == 2


def test_a_course_without_values_is_drawn_all_the_same():
    empty = Panel("upcr", "UPCR", (), 0.5, "target", (), True, 100.0)
    assert "<svg" in draw_timeline(timeline(panels=(empty,), bands=()), 360, "x", "y")


def test_a_landmark_without_a_risk_leaves_its_place_empty():
    moves = (
        Move("0", None, None, None, "too early", False),
        Move("12", 12.0, 8.0, 17.0, "12 %", False),
        Move("now", 0.2, None, None, "less than 1 %", True),
    )
    drawn = draw_moves(moves, 360, "title", load_words(), "z")
    assert drawn.count("<circle") == 2
    assert drawn.count('class="interval') == 1
    assert "&lt; 1\u00a0%" in drawn


def doses_drawn(width, **changes):
    long, short = "1,000 mg/day, then 2,000 mg/day, then 2,500 mg/day", "1,000 to 2,500 mg/day"
    band = Band("mycophenolate", long, short, "anchor", (Dose(0, 84, 1.0, True),))
    drawn = str(draw_timeline(timeline(bands=(band,), **changes), width, "x", "y"))
    (found,) = re.findall(r'class="drug">mycophenolate</tspan><tspan[^>]*>([^<]*)', drawn)
    return {long: "long", short: "short", "": "nothing"}[found]


def test_doses_are_said_in_words_that_end_before_today():
    said = {"first_day": 0, "now": 84, "last_day": 548}
    assert doses_drawn(1200, **said) == "long"
    assert doses_drawn(700, **said) == "short"
    assert doses_drawn(200, **said) == "nothing"


def test_doses_may_pass_today_where_it_is_too_early_for_words():
    assert doses_drawn(1200, first_day=0, now=1, last_day=548) == "long"
