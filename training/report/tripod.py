"""The report against TRIPOD+AI, answered where the software knows the answer.

Assumes what `checklists` does.
"""

from dataclasses import dataclass
from typing import Any

from ..schema.results import Results
from .checklists import OPEN, classifier, items_of, keeps_every_column, size_in_words
from .words import count, duration, wording

__all__ = ["Answer", "Item", "tripod"]


@dataclass(frozen=True)
class Answer:
    """What the software can say to an item.

    Parameters
    ----------
    status : {"answered", "partly", "open", "not applicable"}
    text : str
    link : str
        Identifier of the section that answers.
    """

    status: str = "open"
    text: str = OPEN
    link: str = ""


@dataclass(frozen=True)
class Item:
    """An item of TRIPOD+AI with its answer."""

    number: str
    part: str
    topic: str
    applies: str
    asks: str
    answer: Answer


def tripod(results: Results) -> list[Item]:
    """Return all items of TRIPOD+AI in their order.

    Parameters
    ----------
    results : Results
    """
    known = (
        _about_the_study(results)
        | _about_the_inputs(results)
        | _about_the_analysis(results)
        | _about_results(results)
    )
    return [
        Item(**item, answer=known.get(item["number"], Answer()))
        for item in items_of("tripod_ai", "item")
    ]


def _if(there: Any, text: str, link: str, instead: str) -> Answer:
    """Return an answer when a section is there, and else that it was not done."""
    return Answer("answered", text, link) if there else Answer("open", instead)


def _about_the_study(results: Results) -> dict[str, Answer]:
    words, task = wording(results.task), results.task
    rule = task.outcome == "rule"
    landmarks = len(task.landmarks)
    return {
        "1": Answer("answered", f"Development and internal validation. {words.title}.", "summary"),
        "2": Answer(
            "partly", "Its numbers are in the summary; the text is to be written.", "summary"
        ),
        "3a": Answer("partly", "Prognostic. The clinical rationale is to be written.", "use"),
        "3b": Answer(
            "partly", "Use and users are named; the place in care is to be written.", "use"
        ),
        "4": Answer(
            "answered",
            f"Risk of {words.outcome} by day {task.horizon_days}, from "
            f"{landmarks} landmark{'s' if landmarks > 1 else ''}; development and internal "
            "validation.",
            "summary",
        ),
        "5a": Answer(
            "partly", f"Registry {results.data.name}; whom it represents is to be written."
        ),
        "6b": _if(results.attrition, "Conditions one by one, with who was left out.", "flow", OPEN),
        "6c": Answer(
            "partly",
            "The regimen, its dose and co-treatment up to the landmark are predictors; what is "
            "given later is not held fixed: the risk is under the care that patients got.",
            "inputs",
        ),
        "7": Answer(
            "answered",
            "Every table is checked against the registry format, units are converted once, and "
            "what was left out is listed; the same for all patients.",
            "flow",
        ),
        "8a": Answer(
            "answered" if rule else "partly",
            f"Definition {task.definition}, version {task.definition_version}, applied by software "
            f"to everyone alike; horizon {duration(task.horizon_days)}."
            if rule
            else "The outcome is the registry's own; how it was assessed is to be written.",
            "summary",
        ),
        "8b": Answer("not applicable", "The outcome is computed by a rule from measurements.")
        if rule
        else Answer(),
        "8c": Answer(
            "partly",
            "The rule uses no prediction, but measurements of the kind that are predictors.",
            "overlap",
        )
        if rule
        else Answer(),
        "18f": Answer("answered", f"lnrisk {results.lnrisk_version}, Apache-2.0.", "card"),
    }


def _about_the_inputs(results: Results) -> dict[str, Answer]:
    size = results.sample_size
    return {
        "9a": Answer(
            "answered",
            f"{len(results.features)} inputs, {_chosen(results)}; "
            f"{len(results.features_left_out)} left out, with reasons.",
            "inputs",
        ),
        "9b": _if(results.features, "Definition, span and table of each input.", "inputs", OPEN),
        "9c": Answer("partly", "Only biopsy readings take judgement; reader noise is allowed for."),
        "10": _if(size, size_in_words(results), "sample-size", "Criteria were not computed."),
        "11": Answer(
            "answered",
            "A missing input is filled in training as in use, and marked as missing. An unknown "
            "outcome is never counted as no: weights stand in for it.",
            "inputs",
        ),
    }


