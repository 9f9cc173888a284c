"""Adherent? Evidence votes; objective evidence decides where it votes at all, else reports do.

Assumes that a drug level or a refill record in part of a span speaks for all of it; who takes
tablets only before visits looks adherent here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..features.days import Days, as_days
from ..features.history import History, Numbers, history_of, pairs
from ..features.registry import Registry, text_of
from ..features.treatment import Treatments
from .definition import Definition
from .kleene import NO, UNKNOWN, YES, Answers, answer
from .regimen import CLASS_BITS, class_bits
from .response import at_least

__all__ = [
    "INFUSIONS",
    "REPORTS",
    "AdherenceEvidence",
    "Vote",
    "adherence_votes",
    "adherent",
    "wholly_infused",
]

INFUSIONS = ("missed_infusions", "infusions_recorded")
REPORTS = ("self_report", "clinician")
"""Measures that speak of infusions, and those that are somebody's word; others are of tablets."""
_INFUSED = np.int64(CLASS_BITS["CYC"] | CLASS_BITS["BEL"] | CLASS_BITS["OBI"])


@dataclass(frozen=True)
class AdherenceEvidence:
    """Rows of adherence measures sorted by patient, and hydroxychloroquine levels (ng/mL).

    Parameters
    ----------
    patient, first_day, last_day : ndarray of int, shape (n_rows,)
    measure : ndarray of str, shape (n_rows,)
    value : ndarray of float, shape (n_rows,)
    drug : ndarray of str, shape (n_rows,)
        Empty where no drug is named.
    hcq_blood, hcq_serum : History
    """

    patient: Days
    first_day: Days
    last_day: Days
    measure: npt.NDArray[np.str_]
    value: Numbers
    drug: npt.NDArray[np.str_]
    hcq_blood: History
    hcq_serum: History

    @classmethod
    def of(cls, registry: Registry) -> "AdherenceEvidence":
        """Read it from a registry as known on a day."""
        table = registry.adherence
        return cls(
            patient=registry.positions("adherence"),
            first_day=as_days(table["start_date"]),
            last_day=as_days(table["end_date"]),
            measure=text_of(table["measure"]),
            value=table["value"].to_numpy(),
            drug=np.asarray(table["drug"].astype("str").fillna(""), dtype=str),
            hcq_blood=history_of(registry, "hcq_blood"),
            hcq_serum=history_of(registry, "hcq_serum"),
        )


@dataclass(frozen=True)
class _Overlaps:
    """Which adherence rows overlap which spans."""

    evidence: AdherenceEvidence
    span: Days
    row: Days
    days: Days
    n_spans: int

    def of(self, measures: tuple[str, ...], *, drug_bits: Days | None = None) -> "_Overlaps":
        """Keep some measures; with class bits per span, also only rows of those drugs or none."""
        kept = np.isin(self.evidence.measure[self.row], measures)
        if drug_bits is not None:
            bits = class_bits(self.evidence.drug)[self.row]
            unnamed = self.evidence.drug[self.row] == ""
            kept &= unnamed | ((bits & drug_bits[self.span]) > 0)
        return _Overlaps(
            self.evidence, self.span[kept], self.row[kept], self.days[kept], self.n_spans
        )

    @property
    def any(self) -> npt.NDArray[np.bool_]:
        return np.bincount(self.span, minlength=self.n_spans) > 0

    def sum(self) -> Numbers:
        return np.bincount(self.span, self.evidence.value[self.row], self.n_spans).astype(float)

    def mean(self, weights: npt.NDArray[np.number] | None = None) -> Numbers:
        weight = np.ones(len(self.row)) if weights is None else weights
        total = np.bincount(self.span, self.evidence.value[self.row] * weight, self.n_spans)
        return total / np.maximum(np.bincount(self.span, weight, self.n_spans), 1)


def _overlapping(
    evidence: AdherenceEvidence, patient: Days, start: Days, span_end: Days
) -> _Overlaps:
    span, row = pairs(patient, evidence.patient)
    days = (
        np.minimum(evidence.last_day[row], span_end[span])
        - np.maximum(evidence.first_day[row], start[span])
        + 1
    )
    some = days > 0
    return _Overlaps(evidence, span[some], row[some], days[some], len(patient))


def _level_vote(median: Numbers, no_below: float, yes_from: float) -> Answers:
    low, enough = ~at_least(median, no_below), at_least(median, yes_from)
    return answer(enough, known=~np.isnan(median) & (low | enough))


