"""The results of a run as one checked object, and what refuses any other.

Assumes JSON of the schema `lnrisk.results/2`, or `/1`, which had one landmark and fewer sections; a
section that a run left out is None or empty, and whoever reads it says that it was not done.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationError

from ...features.errors import LnriskError
from . import explanation, measures, patients, robustness
from .part import Number, Part

__all__ = ["PLP_MEASURES", "PLP_TABLES", "READABLE", "Results", "as_results", "unknown_fields"]

READABLE = ("lnrisk.results/1", "lnrisk.results/2")

PLP_TABLES: Mapping[str, str] = {
    "attrition": "attrition",
    "baseline": "covariateSummary",
    "performance": "evaluationStatistics",
    "calibration_groups": "calibrationSummary",
    "risk_distribution": "predictionDistribution",
    "flagged": "thresholdSummary",
    "subgroups": "demographicSummary",
}
PLP_MEASURES: Mapping[str, str] = {
    "auroc": "AUROC",
    "brier": "brier score",
    "scaled_brier": "brier score scaled",
    "calibration_intercept": "calibrationInLarge intercept",
    "calibration_slope": "weak calibration gradient",
    "ici": "ici",
    "e90": "E90",
}


class Results(Part):
    """Everything that a run of training and validation found out.

    Parameters
    ----------
    schema, lnrisk_version, created_on, synthetic, data, task
        What these results are.
    attrition, cohort, ...
        Sections; each may be left out.
    """

    schema_name: str = Field(alias="schema", description="Name and version of this schema.")
    lnrisk_version: str = Field(description="Version of the software.")
    created_on: str = Field(description="Day, as YYYY-MM-DD.")
    synthetic: bool = Field(description="Whether the patients are simulated.")
    data: patients.Data = Field(description="The registry.")
    task: patients.Task = Field(description="What is predicted.")
    attrition: list[patients.AttritionStep] = Field([], description="Who was left out.")
    cohort: patients.CohortCounts | None = Field(None, description="Patients and outcomes.")
    weights: patients.Weights | None = Field(None, description="Weights for unknown outcomes.")
    sample_size: patients.SampleSize | None = Field(None, description="Sample size criteria.")
    baseline: list[patients.BaselineRow] = Field([], description="Baseline table.")
    performance: list[measures.PerformanceRow] = Field([], description="Cross-validated measures.")
    performance_by_landmark: list[measures.PerformanceAtLandmark] = Field(
        [], description="The same, landmark by landmark."
    )
    auroc_in_time: list[measures.AurocAtDay] = Field([], description="Time-dependent AUROC.")
    optimism: list[measures.OptimismRow] = Field([], description="Optimism of the whole pipeline.")
    validation: measures.ValidationPlan | None = Field(None, description="How it was validated.")
    calibration_curve: list[measures.CalibrationPoint] = Field([], description="Flexible curve.")
    calibration_groups: list[measures.CalibrationGroup] = Field([], description="Groups by risk.")
    calibration_by_landmark: list[measures.CalibrationAtLandmark] = Field(
        [], description="Curves by landmark."
    )
    roc_curve: list[measures.RocPoint] = Field([], description="ROC curve.")
    risk_distribution: measures.RiskDistribution | None = Field(
        None, description="Risks by outcome."
    )
    flagged: list[measures.Flagged] = Field([], description="What thresholds would do.")
    net_benefit: list[measures.NetBenefit] = Field([], description="Decision curves.")
    comparators: list[measures.Comparator] = Field([], description="Rules and published models.")
    candidates: list[measures.Candidate] = Field([], description="Classifiers that competed.")
    centres: robustness.Centres | None = Field(None, description="Each centre left out in turn.")
    instability: robustness.Instability | None = Field(None, description="Spread over refits.")
    spread: list[robustness.Spread] = Field([], description="How far patients alike lie apart.")
    learning_curve: list[robustness.LearningPoint] = Field([], description="With fewer patients.")
    subgroups: list[robustness.Subgroup] = Field([], description="Performance in subgroups.")
    sensitivity: list[robustness.Sensitivity] = Field([], description="Changed assumptions.")
    label_certainty: robustness.LabelCertainty | None = Field(
        None, description="How sure labels are."
    )
    agreement: list[robustness.Agreement] = Field([], description="Rule against registry.")
    kappa: Number = Field(None, description="Cohen's kappa of the agreement.")
    overlap: list[explanation.Overlap] = Field(
        [], description="Features shared with the definition."
    )
    effects: list[explanation.Effect] = Field([], description="Effects of the features.")
    worked_patients: list[explanation.WorkedPatient] = Field([], description="Invented patients.")
    features: list[explanation.Feature] = Field([], description="The model's features.")
    features_left_out: list[explanation.LeftOut] = Field([], description="Features left out.")
    warnings: list[str] = Field([], description="What to know before believing a figure.")
    model: explanation.ModelFacts | None = Field(None, description="The model in short.")


def as_results(raw: Mapping[str, Any]) -> Results:
    """Return results as a checked object.

    Parameters
    ----------
    raw : mapping
        Of a schema in `READABLE`.

    Raises
    ------
    LnriskError
        When the schema is another one, or a field is not what the schema says; it is named.
    """
    schema = raw.get("schema")
    if schema not in READABLE:
        raise LnriskError(f"results of schema {schema!r}; expected {READABLE[-1]!r}.")
    try:
        return Results.model_validate(_with_landmarks(raw))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(level) for level in first["loc"])
        raise LnriskError(
            f"results of schema {schema}: {place or 'the whole'}: {first['msg']}, found "
            f"{str(first['input'])[:60]!r} ({error.error_count()} such)."
        ) from error


def _with_landmarks(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return results in which the task lists its landmarks, also where it had only one."""
    task = raw.get("task")
    if not isinstance(task, Mapping) or "landmark_days" not in task or "landmarks" in task:
        return dict(raw)
    rest = {name: value for name, value in task.items() if name != "landmark_days"}
    only = task["landmark_days"]
    return {**raw, "task": {**rest, "landmarks": [only], "primary_landmark": only}}


def unknown_fields(results: Results) -> list[str]:
    """Return the places of fields that the schema does not know, for those who write results.

    Examples
    --------
    >>> part = patients.Criterion(criterion="shrinkage", needed_patents=3)
    >>> list(_unknown(part, "criterion"))
    ['criterion.needed_patents']
    """
    return list(dict.fromkeys(_unknown(results, "")))


def _unknown(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, Part):
        yield from (f"{place}.{name}".lstrip(".") for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from _unknown(getattr(value, name), f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from _unknown(item, place)
