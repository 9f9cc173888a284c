"""One patient's FHIR resources on their way to an assessment, and back to what it rested on.

Assumes that whoever sends a patient has them in care on the day asked about, so that the last
record of the source is not read as the last contact.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..features.errors import RegistryError
from ..features.said import Said, said
from ..features.sources.codes import load_codes
from ..features.sources.fhir import read_fhir
from ..features.sources.fhir_source import resources_of
from ..features.sources.imported import Imported
from ..features.sources.mapping import NO_PLACE, Entry, MappingReport
from ..model.artifact import RiskModel
from .assessment import Assessment, assess
from .audit.journal import about

__all__ = [
    "AssessedRecord",
    "RecordError",
    "asked_of",
    "assess_record",
    "read_record",
    "remarks_of",
    "resources_in",
]

Resource = Mapping[str, Any]
DAY_OF = {"measurements": "date", "treatments": "start_date", "biopsies": "date"}


class RecordError(Exception):
    """The resources are not one patient who can be assessed; the message says why.

    Parameters
    ----------
    code : str
        FHIR issue type.
    text : Said
    """

    def __init__(self, code: str, text: Said) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True)
class AssessedRecord:
    """An assessment, and the resources behind it.

    Parameters
    ----------
    assessment : Assessment
    subject : str
        Reference to the Patient.
    basis : tuple of str
        References to what was known on the day and has a place in the assessment.
    not_used : tuple of str
        Sentences on what looks relevant and was not used.
    assumed : tuple of str
        Sentences on what was used on an assumption.
    """

    assessment: Assessment
    subject: str
    basis: tuple[str, ...]
    not_used: tuple[str, ...]
    assumed: tuple[str, ...]

    @property
    def lost_treatment(self) -> bool:
        """Whether a medication with a role could not be used."""
        return any(text.startswith("Medication") for text in self.not_used)


def asked_of(content: Any) -> tuple[Any, datetime.date | None]:
    """Return what is to be a Bundle, and the day asked about where Parameters name one.

    Parameters
    ----------
    content : JSON value
        A Bundle, or Parameters with ``bundle`` and ``asOf``.

    Raises
    ------
    RecordError
    """
    if not isinstance(content, Mapping) or content.get("resourceType") != "Parameters":
        return content, None
    bundle, day = None, None
    parameters = content.get("parameter")
    for each in parameters if isinstance(parameters, list) else ():
        name = each.get("name") if isinstance(each, Mapping) else None
        if name == "bundle":
            bundle = each.get("resource")
        elif name == "asOf":
            try:
                day = datetime.date.fromisoformat(str(each.get("valueDate")))
            except ValueError as error:
                text = said(
                    "as_of_date", "Parameters.parameter asOf: expected valueDate as YYYY-MM-DD."
                )
                raise RecordError("value", text) from error
        else:
            text = said(
                "unknown_parameter",
                "Parameters.parameter {name!r}: expected bundle (resource) and asOf (valueDate).",
                name=str(name),
            )
            raise RecordError("not-supported", text)
    return bundle, day


def resources_in(content: Any, most: int) -> list[tuple[str, Resource]]:
    """Return full URL and resource of a Bundle's entries.

    Parameters
    ----------
    content : JSON value
    most : int
        How many are accepted.

    Raises
    ------
    RecordError
        When it is no whole Bundle; ``too-costly`` when it has more.
    """
    if not isinstance(content, Mapping) or content.get("resourceType") != "Bundle":
        text = said("expected_bundle", "expected a Bundle with a Patient and their records.")
        raise RecordError("invalid", text)
    try:
        found = list(resources_of(content))
    except RegistryError as error:
        raise RecordError("incomplete", error.args[0]) from error
    if len(found) > most:
        text = said(
            "many_resources",
            "{count} resources; at most {most} are accepted.",
            count=str(len(found)),
            most=str(most),
        )
        raise RecordError("too-costly", text)
    return found


def read_record(resources: Sequence[tuple[str, Resource]], as_of: datetime.date | None) -> Imported:
    """Return the one patient of some resources in the bundle's terms.

    Parameters
    ----------
    resources : sequence of (str, mapping)
        Full URL, which may be empty, and resource.
    as_of : date or None
        A day on which the patient is known to be in care.

    Raises
    ------
    RecordError
        When there is not one patient with a sex and a birth date.
    """
    people = sum(resource.get("resourceType") == "Patient" for _, resource in resources)
    if people != 1:
        raise RecordError(
            "required" if not people else "multiple-matches",
            said(
                "patient_resources",
                "{count} Patient resources; expected one patient with their records.",
                count=str(people),
            ),
        )
    imported = read_fhir(resources, load_codes(), seen_on=as_of.isoformat() if as_of else None)
    patients = imported.tables["patients"]
    if not len(patients):
        why = tuple(
            said("patient_why", "{what}: {why}", what=e.what, why=e.why)
            for e in imported.report.not_used
            if e.where == "Patient"
        )
        text = "The Patient cannot be assessed: {why}."
        raise RecordError("value", said("patient_refused", text, why=why))
    return imported


def assess_record(
    model: RiskModel, resources: Sequence[tuple[str, Resource]], as_of: datetime.date
) -> AssessedRecord:
    """Assess the one patient of some resources.

    Parameters
    ----------
    model : RiskModel
    resources : sequence of (str, mapping)
        Full URL, which may be empty, and resource.
    as_of : date

    Raises
    ------
    RecordError
        When there is not one patient with a sex and a birth date.
    """
    imported = read_record(resources, as_of)
    patients = imported.tables["patients"]
    with about(str(patients["patient_id"].iloc[0])):
        (answer,) = assess(model, imported.registry(), as_of)
    return AssessedRecord(
        answer,
        str(patients["source"].iloc[0]),
        tuple(_basis(imported, as_of)),
        *remarks_of(imported.report),
    )


def remarks_of(report: MappingReport) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """Return what looks relevant and was not used, and what was assumed, in sentences."""
    near = ((entry, rows) for entry, rows in report.not_used.items() if entry.why != NO_PLACE)
    return (
        tuple(_remark(entry, rows) for entry, rows in near),
        tuple(_remark(entry, rows) for entry, rows in report.assumed.items()),
    )


def _remark(entry: Entry, rows: int) -> Said:
    text = "{where} {what}: {why} ({count} resource" + "s" * (rows > 1) + ")."
    what = {"where": entry.where, "what": entry.what, "why": entry.why}
    return said("remark" if rows > 1 else "remark_one", text, **what, count=str(rows))


def _basis(imported: Imported, as_of: datetime.date) -> Iterator[str]:
    """Yield references to the resources that were known on the day, each once."""
    seen = {""}
    for table, column in DAY_OF.items():
        rows = imported.tables[table]
        for source in rows.loc[_known(rows, column, as_of), "source"]:
            if source not in seen and "/#" not in source:
                seen.add(source)
                yield source


def _known(rows: pd.DataFrame, column: str, as_of: datetime.date) -> "pd.Series[bool]":
    day = as_of.isoformat()
    return (rows[column] <= day) & (rows["recorded_on"] <= day)