def _chosen(results: Results) -> str:
    """Return how the inputs came to be those."""
    if keeps_every_column(results):
        return "named before anyone looks at the outcome"
    return "kept by the elastic net of all that tell something of the patient"


def _drawn(results: Results) -> str:
    if results.model is None or not results.model.drawn:
        return ""
    return ", its coefficients drawn towards those that foretell earlier steps to the outcome"


def _about_the_analysis(results: Results) -> dict[str, Answer]:
    plan = results.validation
    folds = f"{plan.repeats} × {plan.folds}-fold" if plan else ""
    return {
        "12a": _if(
            plan, f"All patients; {folds} cross-validation grouped by patient.", "performance", OPEN
        ),
        "12b": Answer(
            "answered", "Standardised with weighted means; scale and form of each input.", "inputs"
        ),
        "12c": _if(
            results.model,
            f"{classifier(results)}{_drawn(results)}, penalty by weighted log loss out of fold, "
            "recalibrated out of fold; every step repeated in every fold."
            + (" Candidates compared by a one-standard-error rule." if results.candidates else ""),
            "candidates",
            OPEN,
        ),
        "12d": _if(
            results.centres,
            "Each centre left out in turn, pooled with random effects.",
            "centres",
            "Not examined in this run.",
        ),
        "12e": Answer(
            "answered",
            "AUROC, Brier, calibration intercept and slope, observed / expected, ICI; calibration "
            "curve, ROC, distributions" + (", decision curves." if results.net_benefit else "."),
            "performance",
        ),
        "12f": Answer("not applicable", "No update: the model is new."),
        "12g": Answer(
            "answered", "By the model file, in every fold by that fold's own model.", "card"
        ),
        "13": Answer("answered", "None used: the balance of classes is left as it is.", "card"),
        "14": Answer(
            "answered" if results.subgroups else "partly",
            "Neither race nor ancestry is an input, eGFR is computed without race"
            + (
                "; figures by subgroup are shown." if results.subgroups else "; no subgroups shown."
            ),
            "subgroups",
        ),
        "15": Answer(
            "answered", "A probability with an interval. No threshold is recommended.", "flagged"
        ),
        "16": Answer("not applicable", "Internal validation: the same registry."),
    }


def _about_results(results: Results) -> dict[str, Answer]:
    cohort = results.cohort
    return {
        "20a": _if(results.attrition and cohort, "Flow of patients and outcomes.", "flow", OPEN),
        "20b": _if(
            results.baseline, "Baseline table with missing values.", "baseline", "Not done."
        ),
        "20c": Answer("not applicable", "Internal validation: the same registry."),
        "21": _if(
            cohort,
            f"{count(cohort.patients)} at risk, {count(cohort.events)} events at the primary "
            "landmark; counts beside every figure."
            if cohort
            else "",
            "flow",
            OPEN,
        ),
        "22": _if(
            results.model,
            "The model file holds all coefficients, knots and the calibration; it is identified by "
            "its hash.",
            "card",
            OPEN,
        ),
        "23a": _if(
            results.performance,
            "All measures with intervals"
            + (", and by subgroup." if results.subgroups else "; subgroups were not done."),
            "performance",
            "Not done.",
        ),
        "23b": _if(
            results.centres, "Forest plots with prediction intervals.", "centres", "Not done."
        ),
        "24": Answer("not applicable", "No update: the model is new."),
        "26": Answer("partly", "What the software knows of them is listed.", "limits"),
        "27a": Answer(
            "answered",
            "A patient unlike the training data gets a reason, no risk; what is missing is named.",
            "use",
        ),
        "27b": Answer(
            "partly", "Inputs come from the registry; who reads it is to be written.", "use"
        ),
    }
