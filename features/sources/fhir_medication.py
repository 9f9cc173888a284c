"""Medication resources of FHIR R4 as treatments: what, from when to when, how much a day.

Assumes that an order is followed until a later order of the same drug replaces it. An infusion
counts once, on its day; where only a repeating order says that there were infusions, how much was
given is unknown, and a treatment that is over without saying since when is not used.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..said import Said, said
from ..vocabulary import drugs
from .codes import Codes, strength_mg
from .fhir_elements import codings, date_of, day_after, elements, first_date, number_of, part
from .fhir_reasons import NO_DAY, NOT_SYSTEMIC
from .mapping import MappingReport

__all__ = ["MEDICATION_TYPES", "Taken", "settle", "taken_of"]

MEDICATION_TYPES = ("MedicationAdministration", "MedicationRequest", "MedicationStatement")
_ONGOING = {
    "MedicationRequest": ("active",),
    "MedicationStatement": ("active",),
    "MedicationAdministration": ("in-progress",),
}
_OVER = {
    "MedicationRequest": ("completed", "stopped", "cancelled"),
    "MedicationStatement": ("completed", "stopped"),
    "MedicationAdministration": ("completed",),
}
_DOSAGE = {"MedicationRequest": "dosageInstruction", "MedicationStatement": "dosage"}
_ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
_MG = {"mg": 1.0, "g": 1000.0, "ug": 0.001}
_PIECES = ("tablet", "tablets", "capsule", "capsules", "tab", "cap", "{tbl}", "{capsule}", "1")
_PER_DAY = {"QD": 1.0, "BID": 2.0, "TID": 3.0, "QID": 4.0, "QOD": 0.5, "AM": 1.0, "PM": 1.0}
_NO_SINGLE_DOSE = said("no_single_dose", "no single dose is stated")
_DAYS = {"h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.4375}


@dataclass(frozen=True)
class Taken:
    """A drug taken for a while, or given once.

    Parameters
    ----------
    patient, drug : str
    start, end : str
        Dates; an empty end is not stated.
    over : bool
        Whether it has ended, stated or not.
    once : bool
        Given on its start only.
    dose, dose_unit : str
    resource : str
        The resource's type.
    source : str
    """

    patient: str
    drug: str
    start: str
    end: str
    over: bool
    once: bool
    dose: str
    dose_unit: str
    resource: str
    source: str


def taken_of(
    resource: Mapping[str, Any],
    kind: str,
    patient: str,
    drug: str,
    name: str,
    codes: Codes,
    report: MappingReport,
    source: str,
) -> list[Taken]:
    """Return what one resource says was taken; nothing, and a reason, where it cannot be used.

    Parameters
    ----------
    resource : mapping
    kind : str
        One of `MEDICATION_TYPES`.
    patient, drug : str
        The bundle's names.
    name : str
        The product's name, which may state its strength.
    codes : Codes
    report : MappingReport
    source : str
    """

    def refuse(why: Said) -> list[Taken]:
        report.leave_out(kind, drug, why, source)
        return []

    status, intent = resource.get("status"), resource.get("intent")
    if status not in (*_ONGOING[kind], *_OVER[kind]):
        return refuse(
            said(
                "not_taken",
                "status {status!r} does not say that it was taken",
                status=str(status),
            )
        )
    if kind == "MedicationRequest" and intent not in _ORDERS:
        return refuse(said("no_order", "intent {intent!r} is no order", intent=str(intent)))
    if resource.get("doNotPerform") is True:
        return refuse(said("not_to_give", "an order not to give it"))
    if kind == "MedicationAdministration":
        return _administered(resource, patient, drug, codes, report, source)
    return _followed(resource, kind, patient, drug, name, codes, report, source)


def _administered(
    resource: Mapping[str, Any],
    patient: str,
    drug: str,
    codes: Codes,
    report: MappingReport,
    source: str,
) -> list[Taken]:
    kind = "MedicationAdministration"
    date = date_of(part(resource, "effectivePeriod", "start")) or first_date(
        resource, "effectiveDateTime"
    )
    if date is None:
        report.leave_out(kind, drug, NO_DAY, source)
        return []
    if _is_local(codes, part(resource, "dosage", "route")):
        report.leave_out(kind, drug, NOT_SYSTEMIC, source)
        return []
    dose, unit = _amount(part(resource, "dosage", "dose"), codes, None)
    if dose is None:
        report.assume(kind, drug, _left_empty(unit), source)
        unit = ""
    text = "" if dose is None else _text(dose)
    return [Taken(patient, drug, date, date, True, True, text, unit, kind, source)]


def _followed(
    resource: Mapping[str, Any],
    kind: str,
    patient: str,
    drug: str,
    name: str,
    codes: Codes,
    report: MappingReport,
    source: str,
) -> list[Taken]:
    dosages = elements(resource, _DOSAGE[kind])
    if any(_is_local(codes, dosage.get("route")) for dosage in dosages):
        report.leave_out(kind, drug, NOT_SYSTEMIC, source)
        return []
    asked = date_of(resource.get("authoredOn")) or first_date(resource, "effectiveDateTime")
    if kind == "MedicationStatement":
        asked = date_of(part(resource, "effectivePeriod", "start")) or asked
    stated_end = date_of(part(resource, "effectivePeriod", "end"))
    over = resource["status"] in _OVER[kind] or stated_end is not None
    if any(_is_infusion(codes, drug, name, dosage) for dosage in dosages or [{}]):
        return _infusion(kind, patient, drug, dosages, asked, codes, report, source)
    steps = sorted(dosages, key=lambda dosage: number_of(dosage.get("sequence")) or 0.0)
    groups: dict[tuple[str | None, str | None], list[Mapping[str, Any]]] = defaultdict(list)
    for dosage in steps:
        groups[_bounds(dosage, asked)].append(dosage)
    rows = []
    for (start, end), together in (groups or {(None, None): []}).items():
        first = start or asked
        if first is None:
            report.leave_out(kind, drug, said("no_start", "its start is not stated"), source)
            continue
        last = end or stated_end or (_supplied(resource, first) if over else None)
        dose, why = _daily(together, name, codes)
        if len(groups) > 1 and (None, None) in groups:
            dose, why = None, said("undated_steps", "several steps without their own dates")
        if dose is None:
            report.assume(kind, drug, _left_empty(why), source)
        text, unit = ("", "") if dose is None else (_text(dose), "mg/d")
        rows.append(Taken(patient, drug, first, last or "", over, False, text, unit, kind, source))
    return rows


def _infusion(
    kind: str,
    patient: str,
    drug: str,
    dosages: list[Mapping[str, Any]],
    asked: str | None,
    codes: Codes,
    report: MappingReport,
    source: str,
) -> list[Taken]:
    date = next((start for start, _ in (_bounds(d, asked) for d in dosages) if start), asked)
    if date is None:
        report.leave_out(kind, drug, NO_DAY, source)
        return []
    dose: float | None = None
    if any(_repeats(dosage) for dosage in dosages):
        unit: str = said(
            "repeating_order", "a repeating order does not say how many infusions were given"
        )
    elif len(dosages) == 1:
        dose, unit = _amount(_quantity(dosages[0]), codes, None)
    else:
        unit = _NO_SINGLE_DOSE
    if dose is None:
        report.assume(kind, drug, _left_empty(unit), source)
        unit = ""
    read = said("infusion_ordered", "an order for an infusion is read as given on its day")
    report.assume(kind, drug, read, source)
    text = "" if dose is None else _text(dose)
    return [Taken(patient, drug, date, date, True, True, text, unit, kind, source)]


def _left_empty(why: str) -> Said:
    return said("dose_left_empty", "dose left empty: {why}", why=why)


def _text(number: float) -> str:
    return f"{number:.10g}"


def _is_local(codes: Codes, route: Any) -> bool:
    return any(codes.listed("not_systemic", system, code) for system, code, _ in codings(route))


def _is_infusion(codes: Codes, drug: str, name: str, dosage: Mapping[str, Any]) -> bool:
    routes = list(codings(dosage.get("route")))
    if routes:
        return any(codes.listed("intravenous", system, code) for system, code, _ in routes)
    known = drugs().get(drug)
    if known is None or known.route == "oral":
        return False
    injected = any(word in name.casefold() for word in ("injection", "infusion", "injectable"))
    return known.route == "infusion" or (injected and not _repeats(dosage))


def _repeats(dosage: Mapping[str, Any]) -> bool:
    repeat = part(dosage, "timing", "repeat")
    many = max((number_of(part(repeat, name)) or 0) for name in ("count", "countMax"))
    return (
        many > 1 or part(repeat, "period") is not None or bool(elements(dosage, "timing", "event"))
    )


def _bounds(dosage: Mapping[str, Any], asked: str | None) -> tuple[str | None, str | None]:
    repeat = part(dosage, "timing", "repeat")
    period = part(repeat, "boundsPeriod")
    start, end = date_of(part(period, "start")), date_of(part(period, "end"))
    lasting = _days(part(repeat, "boundsDuration"))
    if end is None and lasting is not None and (start or asked):
        end = day_after(str(start or asked), max(round(lasting) - 1, 0))
    return start, end


def _days(duration: Any) -> float | None:
    value = number_of(part(duration, "value"))
    unit = part(duration, "code") or part(duration, "unit")
    days = _DAYS.get(unit) if isinstance(unit, str) else None
    return None if value is None or days is None or not 0 <= value < 1e5 else value * days


def _supplied(resource: Mapping[str, Any], start: str) -> str | None:
    """Return the last day that the dispensed supply covers."""
    request = part(resource, "dispenseRequest")
    days = _days(part(request, "expectedSupplyDuration"))
    if days is None:
        return None
    repeats = number_of(part(request, "numberOfRepeatsAllowed")) or 0
    return day_after(start, max(round(days * (1 + min(max(repeats, 0), 100))) - 1, 0))


def _quantity(dosage: Mapping[str, Any]) -> Any:
    rates = elements(dosage, "doseAndRate")
    return rates[0].get("doseQuantity") if len(rates) == 1 else None


def _amount(quantity: Any, codes: Codes, name: str | None) -> tuple[float | None, str]:
    """Return amount and unit of one dose, or None and why not."""
    value = number_of(part(quantity, "value"))
    given = part(quantity, "code") or part(quantity, "unit")
    if value is None or not isinstance(given, str):
        return None, _NO_SINGLE_DOSE
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


def _daily(dosages: list[Mapping[str, Any]], name: str, codes: Codes) -> tuple[float | None, str]:
    """Return the sum of several instructions in mg a day, or None and why not."""
    total = 0.0
    for dosage in dosages:
        amount, unit = _amount(_quantity(dosage), codes, name)
        if amount is None:
            return None, unit
        if unit != "mg":
            return None, said("dose_not_daily", "a dose in {unit} is none a day", unit=unit)
        times = _times_a_day(dosage)
        if times is None:
            return None, said("no_frequency", "how often is not stated")
        total += amount * times
    return (total, "") if dosages else (None, said("no_dosage", "no dosage is stated"))


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


def settle(taken: Iterable[Taken], report: MappingReport) -> list[Taken]:
    """Return treatments without what another resource says as well, and with every end known.

    Parameters
    ----------
    taken : iterable of Taken
    report : MappingReport
    """
    groups: dict[tuple[str, str], list[Taken]] = defaultdict(list)
    for each in taken:
        groups[each.patient, each.drug].append(each)
    rows = []
    for group in groups.values():
        followed = _weightiest([t for t in group if not t.once], _FOLLOWED_FIRST, report)
        given = _weightiest([t for t in group if t.once], _GIVEN_FIRST, report)
        known = drugs().get(group[0].drug)
        if followed and known is not None and known.route == "oral":
            for each in given:
                why = said("order_covers", "an order covers it")
                report.leave_out(each.resource, each.drug, why, each.source)
            given = []
        rows.extend([*given, *_ended(followed, report)])
    return rows


_FOLLOWED_FIRST = ("MedicationRequest", "MedicationStatement")
_GIVEN_FIRST = ("MedicationAdministration", "MedicationRequest", "MedicationStatement")


def _weightiest(group: list[Taken], order: tuple[str, ...], report: MappingReport) -> list[Taken]:
    kinds = {each.resource for each in group}
    best = next((kind for kind in order if kind in kinds), None)
    for each in group:
        if each.resource != best:
            why = said("said_as_well", "{resource} says it as well", resource=str(best))
            report.leave_out(each.resource, each.drug, why, each.source)
    return [each for each in group if each.resource == best]


def _ended(followed: list[Taken], report: MappingReport) -> list[Taken]:
    """End each open treatment where the next of the same drug starts; drop what cannot be ended."""
    starts = sorted({each.start for each in followed})
    rows = []
    for each in followed:
        later = next((start for start in starts if start > each.start), None)
        if not each.end and later is not None:
            why = said("ends_at_next", "ends where the next of the same drug starts")
            report.assume(each.resource, each.drug, why, each.source)
            rows.append(replace(each, end=str(day_after(later, -1))))
        elif not each.end and each.over:
            why = said("over_undated", "it is over, and since when is not stated")
            report.leave_out(each.resource, each.drug, why, each.source)
        else:
            rows.append(each)
    return rows
