"""What a dosage of FHIR R4 says: how much, how often, from when to when.

Assumes that the elements may hold anything; what cannot be read is None, and why where one may ask.
"""

from collections.abc import Mapping
from typing import Any

from ..said import said
from .codes import Codes, strength_mg
from .fhir_elements import codings, date_of, day_after, elements, number_of, part

__all__ = [
    "NO_SINGLE_DOSE",
    "amount_of",
    "bounds_of",
    "daily_dose",
    "days_of",
    "quantity_of",
    "repeats",
]

NO_SINGLE_DOSE = said("no_single_dose", "no single dose is stated")
_MG = {"mg": 1.0, "g": 1000.0, "ug": 0.001}
_PIECES = ("tablet", "tablets", "capsule", "capsules", "tab", "cap", "{tbl}", "{capsule}", "1")
_PER_DAY = {"QD": 1.0, "BID": 2.0, "TID": 3.0, "QID": 4.0, "QOD": 0.5, "AM": 1.0, "PM": 1.0}
_DAYS = {"h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.4375}


def repeats(dosage: Mapping[str, Any]) -> bool:
    """Return whether a dosage is for more than one time."""
    repeat = part(dosage, "timing", "repeat")
    many = max((number_of(part(repeat, name)) or 0) for name in ("count", "countMax"))
    return (
        many > 1 or part(repeat, "period") is not None or bool(elements(dosage, "timing", "event"))
    )


def bounds_of(dosage: Mapping[str, Any], asked: str | None) -> tuple[str | None, str | None]:
    """Return first and last day that a dosage states; a duration counts from when it was asked."""
    repeat = part(dosage, "timing", "repeat")
    period = part(repeat, "boundsPeriod")
    start, end = date_of(part(period, "start")), date_of(part(period, "end"))
    lasting = days_of(part(repeat, "boundsDuration"))
    if end is None and lasting is not None and (start or asked):
        end = day_after(str(start or asked), max(round(lasting) - 1, 0))
    return start, end


def days_of(duration: Any) -> float | None:
    """Return a duration in days, None where it is none or not stated."""
    value = number_of(part(duration, "value"))
    unit = part(duration, "code") or part(duration, "unit")
    days = _DAYS.get(unit) if isinstance(unit, str) else None
    return None if value is None or days is None or not 0 <= value < 1e5 else value * days


def quantity_of(dosage: Mapping[str, Any]) -> Any:
    """Return the quantity of one dose, None where there is none or several."""
    rates = elements(dosage, "doseAndRate")
    return rates[0].get("doseQuantity") if len(rates) == 1 else None


def amount_of(quantity: Any, codes: Codes, name: str | None = None) -> tuple[float | None, str]:
    """Return amount and unit of one dose, or None and why not; pieces need the product's name."""
    value = number_of(part(quantity, "value"))
    given = part(quantity, "code") or part(quantity, "unit")
    if value is None or not isinstance(given, str):
        return None, NO_SINGLE_DOSE
    if value < 0:
        return None, said("negative_dose", "a negative dose")
    unit = codes.unit(given)
    if unit in _MG:
        return value * _MG[unit], "mg"
    if unit in ("mg/m2", "mg/kg"):
        return value, unit
    if given.casefold() in _PIECES and name is not None:
        strength = strength_mg(name)
        if strength is not None:
            return value * strength, "mg"
        return None, said("no_strength", "the name does not state the strength of one piece")
    return None, said("unknown_dose", "dose unit {unit!r} is not known", unit=given)


def daily_dose(
    dosages: list[Mapping[str, Any]], name: str, codes: Codes
) -> tuple[float | None, str]:
    """Return the sum of several instructions and its unit, mg a day, or None and why not."""
    total = 0.0
    for dosage in dosages:
        amount, unit = amount_of(quantity_of(dosage), codes, name)
        if amount is None:
            return None, unit
        if unit != "mg":
            return None, said("dose_not_daily", "a dose in {unit} is none a day", unit=unit)
        times = _times_a_day(dosage)
        if times is None:
            return None, said("no_frequency", "how often is not stated")
        total += amount * times
    return (total, "mg/d") if dosages else (None, said("no_dosage", "no dosage is stated"))


def _times_a_day(dosage: Mapping[str, Any]) -> float | None:
    if dosage.get("asNeededBoolean") is True or dosage.get("asNeededCodeableConcept") is not None:
        return None
    repeat = part(dosage, "timing", "repeat")
    period = number_of(part(repeat, "period"))
    unit = part(repeat, "periodUnit")
    if period and isinstance(unit, str) and unit in _DAYS and part(repeat, "periodMax") is None:
        often = part(repeat, "frequency")
        frequency = 1.0 if often is None else number_of(often)
        if frequency is None or part(repeat, "frequencyMax") is not None:
            return None
        return frequency / (period * _DAYS[unit])
    for _, code, _ in codings(part(dosage, "timing", "code")):
        if code in _PER_DAY:
            return _PER_DAY[code]
    return None
