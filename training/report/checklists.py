"""The report against TRIPOD+AI and PROBAST+AI, answered where the software knows the answer.

Assumes that the software knows only what is in the results: an item about the study, its ethics or
its people stays open, and a section that was not done is never answered. The items are in two files
beside this module, in our own words.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..schema.results import Results
from .words import count, defined, duration, number, wording

__all__ = ["Answer", "Item", "Question", "classifier", "probast", "tripod"]

HERE = Path(__file__).parent
PRECISE = 0.1  # width of the AUROC's interval
OPEN = "To be written by the authors: the software cannot know."


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


@dataclass(frozen=True)
class Question:
    """A signalling question of PROBAST+AI with its answer.

    Parameters
    ----------
    part, number, domain, asks : str
    says : {"yes", "probably yes", "probably no", "no", "no information", "not applicable"}
    why : str
    """

    part: str
    number: str
    domain: str
    asks: str
    says: str
    why: str


def classifier(results: Results) -> str:
    """Return what kind of model it is, in words."""
    name = results.model.classifier if results.model else None
    return {None: "Penalised logistic regression", "logistic": "Penalised logistic regression"}.get(
        name, str(name).capitalize()
    )


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
        for item in _file("tripod_ai", "item")
    ]


def probast(results: Results) -> list[Question]:
    """Return all signalling questions of PROBAST+AI in their order, development first.

    Parameters
    ----------
    results : Results
    """
    shared = _asked_of_both(results)
    own = {"development": _of_development(results), "evaluation": _of_evaluation(results)}
    found = []
    for question in _file("probast_ai", "question"):
        answers = shared | own[question["part"]]
        says, why = answers.get(question["number"], ("no information", OPEN))
        found.append(Question(**question, says=says, why=why))
    return found


@cache
def _file(name: str, key: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.toml").open("rb") as content:
        items: list[dict[str, str]] = tomllib.load(content)[key]
    return items


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
            f"{len(results.features)} inputs, named before anyone looks at the outcome; "
            f"{len(results.features_left_out)} left out, with reasons.",
            "inputs",
        ),
        "9b": _if(results.features, "Definition, span and table of each input.", "inputs", OPEN),
        "9c": Answer("partly", "Only biopsy readings take judgement; reader noise is allowed for."),
        "10": _if(size, _size_in_words(results), "sample-size", "Criteria were not computed."),
        "11": Answer(
            "answered",
            "A missing input is filled in training as in use, and marked as missing. An unknown "
            "outcome is never counted as no: weights stand in for it.",
            "inputs",
        ),
    }


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
            f"{classifier(results)}, penalty by weighted log loss out of fold, recalibrated out of "
            "fold; every step repeated in every fold."
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


def _size_in_words(results: Results) -> str:
    size = results.sample_size
    if size is None:
        return ""
    said = f"{count(size.patients)} patients and {count(size.events)} events for "
    said += f"{count(size.parameters)} parameters"
    return said + ("; smaller than the criteria ask for." if size.too_small else "; enough.")


def _asked_of_both(results: Results) -> dict[str, tuple[str, str]]:
    rule = results.task.outcome == "rule"
    shared = ", ".join(o.feature for o in results.overlap[:4])
    return {
        "1.2": (
            "probably yes",
            "A registry followed forward from an index date; routine care data.",
        ),
        "2.2": ("yes", "One program prepares the inputs of everyone."),
        "2.3": ("yes", "Nothing recorded after the landmark is used; the registry is cut there."),
        "2.4": ("yes", "Only what was on record on the landmark's day is used."),
        "3.1": ("probably yes", "A published, versioned definition, applied by software.")
        if rule
        else ("no information", OPEN),
        "3.2": ("probably yes", "The same rule for all; visits differ in number.")
        if rule
        else ("no information", OPEN),
        "3.3": (
            "probably no",
            "The definition is about measurements of the same kind as some inputs"
            + (f" ({shared})" if shared else "")
            + ", taken before the landmark; figures would flatter a model that only repeats them.",
        )
        if rule
        else ("no information", OPEN),
        "3.4": ("yes", f"Horizon {duration(results.task.horizon_days)} after the index date."),
    }


def _of_development(results: Results) -> dict[str, tuple[str, str]]:
    size = results.sample_size
    return {
        "4.1": ("no information", "The criteria were not computed.")
        if size is None
        else ("no" if size.too_small else "yes", _size_in_words(results)),
        "4.2": ("yes", "Numbers stay numbers; curves where planned, nothing cut at a value."),
        "4.3": ("probably yes", "Weights for unknown outcomes; missing inputs marked as such."),
        "4.4": ("not applicable", "Classes were not rebalanced."),
        "4.5": (
            "yes",
            "Few named inputs, a penalty chosen out of fold, recalibration out of fold.",
        ),
    }


def _of_evaluation(results: Results) -> dict[str, tuple[str, str]]:
    auroc = next((r for r in results.performance if r.measure == "auroc"), None)
    width = (
        auroc.upper - auroc.lower
        if auroc and defined(auroc.lower) and defined(auroc.upper)
        else None
    )
    internal = bool(results.validation and results.performance)
    curves = bool(results.calibration_curve and results.roc_curve)
    optimism = results.optimism[0].resamples if results.optimism else None
    return {
        "4.1": ("yes", "Cross-validated" + (", and centre by centre." if results.centres else "."))
        if internal
        else ("no", "No validation in this run."),
        "4.2": ("no information", "No interval of the AUROC.")
        if width is None
        else (
            "probably yes" if width <= PRECISE else "probably no",
            f"The interval of the AUROC is {number(width)} wide; {number(PRECISE)} is taken as "
            "precise enough.",
        ),
        "4.3": ("probably yes", "Weights for unknown outcomes, in every measure."),
        "4.4": ("not applicable", "Classes were not rebalanced."),
        "4.5": ("yes", "Folds are by patient, and trajectories are fitted within the fold."),
        "4.6": (
            "yes" if optimism else "probably yes",
            f"{count(optimism)} bootstrap resamples repeat the whole pipeline."
            if optimism
            else "Every fold repeats the whole pipeline; its optimism was not bootstrapped.",
        ),
        "4.7": (
            "yes" if curves and results.net_benefit else "probably no",
            "Calibration, discrimination and net benefit."
            if curves and results.net_benefit
            else "Net benefit or a curve was not done.",
        ),
    }
