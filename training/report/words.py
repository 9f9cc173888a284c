"""The words and numbers of the report: what a measure means, how a share or a span of days is said.

Assumes an English reader. A measure, status or verdict that is not listed here keeps its own name,
without an explanation.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from ..schema.patients import Task

__all__ = [
    "ANALYSES",
    "MEASURES",
    "STATUSES",
    "VERDICTS",
    "Measure",
    "Wording",
    "count",
    "defined",
    "duration",
    "few",
    "number",
    "percent",
    "percent_span",
    "span",
    "unit_text",
    "value_text",
    "wording",
]

UNDEFINED = "not defined"
DAYS_PER_MONTH = 30.44
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Measure:
    """How a measure of performance is shown.

    Parameters
    ----------
    name, short, meaning, good : str
        In plain words; `short` is for axes and columns, `good` says which value is best and how
        others read.
    lowest, highest : float
        Ends of the scale that it is drawn on; values beyond them widen it.
    best : float
        The value of a perfect model.
    """

    name: str
    short: str
    meaning: str
    good: str
    lowest: float
    highest: float
    best: float


MEASURES: Mapping[str, Measure] = {
    "auroc": Measure(
        "AUROC (discrimination)",
        "AUROC",
        "Of two patients, one with the outcome and one without: how often the one with it has the "
        "higher risk.",
        "1 is perfect, 0.5 is a coin toss. It says nothing about whether the risks are too high or "
        "too low.",
        0.5,
        1.0,
        1.0,
    ),
    "brier": Measure(
        "Brier score (overall error)",
        "Brier score",
        "Mean squared distance between risk and outcome.",
        "0 is perfect. What is low depends on how common the outcome is; the scaled score allows "
        "for that.",
        0.0,
        0.25,
        0.0,
    ),
    "scaled_brier": Measure(
        "Scaled Brier score",
        "Scaled Brier",
        "Share of the error removed, compared with giving everyone the average risk.",
        "1 is perfect, 0 is no better than the average for all, below 0 is worse than that.",
        0.0,
        1.0,
        1.0,
    ),
    "calibration_intercept": Measure(
        "Calibration intercept",
        "Calibration intercept",
        "Whether risks are too low or too high on the whole, in log-odds.",
        "0 is best. Above 0 the risks are too low, below 0 too high.",
        -1.0,
        1.0,
        0.0,
    ),
    "calibration_slope": Measure(
        "Calibration slope",
        "Calibration slope",
        "Whether risks are spread as widely as they should be.",
        "1 is best. Below 1 the risks are too extreme, above 1 too timid.",
        0.0,
        2.0,
        1.0,
    ),
    "observed_expected": Measure(
        "Observed / expected",
        "Observed / expected",
        "Patients with the outcome, divided by the number that the risks add up to.",
        "1 is best. 1.2 means a fifth more than the risks said.",
        0.0,
        2.0,
        1.0,
    ),
    "ici": Measure(
        "ICI (integrated calibration index)",
        "ICI",
        "Mean distance between a patient's risk and the calibration curve.",
        "0 is best; 0.01 means that risks are off by one percentage point on average.",
        0.0,
        0.1,
        0.0,
    ),
    "e50": Measure(
        "E50",
        "E50",
        "Median distance between a patient's risk and the calibration curve.",
        "0 is best.",
        0.0,
        0.1,
        0.0,
    ),
    "e90": Measure(
        "E90",
        "E90",
        "The distance that nine in ten patients stay within.",
        "0 is best.",
        0.0,
        0.1,
        0.0,
    ),
}

ANALYSES: Mapping[str, str] = {
    "definition": "Definition",
    "adherence": "Policy on adherence",
    "label certainty": "Certainty of labels",
    "indeterminate": "Patients whom the rule cannot judge",
    "weights": "Outcome weights",
}

VERDICTS: Mapping[str, str] = {
    "refractory": "Refractory",
    "indeterminate": "Indeterminate: the rule cannot tell",
    "pseudo_refractory": "Pseudo-refractory: nonadherence or too little treatment may explain it",
    "not_refractory": "Not refractory",
}

STATUSES: Mapping[str, str] = {
    "ok": "Scored",
    "met": "The rule is already met: 1 by the rule, not by the model",
    "no_induction": "No induction treatment on record",
    "outside_model": "Outside the model: no risk is given",
}


@dataclass(frozen=True)
class Wording:
    """How a task is spoken of.

    Parameters
    ----------
    title : str
    outcome : str
        As in "the probability of ...".
    had, has : str
        As in "patients who ...".
    start : str
        What days are counted from.
    """

    title: str
    outcome: str
    had: str
    has: str
    start: str


def wording(task: Task) -> Wording:
    """Return how to speak of a task.

    Parameters
    ----------
    task : Task

    Examples
    --------
    >>> days = {"landmarks": [84], "primary_landmark": 84, "horizon_days": 548}
    >>> task = Task(outcome="rule", definition="arora-2022", definition_version="1.0.0", **days)
    >>> print(wording(task).outcome)
    meeting the definition arora-2022, version 1.0.0
    """
    if task.outcome == "rule":
        name, version = task.definition, task.definition_version
        return Wording(
            title="Early risk of refractory lupus nephritis",
            outcome=f"meeting the definition {name}, version {version}",
            had="met the definition",
            has="meet the definition",
            start="the start of induction",
        )
    return Wording(
        title="Early risk of the registry's outcome",
        outcome="the outcome that the registry itself records",
        had="had the outcome",
        has="have the outcome",
        start="the index date",
    )


def defined(value: Any) -> TypeGuard[float]:
    """Return whether a value is a number that can be shown."""
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with a true minus sign.

    Examples
    --------
    >>> print(number(-0.041), number(None))
    −0.04 not defined
    """
    if value is None or not math.isfinite(value):
        return UNDEFINED
    text = f"{abs(value):.{digits}f}"
    return f"−{text}" if value < 0 and float(text) else text


