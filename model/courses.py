"""Courses of induction: when each opened, which classes make its regimen, what ended it.

Assumes that a registry records the anchor drugs completely; a first course given elsewhere and
never entered makes the second look like the first.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..features.asof import known_on
from ..features.days import NEVER, Days, as_days
from ..features.history import pairs
from ..features.registry import Registry
from ..features.treatment import Treatments, starts_anew
from ..features.vocabulary import drugs_with_role
from .adequacy import cyclophosphamide_adequate
from .definition import Definition
from .kleene import YES
from .regimen import CLASS_BITS, class_bits, has_class
from .response import Evidence, assess

__all__ = ["Courses", "FollowUp", "find_courses"]

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FollowUp:
    """What ends the view of a patient; day numbers of shape (n_patients,), `NEVER` if nothing.

    Parameters
    ----------
    death, kidney_failure, last_contact : ndarray of int
        First death and kidney failure, latest last contact.
    as_of : ndarray of int
    rescue : Treatments
        Rows of rescue drugs.
    """

    death: Days
    kidney_failure: Days
    last_contact: Days
    as_of: Days
    rescue: Treatments = field(repr=False)

    @classmethod
    def of(cls, registry: Registry, as_of: Days, treatments: Treatments) -> "FollowUp":
        """Read it from a registry as known on `as_of`."""
        events = registry.events
        name, day = np.asarray(events["event"]), as_days(events["date"])
        patient = registry.positions("events")
        first = {}
        for event in ("death", "kidney_failure"):
            first[event] = np.full(len(registry), NEVER, dtype=np.int64)
            np.minimum.at(first[event], patient[name == event], day[name == event])
        last = np.full(len(registry), -NEVER, dtype=np.int64)
        np.maximum.at(last, patient[name == "last_contact"], day[name == "last_contact"])
        return cls(
            **first,
            last_contact=np.where(last == -NEVER, NEVER, last),
            as_of=as_of,
            rescue=treatments.of_drugs(drugs_with_role("rescue")),
        )

    @property
    def competing(self) -> Days:
        """The first of death and kidney failure, shape (n_patients,)."""
        return np.minimum(self.death, self.kidney_failure)

    def end(self, patient: Days) -> Days:
        """Return the last day seen of some patients."""
        ends = np.minimum(np.minimum(self.competing, self.last_contact), self.as_of)
        return ends[patient]

    def first_rescue_after(self, patient: Days, day: Days) -> Days:
        """Return the first day after `day` on which a rescue treatment starts."""
        return _first_after(self.rescue, patient, day)


@dataclass(frozen=True)
class Courses:
    """Courses sorted by patient and start; every field has shape (n_courses,).

    Parameters
    ----------
    patient : ndarray of int
        Positions in the registry's patients.
    number : ndarray of int
        1 for a patient's first course.
    regimen : ndarray of int
        Class bits, see `lnrisk.model.regimen`.
    start, next_start : ndarray of int
        Day numbers; `NEVER` where no course follows.
    """

    patient: Days
    number: Days
    regimen: Days
    start: Days
    next_start: Days

    def __len__(self) -> int:
        """Return the number of courses."""
        return len(self.patient)


@dataclass(frozen=True)
class _Anchors:
    """Rows of anchor drugs, their class bits, and which of them start a class anew."""

    rows: Treatments
    bits: Days
    new: Flags

    @classmethod
    def of(cls, treatments: Treatments) -> "_Anchors":
        every = class_bits(treatments.drug)
        rows, bits = treatments.where(every > 0), every[every > 0]
        group = rows.patient * (max(CLASS_BITS.values()) + 1) + bits
        single_day = rows.start == rows.end
        return cls(rows, bits, single_day | starts_anew(group, rows.start, rows.end))

    def regimen(self, definition: Definition, patient: Days, start: Days) -> Days:
        """Return the classes started soon after a course's start or still taken then."""
        course, row = pairs(patient, self.rows.patient)
        opened, begun, ended = start[course], self.rows.start[row], self.rows.end[row]
        still = opened + definition.regimen.still_taken_on_day
        joins = (
            self.new[row]
            & (begun >= opened)
            & (begun <= opened + definition.regimen.joins_within_days)
        )
        taken = (begun <= still) & (ended >= still)
        regimen = np.zeros(len(patient), dtype=np.int64)
        member = joins | taken
        np.bitwise_or.at(regimen, course[member], self.bits[row[member]])
        return regimen

    def next_outside(
        self, definition: Definition, patient: Days, start: Days, regimen: Days, classes: int
    ) -> Days:
        """Return the first later start of a class that is in `classes` and not in the regimen."""
        course, row = pairs(patient, self.rows.patient)
        begun = self.rows.start[row]
        later = begun > start[course] + definition.regimen.joins_within_days
        outside = (self.bits[row] & ~regimen[course] & classes) > 0
        opens = self.new[row] & later & outside
        first = np.full(len(patient), NEVER, dtype=np.int64)
        np.minimum.at(first, course[opens], begun[opens])
        return first


