"""FHIR R4 resources read into the tables of a registry bundle.

Assumes that a resource's `subject` says whose it is and that its status is true. What is coded
otherwise than in codes.toml, is not final, or has no day is left out and reported; a conclusion in
words is never interpreted.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import RegistryError
from . import fhir_reasons as because
from .codes import Codes, Meaning
from .fhir_elements import (
    codings,
    date_of,
    elements,
    first_date,
    label_of,
    number_of,
    part,
)
from .fhir_medication import MEDICATION_TYPES, Medication, Taken, settle
from .fhir_source import FhirSource, resources_in
from .imported import Collector, Imported
from .mapping import NO_PLACE

__all__ = ["read_fhir", "read_fhir_folder"]

Resource = Mapping[str, Any]

_FINAL = ("final", "amended", "corrected")
_SIDES = {"<": "<", "<=": "<", ">": ">", ">=": ">"}
_READ = ("Patient", "Observation", "Condition", "Procedure", "DiagnosticReport", *MEDICATION_TYPES)
_SUPPORT = (
    "Device",
    "Location",
    "Medication",
    "OperationOutcome",
    "Organization",
    "Practitioner",
    "PractitionerRole",
)
_CONTACTS = {"Encounter": ("in-progress", "finished"), "Immunization": ("completed",)}
_DATES = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")
_TEST_DATA = "HTEST"


def read_fhir(
    resources: Iterable[tuple[str, Resource]],
    codes: Codes,
    name: str = "fhir",
    seen_on: str | None = None,
) -> Imported:
    """Read resources into a bundle's tables.

    Parameters
    ----------
    resources : iterable of (str, mapping)
        Full URL, which may be empty, and resource; order does not matter.
    codes : Codes
    name : str, default="fhir"
        What the source is called.
    seen_on : str, optional
        A date on which every patient is known to be in care; the last contact is not before it.
    """
    source = FhirSource()
    for url, resource in resources:
        source.add(url, resource)
    reader = _Reader(source, codes, Collector({"source": name, "format": "FHIR R4"}))
    return reader.read(seen_on)


def read_fhir_folder(path: Path, codes: Codes) -> Imported:
    """Read a JSON file, an NDJSON file (Bulk Data), or a folder of them.

    Raises
    ------
    RegistryError
        When a file cannot be read or is not FHIR; the message names it.
    """
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    files = [file for file in files if file.suffix in (".json", ".ndjson") and file.is_file()]
    if not files:
        raise RegistryError(f"{path.name}: no .json or .ndjson file in it.")
    return read_fhir(
        (each for file in files for each in resources_in(file)), codes, path.resolve().name
    )


class _Reader:
    """Resources of one source while they become rows."""

    def __init__(self, source: FhirSource, codes: Codes, out: Collector) -> None:
        self.source = source
        self.codes = codes
        self.out = out
        self.report = out.report
        self.taken: list[Taken] = []
        self.last_contact: dict[str, str] = {}
        self.onset: dict[str, str] = {}
        self.biopsies: dict[tuple[str, str], dict[str, str]] = {}

    def read(self, seen_on: str | None) -> Imported:
        """Read everything: people first, then what happened to them."""
        people = [each for each in self.source if each[1]["resourceType"] == "Patient"]
        sexes = [self._person(name, resource) for name, resource in people]
        for name, resource in self.source:
            kind = resource["resourceType"]
            if _is_synthetic(resource):
                self.out.synthetic = True
            if kind != "Patient" and kind not in _SUPPORT:
                self._happening(name, resource, kind)
        for row in filter(None, sexes):
            onset = self.onset.get(row["patient_id"], "")
            self._seen(row["patient_id"], seen_on)
            self.out.add("patients", row.pop("source"), **row, sle_onset_date=onset)
        for each in settle(self.taken, self.report):
            self.out.add(
                "treatments",
                each.source,
                patient_id=each.patient,
                drug=each.drug,
                start_date=each.start,
                end_date=each.end,
                dose=each.dose,
                dose_unit=each.dose_unit,
            )
        for (patient, date), row in self.biopsies.items():
            self.out.add("biopsies", row.pop("source"), patient_id=patient, date=date, **row)
        for patient, date in self.last_contact.items():
            self.out.add("events", "", patient_id=patient, date=date, event="last_contact")
        return self.out.finish()

    def _person(self, name: str, resource: Resource) -> dict[str, str] | None:
        identifier = resource.get("id")
        patient = identifier if isinstance(identifier, str) else name.split(":")[-1]
        gender, birth = resource.get("gender"), resource.get("birthDate")
        if gender not in ("female", "male"):
            self.report.leave_out("Patient", "gender", because.SEX_NEEDED, name)
            return None
        if not isinstance(birth, str) or (date_of(birth) is None and len(birth) not in (4, 7)):
            self.report.leave_out("Patient", "birthDate", because.BIRTH_DATE_NEEDED, name)
            return None
        if len(birth) == 7:
            self.report.assume("Patient", "birthDate", because.A_MONTH_ALONE, name)
            birth = f"{birth}-15"
        self.source.patients[name] = patient
        died = date_of(resource.get("deceasedDateTime"))
        if died is not None:
            self.out.add("events", name, patient_id=patient, date=died, event="death")
            self._seen(patient, died)
        elif resource.get("deceasedBoolean") is True or resource.get("deceasedDateTime"):
            self.report.leave_out("Patient", because.DEATH, because.NO_DAY, name)
        return {"patient_id": patient, "sex": gender, "birth_date": birth, "source": name}

    def _seen(self, patient: str, date: str | None) -> None:
        if date is not None and date > self.last_contact.get(patient, ""):
            self.last_contact[patient] = date

    def _happening(self, name: str, resource: Resource, kind: str) -> None:
        if kind not in (*_READ, *_CONTACTS):
            self.report.leave_out(kind, because.RESOURCE, NO_PLACE, name)
            return
        patient = self.source.patient(resource)
        if patient is None:
            self.report.leave_out(kind, because.RESOURCE, because.PATIENT_NOT_HERE, name)
            return
        if kind in MEDICATION_TYPES:
            self._medication(name, resource, kind, patient)
        elif kind == "Observation":
            self._observation(name, resource, patient)
        elif kind == "DiagnosticReport":
            self._diagnostic_report(name, resource, patient)
        elif kind == "Condition":
            self._condition(name, resource, patient)
        elif kind == "Procedure":
            self._procedure(name, resource, patient)
        elif resource.get("status") in _CONTACTS[kind]:
            self._seen(patient, first_date(resource, "period", "occurrenceDateTime"))

    def _meaning(self, kinds: tuple[str, ...], concept: Any) -> Meaning | None:
        """Return what the first known coding means; a meaning goes before a refusal."""
        refused = None
        for system, code, _ in codings(concept):
            for kind in kinds:
                found = self.codes.find(kind, system, code)
                if found is not None and found.kind != "refused":
                    return found
                refused = refused or found
        return refused

    def _observation(self, name: str, resource: Resource, patient: str) -> None:
        status = resource.get("status")
        date = first_date(resource, *_DATES)
        if status in _FINAL:
            self._seen(patient, date)
        issued = date_of(resource.get("issued"))
        for element in (resource, *elements(resource, "component")):
            concept = element.get("code")
            meaning = self._meaning(("analyte", "biopsy_score", "isn_rps_class"), concept)
            what = label_of(concept)
            if meaning is None:
                if "valueQuantity" in element or element is not resource:
                    self.report.leave_out("Observation", what, NO_PLACE, name)
            elif meaning.kind == "refused":
                self.report.leave_out("Observation", what, meaning.name, name)
            elif status not in _FINAL:
                self.report.leave_out("Observation", what, because.not_final(status), name)
            elif date is None:
                self.report.leave_out("Observation", what, because.NO_DAY, name)
            else:
                self._value(name, element, meaning, what, patient, date, issued)

    def _value(
        self,
        name: str,
        element: Resource,
        meaning: Meaning,
        what: str,
        patient: str,
        date: str,
        issued: str | None,
    ) -> None:
        if meaning.kind == "isn_rps_class":
            self._biopsy(name, patient, date, isn_rps_class=meaning.name)
            return
        quantity = element.get("valueQuantity")
        value = number_of(part(quantity, "value"))
        if value is None:
            self.report.leave_out("Observation", what, because.NO_NUMBER, name)
            return
        if meaning.kind == "biopsy_score":
            self._biopsy(name, patient, date, **{meaning.name: repr(value)})
            return
        unit, comparator = self._unit(quantity, what, name), part(quantity, "comparator")
        if comparator is not None and comparator not in _SIDES:
            self.report.leave_out("Observation", what, because.comparator(comparator), name)
            return
        if not unit:
            self.report.leave_out("Observation", what, because.NO_UNIT, name)
            return
        if meaning.assumed:
            self.report.assume("Observation", what, meaning.assumed, name)
        late = issued if issued is not None and issued > date else ""
        self.out.add(
            "measurements",
            name,
            patient_id=patient,
            date=date,
            analyte=meaning.name,
            value=repr(value),
            unit=unit,
            comparator=_SIDES.get(comparator, "") if comparator else "",
            recorded_on=late,
        )

    def _unit(self, quantity: Any, what: str, name: str) -> str:
        code, unit = part(quantity, "code"), part(quantity, "unit")
        if isinstance(code, str) and code:
            return self.codes.unit(code)
        if isinstance(unit, str) and unit:
            self.report.assume("Observation", what, because.UNIT_IN_WORDS, name)
            return self.codes.unit(unit)
        return ""

    def _biopsy(self, name: str, patient: str, date: str, **cells: str) -> None:
        row = self.biopsies.setdefault((patient, date), {"source": name})
        row.update(cells)

    def _diagnostic_report(self, name: str, resource: Resource, patient: str) -> None:
        status, date = resource.get("status"), first_date(resource, *_DATES)
        if status not in _FINAL:
            what = label_of(resource.get("code"))
            self.report.leave_out("DiagnosticReport", what, because.not_final(status), name)
            return
        self._seen(patient, date)
        for held in elements(resource, "contained"):
            if held.get("resourceType") == "Observation":
                dated = {**{key: resource[key] for key in _DATES if key in resource}, **held}
                self._observation(name, dated, patient)
        known = False
        for concept in (resource.get("code"), *elements(resource, "conclusionCode")):
            meaning = self._meaning(("isn_rps_class", "procedure"), concept)
            if meaning is None:
                continue
            if meaning.kind == "refused":
                self.report.leave_out("DiagnosticReport", label_of(concept), meaning.name, name)
            elif date is None:
                self.report.leave_out("DiagnosticReport", label_of(concept), because.NO_DAY, name)
            elif meaning.kind == "isn_rps_class":
                self._biopsy(name, patient, date, isn_rps_class=meaning.name)
                known = True
            elif meaning.name == "kidney_biopsy":
                self._biopsy(name, patient, date)
                known = True
        if known and resource.get("conclusion"):
            self.report.leave_out("DiagnosticReport", "conclusion", because.ONLY_WORDS, name)

    def _condition(self, name: str, resource: Resource, patient: str) -> None:
        date = first_date(resource, "onsetDateTime", "onsetPeriod")
        recorded = date_of(resource.get("recordedDate"))
        self._seen(patient, recorded)
        concept = resource.get("code")
        meaning = self._meaning(("condition", "isn_rps_class"), concept)
        what = label_of(concept)
        sure = {code for _, code, _ in codings(resource.get("verificationStatus"))}
        if meaning is None:
            self.report.leave_out("Condition", what, NO_PLACE, name)
        elif meaning.kind == "refused":
            self.report.leave_out("Condition", what, meaning.name, name)
        elif sure & {"refuted", "entered-in-error", "unconfirmed", "provisional", "differential"}:
            self.report.leave_out("Condition", what, because.NOT_CONFIRMED, name)
        elif meaning.kind == "isn_rps_class":
            self.report.leave_out("Condition", what, because.A_CLASS_OF_A_REPORT, name)
        elif meaning.name == "kidney_failure":
            when = date or recorded
            if when is None:
                self.report.leave_out("Condition", what, because.NO_DAY, name)
                return
            if date is None:
                self.report.assume("Condition", what, because.ONSET_RECORDED, name)
            self._kidney_failure(name, patient, when)
        elif date is None:
            self.report.leave_out("Condition", what, because.NO_ONSET, name)
        else:
            self.onset[patient] = min(date, self.onset.get(patient, date))

    def _kidney_failure(self, name: str, patient: str, date: str) -> None:
        self._seen(patient, date)
        self.out.add("events", name, patient_id=patient, date=date, event="kidney_failure")

    def _procedure(self, name: str, resource: Resource, patient: str) -> None:
        status = resource.get("status")
        date = first_date(resource, "performedDateTime", "performedPeriod")
        what = label_of(resource.get("code"))
        meaning = self._meaning(("procedure",), resource.get("code"))
        if status == "completed":
            self._seen(patient, date)
        if meaning is None or meaning.kind == "refused":
            why = meaning.name if meaning else NO_PLACE
            self.report.leave_out("Procedure", what, why, name)
        elif status != "completed":
            self.report.leave_out("Procedure", what, because.not_completed(status), name)
        elif date is None:
            self.report.leave_out("Procedure", what, because.NO_DAY, name)
        elif meaning.name == "kidney_biopsy":
            self._biopsy(name, patient, date)
        else:
            self._kidney_failure(name, patient, date)

    def _medication(self, name: str, resource: Resource, kind: str, patient: str) -> None:
        concept = resource.get("medicationCodeableConcept")
        if concept is None:
            found = self.source.find(resource.get("medicationReference"), resource)
            concept = part(found, "code")
        texts = [display for _, _, display in codings(concept)]
        text = part(concept, "text")
        words = " ".join([*texts, text] if isinstance(text, str) else texts)
        self._seen(patient, first_date(resource, "authoredOn", "effectiveDateTime"))
        drug = self._drug(kind, concept, words, name)
        if drug is not None:
            product = next((t for t in (*texts, text) if isinstance(t, str) and t), "")
            medication = Medication(
                resource, kind, patient, drug, product, name, self.codes, self.report
            )
            self.taken.extend(medication.taken())

    def _drug(self, kind: str, concept: Any, words: str, name: str) -> str | None:
        what = label_of(concept)
        meaning = self._meaning(("drug",), concept)
        if self.codes.is_local(words) and (meaning or self.codes.drug_named(words)):
            self.report.leave_out(kind, what, because.NOT_SYSTEMIC, name)
            return None
        if meaning is not None and meaning.kind == "drug":
            return meaning.name
        named = self.codes.drug_named(words)
        if named is not None:
            self.report.assume(kind, what, because.read_by_name(named), name)
            return named
        refused: str = meaning.name if meaning else NO_PLACE
        self.report.leave_out(kind, what, refused, name)
        return None


def _is_synthetic(resource: Resource) -> bool:
    """Return whether a resource says that it is test data, or made by Synthea."""
    security = elements(resource, "meta", "security")
    marks = [*elements(resource, "meta", "tag"), *elements(resource, "identifier")]
    return any(label.get("code") == _TEST_DATA for label in security) or any(
        "synthea" in str(mark.get("code") or mark.get("system")).casefold() for mark in marks
    )
