"""The parts that say what the model is made of: its inputs, their effects, worked patients.

Assumes what `part` does.
"""

from pydantic import Field

from .part import LOWER, RISK, UPPER, Count, Number, Part

__all__ = [
    "Effect",
    "Feature",
    "LeftOut",
    "ModelFacts",
    "Overlap",
    "WorkedPatient",
    "WorkedValue",
]


class Overlap(Part):
    """A feature that is part of the outcome's definition, measured before the landmark."""

    feature: str = Field(description="The feature.")
    criterion: str = Field("", description="The criterion of the definition.")
    meaning: str = Field("", description="In words.")


class Effect(Part):
    """What one feature does to the risk, the others held at their mean."""

    feature: str = Field(description="The feature.")
    meaning: str = Field("", description="In words.")
    unit: str | None = Field(None, description="Unit of the values.")
    values: list[float | str | None] = Field([], description="Values of the feature.")
    risks: list[Number] = Field([], description="Risk at each.")
    at_landmark: Count = Field(None, description="The landmark.")
    coefficient: Number = Field(None, description="Log odds per standard deviation.")


class WorkedValue(Part):
    """A value of a worked patient."""

    feature: str = Field(description="The feature.")
    meaning: str = Field("", description="In words.")
    value: float | str | bool | None = Field(None, description="Its value.")


class WorkedPatient(Part):
    """An invented patient, made from medians: nobody's record."""

    name: str = Field(description='"low", "typical" or "high".')
    risk: Number = Field(None, description=RISK)
    lower: Number = Field(None, description=LOWER)
    upper: Number = Field(None, description=UPPER)
    text: list[WorkedValue] = Field([], description="The values.")
    drivers: list[str] = Field([], description="What moves the risk most.")


class Feature(Part):
    """A feature of the model."""

    name: str = Field(description="Its name.")
    meaning: str = Field("", description="In words.")
    unit: str | None = Field(None, description="Its unit.")
    table: str | None = Field(None, description="Table of the registry that it comes from.")
    look_back: str | None = Field(None, description="Span that it looks at.")
    formula: str | None = Field(None, description="How it is computed.")
    citation: str | None = Field(None, description="Source of the formula.")
    missing: Number = Field(None, description="Share of patients without it.")


class LeftOut(Part):
    """A feature that was left out."""

    name: str = Field(description="Its name.")
    why: str = Field("", description="Why.")


class ModelFacts(Part):
    """The model itself, in short; the model file has all of it."""

    classifier: str | None = Field(None, description="Name of the classifier.")
    C: Number = Field(None, description="Inverse of the penalty, of a logistic regression.")
    penalty: Number = Field(None, description="Penalty of an elastic net, per mean log loss.")
    l1_ratio: Number = Field(None, description="Share of the penalty that is of absolute values.")
    drawn: bool | None = Field(
        None, description="Whether its coefficients were drawn to those of earlier steps."
    )
    columns: Count = Field(None, description="Columns of the regression with a coefficient.")
    columns_tried: Count = Field(None, description="Columns that it was fitted to.")
    calibration: str | None = Field(None, description="How the score became a risk.")
    calibration_intercept: Number = Field(None, description="Intercept of that.")
    calibration_slope: Number = Field(None, description="Slope of that.")
    sha256: str | None = Field(None, description="SHA-256 of the model file.")
    landmarks: list[int] | None = Field(None, description="Landmarks that it was trained on.")
