"""Why a risk is what it is: how far it would move if one feature, or one topic, were at its mean.

Assumes that a reader wants effects in percentage points of risk, not in log-odds. Effects do not
add up to the risk. Features that move together share what one of them shows, so those of a topic
are told together as well.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..model.artifact import RiskModel
from ..model.linear import linear_predictor
from .topics import Topic, added_up, topics_of

__all__ = ["Driver", "DriverGroup", "Drivers", "drivers_of"]

SMALLEST_POINTS = 0.05
"""Changes below, in percentage points, are not shown."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Driver:
    """One feature and what it does to this patient's risk."""

    feature: Annotated[str, Field(description="Name in the feature dictionary.")]
    meaning: Annotated[str, Field(description="In the words of a clinician.")]
    value: Annotated[str, Field(description="With its unit, or `missing`.", examples=["2.1 g/g"])]
    points: Annotated[
        float,
        Field(
            description="Risk minus the risk with this feature at the mean of the training "
            "patients, or with nothing shown where the feature tells what has been shown, in "
            "percentage points; above 0 raises the risk.",
            examples=[4.2],
        ),
    ]
    text: Annotated[
        str,
        Field(
            description="All of it as one sentence.",
            examples=["UPCR: level at the landmark 2.1 g/g raises the risk by 4.2 points"],
        ),
    ]


@dataclass(frozen=True)
class DriverGroup:
    """All features of one topic, and what they do together to this patient's risk."""

    topic: Annotated[
        str,
        Field(
            description="Analyte, `biopsy`, `adherence`, `induction`, another treatment, or the "
            "feature itself where it belongs to nothing else.",
            examples=["upcr"],
        ),
    ]
    meaning: Annotated[str, Field(description="In the words of a clinician.", examples=["UPCR"])]
    features: Annotated[
        tuple[str, ...],
        Field(description="Names of its drivers; the one that moves the risk most this way first."),
    ]
    value: Annotated[str, Field(description="Of the first of them; empty where none tells alone.")]
    points: Annotated[
        float,
        Field(
            description="Risk minus the risk with all its features at the mean of the training "
            "patients, in percentage points; above 0 raises the risk.",
            examples=[8.3],
        ),
    ]
    text: Annotated[
        str,
        Field(
            description="All of it as one sentence.",
            examples=[
                "UPCR raises the risk by 8.3 percentage points, most of all UPCR: level at the "
                "landmark (2.1 g/g)"
            ],
        ),
    ]


@dataclass(frozen=True)
class Drivers:
    """What moves one patient's risk, the largest change first.

    Parameters
    ----------
    features : tuple of Driver
    groups : tuple of DriverGroup
    """

    features: tuple[Driver, ...] = ()
    groups: tuple[DriverGroup, ...] = ()


def drivers_of(model: RiskModel, terms: Floats, design: Floats) -> list[Drivers]:
    """Return every patient's drivers, the largest first.

    Parameters
    ----------
    model : RiskModel
    terms : ndarray of float, shape (n_patients, n_terms)
        Values, nan where missing.
    design : ndarray of float, shape (n_patients, n_columns)
        The columns of the regression.
    """
    topics = topics_of(model)
    parts = model.contributions_of(design)
    parts = np.column_stack([parts, added_up(parts, topics)])
    total = linear_predictor(design, model.coefficients, model.intercept)
    risk = model.calibration.risk(total)
    without = model.calibration.risk((total[:, None] - parts).ravel()).reshape(parts.shape)
    points = 100.0 * (risk[:, None] - without)
    n_terms = len(model.terms)
    return [
        _drivers(model, topics, values, own[:n_terms], own[n_terms:])
        for values, own in zip(terms, points, strict=True)
    ]


def _drivers(
    model: RiskModel, topics: list[Topic], values: Floats, points: Floats, together: Floats
) -> Drivers:
    found = {int(k): _driver(model, int(k), values[k], points[k]) for k in _largest_first(points)}
    groups = []
    for at in _largest_first(together):
        topic, moved = topics[at], float(together[at])
        members = [k for k in found if k in topic.positions]
        members.sort(key=lambda k: found[k].points * moved < 0)
        groups.append(_group(topic, [found[k] for k in members], moved))
    return Drivers(tuple(found.values()), tuple(groups))


def _largest_first(points: Floats) -> npt.NDArray[np.int64]:
    order = np.argsort(-np.abs(points), kind="stable")
    return order[np.abs(points[order]) >= SMALLEST_POINTS]


def _group(topic: Topic, drivers: list[Driver], points: float) -> DriverGroup:
    names = tuple(driver.feature for driver in drivers)
    value, text = "", _moves(topic.meaning, points)
    if drivers:
        first = drivers[0]
        value = first.value
        only = len(topic.positions) == 1
        text = first.text if only else f"{text}, most of all {first.meaning} ({value})"
    return DriverGroup(topic.name, topic.meaning, names, value, points, text)


def _moves(what: str, points: float) -> str:
    effect = "raises" if points > 0 else "lowers"
    return f"{what} {effect} the risk by {abs(points):.1f} percentage points"


def _driver(model: RiskModel, column: int, value: float, points: float) -> Driver:
    term = model.terms[column]
    shown = term.shown(value)
    points = float(points)
    return Driver(term.name, term.meaning, shown, points, _moves(f"{term.meaning} {shown}", points))