def span(lower: float | None, upper: float | None, digits: int = 2) -> str:
    """Return an interval, or nothing where an end is not known.

    Examples
    --------
    >>> print(span(0.7, 0.81))
    0.70 to 0.81
    """
    if not (defined(lower) and defined(upper)):
        return ""
    return f"{number(lower, digits)} to {number(upper, digits)}"


def percent_span(lower: float | None, upper: float | None) -> str:
    """Return an interval of shares, or nothing where an end is not known."""
    if not (defined(lower) and defined(upper)):
        return ""
    return f"{percent(lower)} to {percent(upper)}"


def value_text(value: float | str | bool | None) -> str:
    """Return a value of a patient as it is said.

    Examples
    --------
    >>> print(value_text(True), value_text(3.20), value_text(None), value_text("IV"))
    yes 3.2 not known IV
    """
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", "−")


def unit_text(unit: str | None) -> str:
    """Return a UCUM unit as it is read, after a comma; nothing for a pure number.

    Examples
    --------
    >>> [unit_text(unit) for unit in ("mL/min/{1.73_m2}/mo", "a", "1", None)]
    [', mL/min/1.73 m² per month', ', years', '', '']
    """
    if not unit or unit == "1":
        return ""
    read = unit.replace("{1.73_m2}", "1.73 m²").replace("[IU]", "IU")
    read = {"a": "years", "d": "days", "x": "times"}.get(read, read)
    return f", {read.removesuffix('/mo')} per month" if read.endswith("/mo") else f", {read}"


def percent(share: float | None) -> str:
    """Return a share in percent, with a decimal where it is small.

    Examples
    --------
    >>> print(percent(0.034), percent(0.34), percent(0.0001), percent(None))
    3.4% 34% <0.1% not defined
    """
    if share is None or not math.isfinite(share):
        return UNDEFINED
    if 0 < share < 0.0005:
        return "<0.1%"
    digits = 1 if 0 < share < 0.0995 else 0
    return f"{100 * share:.{digits}f}%"


def count(value: float | None) -> str:
    """Return a whole number, thousands apart.

    Examples
    --------
    >>> print(count(12345))
    12,345
    """
    return f"{value:,.0f}" if value is not None and math.isfinite(value) else UNDEFINED


def few(value: int | None) -> str:
    """Return a count of people, or that there are too few to count them.

    Examples
    --------
    >>> print(few(12), few(0), few(None), sep="; ")
    12; 0; under 10
    """
    return "under 10" if value is None else count(value)


def duration(days: int) -> str:
    """Return days as the weeks, months or years that people speak of.

    Examples
    --------
    >>> print(duration(84), duration(548), duration(1826), sep="; ")
    12 weeks; 18 months; 5 years
    """
    if days < 183:
        return f"{days / 7:.3g} weeks"
    if days < 2 * DAYS_PER_YEAR - 1:
        return f"{days / DAYS_PER_MONTH:.0f} months"
    return f"{days / DAYS_PER_YEAR:.2g} years"
