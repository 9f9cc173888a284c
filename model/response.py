"""Failed at 4-6 months? Baseline and assessed proteinuria and eGFR of a course, and the rule.

Assumes that the latest value of the window stands for the whole of it; with a spot UPCR that varies
by a third within a person, one value near a threshold can fall on the wrong side.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from ..features.days import NEVER, Days
from ..features.egfr import egfr_history
from ..features.history import History, Numbers, history_of
from ..features.registry import Registry
from .definition import Arm, Condition, Definition, Rule
from .kleene import UNKNOWN, YES, Answers, all_of, answer, any_of, not_

__all__ = [
    "ArmValues",
    "Evidence",
    "Response",
    "assess",
    "condition_answer",
    "condition_value",
    "failed_by",
]

TOLERANCE = 1e-9
"""Relative room at a threshold, so that 56.55 mg/mmol is 0.5 g/g and 0.9/1.2 is 0.75."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """The histories that the rule reads."""

    upcr: History
    protein_24h: History
    egfr: History

    @classmethod
    def of(cls, registry: Registry) -> "Evidence":
        """Read them from a registry as known on a day."""
        return cls(
            history_of(registry, "upcr"),
            history_of(registry, "protein_24h"),
            egfr_history(registry),
        )


@dataclass(frozen=True)
class ArmValues:
    """Baseline and assessed value of one arm, each with its day; shape (n_courses,)."""

    baseline: Numbers
    baseline_on: Days
    assessed: Numbers
    assessed_on: Days

    @property
    def ratio(self) -> Numbers:
        """Assessed over baseline; nan where either is missing or both are 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio: Numbers = self.assessed / self.baseline
        return ratio

    def of(self, courses: npt.NDArray[Any]) -> "ArmValues":
        """Return those of some courses."""
        return ArmValues(
            self.baseline[courses],
            self.baseline_on[courses],
            self.assessed[courses],
            self.assessed_on[courses],
        )

    def where(self, chosen: Flags, other: "ArmValues") -> "ArmValues":
        """Return these values where chosen, else the other's."""
        return ArmValues(
            np.where(chosen, self.baseline, other.baseline),
            np.where(chosen, self.baseline_on, other.baseline_on),
            np.where(chosen, self.assessed, other.assessed),
            np.where(chosen, self.assessed_on, other.assessed_on),
        )


@dataclass(frozen=True)
class Response:
    """How courses ended; every field has shape (n_courses,).

    Parameters
    ----------
    proteinuria, egfr : ArmValues
        g/g (g/d where only that exists) and mL/min/1.73 m2.
    proteinuria_word : ndarray of str
        ``at_target``, ``improved``, ``unchanged``, ``worsened`` or ``unknown``.
    egfr_word : ndarray of str
    mixed_proteinuria : ndarray of bool
        Whether g/d at one end was read as g/g.
    baseline_collected, assessed_collected : ndarray of bool
        Whether proteinuria is that of a 24-hour collection rather than a spot UPCR.
    failed : ndarray of Kleene answers
    assessed_on : ndarray of int
        The later assessed day of the arms that were used; `NEVER` where none was.
    """

    proteinuria: ArmValues
    egfr: ArmValues
    proteinuria_word: npt.NDArray[np.str_]
    egfr_word: npt.NDArray[np.str_]
    mixed_proteinuria: Flags
    baseline_collected: Flags
    assessed_collected: Flags
    failed: Answers
    assessed_on: Days

    def arms(self, courses: npt.NDArray[Any]) -> dict[Arm, ArmValues]:
        """Return the values of some courses, by arm."""
        return {"proteinuria": self.proteinuria.of(courses), "egfr": self.egfr.of(courses)}

    @property
    def discordant(self) -> Flags:
        """Whether eGFR worsened though proteinuria improved or is at target."""
        better = np.isin(self.proteinuria_word, ("improved", "at_target"))
        flags: Flags = (self.failed == YES) & (self.egfr_word == "worsened") & better
        return flags


def at_most(value: Numbers, threshold: float | Numbers) -> Flags:
    """Return whether values are at most a threshold, with room for rounding."""
    return value <= threshold + TOLERANCE * np.abs(threshold)


def at_least(value: Numbers, threshold: float | Numbers) -> Flags:
    """Return whether values are at least a threshold, with room for rounding."""
    return value >= threshold - TOLERANCE * np.abs(threshold)


def _compare(comparison: str, value: Numbers, threshold: float) -> Flags:
    return {
        "above": lambda: ~at_most(value, threshold),
        "at_least": lambda: at_least(value, threshold),
        "below": lambda: ~at_least(value, threshold),
        "at_most": lambda: at_most(value, threshold),
    }[comparison]()


def _arm_values(
    history: History, definition: Definition, patient: Days, start: Days, window_end: Days
) -> ArmValues:
    window = definition.window
    baseline, baseline_on = history.latest(
        patient, start + window.baseline_first_day, start + window.baseline_last_day
    )
    assessed, assessed_on = history.latest(patient, start + window.first_day, window_end)
    return ArmValues(baseline, baseline_on, assessed, assessed_on)


