"""Why a FHIR resource is not used, or is used on an assumption: each reason once, with its code."""

from typing import Any

from ..said import Said, said

__all__ = [
    "A_CLASS_OF_A_REPORT",
    "A_MONTH_ALONE",
    "BIRTH_DATE_NEEDED",
    "DEATH",
    "NOT_CONFIRMED",
    "NOT_SYSTEMIC",
    "NO_DAY",
    "NO_NUMBER",
    "NO_ONSET",
    "NO_UNIT",
    "ONLY_WORDS",
    "ONSET_RECORDED",
    "PATIENT_NOT_HERE",
    "RESOURCE",
    "SEX_NEEDED",
    "UNIT_IN_WORDS",
    "comparator",
    "not_completed",
    "not_final",
    "read_by_name",
]

RESOURCE, DEATH = said("what_resource", "resource"), said("what_death", "death")
SEX_NEEDED = said("sex_needed", "eGFR needs female or male; it is neither")
BIRTH_DATE_NEEDED = said("birth_date_needed", "eGFR needs a birth date")
A_MONTH_ALONE = said("month_alone", "a month alone, read as its 15th")
PATIENT_NOT_HERE = said("patient_not_here", "its patient is not here or not used")
NO_DAY = said("no_day", "its day is not stated")
NO_NUMBER = said("no_number", "no number in valueQuantity")
NO_UNIT = said("no_unit", "no unit")
UNIT_IN_WORDS = said("unit_in_words", "its unit is words, not a UCUM code")
ONLY_WORDS = said("only_words", "words; scores are not read from words")
NOT_CONFIRMED = said("not_confirmed", "it is not confirmed")
A_CLASS_OF_A_REPORT = said("class_of_report", "a class is read from a biopsy's report")
ONSET_RECORDED = said("onset_recorded", "its onset is the day it was recorded")
NO_ONSET = said("no_onset", "its onset is not stated")
NOT_SYSTEMIC = said("not_systemic", "not taken for the whole body")


def not_final(status: Any) -> Said:
    """Return that a result is not final."""
    return said("not_final", "status {status!r} is not final", status=str(status))


def not_completed(status: Any) -> Said:
    """Return that a procedure is not completed."""
    return said("not_completed", "status {status!r}, not completed", status=str(status))


def comparator(sign: Any) -> Said:
    """Return that a limit is none that the bundle has."""
    return said("comparator", "comparator {comparator!r}", comparator=str(sign))


def read_by_name(drug: str) -> Said:
    """Return that a drug was known by its name alone."""
    return said("read_by_name", "no known code; read by its name as {drug}", drug=drug)
