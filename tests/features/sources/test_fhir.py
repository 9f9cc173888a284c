"""FHIR R4 resources become rows, or are named with the reason why not."""

import copy
import json
from pathlib import Path

import pytest
from fhir_reading import CODES, CYC, read, reasons, treatments
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st
from lnrisk.features.errors import RegistryError
from lnrisk.features.sources.fhir import read_fhir, read_fhir_folder
from lnrisk.features.sources.fhir_source import resources_of
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label
from records import (
    anna,
    biopsy,
    bundle,
    coded,
    dosage,
    given,
    observation,
    order,
    person,
)

SYNTHEA = Path(__file__).parents[4] / "shared" / "data" / "fhir-r4-synthea"


def rows(imported, table):
    return imported.tables[table].drop(columns="source").to_dict("records")


def test_a_patient_becomes_the_bundle_of_the_registry_page():
    imported = read(*anna())
    assert rows(imported, "patients")[0]["birth_date"] == "1990-05-04"
    assert treatments(anna()[1]) == [["mycophenolate_mofetil", "2021-03-01", "", "3000", "mg/d"]]
    assert imported.tables["measurements"][["analyte", "value", "unit"]].to_numpy().tolist() == [
        ["upcr", "339.3", "mg/mmol"],
        ["upcr", "2900.0", "mg/g"],
        ["creatinine", "71.0", "umol/L"],
        ["creatinine", "0.8", "mg/dL"],
    ]
    assert imported.tables["measurements"]["source"][0] == "Observation/upcr-2021-02-26"
    result = label(imported.registry(), load_definition())
    assert result.courses["proteinuria"].tolist() == ["unchanged"]
    assert not imported.report.not_used


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "entered-in-error"}, "status 'entered-in-error' is not final"),
        ({"status": "preliminary"}, "status 'preliminary' is not final"),
        ({"effectiveDateTime": "2021-02"}, "its day is not stated"),
        ({"valueQuantity": {"unit": "g/g"}}, "no number in valueQuantity"),
        ({"valueQuantity": {"value": 2}}, "no unit"),
        ({"valueQuantity": {"value": 2, "code": "mg/L"}}, "unit 'mg/L' is not known; accepted are"),
        ({"valueQuantity": {"value": -2, "code": "g/g"}}, "negative value"),
        ({"valueQuantity": {"value": True, "code": "g/g"}}, "no number in valueQuantity"),
        ({"valueQuantity": {"value": 2, "code": "g/g", "comparator": "ad"}}, "comparator 'ad'"),
        ({"code": coded("http://loinc.org", "9318-7")}, "albumin/creatinine is not"),
        ({"subject": {"reference": "Patient/bert"}}, "its patient is not here or not used"),
        ({"subject": None}, "its patient is not here or not used"),
        ({"effectiveDateTime": "1960-01-01"}, "before birth"),
    ],
)
def test_an_observation_that_cannot_be_used_is_named_with_the_reason(change, why):
    imported = read(person(), {**observation("upcr", "2021-02-26", 2, "g/g"), **change})
    assert not len(imported.tables["measurements"])
    (reason,) = reasons(imported)
    assert reason.startswith(why)


def test_a_value_at_a_detection_limit_keeps_its_side():
    quantity = {"value": 0.05, "code": "g/g", "comparator": "<="}
    imported = read(person(), observation("upcr", "2021-02-26", 2, "g/g", valueQuantity=quantity))
    assert rows(imported, "measurements")[0]["comparator"] == "<"


def test_a_late_result_was_not_known_before():
    imported = read(
        person(), observation("upcr", "2021-02-26", 2, "g/g", issued="2021-03-04T10:00:00Z")
    )
    assert rows(imported, "measurements")[0]["recorded_on"] == "2021-03-04"


def test_components_and_contained_observations_are_read():
    panel = observation("panel", "2021-02-26", 1, "1")
    panel["component"] = [
        {key: observation("upcr", "2021-02-26", 2, "g/g")[key] for key in ("code", "valueQuantity")}
    ]
    held = observation("c3", "2021-02-27", 90, "mg/dL")
    del held["effectiveDateTime"]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": coded("http://loinc.org", "24357-6"),
        "subject": {"reference": "Patient/anna"},
        "effectiveDateTime": "2021-02-27",
        "contained": [held],
    }
    imported = read(person(), panel, report)
    assert [(r["analyte"], r["date"]) for r in rows(imported, "measurements")] == [
        ("upcr", "2021-02-26"),
        ("c3", "2021-02-27"),
    ]


