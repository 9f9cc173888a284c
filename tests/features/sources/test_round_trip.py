"""Patients written as FHIR and read again have the label that they had."""

from dataclasses import replace

import generated
import pandas as pd
from hypothesis import given, settings
from lnrisk.features.sources.codes import load_codes
from lnrisk.features.sources.fhir import read_fhir
from lnrisk.features.sources.fhir_source import resources_of
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label
from records import UCUM, bundle, coded

CODES = load_codes()
FOLLOWED = generated.FOLLOWED


def only_what_fhir_says(person):
    """Leave out what has no code, and state every end."""
    treatments = [
        (drug, start, FOLLOWED if end is None else end, dose, unit, "")
        for drug, start, end, dose, unit, _ in person.treatments
        if not (drug == "obinutuzumab" and unit == "mg/d")
    ]
    return replace(person, treatments=treatments, adherence=[], biopsies=[])


def code_of(kind, name, system):
    return next(
        code for code in CODES.codes_of(kind, system) if CODES.find(kind, system, code).name == name
    )


def medication(drug):
    known = CODES.content["drugs"][drug]
    if "rxnorm" in known:
        return coded("http://www.nlm.nih.gov/research/umls/rxnorm", known["rxnorm"][0])
    return coded("http://www.whocc.no/atc", known["atc"][0])


def as_fhir(tables):
    """Yield the resources of a bundle's tables."""
    died = tables["events"][tables["events"]["event"] == "death"]
    died = dict(zip(died["patient_id"], died["date"], strict=True))
    for row in tables["patients"].to_dict("records"):
        yield {
            "resourceType": "Patient",
            "id": row["patient_id"],
            "gender": row["sex"],
            "birthDate": row["birth_date"],
            **({"deceasedDateTime": died[row["patient_id"]]} if row["patient_id"] in died else {}),
        }
    for name in ("measurements", "treatments", "events"):
        for number, row in enumerate(tables[name].to_dict("records")):
            said = {"id": f"{name}-{number}"}
            said["subject"] = {"reference": f"Patient/{row['patient_id']}"}
            if name == "measurements":
                yield {**said, **measured(row)}
            elif name == "treatments":
                yield {**said, **taken(row)}
            elif row["event"] == "kidney_failure":
                code = coded("http://snomed.info/sct", "46177005")
                yield {
                    **said,
                    "resourceType": "Condition",
                    "code": code,
                    "onsetDateTime": row["date"],
                }
            elif row["event"] == "last_contact":
                period = {"start": row["date"], "end": row["date"]}
                yield {
                    **said,
                    "resourceType": "Encounter",
                    "status": "finished",
                    "period": period,
                }


def measured(row):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": coded("http://loinc.org", code_of("analyte", row["analyte"], "loinc")),
        "effectiveDateTime": row["date"],
        "valueQuantity": {"value": float(row["value"]), "system": UCUM, "code": row["unit"]},
    }


def taken(row):
    amount = {"value": float(row["dose"] or 0), "system": UCUM, "code": "mg"}
    if row["dose_unit"] == "mg":
        return {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medicationCodeableConcept": medication(row["drug"]),
            "effectiveDateTime": row["start_date"],
            **({"dosage": {"dose": amount}} if row["dose"] else {}),
        }
    daily = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    dosage = [{"timing": daily, "doseAndRate": [{"doseQuantity": amount}]}]
    return {
        "resourceType": "MedicationStatement",
        "status": "completed",
        "medicationCodeableConcept": medication(row["drug"]),
        "effectivePeriod": {"start": row["start_date"], "end": row["end_date"]},
        **({"dosage": dosage} if row["dose"] else {}),
    }


@settings(max_examples=10, deadline=None)
@given(generated.cohorts)
def test_the_label_of_what_is_read_is_that_of_what_was_written(people):
    people = [only_what_fhir_says(person) for person in people]
    written = bundle(*as_fhir(generated.bundle(people)))
    imported = read_fhir(resources_of(written), CODES)
    assert imported.report.not_used == {}
    rule = load_definition()
    before, after = label(generated.registry(people), rule), label(imported.registry(), rule)
    pd.testing.assert_frame_equal(after.labels, before.labels)
    pd.testing.assert_frame_equal(after.courses, before.courses)
