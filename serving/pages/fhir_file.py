"""A FHIR R4 Bundle as rows of a bundle's tables, by the rules of ``POST /fhir/$assess``.

Assumes that whoever opens a patient has them in care: that the records end is no last contact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...features.said import Said
from ..from_fhir import asked_of, read_record, remarks_of, resources_in
from .entry import Row

__all__ = ["FhirRecord", "read_bundle"]


@dataclass(frozen=True)
class FhirRecord:
    """What a Bundle holds.

    Parameters
    ----------
    as_of : str
        The day that Parameters ask about; empty where none is named.
    tables : dict of str to list of Row
    not_used, assumed : tuple of Said
        As `lnrisk.serving.from_fhir.AssessedRecord` has them.
    """

    as_of: str
    tables: dict[str, list[Row]]
    not_used: tuple[Said, ...]
    assumed: tuple[Said, ...]


def read_bundle(content: Mapping[str, Any], most: int) -> FhirRecord:
    """Read a Bundle, or Parameters with a Bundle.

    Parameters
    ----------
    content : mapping
    most : int
        How many resources are accepted.

    Raises
    ------
    RecordError
    """
    bundle, day = asked_of(content)
    imported = read_record(resources_in(bundle, most), day)
    tables: dict[str, list[Row]] = {}
    for name, table in imported.tables.items():
        recorded = table[table["source"] != ""]
        rows = recorded.drop(columns=["source", "patient_id"]).to_dict("records")
        tables[name] = [
            {str(key): str(cell).removesuffix(".0") for key, cell in row.items()} for row in rows
        ]
    return FhirRecord(day.isoformat() if day else "", tables, *remarks_of(imported.report))
