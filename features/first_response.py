"""Whether the first regimen has shown a failure or a response by month 4, as the definition asks.

Assumes that the latest value from day 112 on stands for the answer to the first regimen, until
another class is added. Nothing is shown where it was not measured, or the landmark comes before;
a course that started later is not judged here.
"""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np

from .days import Days
from .feature import DAYS_BEFORE_INDEX, Feature, LandmarkView
from .given import Flags, Given
from .history import History, Numbers
from .laboratory import BASELINE_LAST_DAY, analyte_history
from .regimen_change import regimen_changed_on

__all__ = ["first_response"]

_ROUNDING = 1e-9


@cache
def _thresholds() -> dict[str, float]:
    """Return the thresholds of ``first_response.toml``."""
    file = Path(__file__).parent / "first_response.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _first_regimen_ends(view: LandmarkView) -> Days:
    """Return the last day on which the first regimen can be judged."""
    last = view.index_day + int(_thresholds()["last_day"])
    return np.minimum(last, np.minimum(regimen_changed_on(Given.of(view)), view.landmark_day))


def _measured(view: LandmarkView, history: History, ends: Days) -> tuple[Numbers, Numbers]:
    """Return the latest value from day 112 on, and its ratio to baseline."""
    index = view.index_day
    before, _ = history.latest(view.patient, index - DAYS_BEFORE_INDEX, index + BASELINE_LAST_DAY)
    value, _ = history.latest(view.patient, index + int(_thresholds()["first_day"]), ends)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = value / before
    return value, ratio


def first_response(view: LandmarkView) -> dict[Feature, Numbers]:
    """Return whether a failure, or a response, of the first regimen has been shown.

    Parameters
    ----------
    view : LandmarkView

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
        0 for both where neither has been.
    """
    limits, ends = _thresholds(), _first_regimen_ends(view)
    upcr, fall = _measured(view, analyte_history(view, "upcr"), ends)
    _, filtration = _measured(view, view.egfr, ends)
    more = 1 + _ROUNDING
    worse_egfr = filtration <= limits["egfr_worsened_at_most"] * more
    kept_egfr = filtration > limits["egfr_worsened_at_most"] * more
    unmoved = (upcr > limits["at_target"] * more) & (fall > limits["improved_at_most"] * more)
    moved = (upcr <= limits["at_target"] * more) | (fall <= limits["improved_at_most"] * more)
    return _entries(unmoved | worse_egfr, moved & kept_egfr)


def _entries(failed: Flags, responded: Flags) -> dict[Feature, Numbers]:
    def entry(name: str, meaning: str, formula: str) -> Feature:
        return Feature(
            name,
            meaning,
            "1",
            "measurements, treatments",
            "day 112 to the landmark, day 196 or another class of drug if sooner",
            formula,
            "docs/definition.md",
        )

    failure = entry(
        "failure_shown",
        "first regimen has failed at month 4 or later",
        "1 where UPCR is above 0.5 g/g and above 75 % of baseline, or eGFR at most 80 % of it; "
        "else 0, where not measured too",
    )
    response = entry(
        "response_shown",
        "first regimen has not failed at month 4 or later",
        "1 where UPCR is at most 0.5 g/g or 75 % of baseline, and eGFR above 80 % of it; "
        "else 0, where not measured too",
    )
    return {failure: failed.astype(np.float64), response: responded.astype(np.float64)}
