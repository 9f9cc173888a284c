"""One patient's records as FHIR resources, and ways to change them."""

LOINC = {"upcr": "2890-2", "creatinine": "2160-0", "c3": "4485-9", "tacrolimus_trough": "11253-2"}
UCUM = "http://unitsofmeasure.org"
SUBJECT = {"reference": "Patient/anna"}


def bundle(*resources, **more):
    entries = [{"fullUrl": f"urn:uuid:{i}", "resource": r} for i, r in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **more}


def person(**more):
    return {
        "resourceType": "Patient",
        "id": "anna",
        "gender": "female",
        "birthDate": "1990-05-04",
        **more,
    }


def coded(system, code, display=None):
    coding = {"system": system, "code": code}
    return {"coding": [coding if display is None else {**coding, "display": display}]}


def observation(analyte, date, value, unit, identifier=None, **more):
    return {
        "resourceType": "Observation",
        "id": identifier or f"{analyte}-{date}".replace("_", "-"),
        "status": "final",
        "code": coded("http://loinc.org", LOINC.get(analyte, analyte)),
        "subject": SUBJECT,
        "effectiveDateTime": f"{date}T08:00:00Z",
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        **more,
    }


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
MMF = coded(RXNORM, "68149", "mycophenolate mofetil")


def dosage(value, unit="mg", times=2, **repeat):
    return {
        "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d", **repeat}},
        "doseAndRate": [
            {"doseQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}
        ],
    }


def order(date, *dosages, medication=MMF, identifier=None, **more):
    return {
        "resourceType": "MedicationRequest",
        "id": identifier or f"order-{date}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": medication,
        "subject": SUBJECT,
        "authoredOn": date,
        "dosageInstruction": list(dosages),
        **more,
    }


def given(date, medication, value, unit="mg", **more):
    return {
        "resourceType": "MedicationAdministration",
        "id": f"given-{date}",
        "status": "completed",
        "medicationCodeableConcept": medication,
        "subject": SUBJECT,
        "effectiveDateTime": date,
        "dosage": {"dose": {"value": value, "unit": unit, "system": UCUM, "code": unit}},
        **more,
    }


def biopsy(date, **more):
    return {
        "resourceType": "Procedure",
        "id": f"biopsy-{date}",
        "status": "completed",
        "code": coded("http://snomed.info/sct", "7246002", "Biopsy of kidney"),
        "subject": SUBJECT,
        "performedDateTime": date,
        **more,
    }


def anna():
    """The patient of docs/registry.md as FHIR resources."""
    return [
        person(),
        order("2021-03-01", dosage(1500)),
        observation("upcr", "2021-02-26", 339.3, "mg/mmol"),
        observation("upcr", "2021-08-20", 2900, "mg/g"),
        observation("creatinine", "2021-02-26", 71, "umol/L"),
        observation("creatinine", "2021-08-20", 0.8, "mg/dL"),
    ]
