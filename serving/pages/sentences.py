"""Findings of the checks, remarks on a record, criteria and cautions in the words of the page.

Assumes that each says what it is by a code, as `lnrisk.features.said` does; a sentence without one,
such as a reason in a site's own code list, stays as it is and is marked as English.
"""

import datetime
from collections.abc import Mapping

from ...features.said import Said, Value
from ...features.vocabulary import analytes, drugs
from ..cautions import Caution, OddValue
from ..criteria import NO_DOSE, NO_EVIDENCE, Criterion, Fact
from .named import lack_said
from .words import Words, foreign

__all__ = ["caution_said", "coded", "criterion_said", "fact_said", "sentence"]

SIGNS = {">=": "≥", "<=": "≤"}


def sentence(text: str, words: Words) -> str:
    """Return a sentence in the words of the page.

    Examples
    --------
    >>> from lnrisk.features.said import said
    >>> from lnrisk.serving.pages.words import load_words
    >>> sentence(said("not_final", "status {status!r}", status="draft"), load_words())
    "status 'draft' is not final"
    """
    return coded(text.code, text.parts, text, words) if isinstance(text, Said) else foreign(text)


def coded(code: str, parts: Mapping[str, Value], text: str, words: Words) -> str:
    """Return what a code and its parts say; the text itself, as English, for an unknown code."""
    if f"sentence.{code}" not in words.texts:
        return foreign(text)
    return words.say(
        f"sentence.{code}", **{name: _part(name, part, words) for name, part in parts.items()}
    )


def _part(name: str, part: Value, words: Words) -> str:
    if isinstance(part, tuple):
        return words.listed(_part(name, each, words) for each in part)
    if isinstance(part, Said) or name == "why":
        return sentence(part, words)
    if name in ("unit", "units", "sent_unit"):
        return words.unit(part)
    if name == "day":
        return words.date(datetime.date.fromisoformat(part))
    if name == "choices":
        return words.name("choice", part)
    if name == "kinds":
        return words.name("kind", part.replace(" ", "_"))
    if name in ("lowest", "highest"):
        return words.figure(part)
    return _known(part, words) if name in ("analyte", "drug", "what") else part


def _known(name: str, words: Words) -> str:
    """Return the name of an analyte or a drug; anything else as the record has it."""
    for group, listed in (("analyte", analytes()), ("drug", drugs())):
        if name in listed:
            return words.name(group, name)
    return name


def criterion_said(criterion: Criterion, words: Words) -> str:
    """Return what was compared with what."""
    what = words.texts[f"criterion.{criterion.measure}"]
    if criterion.measure in (NO_DOSE, NO_EVIDENCE) or criterion.threshold is None:
        return what
    comparison = criterion.comparison or ""
    said = {
        "what": what,
        "comparison": SIGNS.get(comparison, comparison),
        "threshold": _quantity(criterion.threshold, criterion.unit, words),
    }
    if criterion.no_below is None:
        return words.say("criterion.compared", **said)
    low = _quantity(criterion.no_below, criterion.unit, words)
    return words.say("criterion.compared_both", **said, no_below=low)


def fact_said(fact: Fact, words: Words) -> str:
    """Return what a value is."""
    return words.texts[f"criterion.{fact.measure}"]


def _quantity(value: float, unit: str, words: Words) -> str:
    said = words.unit(unit)
    return (
        words.say("format.value", value=words.number(value), unit=said)
        if said
        else words.number(value)
    )


def caution_said(caution: Caution, words: Words) -> str:
    """Return what to beware of."""
    if caution.odd is not None:
        return _odd_said(caution.odd, words)
    if caution.code == "simulated":
        return words.texts["site.simulated"]
    features = words.listed((lack_said(lack, words) for lack in caution.lacks), "format.features")
    return words.say(
        f"beware.{caution.code}", day=caution.day, days=caution.days, features=features
    )


def _odd_said(odd: OddValue, words: Words) -> str:
    amount = {"unit": words.unit(odd.unit)}
    return words.say(
        "sentence.implausible",
        table=words.say(f"table.{odd.table}"),
        row=odd.row,
        analyte=words.name("analyte", odd.analyte),
        value=words.say("format.value", value=words.figure(odd.value), **amount),
        lowest=words.figure(odd.lowest),
        highest=words.say("format.value", value=words.figure(odd.highest), **amount),
        sent_unit=words.unit(odd.sent_unit),
    )
