"""The parts that say how well the risk predicts: performance, calibration, benefit, comparison.

Assumes what `part` does; all figures are cross-validated unless a part says otherwise.
"""

from pydantic import Field

from .part import (
    ESTIMATE,
    EVENTS,
    LOWER,
    MEASURE,
    PATIENTS,
    RISK,
    UPPER,
    Count,
    Interval,
    Number,
    Part,
    plp,
)

__all__ = [
    "AurocAtDay",
    "CalibrationAtLandmark",
    "CalibrationGroup",
    "CalibrationPoint",
    "Candidate",
    "Comparator",
    "Flagged",
    "NetBenefit",
    "OptimismRow",
    "PerformanceAtLandmark",
    "PerformanceRow",
    "RiskDistribution",
    "RocPoint",
    "ValidationPlan",
]


class PerformanceRow(Interval):
    """A measure at the primary landmark, cross-validated."""

    measure: str = Field(description=MEASURE, json_schema_extra=plp("metric"))
    estimate: Number = Field(None, description=ESTIMATE, json_schema_extra=plp("value"))
    resamples: Count = Field(None, description="Bootstrap resamples behind the interval.")


class PerformanceAtLandmark(Interval):
    """A measure at one landmark."""

    landmark_days: int = Field(description="The landmark.")
    measure: str = Field(description=MEASURE)
    patients: Count = Field(None, description=PATIENTS)
    events: Count = Field(None, description=EVENTS)


class AurocAtDay(Part):
    """Time-dependent AUROC at the primary landmark."""

    days: int = Field(description="Day after the index date.")
    auroc: Number = Field(None, description="Cumulative/dynamic AUROC.")
    lower: Number = Field(None, description=LOWER)
    upper: Number = Field(None, description=UPPER)
    events: Count = Field(None, description="Patients with the outcome by then.")


class OptimismRow(Part):
    """A measure before and after the optimism of the whole pipeline is taken off."""

    measure: str = Field(description=MEASURE)
    apparent: Number = Field(None, description="In the patients the model was fitted to.")
    optimism: Number = Field(None, description="Mean over the resamples.")
    corrected: Number = Field(None, description="Apparent minus optimism.")
    lower: Number = Field(None, description=LOWER)
    upper: Number = Field(None, description=UPPER)
    resamples: Count = Field(None, description="Bootstrap resamples; each repeats the pipeline.")


class ValidationPlan(Part):
    """How the figures were obtained."""

    folds: int = Field(description="Folds of the cross-validation.")
    repeats: int = Field(description="Repeats of it.")
    resamples: int = Field(description="Bootstrap resamples of the intervals.")
    level: float = Field(description="Level of the intervals.")
    learning_sizes: list[float] = Field([], description="Shares of the patients learned from.")
    centres: bool = Field(True, description="Whether each centre was left out in turn.")
    challengers: bool = Field(False, description="Whether challengers were tried.")
    sensitivity: bool = Field(True, description="Whether other definitions were tried.")
    smallest_cell: Count = Field(None, description="Fewest people that a table shows.")


class CalibrationPoint(Part):
    """A point of the flexible calibration curve."""

    predicted: Number = Field(None, description=RISK)
    observed: Number = Field(None, description="Observed share there.")
    lower: Number = Field(None, description=LOWER)
    upper: Number = Field(None, description=UPPER)


class CalibrationGroup(Part):
    """Patients grouped by risk."""

    predicted: Number = Field(
        None, description="Mean risk.", json_schema_extra=plp("averagePredictedProbability")
    )
    observed: Number = Field(
        None, description="Observed share.", json_schema_extra=plp("observedIncidence")
    )
    weight: Number = Field(None, description="Sum of their weights.")
    rows: Count = Field(None, description="Patients.", json_schema_extra=plp("PersonCountAtRisk"))


