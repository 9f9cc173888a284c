"""What a feature is about, as a clinician would name it: a test, a biopsy, adherence, a treatment.

Assumes the names of `lnrisk.features`: those of an analyte begin with it, and the rest follows from
the table. A feature that belongs to nothing else is a topic of its own, such as age.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ..features.vocabulary import analytes
from ..model.artifact import RiskModel, Term
from ..model.terms import only_where_shown

__all__ = ["Lack", "Topic", "added_up", "lacking", "leading", "silent", "topics_of", "without"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ADHERENCE, BIOPSY, INDUCTION = "adherence", "biopsy", "induction"
MEANINGS: Mapping[str, str] = {
    BIOPSY: "biopsy",
    ADHERENCE: "adherence",
    INDUCTION: "induction treatment",
    "glucocorticoids": "glucocorticoid treatment",
    "hydroxychloroquine": "hydroxychloroquine",
    "raas_inhibitor": "RAAS inhibitor",
    "sglt2_inhibitor": "SGLT2 inhibitor",
}
_TREATMENTS: Mapping[str, str] = {
    "prednisone": "glucocorticoids",
    "pulse_methylprednisolone": "glucocorticoids",
    "hydroxychloroquine": "hydroxychloroquine",
    "raas_inhibitor": "raas_inhibitor",
    "started_raas_inhibitor": "raas_inhibitor",
    "sglt2_inhibitor": "sglt2_inhibitor",
    "started_sglt2_inhibitor": "sglt2_inhibitor",
    "longest_gap": ADHERENCE,
    "gap_share": ADHERENCE,
}
"""By the first words of a feature of treatment; all others are about induction."""
_TALLIES = ("_count", "_coverage", "adherence_evidence")
"""Endings of features that are 0 where nothing was recorded."""
_PRESUMED = "adherence_probability"
"""Has a value whatever was recorded."""
_NOT_ASKED_FOR = ("_days_to_fall", "upcr_and_egfr_fall", "egfr_deficit_unexplained")
"""Endings of features that are missing where something did not happen, or another topic is."""


@dataclass(frozen=True)
class Topic:
    """What some of a model's terms are about.

    Parameters
    ----------
    name, meaning : str
    positions : tuple of int
        Of the terms, ascending.
    """

    name: str
    meaning: str
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Lack:
    """A topic of which something is not known."""

    topic: Annotated[
        str,
        Field(
            description="Analyte, `biopsy`, `adherence`, `induction`, another treatment, or the "
            "feature itself where it belongs to nothing else.",
            examples=["c3"],
        ),
    ]
    meaning: Annotated[str, Field(description="In the words of a clinician.", examples=["C3"])]
    whole: Annotated[bool, Field(description="Whether nothing is known of it.")]
    features: Annotated[tuple[str, ...], Field(description="Its features that are not known.")]
    text: Annotated[str, Field(description="What is not known.", examples=["C3 (in part)"])]


def topics_of(model: RiskModel) -> list[Topic]:
    """Return what a model's terms are about, in the order of the first of each."""
    found: dict[str, list[int]] = defaultdict(list)
    own = tuple(model.analytes)
    for position, term in enumerate(model.terms):
        found[_topic(term.name, term.table, own)].append(position)
    firsts = [(name, model.terms[at[0]], tuple(at)) for name, at in found.items()]
    return [Topic(name, _meaning(name, t.name, t.meaning), at) for name, t, at in firsts]


def without(model: RiskModel, name: str) -> Lack:
    """Return that nothing is known of the analyte of a feature."""
    topic = _topic(name, "measurements", tuple(model.analytes))
    meaning = _meaning(topic, name, name.replace("_", " "))
    return Lack(topic, meaning, True, (name,), meaning)


def added_up(parts: Floats, topics: Sequence[Topic]) -> Floats:
    """Return what terms add, topic by topic, shape (n_rows, n_topics); a row is that row's alone.

    Parameters
    ----------
    parts : ndarray of float, shape (n_rows, n_terms)
    topics : sequence of Topic
    """
    total = np.zeros((len(parts), len(topics)), order="F")
    for at, topic in enumerate(topics):
        for position in topic.positions:
            total[:, at] += parts[:, position]
    return total


