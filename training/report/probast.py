"""The report against PROBAST+AI, answered where the software knows the answer.

Assumes what `checklists` does; development and evaluation are asked apart.
"""

from dataclasses import dataclass

from ..schema.results import Results
from .checklists import OPEN, few_are_known, items_of, keeps_every_column, size_in_words
from .words import count, defined, duration, number

__all__ = ["Question", "probast"]

PRECISE = 0.1  # width of the AUROC's interval


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


def probast(results: Results) -> list[Question]:
    """Return all signalling questions of PROBAST+AI in their order, development first.

    Parameters
    ----------
    results : Results
    """
    shared = _asked_of_both(results)
    own = {"development": _of_development(results), "evaluation": _of_evaluation(results)}
    found = []
    for question in items_of("probast_ai", "question"):
        answers = shared | own[question["part"]]
        says, why = answers.get(question["number"], ("no information", OPEN))
        found.append(Question(**question, says=says, why=why))
    return found


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
    size, few = results.sample_size, keeps_every_column(results)
    too_few = (size is not None and size.too_small) or few_are_known(results)
    enough = "no" if too_few else "yes" if few else "probably no"
    return {
        "4.1": ("no information", "The criteria were not computed.")
        if size is None
        else (enough, size_in_words(results)),
        "4.2": ("yes", "Numbers stay numbers; curves where planned, nothing cut at a value."),
        "4.3": ("probably yes", "Weights for unknown outcomes; missing inputs marked as such."),
        "4.4": ("not applicable", "Classes were not rebalanced."),
        "4.5": (
            "yes",
            ("Few named inputs" if few else "Columns chosen anew in every fold and resample")
            + ", a penalty chosen out of fold, recalibration out of fold.",
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
