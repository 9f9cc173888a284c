"""The chance that the definition is met where the rule cannot tell, learned from courses alike.

Assumes that an answer nobody recorded is *yes* as often as in courses alike where it is known: of
the same drug classes, after the same answers in the patient's other courses, and with proteinuria
that had moved as far before it could be judged and after. Whether a course failed is answered by
courses of which all was measured and which what was measured of this one would have left open: one
arm can show a failure alone, and not that there is none. Whether tablets were taken is answered as
refills and drug levels answer it: infusions given, and what patients and clinicians say, are *yes*
more often. It fails where an answer is missing because of what it would be, as where those who do
not take their drugs are not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..features.days import Days
from ..features.history import History
from .adherent import INFUSIONS, REPORTS, wholly_infused
from .definition import Arm, Definition
from .kleene import NO, UNKNOWN, YES, Answers
from .label import Judgement, Regimens
from .linear import inverse_logit, linear_predictor
from .regimen import CLASS_BITS, has_class
from .response import ArmValues, failed_by

__all__ = ["at_least", "chances_of_counting", "chances_of_treatment"]

Numbers = npt.NDArray[np.float64]

FEWEST_TO_FIT = 10
"""Known answers of either kind below which all courses get the same chance."""
LEAST_RATIO = 0.01
LATER_DAYS = 120
"""After the window, in which proteinuria still tells what it was like there."""


def chances_of_counting(
    judgement: Judgement,
    regimens: Regimens,
    definition: Definition,
    upcr: History,
    horizon: Days,
) -> Numbers:
    """Return the chance that each regimen is one of those that the definition needs.

    Parameters
    ----------
    judgement : Judgement
        As of the horizon.
    regimens : Regimens
        The courses that stand for the different regimens; one that cannot count by the horizon
        is *no* in their `counts`.
    definition : Definition
    upcr : History
    horizon : ndarray of int, shape (n_patients,)

    Returns
    -------
    ndarray of float, shape (n_regimens,)
        1 or 0 where the rule can tell; nan where an answer is needed that is known of nobody. With
        `at_least` they make the chance of as many as are needed.
    """
    course = regimens.course
    failed, adequate = judgement.failed[course], judgement.adequate[course]
    may_have_failed = failed != NO
    alike = _Alike.of(_columns(judgement, regimens, definition, upcr), regimens)
    chance = _chance_of_failing(judgement, definition, alike)
    chance *= np.where(failed == UNKNOWN, _time_left(judgement, regimens, definition, horizon), 1.0)
    chance *= _chance_of_yes(adequate, may_have_failed, alike)
    by_evidence = alike.by_evidence(judgement)
    chance *= _chance_of_yes(judgement.adherent[course], may_have_failed, by_evidence)
    chance[regimens.counts == NO] = 0.0
    return chance


def chances_of_treatment(
    judgement: Judgement, regimens: Regimens, definition: Definition, upcr: History
) -> Numbers:
    """Return the chance that each regimen was dosed and taken as the definition asks.

    Whether it failed or not: it would count if it did.

    Parameters
    ----------
    judgement, regimens, definition, upcr
        See `chances_of_counting`.

    Returns
    -------
    ndarray of float, shape (n_regimens,)
        1 or 0 where both answers are known; nan where one is unknown and known of nobody.
    """
    course, all_open = regimens.course, np.full_like(regimens.counts, UNKNOWN)
    regimens = replace(regimens, counts=all_open)
    every = np.ones(len(course), dtype=bool)
    alike = _Alike.of(_columns(judgement, regimens, definition, upcr), regimens)
    dosed = _chance_of_yes(judgement.adequate[course], every, alike)
    by_evidence = alike.by_evidence(judgement)
    return dosed * _chance_of_yes(judgement.adherent[course], every, by_evidence)


def _columns(
    judgement: Judgement, regimens: Regimens, definition: Definition, upcr: History
) -> Numbers:
    """Return what courses are told apart by: drug classes, and how far proteinuria moved.

    Both by the day on which it may be judged first, and after the last one, where a new regimen may
    already have begun.
    """
    course, patient = regimens.course, regimens.patient
    start, window = judgement.courses.start[course], definition.window
    early, _ = upcr.latest(patient, start + 1, start + window.first_day - 1)
    late = upcr.median(patient, start + window.last_day + 1, start + window.last_day + LATER_DAYS)
    columns = [has_class(judgement.courses.regimen[course], name) for name in CLASS_BITS]
    for value in (early, late):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = value / judgement.response.proteinuria.baseline[course]
        moved = np.log(np.maximum(ratio, LEAST_RATIO))
        unmeasured = ~np.isfinite(moved)
        columns += [np.where(unmeasured, 0.0, moved), unmeasured]
    return np.column_stack(columns).astype(float)


def _time_left(
    judgement: Judgement, regimens: Regimens, definition: Definition, horizon: Days
) -> Numbers:
    """Return the share of each course's window that lies before the horizon."""
    window = definition.window
    begins = judgement.courses.start[regimens.course] + window.first_day
    days = max(window.last_day - window.first_day, 1)
    share: Numbers = np.clip((horizon[regimens.patient] - begins) / days, 0.0, 1.0)
    return share