def leading(parts: Floats, together: Floats, topics: Sequence[Topic]) -> npt.NDArray[np.int64]:
    """Return the term of each topic that adds most in the topic's direction.

    Parameters
    ----------
    parts : ndarray of float, shape (n_rows, n_terms)
    together : ndarray of float, shape (n_rows, n_topics)
    topics : sequence of Topic

    Returns
    -------
    ndarray of int, shape (n_rows, n_topics)
        Positions of terms; the first of equals.
    """
    leads = np.empty(together.shape, dtype=np.int64)
    for at, topic in enumerate(topics):
        positions = np.array(topic.positions)
        direction = np.where(together[:, at] < 0, -1.0, 1.0)
        leads[:, at] = positions[np.argmax(parts[:, positions] * direction[:, None], axis=1)]
    return leads


def silent(model: RiskModel, values: Floats) -> Flags:
    """Return which values tell nothing that was recorded, missing ones among them.

    Parameters
    ----------
    model : RiskModel
    values : ndarray of float, shape (n_patients, n_terms)
    """
    names = model.feature_names
    tally = np.array(
        [name.endswith(_TALLIES) or only_where_shown(name) for name in names], dtype=np.bool_
    )
    presumed = np.array([name == _PRESUMED for name in names], dtype=np.bool_)
    nothing: Flags = np.isnan(values) | (tally & (values == 0)) | presumed
    return nothing


def lacking(
    model: RiskModel, topics: Sequence[Topic], missing: Flags, nothing: Flags
) -> tuple[Lack, ...]:
    """Return what is not known of one patient, by topic: what a person can ask for first.

    Parameters
    ----------
    model : RiskModel
    topics : sequence of Topic
        Of the model.
    missing, nothing : ndarray of bool, shape (n_terms,)
        What is missing, and what tells nothing (`silent`).
    """
    gaps = set(np.flatnonzero(missing).tolist())
    terms = model.terms
    gaps = {k for k in gaps if not terms[k].name.endswith(_NOT_ASKED_FOR)} or gaps
    of_tests: list[Lack] = []
    of_treatments: list[Lack] = []
    for topic in topics:
        lacks = [terms[k] for k in topic.positions if k in gaps]
        if lacks:
            lack = _lack(topic, lacks, bool(nothing[list(topic.positions)].all()))
            (of_treatments if lacks[0].table == "treatments" else of_tests).append(lack)
    return (*of_tests, *of_treatments)


def _lack(topic: Topic, terms: Sequence[Term], whole: bool) -> Lack:
    names = tuple(term.name for term in terms)
    text = topic.meaning
    if not whole:
        text = terms[0].meaning if len(terms) == 1 else f"{topic.meaning} (in part)"
    return Lack(topic.name, topic.meaning, whole, names, text)


@cache
def _topic(name: str, table: str, own: tuple[str, ...]) -> str:
    """Return the topic of a feature.

    Examples
    --------
    >>> _topic("log_upcr_change", "measurements", ("upcr",))
    'upcr'
    >>> _topic("cyc_mg", "treatments", ())
    'induction'
    >>> _topic("age", "patients", ())
    'age'
    """
    tables = table.split(", ")
    if ADHERENCE in tables:
        return ADHERENCE
    if "biopsies" in tables:
        return BIOPSY
    if "treatments" in tables:
        starts = (topic for start, topic in _TREATMENTS.items() if name.startswith(start))
        return next(starts, INDUCTION)
    plain = name.removeprefix("log_")
    named = [each for each in (*analytes(), *own) if f"{plain}_".startswith(f"{each}_")]
    if "measurements" in tables and named:
        return max(named, key=len)
    return "tacrolimus_trough" if name == "tacrolimus_variation" else name


def _meaning(topic: str, feature: str, meaning: str) -> str:
    known = analytes().get(topic)
    otherwise = meaning if topic == feature else topic
    return known.label if known else MEANINGS.get(topic, otherwise)
