"""What the checklists share: their items, and what the software can say of a model in words.

Assumes that the software knows only what is in the results: an item about the study, its ethics or
its people stays open, and a section that was not done is never answered. The items are in two files
beside this module, in our own words.
"""

import tomllib
from functools import cache
from pathlib import Path

from ..cohort import FEWEST_EVENTS
from ..schema.results import Results
from .words import count

__all__ = [
    "OPEN",
    "classifier",
    "few_are_known",
    "items_of",
    "keeps_every_column",
    "size_in_words",
]

HERE = Path(__file__).parent
OPEN = "To be written by the authors: the software cannot know."


def classifier(results: Results) -> str:
    """Return what kind of model it is, in words."""
    name = results.model.classifier if results.model else None
    if name is None or name == "logistic":
        return "Penalised logistic regression"
    return name.capitalize()


def keeps_every_column(results: Results) -> bool:
    """Return whether the model is one that the sample size criteria are about."""
    return results.model is None or results.model.classifier in (None, "logistic")


@cache
def items_of(name: str, key: str) -> list[dict[str, str]]:
    """Return the items of a file, in its order."""
    with (HERE / f"{name}.toml").open("rb") as content:
        items: list[dict[str, str]] = tomllib.load(content)[key]
    return items


def few_are_known(results: Results) -> bool:
    """Return whether nearly all events are expected ones, of patients the rule cannot judge."""
    known = results.cohort.events if results.cohort else None
    return known is not None and known < FEWEST_EVENTS


def size_in_words(results: Results) -> str:
    """Return sample size against its criteria; nothing where they were not computed."""
    size = results.sample_size
    if size is None:
        return ""
    said = f"{count(size.patients)} patients and {count(size.events)} events for "
    said += f"{count(size.parameters)} parameters"
    verdict = "; smaller than the criteria ask for." if size.too_small else "; enough."
    if keeps_every_column(results):
        return said + verdict
    tried = count(results.model.columns_tried if results.model else None)
    return said + (
        f" of the default{verdict} The elastic net chose among {tried} columns, which the criteria "
        "do not cover; cross-validation repeats the choice."
    )
