"""Adequately treated? The doses of a regimen against what induction needs.

Assumes that a recorded dose was prescribed as written; without drug levels an adequate dose that is
poorly absorbed passes for adequate.
"""

import numpy as np

from ..features.days import Days
from ..features.history import History
from ..features.treatment import Treatments
from .definition import Definition
from .kleene import NO, YES, Answers, all_of, answer, any_of
from .regimen import has_class
from .response import at_least

__all__ = ["adequately_treated", "cyclophosphamide_adequate"]


def _mpa(
    mpa: Treatments,
    definition: Definition,
    patient: Days,
    regimen: Days,
    start: Days,
    span_end: Days,
) -> Answers:
    limits = definition.adequate
    first_day = start + limits.mpa_counted_from_day
    equivalent = mpa.equivalents("mycophenolate_mofetil_equivalent")
    doses = mpa.doses(patient, first_day, span_end, equivalent)
    days = span_end - first_day + 1
    mean = doses.milligrams / np.maximum(days, 1)
    enough = np.where(
        has_class(regimen, "CNI"),
        at_least(mean, limits.mpa_mg_per_day_with_cni),
        at_least(mean, limits.mpa_mg_per_day),
    )
    return answer(enough, known=(days > 0) & ~doses.missing)


def cyclophosphamide_adequate(
    cyclophosphamide: Treatments,
    definition: Definition,
    patient: Days,
    start: Days,
    span_end: Days,
) -> Answers:
    """Return whether the cumulative dose in closed spans suffices; missing doses may decide."""
    doses = cyclophosphamide.doses(patient, start, span_end)
    enough = at_least(doses.milligrams, definition.adequate.cyc_cumulative_mg)
    return answer(enough, known=(enough | ~doses.missing) & (span_end >= start))


def _cni(
    cni: Treatments,
    trough: History,
    definition: Definition,
    patient: Days,
    start: Days,
    span_end: Days,
) -> Answers:
    limits = definition.adequate
    days = span_end - start + 1
    share = cni.days_covered(patient, start, span_end) / np.maximum(days, 1)
    taken = answer(at_least(share, limits.cni_share_of_days), known=days > 0)
    median = trough.median(patient, start, span_end)
    level = np.where(
        np.isnan(median), YES, answer(at_least(median, limits.tacrolimus_trough_ng_per_ml))
    )
    return all_of(taken, level)


def adequately_treated(
    treatments: Treatments,
    trough: History,
    definition: Definition,
    patient: Days,
    regimen: Days,
    start: Days,
    span_end: Days,
) -> Answers:
    """Answer whether courses were adequately treated.

    Parameters
    ----------
    treatments : Treatments
    trough : History
        Tacrolimus troughs, ng/mL.
    definition : Definition
    patient, regimen, start, span_end : ndarray of int, shape (n_courses,)
        Position, class bits, first and last day of the span.

    Returns
    -------
    ndarray of Kleene answers, shape (n_courses,)
        *no* where the regimen has no class with a dose rule (belimumab or obinutuzumab alone).
    """
    of_class = {
        "MPA": _mpa(treatments.of_class("MPA"), definition, patient, regimen, start, span_end),
        "CYC": cyclophosphamide_adequate(
            treatments.of_class("CYC"), definition, patient, start, span_end
        ),
        "CNI": _cni(treatments.of_class("CNI"), trough, definition, patient, start, span_end),
    }
    return any_of(
        np.full(len(patient), NO),
        *(np.where(has_class(regimen, name), given, NO) for name, given in of_class.items()),
    )
