"""Where features and the outcome's definition meet: named before the landmark, refused after it.

UPCR and eGFR, doses and adherence are both what the model looks at and what the definition asks
for. Before the landmark that is knowledge; a model may use it, and a reader must be told, for much
of the discrimination may come from it. After the landmark it is the outcome itself. It is assumed
that a feature's dictionary entry says truly which days it looks at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..features.errors import LnriskError
from ..features.feature import Feature
from ..model.definition import Arm, Condition, Definition, Rule

__all__ = ["overlap", "refuse_the_outcome"]

_OF_THE_OUTCOME = frozenset(
    (
        *("verdict", "met_on", "n_courses", "n_failed", "n_counting", "reasons", "consider"),
        *("course", "regimen", "start_date", "assessed_on", "upcr_baseline", "upcr_assessed"),
        *("proteinuria", "egfr_assessed", "egfr", "failed", "adequate", "adherent", "counts"),
        *("status", "days", "y", "pseudo_refractory", "chance", "possible_days"),
        *("true_risk", "would_be_refractory"),
    )
)
"""Columns of labels, courses, outcomes and a simulation's truth: no features, but their answer."""


@dataclass(frozen=True)
class _Part:
    """A part of the definition, and the names of the features that are made of the same."""

    criterion: str
    names: str
    meaning: str
    arm: Arm | None = None


_PARTS = (
    _Part(
        "failed: proteinuria",
        r"(^|_)upcr(_|$)|protein_24h",
        "UPCR at baseline is what the assessed value is compared with",
        "proteinuria",
    ),
    _Part(
        "failed",
        r"^(failure|response)_shown$",
        "the answer of the first course, once it has been assessed by the landmark",
    ),
    _Part(
        "failed: eGFR",
        r"(^|_)egfr(_|$)",
        "eGFR at baseline is what the assessed value is compared with",
        "egfr",
    ),
    _Part(
        "different regimens",
        r"^started_with_|^regimen_changed$",
        "the classes of a course make its regimen, and two different ones have to fail",
    ),
    _Part(
        "adequate",
        r"^mpa_(mg|share)|^days_to_mpa_target$|^cyc_|^cni_share|^tacrolimus_trough$|(^|_)gap(_|$)",
        "a failure counts only at an adequate dose, over days that begin before the landmark",
    ),
    _Part(
        "adherent",
        r"^(non)?adherence_|^refill_|^self_report|^clinician_|^missed_infusions|^hcq_(blood|serum)$",
        "a failure counts only in a patient who adheres, over days that begin before the landmark",
    ),
)


def overlap(
    dictionary: Sequence[Feature], definition: Definition, landmark_days: int
) -> list[dict[str, Any]]:
    """Return the features that are part of the outcome's definition, measured by the landmark.

    Parameters
    ----------
    dictionary : sequence of Feature
        Of the terms of the model.
    definition : Definition
    landmark_days : int

    Returns
    -------
    list of dict
        feature, criterion and meaning; one row for each criterion that a feature is part of.

    Examples
    --------
    >>> from lnrisk.model.definition import load_definition
    >>> age = Feature("age", "age", "a", "patients", "index date")
    >>> last = Feature("log_upcr_last", "last", "ln(g/g)", "measurements", "up to the landmark")
    >>> [row["feature"] for row in overlap([age, last], load_definition(), 84)]
    ['log_upcr_last']
    """
    arms = {condition.arm for condition in _conditions(definition.failed)}
    begun = landmark_days >= definition.window.first_day
    late = f"; by day {landmark_days} the first course may already have been assessed"
    return [
        {
            "feature": feature.name,
            "criterion": part.criterion,
            "meaning": part.meaning + (late if begun and part.arm else ""),
        }
        for feature in dictionary
        for part in _PARTS
        if (part.arm is None or part.arm in arms) and re.search(part.names, feature.name)
    ]


def refuse_the_outcome(
    terms: Sequence[str], dictionary: Mapping[str, Feature], landmark_days: int
) -> None:
    """Refuse terms that are part of the outcome, or look at days after the landmark.

    Parameters
    ----------
    terms : sequence of str
    dictionary : mapping of str to Feature
        What is known of them; a term without an entry is judged by its name alone.
    landmark_days : int
        The earliest landmark that the terms are used at.

    Raises
    ------
    LnriskError
        The message names each such term and what would be accepted.
    """
    wrong = []
    for term in terms:
        if term not in dictionary and term in _OF_THE_OUTCOME:
            wrong.append(f"  {term!r} belongs to the outcome: the rule made it from later records")
        if term in dictionary and _last_day(dictionary[term].look_back, landmark_days) is None:
            back = dictionary[term].look_back
            wrong.append(f"  {term!r} looks at {back!r}, which does not end by day {landmark_days}")
    if wrong:
        raise LnriskError(
            "terms: a model may not see what its outcome is made of.\n"
            + "\n".join(wrong)
            + "\nAccepted are features whose look-back ends at the landmark or before; "
            "`lnrisk features` writes them with their look-back."
        )


def _last_day(look_back: str, landmark_days: int) -> int | None:
    """Return the last day that a look-back reaches; None past the landmark, or if it says none.

    Examples
    --------
    >>> [_last_day(back, 84) for back in ("day -90 to 7", "day 28 to the landmark", "index date")]
    [7, 84, 0]
    >>> [_last_day(back, 84) for back in ("day 112 to 196", "the landmark to day 196", "always")]
    [None, None, None]
    """
    if re.search(r"(after|past|beyond|since) the landmark|landmark \+|landmark to", look_back):
        return None
    if "the landmark" in look_back:
        return landmark_days
    days = [int(day) for day in re.findall(r"(?:day|to|else) (-?\d+)", look_back)]
    if not days:
        return 0 if "index date" in look_back else None
    return max(days) if max(days) <= landmark_days else None


def _conditions(rule: Rule | Condition) -> Iterator[Condition]:
    if isinstance(rule, Condition):
        yield rule
        return
    for part in rule.join[1]:
        yield from _conditions(part)
