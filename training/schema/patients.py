"""The parts that say who the patients are: registry, task, cohort, weights, sample size, baseline.

Assumes what `part` does; counts of people are whole numbers, effective sizes are not.
"""

from pydantic import Field

from .part import EVENTS, Count, Number, Part, plp

__all__ = [
    "AttritionStep",
    "BaselineRow",
    "CohortCounts",
    "Criterion",
    "Data",
    "LandmarkCounts",
    "SampleSize",
    "Size",
    "Task",
    "Weights",
]


class Data(Part):
    """The registry that the model was trained on."""

    name: str = Field(description="Name of the registry.")
    sha256: str = Field(description="SHA-256 of its tables.")
    patients: Count = Field(None, description="Patients in it.")


class Task(Part):
    """What is predicted, from when, until when."""

    outcome: str = Field(description='"rule": the definition is met; "registry": its own outcome.')
    definition: str | None = Field(None, description="Name of the definition.")
    definition_version: str | None = Field(None, description="Its version.")
    landmarks: list[int] = Field(description="Days after the index date that a risk is given on.")
    primary_landmark: int = Field(description="The landmark of all figures that name none.")
    horizon_days: int = Field(description="Day after the index date until which the risk holds.")


class AttritionStep(Part):
    """Patients who were left out, at the primary landmark."""

    step: str = Field(description="Condition.")
    why: str = Field("", description="Why those who do not meet it are left out.")
    left_out: Count = Field(None, description="Patients left out at this step.")
    remaining: Count = Field(None, description="Patients who remain.")


class Size(Part):
    """Patients and outcomes at one landmark."""

    patients: Count = Field(
        None, description="Patients at risk.", json_schema_extra=plp("populationSize")
    )
    events: Count = Field(None, description=EVENTS, json_schema_extra=plp("outcomeCount"))
    competing: Count = Field(None, description="Kidney failure or death before the outcome.")
    event_free: Count = Field(None, description="Followed to the horizon without the outcome.")
    censored: Count = Field(None, description="Follow-up ended before the horizon.")
    indeterminate: Count = Field(None, description="The rule cannot tell.")
    expected_of_indeterminate: Number = Field(
        None, description="How many of these are expected to have the outcome."
    )
    pseudo_refractory: Count = Field(
        None, description="Of those without the outcome: failed, and nonadherence may explain it."
    )
    weighted_event_rate: Number = Field(None, description="Share with the outcome, weighted.")
    truncated_weights: Count = Field(None, description="Outcome weights that were truncated.")


class LandmarkCounts(Size):
    """The same at every landmark."""

    landmark_days: int = Field(description="The landmark.")


class CohortCounts(Size):
    """Patients and outcomes at the primary landmark, and at each."""

    landmarks: list[LandmarkCounts] = Field([], description="The same at every landmark.")


class Weights(Part):
    """Weights by which patients with a known outcome stand in for those without."""

    censoring: str | None = Field(None, description='"kaplan-meier" or "cox".')
    smallest_probability: Number = Field(
        None, description="Smallest probability of a known outcome, before truncation."
    )
    share_below_tenth: Number = Field(None, description="Share of patients with one below 0.1.")
    remarks: list[str] = Field([], description="What was noticed about positivity.")


class Criterion(Part):
    """One criterion of sample size."""

    criterion: str = Field(description="The criterion, in words.")
    needed_patients: Number = Field(None, description="Patients that it asks for.")
    needed_events: Number = Field(None, description="Events that it asks for.")


class SampleSize(Part):
    """Sample size against the criteria of Riley and colleagues."""

    patients: Number = Field(None, description="Patients; an effective number where weighted.")
    events: Number = Field(None, description="Patients with the outcome; effective likewise.")
    event_rate: Number = Field(None, description="Share with the outcome.")
    anticipated_auroc: Number = Field(None, description="AUROC that the criteria were given.")
    parameters: Count = Field(None, description="Parameters that were estimated.")
    affordable_parameters: Count = Field(None, description="Parameters that the sample supports.")
    criteria: list[Criterion] = Field([], description="The criteria one by one.")
    too_small: bool = Field(False, description="Whether the sample is too small for the model.")
    remarks: list[str] = Field([], description="Where the criteria do not hold.")


class BaselineRow(Part):
    """One line of the baseline table for one group."""

    variable: str = Field(
        description="Name of the variable.", json_schema_extra=plp("covariateName")
    )
    meaning: str = Field("", description="In words.")
    unit: str | None = Field(None, description="Unit of the median and quartiles.")
    level: str | None = Field(None, description="Level of a categorical variable.")
    group: str = Field("all", description='"all", "event" or "event_free".')
    patients: Count = Field(None, description="Patients in the group.")
    known: Count = Field(None, description="Patients of whom the value is known.")
    median: Number = Field(None, description="Median.")
    lower_quartile: Number = Field(None, description="Lower quartile.")
    upper_quartile: Number = Field(None, description="Upper quartile.")
    share: Number = Field(None, description="Share of those known, for a yes or a level.")