def _proteinuria(upcr: ArmValues, protein_24h: ArmValues) -> tuple[ArmValues, Flags, Flags]:
    """Take UPCR at both ends, else protein_24h at both ends, else what each end has.

    Beside the values, whether baseline and assessed value are those of a 24-hour collection.
    """
    both_upcr = ~np.isnan(upcr.baseline) & ~np.isnan(upcr.assessed)
    both_24h = ~np.isnan(protein_24h.baseline) & ~np.isnan(protein_24h.assessed)
    has_baseline, has_assessed = ~np.isnan(upcr.baseline), ~np.isnan(upcr.assessed)
    either = ArmValues(
        np.where(has_baseline, upcr.baseline, protein_24h.baseline),
        np.where(has_baseline, upcr.baseline_on, protein_24h.baseline_on),
        np.where(has_assessed, upcr.assessed, protein_24h.assessed),
        np.where(has_assessed, upcr.assessed_on, protein_24h.assessed_on),
    )
    values = upcr.where(both_upcr, protein_24h.where(both_24h, either))
    collected = ~both_upcr & both_24h
    return values, collected | ~has_baseline, collected | ~has_assessed


def _proteinuria_words(values: ArmValues, definition: Definition) -> npt.NDArray[np.str_]:
    limits, ratio = definition.proteinuria, values.ratio
    return np.select(
        [
            np.isnan(values.assessed),
            at_most(values.assessed, limits.at_target),
            np.isnan(ratio),
            at_most(ratio, limits.improved_at_most),
            ~at_least(ratio, limits.worsened_from),
        ],
        ["unknown", "at_target", "unknown", "improved", "unchanged"],
        "worsened",
    )


def _egfr_words(values: ArmValues, definition: Definition) -> npt.NDArray[np.str_]:
    limits, ratio = definition.egfr, values.ratio
    return np.select(
        [
            np.isnan(ratio),
            at_most(ratio, limits.worsened_at_most),
            at_least(ratio, limits.improved_from),
        ],
        ["unknown", "worsened", "improved"],
        "unchanged",
    )


def condition_value(condition: Condition, arms: dict[Arm, ArmValues]) -> Numbers:
    """Return what a condition compares with its threshold; nan where it is missing."""
    values = arms[condition.arm]
    _, _, part = condition.measure.partition("_")
    return {"": values.assessed, "ratio": values.ratio, "baseline": values.baseline}[part]


def condition_answer(condition: Condition, arms: dict[Arm, ArmValues]) -> Answers:
    """Answer one condition."""
    value = condition_value(condition, arms)
    comparison, threshold = condition.comparison
    return answer(_compare(comparison, value, threshold), known=~np.isnan(value))


def _evaluate(
    rule: Rule | Condition, arms: dict[Arm, ArmValues], only: Arm | None = None
) -> Answers | None:
    """Evaluate a rule, or with `only` the part that one arm answers; None where it has none."""
    if isinstance(rule, Condition):
        if only is not None and rule.arm != only:
            return None
        return condition_answer(rule, arms)
    join, parts = rule.join
    answers = [_evaluate(part, arms, only) for part in parts]
    given = [part for part in answers if part is not None]
    if not given:
        return None
    if join == "all":
        return all_of(*given)
    return any_of(*given) if join == "any" else not_(any_of(*given))


def failed_by(definition: Definition, arms: dict[Arm, ArmValues]) -> Answers:
    """Answer whether courses with these values failed; values may have any shape.

    Parameters
    ----------
    definition : Definition
    arms : dict of {"proteinuria", "egfr"} to ArmValues
    """
    failed = _evaluate(definition.failed, arms)
    assert failed is not None
    return failed


def assess(
    evidence: Evidence, definition: Definition, patient: Days, start: Days, window_end: Days
) -> Response:
    """Assess courses.

    Parameters
    ----------
    evidence : Evidence
    definition : Definition
    patient, start : ndarray of int, shape (n_courses,)
        Positions in the registry's patients and the day the course started.
    window_end : ndarray of int, shape (n_courses,)
        Last day that counts, as cut.

    Returns
    -------
    Response
    """
    upcr = _arm_values(evidence.upcr, definition, patient, start, window_end)
    protein_24h = _arm_values(evidence.protein_24h, definition, patient, start, window_end)
    proteinuria, from_24h, to_24h = _proteinuria(upcr, protein_24h)
    arms: dict[Arm, ArmValues] = {
        "proteinuria": proteinuria,
        "egfr": _arm_values(evidence.egfr, definition, patient, start, window_end),
    }
    failed = failed_by(definition, arms)
    days = []
    for arm, values in arms.items():
        part = _evaluate(definition.failed, arms, only=arm)
        used = values.assessed_on < NEVER
        used &= False if part is None else part != UNKNOWN
        days.append(np.where(used, values.assessed_on, -NEVER))
    latest = reduce(np.maximum, days)
    return Response(
        proteinuria=proteinuria,
        egfr=arms["egfr"],
        proteinuria_word=_proteinuria_words(proteinuria, definition),
        egfr_word=_egfr_words(arms["egfr"], definition),
        mixed_proteinuria=~np.isnan(proteinuria.ratio) & (from_24h != to_24h),
        baseline_collected=from_24h,
        assessed_collected=to_24h,
        failed=failed,
        assessed_on=np.where(latest == -NEVER, NEVER, latest),
    )
