"""Why a patient is outside the model, as data: a code with what belongs to it.

Assumes that whoever shows a reason has words of their own for it; `Reason.text` is the plain one of
tables and programs.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..features.days import NEVER, Days
from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.courses import FollowUp
from .criteria import date_of
from .topics import Lack, lacking, silent, topics_of, without

__all__ = ["CODES", "Concerned", "Reason", "Refusal", "refusals_of", "unlike_training"]

Floats = npt.NDArray[np.float64]

Code = Literal[
    "ended",
    "outcome_reached",
    "too_early",
    "left",
    "past_horizon",
    "too_late",
    "too_little",
    "beyond_training",
    "unseen_gaps",
]
CODES: tuple[str, ...] = get_args(Code)

_TEXTS: dict[Code, str] = {
    "ended": "death or kidney failure on {date}",
    "outcome_reached": "the registry's outcome has been reached",
    "too_early": "too early: day {day}, the model needs day {limit}",
    "left": "last contact before the landmark, on {date}",
    "past_horizon": "too late: day {day}, the horizon is day {limit}",
    "too_late": "too late: day {day}, the model ends on day {limit}",
    "too_little": "too little data: {names} is missing",
    "beyond_training": "outside the training data: {ranges}",
    "unseen_gaps": "never seen in training with this missing: {names}",
}


@dataclass(frozen=True)
class Concerned:
    """A feature that a reason is about."""

    feature: Annotated[str, Field(description="Name in the feature dictionary.")]
    meaning: Annotated[str, Field(description="In the words of a clinician.")]
    value: Annotated[str, Field(description="With its unit, or `missing`.")]
    lowest: Annotated[str, Field(description="In training; empty where that is beside the point.")]
    highest: Annotated[str, Field(description="In training; empty likewise.")]


@dataclass(frozen=True)
class Reason:
    """Why the model does not apply; what does not belong to the code is null or empty."""

    code: Annotated[
        Code,
        Field(
            description="`ended`: death or kidney failure; `outcome_reached`: by the registry; "
            "`too_early`; `left`: the last contact was before the landmark; `past_horizon`, "
            "`too_late`; `too_little`: what every score needs is missing; `beyond_training`: "
            "values beyond all that training saw; `unseen_gaps`: missing together as never there."
        ),
    ]
    day: Annotated[
        int | None, Field(description="Days from the index date to the question.", examples=[20])
    ] = None
    limit: Annotated[
        int | None, Field(description="The first or last day with a risk.", examples=[28])
    ] = None
    date: Annotated[datetime.date | None, Field(description="On which it happened.")] = None
    features: Annotated[tuple[Concerned, ...], Field(description="Which are meant.")] = ()
    lacks: Annotated[
        tuple[Lack, ...], Field(description="What is missing together, where that is the reason.")
    ] = ()

    @property
    def text(self) -> str:
        """The reason in plain words.

        Examples
        --------
        >>> Reason("too_early", day=20, limit=28).text
        'too early: day 20, the model needs day 28'
        """
        return _TEXTS[self.code].format(
            day=self.day,
            limit=self.limit,
            date=self.date,
            names=", ".join(lack.text for lack in self.lacks) or "nothing",
            ranges="; ".join(
                f"{each.meaning} {each.value} (in training {each.lowest} to {each.highest})"
                for each in self.features
            ),
        )


@dataclass(frozen=True)
class Refusal:
    """Who is outside the model for a reason, and the reason of one of them.

    Parameters
    ----------
    who : ndarray of bool, shape (n_patients,)
    reason : callable
        Takes a position.
    """

    who: npt.NDArray[np.bool_]
    reason: Callable[[int], Reason]


def refusals_of(
    model: RiskModel, known: Registry, index: Days, days: Days, landmark: Days, follow_up: FollowUp
) -> list[Refusal]:
    """Return who is outside the model by what happened and when, the weightiest reason first.

    Parameters
    ----------
    model : RiskModel
    known : Registry
        As known on each patient's day.
    index, days, landmark : ndarray of int, shape (n_patients,)
        Index day, day of the question, day that the risk rests on.
    follow_up : FollowUp
    """
    since = days - index
    first, last = model.landmarks[0], model.landmarks[-1]
    late: Code = "past_horizon" if first == last else "too_late"
    latest = model.horizon_days if first == last else last
    own_event = np.zeros(len(known), dtype=bool)
    if model.outcome == "registry":
        happened = (known.outcomes["status"] != "censored").to_numpy()
        own_event[known.positions("outcomes")[happened]] = True
    ended, left = follow_up.competing, follow_up.last_contact
    return [
        Refusal(ended < NEVER, lambda row: Reason("ended", date=date_of(ended[row]))),
        Refusal(own_event, lambda row: Reason("outcome_reached")),
        Refusal(since < first, lambda row: Reason("too_early", day=int(since[row]), limit=first)),
        Refusal(left < landmark, lambda row: Reason("left", date=date_of(left[row]))),
        Refusal(since > latest, lambda row: Reason(late, day=int(since[row]), limit=latest)),
    ]


def unlike_training(model: RiskModel, required: Floats, values: Floats) -> list[Refusal]:
    """Return who has too little data or is unlike every training patient, and in what.

    Parameters
    ----------
    model : RiskModel
    required : ndarray of float, shape (n_patients,)
        The feature that every score needs.
    values : ndarray of float, shape (n_patients, n_terms)
    """
    outside, missing = model.outside_of(values), np.isnan(values)
    meanings = {term.name: term.meaning for term in model.terms}
    name = model.required_feature
    required_one = Concerned(name, meanings.get(name, name.replace("_", " ")), "missing", "", "")
    topics, nothing = topics_of(model), silent(model, values)

    def concerned(row: int, which: npt.NDArray[np.bool_]) -> tuple[Concerned, ...]:
        return tuple(
            Concerned(
                term.name,
                term.meaning,
                term.shown(values[row, k]),
                term.shown(term.lowest),
                term.shown(term.highest),
            )
            for k, term in enumerate(model.terms)
            if which[row, k]
        )

    return [
        Refusal(
            np.isnan(required),
            lambda row: Reason(
                "too_little", features=(required_one,), lacks=(without(model, name),)
            ),
        ),
        Refusal(
            np.asarray(outside.any(axis=1)),
            lambda row: Reason("beyond_training", features=concerned(row, outside)),
        ),
        Refusal(
            model.unseen_of(values),
            lambda row: Reason(
                "unseen_gaps",
                features=concerned(row, missing),
                lacks=lacking(model, topics, missing[row], nothing[row]),
            ),
        ),
    ]
