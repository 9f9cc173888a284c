"""Damage and activity on biopsies up to the landmark, item by item."""

import tomllib
from pathlib import Path

import bundles
import numpy as np
import pytest
from lnrisk.features import chronicity as module
from lnrisk.features.chronicity import chronicity, healthy_egfr
from lnrisk.features.days import day_of
from lnrisk.features.feature import landmark_view

INDEX = day_of(np.datetime64("2020-01-01").item())
BETWEEN, ERROR = 4 * 0.57, 4 * 0.43


def found(*rows, measurements=(), landmark=84):
    header = {name: text.partition("\n")[0] for name, text in bundles.GOOD.items()}
    registry = bundles.registry(
        biopsies="\n".join([header["biopsies"], *rows]) + "\n",
        measurements="\n".join([header["measurements"], *measurements]) + "\n",
    )
    features = chronicity(landmark_view(registry, np.array([INDEX, INDEX]), landmark))
    return {feature.name: values[0] for feature, values in features.items()}


def test_each_item_comes_from_the_latest_biopsy_that_recorded_it():
    features = found(
        "anna,2015-01-01,V,20,1,3,,,,1",
        "anna,2020-03-25,,,4,,1,2,,",
        "anna,2020-03-26,IV,2,9,0,0,0,0,0",
    )
    wanted = {
        "chronicity_index": 4,
        "activity_index": 20,
        "glomerulosclerosis": 3,
        "fibrous_crescents": 1,
        "tubular_atrophy": 2,
        "interstitial_fibrosis": np.nan,
        "ifta": 2,
        "tma": 1,
        "class_proliferative": 0,
        "class_membranous": 1,
        "log_days_since_biopsy": 0,
    }
    assert {name: features[name] for name in wanted} == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize(
    ("row", "index"),
    [
        ("1,0,2,3", 6),
        ("0,0,0,0", 0),
        ("1,,2,3", np.nan),
        (",,,", np.nan),
    ],
)
def test_a_missing_index_is_the_sum_of_its_items_if_all_are_recorded(row, index):
    features = found(f"anna,2020-01-01,IV,,,{row},")
    assert features["chronicity_index"] == pytest.approx(index, nan_ok=True)


def test_a_recorded_index_is_not_recomputed():
    assert found("anna,2020-01-01,IV,,5,0,0,1,1,")["chronicity_index"] == 5


def test_ifta_is_the_larger_part_and_the_one_where_one_is_recorded():
    assert found("anna,2020-01-01,,,,,,1,3,")["ifta"] == 3
    assert found("anna,2020-01-01,,,,,,2,,")["ifta"] == 2
    assert np.isnan(found("anna,2020-01-01,,,,3,3,,,")["ifta"])


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_on_one_day_the_larger_counts(order):
    rows = ["anna,2020-01-01,III,5,2,,,,,0", "anna,2020-01-01,V,3,6,,,,,1"][::order]
    features = found(*rows)
    names = (
        *("chronicity_index", "activity_index", "tma"),
        *("class_proliferative", "class_membranous"),
    )
    assert [features[name] for name in names] == [6, 5, 1, 1, 1]


@pytest.mark.parametrize(
    ("written", "proliferative", "membranous"),
    [
        ("II", 0, 0),
        ("III", 1, 0),
        ("IV", 1, 0),
        ("V", 0, 1),
        ("III+V", 1, 1),
        ("IV+V", 1, 1),
        ("VI", 0, 0),
    ],
)
def test_a_mixed_class_is_both(written, proliferative, membranous):
    features = found(f"anna,2020-01-01,{written},,,,,,,")
    assert features["class_proliferative"] == proliferative
    assert features["class_membranous"] == membranous
    assert np.isnan(features["chronicity_index"])


@pytest.mark.parametrize("rows", [[], ["bert,2020-01-01,IV,9,9,,,,,"], ["anna,2020-01-01,,,,,,,,"]])
def test_without_a_recorded_biopsy_everything_is_unknown(rows):
    assert all(np.isnan(value) for value in found(*rows).values())


def test_the_age_of_the_index_is_that_of_the_biopsy_that_gave_it():
    features = found("anna,2019-12-26,,,3,,,,,", "anna,2020-03-01,IV,,,,,,,")
    assert features["log_days_since_biopsy"] == pytest.approx(np.log(1 + 90))


def test_one_fresh_reading_is_shrunken_by_its_reliability():
    features = found("anna,2020-03-25,,,9,,,,,")
    assert features["chronicity_index_shrunken"] == pytest.approx(3 + 0.57 * (9 - 3))
    assert features["chronicity_index_sd"] == pytest.approx(np.sqrt(BETWEEN * 0.43))


def test_an_old_reading_weighs_less_and_two_tell_more_than_one():
    old = found("anna,2015-03-25,,,9,,,,,")
    years = (INDEX + 84 - day_of(np.datetime64("2015-03-25").item())) / 365.25
    error = ERROR + 0.6 * years
    assert old["chronicity_index_shrunken"] == pytest.approx(3 + 6 * BETWEEN / (BETWEEN + error))
    both = found("anna,2015-03-25,,,9,,,,,", "anna,2020-03-25,,,5,,,,,")
    precision = 1 / BETWEEN + 1 / error + 1 / ERROR
    assert both["chronicity_index_shrunken"] == pytest.approx(
        3 + (6 / error + 2 / ERROR) / precision
    )
    assert both["chronicity_index_sd"] == pytest.approx(precision**-0.5)
    assert both["chronicity_index_sd"] < 0.99 < old["chronicity_index_sd"] < BETWEEN**0.5


@pytest.mark.parametrize(
    ("biopsy", "egfr", "deficit"),
    [
        ("2020-01-01,IV,6,", ["2020-01-01,60"], (107.3 - 60) * 0.75),
        ("2020-01-01,IV,0,", ["2019-10-03,50", "2020-01-08,60", "2020-01-09,90"], 107.3 - 60),
        ("2020-01-01,IV,24,", ["2020-01-01,20"], 0),
        ("2020-01-01,IV,6,", ["2020-01-01,120"], 0),
        ("2020-01-01,IV,6,", ["2019-10-02,60"], np.nan),
        ("2020-01-01,IV,0,", ["2020-01-20,60", "2020-01-29,90"], 107.3 - 60),
        ("2020-01-01,IV,0,", ["2020-01-29,60"], 107.3 - 60),
        ("2020-01-01,IV,0,", ["2020-01-30,60"], np.nan),
        ("2020-01-01,IV,,4", ["2020-01-01,60"], np.nan),
        ("2020-03-25,IV,0,", ["2020-03-26,60"], np.nan),
    ],
)
def test_egfr_that_activity_does_not_explain(biopsy, egfr, deficit):
    rows = [
        f"anna,{date},egfr,{value},mL/min/{{1.73_m2}},"
        for date, value in (entry.split(",") for entry in egfr)
    ]
    features = found(f"anna,{biopsy},,,,,", measurements=rows)
    assert features["egfr_deficit_unexplained"] == pytest.approx(deficit, nan_ok=True)


def test_the_healthy_lose_egfr_from_forty():
    assert healthy_egfr(np.array([10.0, 40.0, 60.0])) == pytest.approx(
        [107.3, 107.3, 107.3 * 0.99**20]
    )


def test_every_number_is_said_where_it_comes_from():
    path = Path(module.__file__).with_name("chronicity.toml")
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)["reading"]["reliability"] == 0.57
    assert "10.1016/s0272-6386(12)80263-0" in text
    assert "our choice" in text.lower()
