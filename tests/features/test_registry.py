"""A registry is refused as a whole or handed out in tables that nobody can change for others."""

import bundles
import generated
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.features.errors import LnriskError, RegistryError
from lnrisk.features.registry import Registry, check_registry, is_among, read_registry
from lnrisk.features.tables import TABLES

WRONG = {
    "measurements": bundles.with_row("measurements", "anna,2020-01-05,upcr,1,furlong,")
    + "anna,2020-01-06,upcr,-1,g/g,\n"
    + "anna,2020-01-07,upcr,-2,g/g,\n",
    "treatments": bundles.with_row("treatments", "zoe,tacrolimus,2020-01-05,,,,"),
}


@pytest.fixture(scope="module")
def registry():
    return bundles.registry()


def test_a_registry_with_wrong_rows_is_refused_with_a_count_per_kind(tmp_path):
    with pytest.raises(RegistryError) as error:
        read_registry(bundles.write(tmp_path / "site", **WRONG))
    assert str(error.value).splitlines() == [
        "site: refused, 4 errors in its rows.",
        "error: negative value (2)",
        "  measurements.csv, row 6, value '-1': expected 0 or more.",
        "  measurements.csv, row 7, value '-2': expected 0 or more.",
        "error: unknown patient (1)",
        "  treatments.csv, row 4, patient_id 'zoe': no row of patients has this patient_id.",
        "error: unknown unit (1)",
        "  measurements.csv, row 5, unit 'furlong': upcr is accepted in "
        "g/g, mg/mg, mg/g, mg/mmol, g/mol.",
        "Correct the rows, or leave them out with --skip-bad-rows.",
    ]


def test_reading_nothing_writes_nothing(tmp_path):
    folder = bundles.write(tmp_path, **WRONG)
    before = sorted(folder.iterdir())
    assert check_registry(folder).registry is None
    assert sorted(folder.iterdir()) == before


def test_bad_rows_can_be_left_out(tmp_path, registry):
    reading = check_registry(bundles.write(tmp_path, **WRONG), skip_bad_rows=True)
    assert reading.rejected["file"].tolist() == ["measurements.csv"] * 3 + ["treatments.csv"]
    assert reading.rejected["row"].tolist() == [5, 6, 7, 4]
    assert reading.findings.count("error") == 4
    for name in TABLES:
        found, wanted = reading.registry.table(name), registry.table(name)
        pd.testing.assert_frame_equal(found, wanted, check_categorical=False)


def test_a_refusal_is_an_error_of_the_package():
    assert issubclass(RegistryError, LnriskError)


def test_a_table_that_was_handed_out_changes_for_nobody_else(registry):
    before = {name: registry.table(name).copy() for name in TABLES}
    for name in TABLES:
        table = registry.table(name)
        table.loc[:, "row"] = -1
        table.iloc[0, 0] = table.iloc[-1, 0]
        table["more"] = 1
        for column in registry.table(name).items():
            column[1].iloc[:] = column[1].iloc[-1]
    for name in TABLES:
        pd.testing.assert_frame_equal(registry.table(name), before[name])


@pytest.mark.parametrize("column", ["value", "date", "row"])
def test_arrays_of_a_table_are_read_only(registry, column):
    values = registry.measurements[column].to_numpy()
    with pytest.raises(ValueError, match="read-only"):
        values[0] = values[1]


def test_identifiers_and_positions_are_the_callers_own(registry):
    registry.patient_ids[:] = "nobody"
    registry.positions("measurements")[:] = 5
    assert registry.patient_ids.tolist() == ["anna", "bert"]
    assert registry.positions("measurements").tolist() == [0, 0, 1]


@pytest.mark.parametrize("name", TABLES)
def test_each_table_has_a_property_of_its_name(registry, name):
    pd.testing.assert_frame_equal(getattr(registry, name), registry.table(name))


def test_positions_are_those_of_the_patients_in_the_order_of_the_file():
    patients = bundles.GOOD["patients"].splitlines()
    turned = bundles.registry(patients="\n".join([patients[0], patients[2], patients[1]]) + "\n")
    assert turned.patient_ids.tolist() == ["bert", "anna"]
    assert turned.positions("treatments").tolist() == [0, 1]
    assert turned.treatments["patient_id"].tolist() == ["bert", "anna"]


def test_replacing_a_table_leaves_the_registry_as_it_was(registry):
    other = registry.with_tables(events=registry.events[:0])
    assert len(other.events) == 0
    assert len(registry.events) == 2
    assert other.source == registry.source


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated.cohorts, st.data())
def test_selecting_patients_gives_the_registry_of_these_patients(cohort, data):
    chosen = data.draw(st.lists(st.booleans(), min_size=len(cohort), max_size=len(cohort)))
    names = [f"p{number}" for number in range(len(cohort))]
    part = generated.registry(cohort, names=names).select(np.array(chosen))
    alone = generated.registry(
        [person for person, kept in zip(cohort, chosen, strict=True) if kept],
        names=[name for name, kept in zip(names, chosen, strict=True) if kept],
    )
    assert len(part) == sum(chosen)
    for name in TABLES:
        assert (
            part.table(name)
            .drop(columns="row")
            .astype("str")
            .equals(alone.table(name).drop(columns="row").astype("str"))
        )
        if name != "patients":
            assert part.positions(name).tolist() == alone.positions(name).tolist()


def test_an_empty_registry_has_every_table_and_no_patient(tmp_path):
    headers = {name: text.partition("\n")[0] for name, text in bundles.GOOD.items()}
    empty = read_registry(bundles.write(tmp_path, **headers))
    assert isinstance(empty, Registry)
    assert len(empty) == 0
    assert empty.patient_ids.tolist() == []
    assert all(len(empty.positions(name)) == 0 for name in TABLES if name != "patients")
    assert len(empty.select(np.array([], dtype=bool))) == 0


def test_a_missing_value_is_among_none():
    drugs = pd.Series(pd.Categorical(["mycophenolate", None, "prednisone", "rituximab"]))
    assert is_among(drugs, {"mycophenolate", "rituximab"}).tolist() == [True, False, False, True]
    assert is_among(drugs[:0], {"mycophenolate"}).tolist() == []


def test_all_patients_are_the_registry_itself(registry):
    assert registry.select(np.ones(len(registry), dtype=bool)) is registry
