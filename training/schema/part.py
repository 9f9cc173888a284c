"""What every part of the results is: a record of aggregates, and the words that parts share.

Assumes aggregates: no part describes a patient; a count of people below the minimum cell is None
with `suppressed` set. A number that is not defined is None, never NaN and never 0. Fields that a
later version adds are kept, so that an older reader still reads.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ESTIMATE",
    "EVENTS",
    "LOWER",
    "MEASURE",
    "PATIENTS",
    "RISK",
    "UPPER",
    "Count",
    "Interval",
    "Number",
    "Part",
    "plp",
]

Number = Annotated[float, Field(allow_inf_nan=False)] | None
Count = int | None
ESTIMATE = "The estimate."
LOWER, UPPER = "Lower end of its interval.", "Upper end of its interval."
MEASURE = "Name of the measure, such as auroc or ici."
PATIENTS, EVENTS = "Patients.", "Patients with the outcome."
RISK = "Predicted risk, 0 to 1."


def plp(name: str) -> dict[str, Any]:
    """Return what says how PatientLevelPrediction names the same thing."""
    return {"plp_name": name}


class Part(BaseModel):
    """A record of the results."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Interval(Part):
    """An estimate and its interval."""

    estimate: Number = Field(None, description=ESTIMATE)
    lower: Number = Field(None, description=LOWER)
    upper: Number = Field(None, description=UPPER)
