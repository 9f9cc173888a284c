"""The parts that say whether figures hold elsewhere: centres, refits, subgroups, other labels.

Assumes what `part` does; a section that was not done is empty or false.
"""

from pydantic import Field

from .part import EVENTS, MEASURE, PATIENTS, RISK, Count, Interval, Number, Part, plp

__all__ = [
    "Agreement",
    "CentreCalibration",
    "CentreRow",
    "Centres",
    "ChangedClass",
    "Instability",
    "InstabilityPoint",
    "LabelCertainty",
    "LearningPoint",
    "Pooled",
    "Sensitivity",
    "Spread",
    "Subgroup",
    "VerdictCertainty",
]


class CentreRow(Interval):
    """One centre that was left out, predicted by a model of the others."""

    centre: str = Field(description="The centre.")
    patients: Count = Field(None, description=PATIENTS)
    events: Count = Field(None, description=EVENTS)
    measure: str = Field(description=MEASURE)
    standard_error: Number = Field(None, description="On the scale that was pooled.")
    suppressed: bool = Field(False, description="Whether the cell is below the minimum.")


class Pooled(Interval):
    """The centres pooled with random effects."""

    measure: str = Field(description=MEASURE)
    prediction_lower: Number = Field(None, description="Lower end for a new centre.")
    prediction_upper: Number = Field(None, description="Upper end for a new centre.")
    tau_squared: Number = Field(None, description="Variance between centres.")
    centres: Count = Field(None, description="Centres pooled.")


class CentreCalibration(Part):
    """A point of the calibration curve of one centre."""

    centre: str = Field(description="The centre.")
    predicted: Number = Field(None, description=RISK)
    observed: Number = Field(None, description="Observed share there.")


class Centres(Part):
    """Internal-external validation: each centre left out in turn."""

    rows: list[CentreRow] = Field([], description="One centre and measure each.")
    pooled: list[Pooled] = Field([], description="All centres.")
    calibration_by_centre: list[CentreCalibration] = Field([], description="Curves.")
    remarks: list[str] = Field([], description="What was noticed.")

    def __bool__(self) -> bool:
        """Whether it was done."""
        return bool(self.rows)


class InstabilityPoint(Part):
    """How risks near one value spread over refits."""

    risk: Number = Field(None, description="Risk by the model.")
    lower: Number = Field(None, description="Median 5th percentile of the refits' risks there.")
    upper: Number = Field(None, description="Median 95th percentile of them.")
    quantile: Number = Field(None, description="Quantile of the model's risks.")


class ChangedClass(Part):
    """Patients whose side of a threshold hangs on the sample."""

    threshold: float = Field(description=RISK)
    share: Number = Field(None, description="Mean share on the other side in a refit.")


class Spread(Part):
    """Where the risks of patients lie who have one risk by the model, as a later look showed."""

    landmark_days: int = Field(description="The landmark of the risk.")
    later_day: int = Field(description="Day after the index date of the later look.")
    level: float = Field(description="Share of patients inside the range.")
    share_between_patients: float = Field(
        description="Share of the outcome's variance at one risk that lies between patients."
    )
    risk: float = Field(description="By the model.")
    lower: float = Field(description="Lower end of the range.")
    upper: float = Field(description="Upper end of the range.")


class Instability(Part):
    """How far risks hang on who happened to be in the registry."""

    refits: Count = Field(None, description="Bootstrap refits.")
    mean_absolute_error: Number = Field(
        None, description="Mean absolute difference between a refit's risk and the model's."
    )
    points: list[InstabilityPoint] = Field([], description="At quantiles of the risk.")
    changed_class: list[ChangedClass] = Field([], description="At thresholds.")

    def __bool__(self) -> bool:
        """Whether it was done."""
        return bool(self.points)


class LearningPoint(Interval):
    """Performance with fewer patients to learn from."""

    patients: Number = Field(None, description="Patients learned from.")
    events: Number = Field(None, description="Events among them, on average.")
    measure: str = Field(description=MEASURE)


class Subgroup(Interval):
    """Performance in a subgroup."""

    group: str = Field(description='"sex", "age", "ancestry", "centre", "class" or "era".')
    level: str = Field(description="Which of it.")
    patients: Count = Field(None, description=PATIENTS, json_schema_extra=plp("PersonCountAtRisk"))
    events: Count = Field(None, description=EVENTS, json_schema_extra=plp("PersonCountWithOutcome"))
    measure: str = Field(description=MEASURE)
    suppressed: bool = Field(False, description="Whether the cell is below the minimum.")


class Sensitivity(Interval):
    """The same figures when an assumption is changed."""

    analysis: str = Field(description='"definition", "adherence", "label certainty" or "weights".')
    setting: str = Field(description="What was changed to what.")
    patients: Count = Field(None, description=PATIENTS)
    events: Count = Field(None, description=EVENTS)
    measure: str = Field(description=MEASURE)
    note: str | None = Field(None, description="What to know about it.")


class VerdictCertainty(Part):
    """How sure a verdict of the rule is."""

    verdict: str = Field(description="The verdict.")
    patients: Count = Field(None, description=PATIENTS)
    mean_probability_right: Number = Field(
        None, description="Mean probability that it is right, given within-person variation."
    )


class LabelCertainty(Part):
    """How sure the label is, given that measurements vary within a person."""

    assumptions: list[str] = Field([], description="What was assumed.")
    mean_probability_of_failed: Number = Field(
        None, description="Mean probability that a course called failed has failed."
    )
    verdicts: list[VerdictCertainty] = Field([], description="Verdict by verdict.")


class Agreement(Part):
    """A cell of the rule's label against the registry's."""

    rule: str = Field(description="By the rule.")
    registry: str = Field(description="By the registry.")
    patients: Count = Field(None, description=PATIENTS)
