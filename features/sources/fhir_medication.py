"""Medication resources of FHIR R4 as treatments: what, from when to when, how much a day.

Assumes that an order is followed until a later order of the same drug replaces it. An infusion
counts once, on its day; where only a repeating order says that there were infusions, how much was
given is unknown, and a treatment that is over without saying since when is not used.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..said import Said, said
from ..vocabulary import drugs
from .codes import Codes
from .fhir_dosage import (
    NO_SINGLE_DOSE,
    amount_of,
    bounds_of,
    daily_dose,
    days_of,
    quantity_of,
    repeats,
)
from .fhir_elements import codings, date_of, day_after, elements, first_date, number_of, part
from .fhir_reasons import NO_DAY, NOT_SYSTEMIC
from .mapping import MappingReport

__all__ = ["MEDICATION_TYPES", "Medication", "Taken", "settle"]

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
_REPEATING = said("repeating_order", "a repeating order does not say how many infusions were given")
_DOSAGE = {"MedicationRequest": "dosageInstruction", "MedicationStatement": "dosage"}
_ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")


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


@dataclass(frozen=True)
class Medication:
    """A medication resource whose drug is known.

    Parameters
    ----------
    resource : mapping
    kind : str
        One of `MEDICATION_TYPES`.
    patient, drug : str
        The bundle's names.
    name : str
        The product's name, which may state its strength.
    source : str
    codes : Codes
    report : MappingReport
        Told of what is left out or assumed.
    """

    resource: Mapping[str, Any]
    kind: str
    patient: str
    drug: str
    name: str
    source: str
    codes: Codes
    report: MappingReport

    def taken(self) -> list[Taken]:
        """Return what it says was taken; nothing, and a reason, where it cannot be used."""
        status, intent = self.resource.get("status"), self.resource.get("intent")
        if status not in (*_ONGOING[self.kind], *_OVER[self.kind]):
            return self._refused(
                said(
                    "not_taken",
                    "status {status!r} does not say that it was taken",
                    status=str(status),
                )
            )
        if self.kind == "MedicationRequest" and intent not in _ORDERS:
            why = said("no_order", "intent {intent!r} is no order", intent=str(intent))
            return self._refused(why)
        if self.resource.get("doNotPerform") is True:
            return self._refused(said("not_to_give", "an order not to give it"))
        return self._administered() if self.kind == "MedicationAdministration" else self._followed()

    def _administered(self) -> list[Taken]:
        date = date_of(part(self.resource, "effectivePeriod", "start")) or first_date(
            self.resource, "effectiveDateTime"
        )
        if date is None:
            return self._refused(NO_DAY)
        if self._is_local(part(self.resource, "dosage", "route")):
            return self._refused(NOT_SYSTEMIC)
        return self._given_once(date, *amount_of(part(self.resource, "dosage", "dose"), self.codes))

    def _followed(self) -> list[Taken]:
        dosages = elements(self.resource, _DOSAGE[self.kind])
        if any(self._is_local(dosage.get("route")) for dosage in dosages):
            return self._refused(NOT_SYSTEMIC)
        asked = date_of(self.resource.get("authoredOn")) or first_date(
            self.resource, "effectiveDateTime"
        )
        period = part(self.resource, "effectivePeriod")
        if self.kind == "MedicationStatement":
            asked = date_of(part(period, "start")) or asked
        if any(self._is_infusion(dosage) for dosage in dosages or [{}]):
            return self._infusion(dosages, asked)
        return list(self._periods(dosages, asked, date_of(part(period, "end"))))

    def _periods(
        self, dosages: list[Mapping[str, Any]], asked: str | None, stated_end: str | None
    ) -> Iterator[Taken]:
        """Yield what was taken over each of the periods that the dosages are for."""
        over = self.resource["status"] in _OVER[self.kind] or stated_end is not None
        groups: dict[tuple[str | None, str | None], list[Mapping[str, Any]]] = defaultdict(list)
        for dosage in sorted(dosages, key=lambda each: number_of(each.get("sequence")) or 0.0):
            groups[bounds_of(dosage, asked)].append(dosage)
        for (start, end), together in (groups or {(None, None): []}).items():
            first = start or asked
            if first is None:
                self._refused(said("no_start", "its start is not stated"))
                continue
            last = end or stated_end or (self._supplied(first) if over else None)
            dose = daily_dose(together, self.name, self.codes)
            if len(groups) > 1 and (None, None) in groups:
                dose = (None, said("undated_steps", "several steps without their own dates"))
            yield self._row(first, last or "", *dose, over=over, once=False)

    def _infusion(self, dosages: list[Mapping[str, Any]], asked: str | None) -> list[Taken]:
        stated = (bounds_of(dosage, asked)[0] for dosage in dosages)
        date = next((start for start in stated if start), asked)
        if date is None:
            return self._refused(NO_DAY)
        if any(repeats(dosage) for dosage in dosages):
            dose: tuple[float | None, str] = (None, _REPEATING)
        elif len(dosages) == 1:
            dose = amount_of(quantity_of(dosages[0]), self.codes)
        else:
            dose = (None, NO_SINGLE_DOSE)
        given = self._given_once(date, *dose)
        self._assume(
            said("infusion_ordered", "an order for an infusion is read as given on its day")
        )
        return given

    def _given_once(self, date: str, dose: float | None, unit: str) -> list[Taken]:
        return [self._row(date, date, dose, unit, over=True, once=True)]

    def _row(
        self, start: str, end: str, dose: float | None, unit: str, *, over: bool, once: bool
    ) -> Taken:
        """Return a row; where there is no dose, `unit` says why."""
        text = ""
        if dose is None:
            self._assume(said("dose_left_empty", "dose left empty: {why}", why=unit))
            unit = ""
        else:
            text = f"{dose:.10g}"
        return Taken(
            self.patient, self.drug, start, end, over, once, text, unit, self.kind, self.source
        )

    def _refused(self, why: Said) -> list[Taken]:
        self.report.leave_out(self.kind, self.drug, why, self.source)
        return []

    def _assume(self, what: Said) -> None:
        self.report.assume(self.kind, self.drug, what, self.source)

    def _is_local(self, route: Any) -> bool:
        return any(
            self.codes.listed("not_systemic", system, code) for system, code, _ in codings(route)
        )

    def _is_infusion(self, dosage: Mapping[str, Any]) -> bool:
        routes = list(codings(dosage.get("route")))
        if routes:
            return any(self.codes.listed("intravenous", system, code) for system, code, _ in routes)
        known = drugs().get(self.drug)
        if known is None or known.route == "oral":
            return False
        name = self.name.casefold()
        injected = any(word in name for word in ("injection", "infusion", "injectable"))
        return known.route == "infusion" or (injected and not repeats(dosage))

    def _supplied(self, start: str) -> str | None:
        """Return the last day that the dispensed supply covers."""
        request = part(self.resource, "dispenseRequest")
        days = days_of(part(request, "expectedSupplyDuration"))
        if days is None:
            return None
        again = number_of(part(request, "numberOfRepeatsAllowed")) or 0
        return day_after(start, max(round(days * (1 + min(max(again, 0), 100))) - 1, 0))


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
