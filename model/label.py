"""The rule-based label: courses that count, and the verdict they add up to, as of a day.

Assumes that the registry holds whole patients; a patient split over two registries is two patients,
each with half of the failures.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.asof import as_of_days, known_on
from ..features.days import NEVER, Days, as_dates
from ..features.registry import Registry
from ..features.vocabulary import drugs_with_role
from .courses import Courses
from .definition import Definition
from .judgement import COURSE_REASONS, Flags, Judgement, judge
from .kleene import NO, UNKNOWN, YES, Answers, words
from .regimen import regimen_names

__all__ = ["Judgement", "Labels", "judge", "label", "label_known", "met_on"]

VERDICTS = ("not_refractory", "pseudo_refractory", "indeterminate", "refractory")
CONSIDER = ("nonadherence", "undertreatment", "chronic_damage", "genetic", "rescue_given")

_UNKNOWNS = ("follow_up_ended", "not_measured", "adequacy_unknown", "adherence_unknown")
_CAVEATS = ("discordant", "mixed_proteinuria")
_WHY_PSEUDO = ("undertreated", "nonadherent")
_WHY_NOT = (
    "too_short",
    "follow_up_ended",
    "not_measured",
    "undertreated",
    "nonadherent",
    "adequacy_unknown",
    "adherence_unknown",
)


@dataclass(frozen=True)
class Labels:
    """The label of every patient and what it rests on.

    Parameters
    ----------
    labels : DataFrame
        One row per patient of the registry, in its order; columns of docs/definition.md.
    courses : DataFrame
        One row per course; three-valued columns hold ``yes``, ``no``, ``unknown``.
    judgement : Judgement
        The answers that both tables are made of.
    """

    labels: pd.DataFrame
    courses: pd.DataFrame
    judgement: Judgement


@dataclass(frozen=True)
class Regimens:
    """The course that stands for each different regimen of a patient.

    Parameters
    ----------
    course : ndarray of int, shape (n_regimens,)
        Position of the earliest course that counts, else of the earliest that may.
    patient : ndarray of int, shape (n_regimens,)
    counts, failed : ndarray of Kleene answers, shape (n_regimens,)
        The best of its courses.
    """

    course: Days
    patient: Days
    counts: Answers
    failed: Answers


def different_regimens(courses: Courses, counts: Answers, failed: Answers) -> Regimens:
    """Reduce courses to the different regimens of each patient, in order of their courses."""
    key = courses.patient * 64 + courses.regimen
    order = np.lexsort((courses.number, -counts.astype(np.int64), key))
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[order][1:] != key[order][:-1]
    _, group = np.unique(key, return_inverse=True)
    best_failed = np.zeros(int(first.sum()), dtype=np.int8)
    np.maximum.at(best_failed, group, failed)
    stands = order[first]
    in_order = np.argsort(stands, kind="stable")
    stands, best_failed = stands[in_order], best_failed[in_order]
    return Regimens(stands, courses.patient[stands], counts[stands], best_failed)


def _verdicts(regimens: Regimens, n_patients: int, needed: int) -> npt.NDArray[np.intp]:
    """Return positions in `VERDICTS`, shape (n_patients,)."""

    def at_least_needed(chosen: Flags) -> Flags:
        enough: Flags = np.bincount(regimens.patient, chosen, n_patients) >= needed
        return enough

    return np.select(
        [
            at_least_needed(regimens.counts == YES),
            at_least_needed(regimens.counts >= UNKNOWN),
            at_least_needed(regimens.failed == YES),
        ],
        [3, 2, 1],
        0,
    )


def met_on(regimens: Regimens, assessed_on: Days, n_patients: int, needed: int) -> Days:
    """Return the assessment day of the last failure that was needed; `NEVER` if not met."""
    counting = regimens.counts == YES
    patient = regimens.patient[counting]
    day = assessed_on[regimens.course[counting]]
    total = np.bincount(patient, minlength=n_patients)
    rank = np.arange(len(patient)) - (np.cumsum(total) - total)[patient]
    met = np.full(n_patients, NEVER, dtype=np.int64)
    decisive = rank == needed - 1
    met[patient[decisive]] = day[decisive]
    return met


def _joined(flags: dict[str, Flags], n: int) -> npt.NDArray[np.str_]:
    """Return the names of the set flags joined by ``;``, shape (n,)."""
    names = list(flags)
    pattern = np.zeros(n, dtype=np.int64)
    for bit, name in enumerate(names):
        pattern |= flags[name].astype(np.int64) << bit
    distinct, position = np.unique(pattern, return_inverse=True)
    texts = [
        ";".join(name for bit, name in enumerate(names) if bits >> bit & 1)
        for bits in distinct.tolist()
    ]
    return np.array([*texts, ""], dtype=str)[position]


def _any_course(patient: Days, flag: Flags, n_patients: int) -> Flags:
    some: Flags = np.bincount(patient, flag, n_patients) > 0
    return some


def _reasons(
    judgement: Judgement, regimens: Regimens, verdict: npt.NDArray[np.intp], n: int, assumed: bool
) -> npt.NDArray[np.str_]:
    patient = judgement.courses.patient
    stands = np.zeros(len(patient), dtype=bool)
    stands[regimens.course] = True
    speaks = {
        "refractory": (_CAVEATS, stands & (judgement.counts == YES)),
        "indeterminate": (_UNKNOWNS, stands & (judgement.counts == UNKNOWN)),
        "pseudo_refractory": (_WHY_PSEUDO, judgement.failed == YES),
        "not_refractory": (
            _WHY_NOT,
            (judgement.counts != YES) & ((judgement.failed != NO) | judgement.reasons["too_short"]),
        ),
    }
    induced = np.bincount(patient, minlength=n) > 0
    flags = {"no_induction": ~induced}
    for name in (*_WHY_NOT, *_CAVEATS):
        flags[name] = np.zeros(n, dtype=bool)
    for word, (names, chosen) in speaks.items():
        here = verdict == VERDICTS.index(word)
        for name in names:
            flags[name] |= here & _any_course(patient, chosen & judgement.reasons[name], n)
    flags["assume_adherent"] = np.full(n, assumed)
    return _joined(flags, n)


def _chronic_damage(registry: Registry, definition: Definition) -> Flags:
    """Return whether the latest biopsy that was scored shows chronic damage.

    Of several on one day the one with the highest chronicity index is the latest.
    """
    biopsies = registry.biopsies
    index = biopsies["chronicity_index"].to_numpy()
    parts = biopsies[["tubular_atrophy", "interstitial_fibrosis"]].to_numpy()
    part = np.fmax(parts[:, 0], parts[:, 1])
    scored = ~np.isnan(index) | ~np.isnan(part)
    limits = definition.verdict
    damage = (index >= limits.chronicity_index_from) | (part >= limits.ifta_from)
    result = np.zeros(len(registry), dtype=bool)
    patient = registry.positions("biopsies")[scored]
    result[patient] = damage[scored]
    return result


def _consider(
    registry: Registry, definition: Definition, judgement: Judgement
) -> npt.NDArray[np.str_]:
    n = len(registry)
    patient = judgement.courses.patient
    rescue = np.zeros(n, dtype=bool)
    given = registry.treatments["drug"].isin(drugs_with_role("rescue")).to_numpy()
    rescue[registry.positions("treatments")[given]] = True
    alleles = registry.patients["apol1_risk_alleles"].to_numpy()
    flags = {
        "nonadherence": _any_course(patient, judgement.reasons["nonadherent"], n),
        "undertreatment": _any_course(patient, judgement.reasons["undertreated"], n),
        "chronic_damage": _chronic_damage(registry, definition),
        "genetic": alleles >= definition.verdict.apol1_risk_alleles_from,
        "rescue_given": rescue,
    }
    return _joined({name: flags[name] for name in CONSIDER}, n)


def _course_table(registry: Registry, judgement: Judgement) -> pd.DataFrame:
    courses, response = judgement.courses, judgement.response
    return pd.DataFrame(
        {
            "patient_id": pd.Series(registry.patient_ids[courses.patient], dtype="str"),
            "course": courses.number,
            "regimen": regimen_names(courses.regimen),
            "start_date": as_dates(courses.start),
            "assessed_on": as_dates(response.assessed_on),
            "upcr_baseline": response.proteinuria.baseline,
            "upcr_assessed": response.proteinuria.assessed,
            "proteinuria": response.proteinuria_word,
            "egfr_baseline": response.egfr.baseline,
            "egfr_assessed": response.egfr.assessed,
            "egfr": response.egfr_word,
            "failed": words(judgement.failed),
            "adequate": words(judgement.adequate),
            "adherent": words(judgement.adherent),
            "counts": words(judgement.counts),
            "reasons": _joined(
                {name: judgement.reasons[name] for name in COURSE_REASONS}, len(courses)
            ),
        }
    )


def label(
    registry: Registry, definition: Definition, as_of: datetime.date | Days | None = None
) -> Labels:
    """Label every patient of a registry.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    as_of : date, ndarray of int of shape (n_patients,), or None
        What is dated later does not exist; None uses all that is recorded.

    Returns
    -------
    Labels
    """
    days = as_of_days(registry, as_of)
    return label_known(known_on(registry, days), definition, days)


def label_known(known: Registry, definition: Definition, days: Days) -> Labels:
    """Label every patient of a registry as known on a day.

    Parameters
    ----------
    known : Registry
        What `known_on` gives for these days.
    definition : Definition
    days : ndarray of int, shape (n_patients,)
    """
    judgement = judge(known, definition, days)
    n, patient = len(known), judgement.courses.patient
    needed = definition.verdict.different_regimens
    regimens = different_regimens(judgement.courses, judgement.counts, judgement.failed)
    verdict = _verdicts(regimens, n, needed)
    met_day = met_on(regimens, judgement.response.assessed_on, n, needed)
    first = np.full(n, NEVER, dtype=np.int64)
    np.minimum.at(first, patient, judgement.courses.start)
    assumed = definition.adherent.when_adherence_unknown == "assume_adherent"
    labels = pd.DataFrame(
        {
            "patient_id": pd.Series(known.patient_ids, dtype="str"),
            "index_date": as_dates(first),
            "verdict": np.array(VERDICTS)[verdict],
            "met_on": as_dates(met_day),
            "n_courses": np.bincount(patient, minlength=n),
            "n_failed": np.bincount(patient, judgement.failed == YES, n).astype(np.int64),
            "n_counting": np.bincount(patient, judgement.counts == YES, n).astype(np.int64),
            "reasons": _reasons(judgement, regimens, verdict, n, assumed),
            "consider": _consider(known, definition, judgement),
            "definition": definition.name,
            "definition_version": definition.version,
            "as_of": as_dates(days),
        }
    )
    return Labels(labels, _course_table(known, judgement), judgement)
