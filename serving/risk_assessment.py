"""An assessment as a FHIR R4 RiskAssessment.

Assumes R4's rules: a probability is a percentage from 0 to 100, decimal and range exclude each
other (so the interval is a prediction of its own), and what is contained is referred to. Where
the model gives no risk there is no prediction: the status is ``cancelled`` and a note says why.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from .. import __version__
from .assessment import Assessment
from .from_fhir import AssessedRecord

__all__ = ["risk_assessment"]

UCUM = "http://unitsofmeasure.org"
MOST_NOTES = 20
DRIVERS_SHOWN = 3
DECIMALS = 6
CARE = (
    "The risk holds under the care that the patients of the training data got; it is not the "
    "effect of any treatment. Research software, no medical device."
)
BY_RULE = "The rule is already met: the probability is 100 by the rule, not by the model."


def risk_assessment(record: AssessedRecord) -> dict[str, Any]:
    """Return the resource.

    Parameters
    ----------
    record : AssessedRecord

    Returns
    -------
    dict
        JSON values.
    """
    answer = record.assessment
    predictions = list(_predictions(answer))
    notes = list(_notes(record))
    return {
        "resourceType": "RiskAssessment",
        "text": _narrative(answer, notes),
        "contained": [_device(answer), _label(answer, record.subject)],
        "status": "final" if predictions else "cancelled",
        "method": {
            "text": f"lnrisk model {answer.model.version}, definition {answer.label.definition} "
            f"{answer.label.definition_version}"
        },
        "subject": {"reference": record.subject},
        "occurrenceDateTime": answer.as_of.isoformat(),
        "performer": {"reference": "#lnrisk"},
        "basis": [{"reference": each} for each in ("#rule", *record.basis)],
        **({"prediction": predictions} if predictions else {}),
        "note": [{"text": text} for text in notes],
    }


def _outcome(answer: Assessment) -> str:
    return f"Refractory lupus nephritis by {answer.label.definition}"


def _percent(probability: float) -> float:
    return round(100.0 * probability, DECIMALS)


def _predictions(answer: Assessment) -> Iterator[dict[str, Any]]:
    if answer.risk is None:
        return
    when: dict[str, Any] = {}
    if answer.horizon.date is not None and answer.status == "ok":
        period = {"start": answer.as_of.isoformat(), "end": answer.horizon.date.isoformat()}
        when = {"whenPeriod": period}
    drivers = "; ".join(group.text for group in answer.driver_groups[:DRIVERS_SHOWN])
    rationale = BY_RULE if answer.status == "met" else drivers
    yield {
        "outcome": {"text": _outcome(answer)},
        "probabilityDecimal": _percent(answer.risk),
        **when,
        **({"rationale": rationale} if rationale else {}),
    }
    if answer.interval is not None:
        low, high = (
            {"value": _percent(end), "unit": "%", "system": UCUM, "code": "%"}
            for end in (answer.interval.lower, answer.interval.upper)
        )
        yield {
            "outcome": {"text": f"{_outcome(answer)}: interval of the probability"},
            "probabilityRange": {"low": low, "high": high},
            **when,
            "rationale": f"{100 * answer.interval.level:g} % of patients who look like this one to "
            "the model have a risk inside; the probability itself is the first prediction.",
        }


def _notes(record: AssessedRecord) -> Iterator[str]:
    answer = record.assessment
    verdict = answer.label.verdict.replace("_", " ")
    yield (
        f"By the rule {answer.label.definition} {answer.label.definition_version}, as of "
        f"{answer.as_of}: {verdict}."
    )
    if answer.status == "no_induction":
        yield "No risk: no induction treatment with a role in the rule was found."
    elif answer.status == "outside_model":
        yield f"No risk: {answer.why}."
    yield from answer.warnings
    yield from (f"{each.text}." for each in answer.missing[:DRIVERS_SHOWN])
    yield CARE
    said = [
        *(f"Not used: {t}" for t in record.not_used),
        *(f"Assumed: {t}" for t in record.assumed),
    ]
    yield from said[:MOST_NOTES]
    if len(said) > MOST_NOTES:
        yield f"{len(said) - MOST_NOTES} further remarks of this kind are left out."


def _device(answer: Assessment) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "id": "lnrisk",
        "deviceName": [{"name": "lnrisk", "type": "model-name"}],
        "version": [
            {"type": {"text": "software"}, "value": __version__},
            {"type": {"text": "model, SHA-256"}, "value": answer.model.sha256},
        ],
    }


def _label(answer: Assessment, subject: str) -> dict[str, Any]:
    label = answer.label
    reasons = ", ".join([*label.reasons, *(f"consider {each}" for each in label.consider)])
    return {
        "resourceType": "Observation",
        "id": "rule",
        "status": "final",
        "code": {
            "text": f"Refractory lupus nephritis by the rule {label.definition} "
            f"{label.definition_version}"
        },
        "subject": {"reference": subject},
        "effectiveDateTime": answer.as_of.isoformat(),
        "valueCodeableConcept": {"text": label.verdict.replace("_", " ")},
        **({"note": [{"text": reasons.replace("_", " ")}]} if reasons else {}),
    }


def _narrative(answer: Assessment, notes: list[str]) -> dict[str, str]:
    said = "No risk is given."
    if answer.risk is not None:
        said = f"{_outcome(answer)}: {100 * answer.risk:.1f} %."
    lines = "".join(f"<p>{escape(line)}</p>" for line in (said, *notes))
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{lines}</div>',
    }
