"""Adequately treated? The doses of a regimen against what induction needs.

Assumes that a recorded dose was prescribed as written; without drug levels an adequate dose that is
poorly absorbed passes for adequate.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..features.days import Days
from ..features.history import History, Numbers
from ..features.treatment import Treatments
from .definition import Definition
from .kleene import NO, YES, Answers, all_of, answer, any_of
from .regimen import has_class
from .response import at_least

__all__ = ["DoseCheck", "adequately_treated", "cyclophosphamide_adequate", "dose_checks"]


@dataclass(frozen=True)
class DoseCheck:
    """One comparison that a class of the regimen must pass; fields of shape (n_courses,).

    Parameters
    ----------
    anchor_class : str
    measure : {"mean_dose", "cumulative_dose", "share_of_days", "median_trough"}
        mg/d, mg, 1 and ng/mL.
    applies : ndarray of bool
        Whether the class is in the regimen and the comparison is made.
    value, threshold : ndarray of float
        The value must be at least the threshold; nan where nothing was recorded.
    answer : ndarray of Kleene answers
    """

    anchor_class: str
    measure: str
    applies: npt.NDArray[np.bool_]
    value: Numbers
    threshold: Numbers
    answer: Answers


def _mpa(
    mpa: Treatments,
    definition: Definition,
    patient: Days,
    regimen: Days,
    start: Days,
    span_end: Days,
) -> tuple[DoseCheck, ...]:
    limits = definition.adequate
    first_day = start + limits.mpa_counted_from_day
    equivalent = mpa.equivalents("mycophenolate_mofetil_equivalent")
    doses = mpa.doses(patient, first_day, span_end, equivalent)
    days = span_end - first_day + 1
    mean = doses.milligrams / np.maximum(days, 1)
    least = np.where(
        has_class(regimen, "CNI"), limits.mpa_mg_per_day_with_cni, limits.mpa_mg_per_day
    )
    known = (days > 0) & ~doses.missing
    enough = answer(at_least(mean, least), known=known)
    shown = np.where(known, mean, np.nan)
    return (DoseCheck("MPA", "mean_dose", has_class(regimen, "MPA"), shown, least, enough),)


def cyclophosphamide_adequate(
    cyclophosphamide: Treatments,
    definition: Definition,
    patient: Days,
    start: Days,
    span_end: Days,
) -> Answers:
    """Return whether the cumulative dose in closed spans suffices; missing doses may decide."""
    return _cumulative(cyclophosphamide, definition, patient, start, span_end)[1]


def _cumulative(
    cyclophosphamide: Treatments,
    definition: Definition,
    patient: Days,
    start: Days,
    span_end: Days,
) -> tuple[Numbers, Answers]:
    doses = cyclophosphamide.doses(patient, start, span_end)
    enough = at_least(doses.milligrams, definition.adequate.cyc_cumulative_mg)
    known = (enough | ~doses.missing) & (span_end >= start)
    return doses.milligrams, answer(enough, known=known)


def _cyc(
    cyclophosphamide: Treatments,
    definition: Definition,
    patient: Days,
    regimen: Days,
    start: Days,
    span_end: Days,
) -> tuple[DoseCheck, ...]:
    milligrams, enough = _cumulative(cyclophosphamide, definition, patient, start, span_end)
    least = np.full(len(patient), definition.adequate.cyc_cumulative_mg)
    has = has_class(regimen, "CYC")
    return (DoseCheck("CYC", "cumulative_dose", has, milligrams, least, enough),)


def _cni(
    cni: Treatments,
    trough: History,
    definition: Definition,
    patient: Days,
    regimen: Days,
    start: Days,
    span_end: Days,
) -> tuple[DoseCheck, ...]:
    limits, has = definition.adequate, has_class(regimen, "CNI")
    days = span_end - start + 1
    share = cni.days_covered(patient, start, span_end) / np.maximum(days, 1)
    median = trough.median(patient, start, span_end)
    measured = ~np.isnan(median)
    least = np.full(len(patient), limits.tacrolimus_trough_ng_per_ml)
    level = np.where(measured, answer(at_least(median, least)), YES)
    covered = np.full(len(patient), limits.cni_share_of_days)
    taken = answer(at_least(share, covered), known=days > 0)
    return (
        DoseCheck("CNI", "share_of_days", has, share, covered, taken),
        DoseCheck("CNI", "median_trough", has & measured, median, least, level),
    )


def dose_checks(
    treatments: Treatments,
    trough: History,
    definition: Definition,
    patient: Days,
    regimen: Days,
    start: Days,
    span_end: Days,
) -> tuple[DoseCheck, ...]:
    """Compare the doses of courses with what induction needs.

    Parameters
    ----------
    treatments : Treatments
    trough : History
        Tacrolimus troughs, ng/mL.
    definition : Definition
    patient, regimen, start, span_end : ndarray of int, shape (n_courses,)
        Position, class bits, first and last day of the span.
    """
    span = (definition, patient, regimen, start, span_end)
    return (
        *_mpa(treatments.of_class("MPA"), *span),
        *_cyc(treatments.of_class("CYC"), *span),
        *_cni(treatments.of_class("CNI"), trough, *span),
    )


def adequately_treated(checks: tuple[DoseCheck, ...]) -> Answers:
    """Answer whether courses were adequately treated, by any class of their regimens.

    Returns
    -------
    ndarray of Kleene answers, shape (n_courses,)
        *no* where the regimen has no class with a dose rule (belimumab or obinutuzumab alone).
    """
    classes = {check.anchor_class: np.zeros(len(check.applies), dtype=bool) for check in checks}
    passed = {name: np.full(len(none), YES) for name, none in classes.items()}
    for check in checks:
        name = check.anchor_class
        classes[name] = classes[name] | check.applies
        passed[name] = all_of(passed[name], check.answer)
    return any_of(*(np.where(classes[name], passed[name], NO) for name in classes))
