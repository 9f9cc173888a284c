"""What to beware of in an assessment, as data: a code with what belongs to it.

Assumes that whoever shows a caution has words of their own for it; `Caution.text` is the plain one
of tables and programs.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..features.said import Said
from ..model.artifact import RiskModel
from .refusals import Concerned
from .topics import Lack, lacking, silent, topics_of

__all__ = [
    "CODES",
    "LATER_UNUSED",
    "MISSING",
    "SIMULATED",
    "TOO_FEW",
    "Caution",
    "OddValue",
    "cautions_about",
    "cautions_of",
    "odd_value",
]

Floats = npt.NDArray[np.float64]

Code = Literal["odd_value", "later_unused", "missing", "too_few", "simulated"]
CODES: tuple[str, ...] = get_args(Code)

LATER_UNUSED = "rests on day {day}; {days} later days are not used"
MISSING = "missing: {names}"
TOO_FEW = (
    "The model was trained on too few patients, or too few of them were known to have had the "
    "outcome; its risks may not hold."
)
SIMULATED = "The model was trained on simulated patients; the risk says nothing about real people."


@dataclass(frozen=True)
class OddValue:
    """A value outside what is plausible, likely in another unit than was sent."""

    table: Annotated[str, Field(description="Name of the table.", examples=["measurements"])]
    row: Annotated[int, Field(description="Row of that table, from 1.", examples=[3])]
    column: Annotated[str, Field(description="Which cell.", examples=["value"])]
    sent: Annotated[str, Field(description="The cell as it was sent.", examples=["90"])]
    sent_unit: Annotated[str, Field(description="UCUM, as it was sent.", examples=["g/g"])]
    analyte: Annotated[str, Field(description="What was measured.", examples=["upcr"])]
    value: Annotated[str, Field(description="In `unit`.", examples=["90"])]
    unit: Annotated[str, Field(description="UCUM, canonical.", examples=["g/g"])]
    lowest: Annotated[str, Field(description="Plausible, in `unit`.", examples=["0"])]
    highest: Annotated[str, Field(description="Plausible, in `unit`.", examples=["30"])]


@dataclass(frozen=True)
class Caution:
    """What to beware of; what does not belong to the code is null or empty."""

    code: Annotated[
        Code,
        Field(
            description="`odd_value`: a value outside what is plausible; `later_unused`: the risk "
            "rests on an earlier day than the one asked about; `missing`: features of the model "
            "that are not known; `too_few`: the model was trained on fewer patients, or known "
            "events, than it asks for; `simulated`: the model was trained on simulated patients."
        ),
    ]
    text: Annotated[str, Field(description="The sentence of `warnings`.")]
    day: Annotated[
        int | None,
        Field(description="Days from the index date to what the risk rests on.", examples=[182]),
    ] = None
    days: Annotated[
        int | None, Field(description="How many later days are not used.", examples=[16])
    ] = None
    features: Annotated[tuple[Concerned, ...], Field(description="Which are missing.")] = ()
    lacks: Annotated[
        tuple[Lack, ...], Field(description="The same by analyte, biopsy or treatment.")
    ] = ()
    odd: Annotated[OddValue | None, Field(description="The value, and where it was sent.")] = None


def cautions_about(model: RiskModel) -> tuple[Caution, ...]:
    """Return what to beware of in whatever the model says."""
    few = (Caution("too_few", TOO_FEW),) if model.too_few else ()
    return (*few, Caution("simulated", SIMULATED)) if model.synthetic else few


def cautions_of(model: RiskModel, values: Floats, since: int) -> tuple[Caution, ...]:
    """Return what to beware of in a risk that is given.

    Parameters
    ----------
    model : RiskModel
    values : ndarray of float, shape (n_terms,)
        nan where missing.
    since : int
        Days from the index date to the question.
    """
    found = []
    last = model.landmarks[-1]
    if since > last:
        text = LATER_UNUSED.format(day=last, days=since - last)
        found.append(Caution("later_unused", text, day=last, days=since - last))
    concerned = tuple(
        Concerned(term.name, term.meaning, "missing", "", "")
        for term, value in zip(model.terms, values, strict=True)
        if np.isnan(value)
    )
    if concerned:
        lacks = lacking(model, topics_of(model), np.isnan(values), silent(model, values))
        names = ", ".join(each.text for each in lacks)
        text = MISSING.format(names=names)
        found.append(Caution("missing", text, features=concerned, lacks=lacks))
    return tuple(found)


def odd_value(table: str, row: int, column: str, sent: str, text: str, why: Said) -> Caution:
    """Return what a check found odd, by table, row and column."""
    where = {"table": table, "row": row, "column": column, "sent": sent}
    return Caution("odd_value", text, odd=OddValue(**where, **why.parts))  # type: ignore[arg-type]
