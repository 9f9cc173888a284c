"""Baseline, last value, change and slope of an analyte, by hand and against numpy.polyfit."""

import generated
import numpy as np
import pytest
from lnrisk.features.days import day_of
from lnrisk.features.egfr import ckd_epi_2021
from lnrisk.features.pipeline import features_at

DAY_0 = day_of(generated.DAY_0)
NAN = float("nan")
DAYS_PER_MONTH = 365.25 / 12
MONTHS = 84 / DAYS_PER_MONTH
UPCR = {
    "baseline and last": [(-10, "4"), (84, "1")],
    "outside on both sides": [(-91, "9"), (85, "9")],
    "on the edges": [(-90, "2"), (84, "3")],
    "baseline on day 7": [(0, "4"), (7, "2")],
    "no baseline on day 8": [(8, "2"), (70, "2")],
    "one value": [(0, "2")],
    "of nothing": [(0, "0"), (84, "0.005")],
    "nothing": [],
}
LAST_AND_BASELINE = {
    "baseline and last": (4, 1),
    "outside on both sides": (NAN, NAN),
    "on the edges": (2, 3),
    "baseline on day 7": (2, 2),
    "no baseline on day 8": (NAN, 2),
    "one value": (2, 2),
    "of nothing": (0.01, 0.01),
    "nothing": (NAN, NAN),
}


def person(measurements=()):
    return generated.Patient(birth=-10_000, sex="female", measurements=list(measurements))


def table(people, analyte, scale, landmark=84):
    index = np.full(len(people), DAY_0)
    return features_at(generated.registry(people), index, landmark, {analyte: scale})


def features(people, analyte, scale, landmark=84):
    frame = table(people, analyte, scale, landmark).frame
    return {name: frame[name].to_numpy() for name in frame}


@pytest.fixture(scope="module")
def upcr():
    people = [person((d, "upcr", v, "g/g") for d, v in rows) for rows in UPCR.values()]
    return features(people, "upcr", "log")


@pytest.mark.parametrize("case", UPCR)
def test_baseline_and_last_are_the_latest_values_of_their_windows(upcr, case):
    at = list(UPCR).index(case)
    baseline, last = LAST_AND_BASELINE[case]
    assert upcr["log_upcr_baseline"][at] == pytest.approx(np.log(baseline), nan_ok=True)
    assert upcr["log_upcr_last"][at] == pytest.approx(np.log(last), nan_ok=True)


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("baseline and last", np.log(1 / 4)),
        ("outside on both sides", NAN),
        ("on the edges", np.log(3 / 2)),
        ("baseline on day 7", NAN),
        ("no baseline on day 8", NAN),
        ("one value", NAN),
        ("of nothing", 0.0),
        ("nothing", NAN),
    ],
)
def test_change_needs_two_days(upcr, case, change):
    found = upcr["log_upcr_change"][list(UPCR).index(case)]
    assert found == pytest.approx(change, nan_ok=True)


@pytest.mark.parametrize("case", UPCR)
def test_plain_line_is_that_of_polyfit_over_the_days_in_the_look_back(upcr, case):
    rows = [(d, max(float(v), 0.01)) for d, v in UPCR[case] if -90 <= d <= 84]
    days, values = np.array(rows).reshape(-1, 2).T
    slope = level = NAN
    if len(rows) > 1:
        slope, level = np.polyfit((days - 84) / DAYS_PER_MONTH, np.log(values), 1)
    at = list(UPCR).index(case)
    found = upcr["log_upcr_least_squares_slope"][at], upcr["log_upcr_least_squares_level"][at]
    assert found == pytest.approx((slope, level), nan_ok=True, abs=1e-12)


def test_without_a_scale_values_are_as_measured():
    found = features(
        [person([(0, "c3", "60", "mg/dL"), (84, "c3", "90", "mg/dL")])], "c3", "identity"
    )
    assert found["c3_baseline"].item() == 60
    assert found["c3_last"].item() == 90
    assert found["c3_change"].item() == 30
    assert found["c3_least_squares_slope"].item() == pytest.approx(30 / MONTHS)


def test_egfr_is_computed_from_creatinine():
    rows = [(0, "creatinine", "0.8", "mg/dL"), (84, "creatinine", "1.2", "mg/dL")]
    found = features([person(rows)], "egfr", "identity")
    age = np.array([10_000, 10_084]) / 365.25
    expected = ckd_epi_2021([0.8, 1.2], age, True)
    assert found["egfr_baseline"].item() == pytest.approx(expected[0])
    assert found["egfr_last"].item() == pytest.approx(expected[1])


def test_a_24_h_collection_serves_where_no_upcr_was_measured_in_the_look_back():
    collected = [(0, "protein_24h", "3", "g/d"), (84, "protein_24h", "1", "g/d")]
    people = [
        person(collected),
        person([*collected, (10, "upcr", "2", "g/g")]),
        person([*collected, (-200, "upcr", "2", "g/g")]),
        person([*collected, (100, "upcr", "2", "g/g")]),
    ]
    last = np.exp(features(people, "upcr", "log")["log_upcr_last"])
    assert last.tolist() == pytest.approx([1, 2, 1, 1])


def test_at_a_landmark_before_day_7_the_baseline_ends_there():
    rows = [(0, "upcr", "4", "g/g"), (7, "upcr", "1", "g/g")]
    found = features([person(rows)], "upcr", "identity", landmark=5)
    assert found["upcr_baseline"].item() == found["upcr_last"].item() == 4.0


@pytest.mark.parametrize(
    ("scale", "prefix", "unit", "change"),
    [("log", "log_upcr", "ln(g/g)", "ln(x)"), ("identity", "upcr", "g/g", "g/g")],
)
def test_entries_name_the_unit_of_their_scale(scale, prefix, unit, change):
    dictionary = table([person()], "upcr", scale).dictionary
    units = {feature.name: feature.unit for feature in dictionary}
    assert units[f"{prefix}_baseline"] == units[f"{prefix}_last"] == unit
    assert units[f"{prefix}_change"] == change
    assert units[f"{prefix}_least_squares_slope"] == f"{unit}/mo"
