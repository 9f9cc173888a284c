"""Answers completed from a full record: what is recorded stands, only what is unknown is filled in.

Assumes that both readings are of the same future, so that courses of one patient with the same
first day and regimen are the same course.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from ...features.days import Days
from ...model.courses import Courses
from ...model.judgement import Judgement
from ...model.kleene import UNKNOWN, Answers, all_of

__all__ = ["completed"]


def completed(recorded: Judgement, full: Judgement) -> Judgement:
    """Return a judgement whose unknown answers are those of a fuller record.

    Parameters
    ----------
    recorded, full : Judgement
        Of the same patients, as recorded and with all recorded that the rule asks for.

    Returns
    -------
    Judgement
        The courses as recorded. `failed`, `adequate` and `adherent` are the recorded answers, or
        those of the full record where these are unknown and it has the course; `counts` follows
        from them. Doses, votes and reasons are those of the recorded answers.
    """
    other = _positions(recorded.courses, full.courses)
    failed = _filled(recorded.failed, full.failed, other)
    adequate = _filled(recorded.adequate, full.adequate, other)
    adherent = _filled(recorded.adherent, full.adherent, other)
    return replace(
        recorded,
        failed=failed,
        adequate=adequate,
        adherent=adherent,
        counts=all_of(failed, adequate, adherent),
    )


def _positions(courses: Courses, others: Courses) -> Days:
    """Return where each course is among others, -1 where they do not have it."""
    wanted, found = (
        pd.MultiIndex.from_arrays([some.patient, some.start, some.regimen])
        for some in (courses, others)
    )
    return found.get_indexer(wanted)


def _filled(answers: Answers, others: Answers, position: Days) -> Answers:
    unknown = np.flatnonzero((answers == UNKNOWN) & (position >= 0))
    filled = answers.copy()
    filled[unknown] = others[position[unknown]]
    return filled