@dataclass(frozen=True)
class _Alike:
    """What courses are told apart by when one of their answers is unknown.

    Parameters
    ----------
    regimens : Regimens
    known, asked : ndarray of float, shape (n_courses, n_columns)
        Columns of courses as references, and as those whose answer is asked for.
    speaks : ndarray of bool, shape (n_courses,)
        Whose known answer says something of the patient's other courses.
    """

    regimens: Regimens
    known: Numbers
    asked: Numbers
    speaks: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, columns: Numbers, regimens: Regimens) -> "_Alike":
        return cls(regimens, columns, columns, np.ones(len(columns), dtype=bool))

    def by_evidence(self, judgement: Judgement) -> "_Alike":
        """Tell courses apart by what their adherence is known from, too.

        Those asked for are taken as known from refills or levels, or from infusions where nothing
        else is given.
        """
        course = self.regimens.course
        infusions, reports = (
            _known_from_alone(judgement, measures)[course] for measures in (INFUSIONS, REPORTS)
        )
        infused = wholly_infused(judgement.courses.regimen[course])
        return _Alike(
            self.regimens,
            np.column_stack([self.known, infusions, reports]),
            np.column_stack([self.asked, infused, np.zeros(len(course))]),
            ~infusions,
        )


def _known_from_alone(judgement: Judgement, measures: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Return the courses whose adherence only some measures speak of."""
    spoke = {vote.measure: vote.answer != UNKNOWN for vote in judgement.votes}
    these = np.any([spoke[name] for name in measures], axis=0)
    others = np.any([spoke[name] for name in spoke if name not in measures], axis=0)
    alone: npt.NDArray[np.bool_] = these & ~others
    return alone


def _chance_of_failing(judgement: Judgement, definition: Definition, alike: _Alike) -> Numbers:
    """Return the chance that each course failed, learned from courses of which all is measured.

    Those among which what is measured of the course asked for would have left it as open: one arm
    alone can show a failure and not that there is none, so that among all courses with an answer
    failures are too many.
    """
    course = alike.regimens.course
    failed, arms = judgement.failed[course], judgement.response.arms(course)
    lacking, pattern = _lacking(arms)
    whole = (failed != UNKNOWN) & ~judgement.reasons["too_short"][course] & ~lacking.any(axis=1)
    chance: Numbers = (failed == YES).astype(float)
    asked = _asked(failed, alike)
    design, given = _designs(failed, np.ones(len(failed), dtype=bool), alike)
    for number in np.unique(pattern[asked]):
        mine = asked & (pattern == number)
        without = _without(arms, lacking[mine.argmax()])
        known = whole & (failed_by(definition, without) == UNKNOWN)
        chance[mine] = _predicted(design[known], chance[known], given[mine])
    return chance


def _lacking(arms: Mapping[Arm, ArmValues]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Return which values courses lack, shape (n_courses, 4), and a number for which they are."""
    values = [value for arm in arms.values() for value in (arm.baseline, arm.assessed)]
    lacking = np.isnan(np.column_stack(values))
    return lacking, lacking @ (1 << np.arange(lacking.shape[1]))


def _without(arms: Mapping[Arm, ArmValues], lacking: npt.NDArray[np.bool_]) -> dict[Arm, ArmValues]:
    """Return the arms without some of their values."""
    of_arm = lacking.reshape(len(arms), 2)
    return {
        name: replace(
            arm,
            baseline=np.where(baseline, np.nan, arm.baseline),
            assessed=np.where(assessed, np.nan, arm.assessed),
        )
        for (name, arm), (baseline, assessed) in zip(arms.items(), of_arm, strict=True)
    }


def _chance_of_yes(answers: Answers, among: npt.NDArray[np.bool_], alike: _Alike) -> Numbers:
    """Return the chance that each answer is yes, learned from known answers of courses alike."""
    chance: Numbers = (answers == YES).astype(float)
    known, asked = among & (answers != UNKNOWN), _asked(answers, alike)
    if asked.any():
        design, given = _designs(answers, among, alike)
        chance[asked] = _predicted(design[known], chance[known], given[asked])
    return chance


def _asked(answers: Answers, alike: _Alike) -> npt.NDArray[np.bool_]:
    asked: npt.NDArray[np.bool_] = (answers == UNKNOWN) & (alike.regimens.counts != NO)
    return asked


def _designs(
    answers: Answers, among: npt.NDArray[np.bool_], alike: _Alike
) -> tuple[Numbers, Numbers]:
    """Return the columns of each course as a reference, and as one whose answer is asked for.

    For the verdict all answers of a patient must be yes, so an unknown one is asked given that the
    unknown ones before it are.
    """
    patient, speaks = alike.regimens.patient, among & alike.speaks
    others_yes, others_no = (_others(patient, speaks & (answers == a)) for a in (YES, NO))
    before = _before(patient, _asked(answers, alike))
    design = np.column_stack([alike.known, others_yes > 0, others_no > 0])
    given = np.column_stack([alike.asked, others_yes + before > 0, others_no > 0])
    return design, given


def _predicted(design: Numbers, yes: Numbers, asked: Numbers) -> Numbers:
    from .ridge import ridge_path

    if not len(yes):
        return np.full(len(asked), np.nan)
    often = float(yes.sum())
    if min(often, len(yes) - often) < FEWEST_TO_FIT:
        return np.full(len(asked), (often + 1) / (len(yes) + 2))
    solution = ridge_path(design, yes, np.ones(len(yes)), np.ones(1))[0]
    return inverse_logit(linear_predictor(asked, solution[1:], solution[0]))


def _others(patient: Days, flag: npt.NDArray[np.bool_]) -> Days:
    """Return how many other courses of the same patient have the flag."""
    flagged = flag.astype(np.int64)
    total = np.bincount(patient[flag], minlength=int(patient.max(initial=0)) + 1)
    others: Days = total[patient] - flagged
    return others


def _before(patient: Days, flag: npt.NDArray[np.bool_]) -> Days:
    """Return how many earlier courses of the same patient have the flag."""
    order = np.argsort(patient, kind="stable")
    flagged = flag[order].astype(np.int64)
    running: Days = np.cumsum(flagged) - flagged
    starts = np.searchsorted(patient[order], patient[order], side="left")
    before = np.empty(len(patient), dtype=np.int64)
    before[order] = running - running[starts]
    return before


def at_least(needed: int, chance: Numbers, patient: Days, n_patients: int) -> Numbers:
    """Return the chance that so many of a patient's courses count, each on its own.

    Parameters
    ----------
    needed : int
    chance : ndarray of float, shape (n_courses,)
    patient : ndarray of int, shape (n_courses,)
    n_patients : int

    Examples
    --------
    >>> at_least(2, np.array([0.5, 0.5, 1.0, 0.2]), np.array([0, 0, 1, 1]), 3).tolist()
    [0.25, 0.2, 0.0]
    """
    exactly = np.zeros((n_patients, needed + 1))
    exactly[:, 0] = 1.0
    turn = _before(patient, np.ones(len(patient), dtype=bool))
    for number in range(int(turn.max(initial=-1)) + 1):
        row = np.flatnonzero(turn == number)
        this, so_far = chance[row][:, None], exactly[patient[row]]
        after = so_far * (1 - this)
        after[:, 1:] += so_far[:, :-1] * this
        after[:, -1] += so_far[:, -1] * this[:, 0]
        exactly[patient[row]] = after
    enough: Numbers = exactly[:, needed]
    return enough