class CalibrationAtLandmark(Part):
    """A point of the calibration curve of one landmark."""

    landmark_days: int = Field(description="The landmark.")
    predicted: Number = Field(None, description=RISK)
    observed: Number = Field(None, description="Observed share there.")


class RocPoint(Part):
    """A point of the ROC curve, at even steps of specificity."""

    specificity: Number = Field(None, description="Specificity.")
    sensitivity: Number = Field(None, description="Sensitivity.")


class RiskDistribution(Part):
    """Weighted histograms of the risks."""

    edges: list[float] = Field([], description="Edges of the bins.")
    with_event: list[float] = Field([], description="Weight of patients with the outcome, per bin.")
    without_event: list[float] = Field([], description="Weight of those without, per bin.")


class Flagged(Part):
    """What a threshold would do."""

    threshold: float = Field(description=RISK, json_schema_extra=plp("predictionThreshold"))
    share: Number = Field(None, description="Share at or above it.")
    sensitivity: Number = Field(
        None, description="Of those with the outcome, found.", json_schema_extra=plp("sensitivity")
    )
    specificity: Number = Field(
        None, description="Of those without, not flagged.", json_schema_extra=plp("specificity")
    )
    positive_predictive_value: Number = Field(
        None,
        description="Of the flagged, with the outcome.",
        json_schema_extra=plp("positivePredictiveValue"),
    )
    negative_predictive_value: Number = Field(
        None,
        description="Of the others, without it.",
        json_schema_extra=plp("negativePredictiveValue"),
    )


class NetBenefit(Part):
    """A point of a decision curve."""

    strategy: str = Field(description='"model", "treat_all", "treat_none" or a comparator\'s name.')
    threshold: float = Field(description="Risk from which one would act.")
    net_benefit: Number = Field(None, description="Net benefit per patient.")
    lower: Number = Field(None, description=LOWER)
    upper: Number = Field(None, description=UPPER)


class Comparator(Part):
    """A simple rule, a single value or a published model on the same patients."""

    name: str = Field(description="Its name.")
    kind: str = Field("", description='"rule", "value" or "published".')
    meaning: str = Field("", description="In words.")
    source: str | None = Field(None, description="Where it was published.")
    horizon: str | None = Field(None, description="Until when it was made to predict.")
    unverified: str | None = Field(None, description="What nobody has checked at the source.")
    needs: list[str] | str | None = Field(None, description="What it needs to be known.")
    absent: list[str] = Field([], description="What of that the registry does not have.")
    patients: Count = Field(None, description="Patients for whom it could be had.")
    computable_share: Number = Field(None, description="Their share, weighted.")
    measure: str | None = Field(None, description="Name of the measure; null where it had none.")
    raw: Number = Field(None, description="As published.")
    recalibrated: Number = Field(None, description="Recalibrated on these patients, out of fold.")
    lower: Number = Field(None, description="Lower end of the recalibrated one's interval.")
    upper: Number = Field(None, description="Upper end of it.")
    model: Number = Field(None, description="The model's figure among the same patients.")


class Candidate(Part):
    """A candidate of the nested comparison."""

    name: str = Field(description="Its name.")
    meaning: str = Field("", description="In words.")
    log_loss: Number = Field(None, description="Nested, grouped, weighted log loss.")
    standard_error: Number = Field(None, description="Of the log loss.")
    difference: Number = Field(None, description="Log loss above that of the best.")
    difference_error: Number = Field(None, description="Standard error of the difference.")
    auroc: Number = Field(None, description="AUROC in the same folds.")
    parameters: Number = Field(None, description="Parameters, for the rule of the simpler.")
    chosen: bool = Field(False, description="Whether it is the simplest near the best of all.")
    served: bool = Field(False, description="Whether the model file holds it.")
    why: str = Field("", description="Why, or why not.")
    chosen_in_folds: Count = Field(
        None,
        description="Folds of the cross-validation whose own patients chose it; null where the "
        "choice was not repeated.",
    )
    chosen_in_refits: Count = Field(None, description="The same of the bootstrap refits.")
