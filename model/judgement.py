"""Courses and the answers to every question that the definition asks about them, as of a day.

Assumes that courses are judged one by one: what they add up to for a patient is the label's.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..features.days import NEVER, Days
from ..features.history import history_of
from ..features.registry import Registry
from ..features.treatment import treatments_of
from .adequacy import DoseCheck, adequately_treated, dose_checks
from .adherent import AdherenceEvidence, Vote, adherence_votes, adherent
from .courses import Courses, FollowUp, find_courses
from .definition import Definition
from .kleene import NO, UNKNOWN, YES, Answers, all_of
from .response import Evidence, Response, assess

__all__ = ["COURSE_REASONS", "Judgement", "judge"]

Flags = npt.NDArray[np.bool_]

COURSE_REASONS = (
    "too_short",
    "follow_up_ended",
    "not_measured",
    "discordant",
    "mixed_proteinuria",
    "undertreated",
    "nonadherent",
    "adequacy_unknown",
    "adherence_unknown",
    "assume_adherent",
)


@dataclass(frozen=True)
class Judgement:
    """Courses with the answers to every question put to them; fields of shape (n_courses,).

    Parameters
    ----------
    courses : Courses
    response : Response
    failed, adequate, adherent, counts : ndarray of Kleene answers
    doses : tuple of DoseCheck
    votes : tuple of Vote
        On adherence.
    span_end : ndarray of int
        Last day over which dose and adherence were judged.
    cut_by_competing : ndarray of bool
        Whether death or kidney failure ended the course before its window began.
    reasons : dict of str to ndarray of bool
        By the names in `COURSE_REASONS`.
    """

    courses: Courses
    response: Response
    failed: Answers
    adequate: Answers
    adherent: Answers
    counts: Answers
    doses: tuple[DoseCheck, ...]
    votes: tuple[Vote, ...]
    span_end: Days
    cut_by_competing: Flags
    reasons: dict[str, Flags]


def judge(registry: Registry, definition: Definition, as_of: Days) -> Judgement:
    """Find the courses of a registry and answer every question about them.

    Parameters
    ----------
    registry : Registry
        As known on `as_of`.
    definition : Definition
    as_of : ndarray of int, shape (n_patients,)
    """
    treatments = treatments_of(registry)
    follow_up = FollowUp.of(registry, as_of, treatments)
    courses = find_courses(registry, definition, treatments, follow_up)
    patient, start = courses.patient, courses.start
    rescue = follow_up.first_rescue_after(patient, start)
    changed, seen = np.minimum(courses.next_start, rescue), follow_up.end(patient)
    window_end = np.minimum(start + definition.window.last_day, np.minimum(changed, seen))
    response = assess(Evidence.of(registry), definition, patient, start, window_end)
    begins = start + definition.window.first_day
    too_short = changed < begins
    ended = ~too_short & (seen < begins)
    failed = np.where(too_short, NO, response.failed)
    assessed = response.assessed_on < NEVER
    span = (patient, courses.regimen, start, np.where(assessed, response.assessed_on, window_end))
    trough = history_of(registry, "tacrolimus_trough")
    doses = dose_checks(treatments, trough, definition, *span)
    adequate = adequately_treated(doses)
    evidence = AdherenceEvidence.of(registry)
    votes = adherence_votes(evidence, treatments, definition, *span)
    adhered = adherent(votes)
    assumed = definition.adherent.when_adherence_unknown == "assume_adherent"
    assumed_here = (adhered == UNKNOWN) & assumed
    adhered = np.where(assumed_here, YES, adhered)
    return Judgement(
        courses=courses,
        response=response,
        failed=failed,
        adequate=adequate,
        adherent=adhered,
        counts=all_of(failed, adequate, adhered),
        doses=doses,
        votes=votes,
        span_end=span[3],
        cut_by_competing=ended & (follow_up.competing[patient] < begins),
        reasons={
            "too_short": too_short,
            "follow_up_ended": ended,
            "not_measured": (failed == UNKNOWN) & ~ended,
            "discordant": (failed == YES) & response.discordant,
            "mixed_proteinuria": response.mixed_proteinuria,
            "undertreated": adequate == NO,
            "nonadherent": adhered == NO,
            "adequacy_unknown": adequate == UNKNOWN,
            "adherence_unknown": adhered == UNKNOWN,
            "assume_adherent": assumed_here,
        },
    )