def test_biopsies_diagnoses_and_ends():
    failed = {
        "resourceType": "Condition",
        "id": "c1",
        "code": coded("http://hl7.org/fhir/sid/icd-10-cm", "N18.6"),
        "subject": {"reference": "Patient/anna"},
        "onsetDateTime": "2022-06-01",
    }
    lupus = {**failed, "id": "c2", "code": coded("http://snomed.info/sct", "55464009")}
    lupus["onsetDateTime"] = "2015-02-03"
    doubted = {**failed, "id": "c3", "verificationStatus": coded("x", "refuted")}
    who = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": coded("http://snomed.info/sct", "7246002"),
        "subject": {"reference": "Patient/anna"},
        "effectiveDateTime": "2021-02-20",
        "conclusion": "class IV, chronicity index 3",
        "conclusionCode": [coded("http://snomed.info/sct", "36402006")],
    }
    imported = read(
        person(deceasedDateTime="2023-01-02"), failed, lupus, doubted, biopsy("2021-02-20"), who
    )
    assert rows(imported, "patients")[0]["sle_onset_date"] == "2015-02-03"
    assert [(r["event"], r["date"]) for r in rows(imported, "events")] == [
        ("death", "2023-01-02"),
        ("kidney_failure", "2022-06-01"),
        ("last_contact", "2023-01-02"),
    ]
    assert [(r["date"], r["isn_rps_class"]) for r in rows(imported, "biopsies")] == [
        ("2021-02-20", "")
    ]
    assert {"it is not confirmed", "a WHO class of lupus nephritis is not an ISN/RPS class"} <= (
        reasons(imported)
    )


@pytest.mark.parametrize(
    "change", [{"gender": "other"}, {"gender": None}, {"birthDate": None}, {"birthDate": "199"}]
)
def test_a_patient_without_sex_or_birth_is_not_used(change):
    imported = read({**person(), **change}, *anna()[1:])
    assert not any(len(table) for table in imported.tables.values())
    assert {entry.where for entry in imported.report.not_used} >= {"Patient", "Observation"}


def test_references_of_every_kind_lead_to_the_patient():
    for reference in (
        "Patient/anna",
        "https://server.example/fhir/Patient/anna",
        "Patient/anna/_history/3",
        "urn:uuid:anna",
        "urn:uuid:0",
    ):
        upcr = observation("upcr", "2021-02-26", 2, "g/g", subject={"reference": reference})
        assert len(read(person(), upcr).tables["measurements"]) == 1, reference


def test_one_page_of_several_is_refused():
    with pytest.raises(RegistryError, match="one page of several"):
        list(resources_of(bundle(link=[{"relation": "next", "url": "x"}])))


@pytest.mark.parametrize("content", [None, [], {}, "x", {"resourceType": 3}])
def test_what_is_no_resource_is_refused(content):
    with pytest.raises(RegistryError, match="expected a FHIR resource"):
        list(resources_of(content))


def test_files_of_both_kinds_are_read(tmp_path):
    first, *rest = anna()
    (tmp_path / "Patient.ndjson").write_text(json.dumps(first) + "\n\n")
    (tmp_path / "rest.json").write_text(json.dumps(bundle(*rest)))
    imported = read_fhir_folder(tmp_path, CODES)
    assert len(imported.tables["measurements"]) == 4
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(RegistryError, match=r"bad\.json: cannot be read"):
        read_fhir_folder(tmp_path, CODES)


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="needs ../shared/data/fhir-r4-synthea")
def test_bundles_made_by_others_are_read():
    imported = read_fhir_folder(SYNTHEA, CODES)
    assert len(imported.tables["patients"]) == 3
    assert imported.report.used["measurements", "creatinine"] > 0
    assert imported.provenance["synthetic"] is True
    assert any("albumin/creatinine" in reason for reason in reasons(imported))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["2021-02-26", "9999-12-31", "0001-01-01", "final", "d", "mg", "Patient/anna"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["value", "code", "coding", "start", "end", "repeat", "resourceType"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=6,
)
WHOLE = bundle(
    *anna(),
    biopsy("2021-02-20"),
    given("2021-03-01", CYC, 500),
    order("2021-05-01", dosage(500, boundsDuration={"value": 3, "code": "wk"}), medication=CYC),
)


def places(content, path=()):
    yield path
    pairs = (
        content.items()
        if isinstance(content, dict)
        else (enumerate(content) if isinstance(content, list) else ())
    )
    for key, value in pairs:
        yield from places(value, (*path, key))


def put(content, path, value):
    changed = copy.deepcopy(content)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


@settings(max_examples=40, deadline=None)
@property_of(st.sampled_from([p for p in places(WHOLE) if len(p) > 2]), JSON)
def test_whatever_is_in_an_element_the_rows_pass_the_checks(path, value):
    try:
        imported = read_fhir(resources_of(put(WHOLE, path, value)), CODES)
    except RegistryError:
        return
    assert imported.findings.count("error") == 0
    finite = imported.checked["measurements"]["value"]
    assert finite.between(0, 1e300).all()
