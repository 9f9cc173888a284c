"""The rows and records that the results of a run are made of.

Assumes aggregates: no part describes a patient; a count of people below the minimum cell is None
with `suppressed` set. A number that is not defined is None, never NaN and never 0. Fields that a
later version adds are kept, so that an older reader still reads.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Agreement",
    "AttritionStep",
    "AurocAtDay",
    "BaselineRow",
    "CalibrationAtLandmark",
    "CalibrationGroup",
    "CalibrationPoint",
    "Candidate",
    "CentreRow",
    "Centres",
    "ChangedClass",
    "CohortCounts",
    "Comparator",
    "Criterion",
    "Data",
    "Effect",
    "Feature",
    "Flagged",
    "Instability",
    "InstabilityPoint",
    "LabelCertainty",
    "LandmarkCounts",
    "LeftOut",
    "ModelFacts",
    "NetBenefit",
    "OptimismRow",
    "Overlap",
    "Part",
    "PerformanceAtLandmark",
    "PerformanceRow",
    "Pooled",
    "RiskDistribution",
    "RocPoint",
    "SampleSize",
    "Sensitivity",
    "Size",
    "Subgroup",
    "Task",
    "ValidationPlan",
    "VerdictCertainty",
    "Weights",
    "WorkedPatient",
    "WorkedValue",
]

Number = Annotated[float, Field(allow_inf_nan=False)] | None
Count = int | None
ESTIMATE = "The estimate."
LOWER, UPPER = "Lower end of its interval.", "Upper end of its interval."
MEASURE = "Name of the measure, such as auroc or ici."
PATIENTS, EVENTS = "Patients.", "Patients with the outcome."
RISK = "Predicted risk, 0 to 1."


def _plp(name: str) -> dict[str, Any]:
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
        None, description="Patients at risk.", json_schema_extra=_plp("populationSize")
    )
    events: Count = Field(None, description=EVENTS, json_schema_extra=_plp("outcomeCount"))
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
        description="Name of the variable.", json_schema_extra=_plp("covariateName")
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


class PerformanceRow(Interval):
    """A measure at the primary landmark, cross-validated."""

    measure: str = Field(description=MEASURE, json_schema_extra=_plp("metric"))
    estimate: Number = Field(None, description=ESTIMATE, json_schema_extra=_plp("value"))
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
        None, description="Mean risk.", json_schema_extra=_plp("averagePredictedProbability")
    )
    observed: Number = Field(
        None, description="Observed share.", json_schema_extra=_plp("observedIncidence")
    )
    weight: Number = Field(None, description="Sum of their weights.")
    rows: Count = Field(None, description="Patients.", json_schema_extra=_plp("PersonCountAtRisk"))


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

    threshold: float = Field(description=RISK, json_schema_extra=_plp("predictionThreshold"))
    share: Number = Field(None, description="Share at or above it.")
    sensitivity: Number = Field(
        None, description="Of those with the outcome, found.", json_schema_extra=_plp("sensitivity")
    )
    specificity: Number = Field(
        None, description="Of those without, not flagged.", json_schema_extra=_plp("specificity")
    )
    positive_predictive_value: Number = Field(
        None,
        description="Of the flagged, with the outcome.",
        json_schema_extra=_plp("positivePredictiveValue"),
    )
    negative_predictive_value: Number = Field(
        None,
        description="Of the others, without it.",
        json_schema_extra=_plp("negativePredictiveValue"),
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
    patients: Count = Field(None, description=PATIENTS, json_schema_extra=_plp("PersonCountAtRisk"))
    events: Count = Field(
        None, description=EVENTS, json_schema_extra=_plp("PersonCountWithOutcome")
    )
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
    columns: Count = Field(None, description="Columns of the regression with a coefficient.")
    columns_tried: Count = Field(None, description="Columns that it was fitted to.")
    calibration: str | None = Field(None, description="How the score became a risk.")
    calibration_intercept: Number = Field(None, description="Intercept of that.")
    calibration_slope: Number = Field(None, description="Slope of that.")
    sha256: str | None = Field(None, description="SHA-256 of the model file.")
    landmarks: list[int] | None = Field(None, description="Landmarks that it was trained on.")
