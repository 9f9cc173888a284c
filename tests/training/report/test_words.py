"""Words and numbers as people say them."""

import pytest
from lnrisk.training.report.words import duration, percent_span, span, value_text


@pytest.mark.parametrize(
    ("days", "said"), [(84, "12 weeks"), (548, "18 months"), (1826, "5 years")]
)
def test_spans_are_said_as_people_say_them(days, said):
    assert duration(days) == said


def test_an_interval_with_an_unknown_end_is_none():
    assert span(None, 0.8) == span(0.1, float("nan")) == percent_span(None, 0.2) == ""
    assert span(-0.2, 0.1) == "\N{MINUS SIGN}0.20 to 0.10"
    assert percent_span(0.01, 0.2) == "1.0% to 20%"


def test_values_of_patients():
    assert [value_text(v) for v in (True, False, None, 1234.5, -0.25, "III")] == [
        "yes",
        "no",
        "not known",
        "1,234",
        "\N{MINUS SIGN}0.25",
        "III",
    ]
