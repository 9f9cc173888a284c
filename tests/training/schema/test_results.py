"""The schema reads what runs write, old and new, and refuses everything else by name."""

import copy
import json

import pytest
from full_results import bare_results, full_results
from lnrisk.features.errors import LnriskError
from lnrisk.training.schema.part import Part
from lnrisk.training.schema.results import (
    PLP_MEASURES,
    PLP_TABLES,
    Results,
    as_results,
    unknown_fields,
)
from registries import trained


def test_full_results_are_read_without_loss():
    read = as_results(full_results())
    assert unknown_fields(read) == []
    again = json.loads(read.model_dump_json(by_alias=True))
    for section, value in full_results().items():
        assert_holds(again[section], value)


def assert_holds(found, expected):
    """Hold every value that was written against what was read."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert_holds(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_holds(one, other)
    else:
        assert found == expected


def test_what_a_run_writes_has_no_field_that_the_schema_does_not_know():
    assert unknown_fields(as_results(trained().results)) == []


def test_one_landmark_of_the_first_version_becomes_a_list_of_one():
    task = {"outcome": "registry", "landmark_days": 84, "horizon_days": 548}
    read = as_results({**bare_results(), "schema": "lnrisk.results/1", "task": task})
    assert (read.task.landmarks, read.task.primary_landmark) == ([84], 84)
    assert unknown_fields(read) == []


def test_every_section_but_the_first_few_can_be_left_out():
    read = as_results(bare_results())
    assert read.centres is None
    assert read.performance == []


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("performance", 0, "estimate"), "high", r"performance\.0\.estimate.*found 'high'"),
        (("performance", 0, "estimate"), float("nan"), r"performance\.0\.estimate"),
        (("cohort", "events"), 1.5, r"cohort\.events"),
        (("task", "landmarks"), None, r"task\.landmarks"),
        (("centres", "rows", 3, "centre"), None, r"centres\.rows\.3\.centre"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(place, value, said):
    raw = copy.deepcopy(full_results())
    inner = raw
    for level in place[:-1]:
        inner = inner[level]
    inner[place[-1]] = value
    with pytest.raises(LnriskError, match=said):
        as_results(raw)


@pytest.mark.parametrize("schema", [None, "lnrisk.results/3", "another/2"])
def test_another_schema_is_refused(schema):
    with pytest.raises(LnriskError, match=r"expected 'lnrisk\.results/2'"):
        as_results({**bare_results(), "schema": schema})


def test_a_misspelt_field_is_found():
    raw = copy.deepcopy(full_results())
    raw["centres"]["rows"][0]["patinets"] = 3
    raw["extra"] = []
    assert unknown_fields(as_results(raw)) == ["extra", "centres.rows.patinets"]


def test_every_field_is_described():
    def parts(of):
        yield of
        for other in of.__subclasses__():
            yield from parts(other)

    for part in parts(Part):
        for name, field in part.model_fields.items():
            assert field.description, f"{part.__name__}.{name}"
            assert field.description.endswith("."), f"{part.__name__}.{name}"


def test_names_of_patient_level_prediction_are_given_to_fields_that_exist():
    assert set(PLP_TABLES) <= set(Results.model_fields)
    measured = {row["measure"] for row in full_results()["performance"]}
    assert set(PLP_MEASURES) <= measured