def _infusions_recorded(
    treatments: Treatments, patient: Days, regimen: Days, start: Days, span_end: Days
) -> Answers:
    """Vote yes where every anchor of the regimen is infused and each row is an administration."""
    bits = class_bits(treatments.drug)
    anchors = treatments.where(bits > 0)
    span, row, _ = anchors.overlaps(patient, start, span_end)
    row_bits = bits[bits > 0][row] & regimen[span]
    single = anchors.start[row] == anchors.end[row]
    recorded = np.zeros(len(patient), dtype=np.int64)
    np.bitwise_or.at(recorded, span[single], row_bits[single])
    period = np.bincount(span, ~single & (row_bits > 0), len(patient)) > 0
    infused = wholly_infused(regimen) & (recorded == regimen) & ~period
    return np.where(infused, YES, UNKNOWN)


def wholly_infused(regimen: Days) -> npt.NDArray[np.bool_]:
    """Return which class bits are of infusions alone."""
    infused: npt.NDArray[np.bool_] = (regimen & ~_INFUSED) == 0
    return infused


@dataclass(frozen=True)
class Vote:
    """What one kind of evidence says of courses; fields of shape (n_courses,).

    Parameters
    ----------
    measure : str
        ``refills``, ``hcq_blood``, ``hcq_serum``, ``missed_infusions``, ``infusions_recorded``,
        ``self_report`` or ``clinician``.
    objective : bool
        Objective evidence decides where it votes at all.
    value : ndarray of float
        What was compared; nan where there is no such evidence or nothing to compare.
    answer : ndarray of Kleene answers
        *unknown* is no vote.
    """

    measure: str
    objective: bool
    value: Numbers
    answer: Answers


def adherence_votes(
    evidence: AdherenceEvidence,
    treatments: Treatments,
    definition: Definition,
    patient: Days,
    regimen: Days,
    start: Days,
    span_end: Days,
) -> tuple[Vote, ...]:
    """Let every kind of evidence vote on whether patients adhered to courses.

    Parameters
    ----------
    evidence : AdherenceEvidence
    treatments : Treatments
    definition : Definition
    patient, regimen, start, span_end : ndarray of int, shape (n_courses,)
        Position, class bits, first and last day of the span.
    """
    limits = definition.adherent
    rows = _overlapping(evidence, patient, start, span_end)
    refills = rows.of(("pdc", "mpr"), drug_bits=regimen)
    missed = rows.of(("missed_infusions",))
    reported, clinician = rows.of(("self_report",)), rows.of(("clinician",))
    span = (patient, start, span_end)

    def vote(measure: str, seen: _Overlaps, value: Numbers, adhered: npt.ArrayLike) -> Vote:
        shown = np.where(seen.any, value, np.nan)
        objective = measure in ("refills", "missed_infusions")
        return Vote(measure, objective, shown, answer(adhered, known=seen.any))

    def level(measure: str, history: History, no_below: float, yes_from: float) -> Vote:
        median = history.median(*span)
        return Vote(measure, True, median, _level_vote(median, no_below, yes_from))

    share = refills.mean(refills.days)
    recorded = _infusions_recorded(treatments, patient, regimen, start, span_end)
    doses, judged = reported.mean(), clinician.mean()
    return (
        vote("refills", refills, share, at_least(share, limits.share)),
        level(
            "hcq_blood", evidence.hcq_blood, limits.hcq_blood_no_below, limits.hcq_blood_yes_from
        ),
        level(
            "hcq_serum", evidence.hcq_serum, limits.hcq_serum_no_below, limits.hcq_serum_yes_from
        ),
        vote(
            "missed_infusions",
            missed,
            missed.sum(),
            missed.sum() < limits.missed_infusions_no_from,
        ),
        Vote("infusions_recorded", True, np.full(len(patient), np.nan), recorded),
        vote("self_report", reported, doses, at_least(doses, limits.share)),
        vote("clinician", clinician, judged, judged == 1),
    )


def adherent(votes: tuple[Vote, ...]) -> Answers:
    """Answer whether patients adhered to courses, shape (n_courses,)."""
    objective = _decide([vote.answer for vote in votes if vote.objective])
    reports = _decide([vote.answer for vote in votes if not vote.objective])
    return np.where(objective != UNKNOWN, objective, reports)


def _decide(votes: list[Answers]) -> Answers:
    """Return no where any vote is no, else yes where any is yes, else unknown (no vote)."""
    stacked = np.stack(votes)
    yes = np.where((stacked == YES).any(axis=0), YES, UNKNOWN)
    return np.where((stacked == NO).any(axis=0), NO, yes)