def _is_planned_maintenance(
    registry: Registry,
    definition: Definition,
    treatments: Treatments,
    follow_up: FollowUp,
    patient: Days,
    start: Days,
    day: Days,
) -> Flags:
    """Return whether mycophenolate started on `day` is the maintenance of a course.

    Parameters
    ----------
    patient, start, day : ndarray of int, shape (n_courses,)
        Patients ascending, each at most once.
    """
    cyclophosphamide = treatments.of_class("CYC")
    course, row, _ = cyclophosphamide.overlaps(patient, start, day)
    last = np.full(len(patient), -NEVER, dtype=np.int64)
    np.maximum.at(last, course, np.minimum(cyclophosphamide.end[row], day[course]))
    reason = cyclophosphamide.stop_reason[row]
    completed = np.bincount(course, reason == "completed", len(patient)) > 0
    inefficacy = np.bincount(course, reason == "inefficacy", len(patient)) > 0
    full = cyclophosphamide_adequate(cyclophosphamide, definition, patient, start, day) == YES
    soon = day - last <= definition.regimen.maintenance_within_days
    planned: Flags = soon & (full | completed) & ~inefficacy
    if planned.any():
        planned[planned] = ~_had_failed(
            registry, definition, follow_up, patient[planned], start[planned], day[planned]
        )
    return planned


def _had_failed(
    registry: Registry,
    definition: Definition,
    follow_up: FollowUp,
    patient: Days,
    start: Days,
    day: Days,
) -> Flags:
    """Return whether courses had failed by what was recorded up to a day."""
    chosen = np.zeros(len(registry), dtype=bool)
    chosen[patient] = True
    known = known_on(registry.select(chosen), day)
    window_end = np.minimum(
        np.minimum(start + definition.window.last_day, day),
        np.minimum(follow_up.end(patient), follow_up.first_rescue_after(patient, start)),
    )
    position = np.arange(len(patient))
    response = assess(Evidence.of(known), definition, position, start, window_end)
    failed: Flags = response.failed == YES
    return failed


def _first_after(rows: Treatments, patient: Days, day: Days) -> Days:
    query, row = pairs(patient, rows.patient)
    after = rows.start[row] > day[query]
    first = np.full(len(patient), NEVER, dtype=np.int64)
    np.minimum.at(first, query[after], rows.start[row[after]])
    return first


def find_courses(
    registry: Registry, definition: Definition, treatments: Treatments, follow_up: FollowUp
) -> Courses:
    """Find every patient's courses.

    Parameters
    ----------
    registry : Registry
        As known on the day in `follow_up`.
    definition : Definition
    treatments : Treatments
    follow_up : FollowUp

    Returns
    -------
    Courses
    """
    anchors = _Anchors.of(treatments)
    patient, first = np.unique(anchors.rows.patient, return_index=True)
    start = anchors.rows.start[first]
    every_class = sum(CLASS_BITS.values())
    mpa = CLASS_BITS["MPA"]
    found: list[Courses] = []
    while len(patient):
        regimen = anchors.regimen(definition, patient, start)
        span = (definition, patient, start, regimen)
        next_other = anchors.next_outside(*span, every_class & ~mpa)
        next_mpa = anchors.next_outside(*span, mpa)
        asks = has_class(regimen, "CYC") & (next_mpa < next_other)
        if asks.any():
            maintenance = _is_planned_maintenance(
                registry,
                definition,
                treatments,
                follow_up,
                patient[asks],
                start[asks],
                next_mpa[asks],
            )
            next_mpa[np.flatnonzero(asks)[maintenance]] = NEVER
        next_start = np.minimum(next_other, next_mpa)
        number = np.full(len(patient), len(found) + 1)
        found.append(Courses(patient, number, regimen, start, next_start))
        again = next_start < NEVER
        patient, start = patient[again], next_start[again]
    return _joined(found)


def _joined(found: list[Courses]) -> Courses:
    nothing = np.zeros(0, dtype=np.int64)
    columns = {
        name: np.concatenate([nothing, *(getattr(courses, name) for courses in found)])
        for name in ("patient", "number", "regimen", "start", "next_start")
    }
    order = np.lexsort((columns["number"], columns["patient"]))
    return Courses(**{name: values[order] for name, values in columns.items()})
