"""Features and their values in the words of the page.

Assumes that a feature of an analyte is the analyte's name and a statistic's, as
`lnrisk.features.laboratory` and `lnrisk.features.trajectories` name them. What the page has no
words for, such as an analyte of a registry's own, keeps the meaning that the model file gives, and
is marked as English.
"""

from ...features.vocabulary import analytes
from ..topics import Lack
from .words import Words, foreign

__all__ = ["amount_said", "feature_said", "lack_said", "range_said", "topic_said"]

_STATED = {"missing": "amount.missing", "yes": "amount.yes", "no": "amount.no"}


def feature_said(name: str, meaning: str, words: Words) -> str:
    """Return the name of a feature or an analyte.

    Parameters
    ----------
    name : str
        In the feature dictionary.
    meaning : str
        In the model file.
    words : Words

    Examples
    --------
    >>> from lnrisk.serving.pages.words import load_words
    >>> feature_said("log_upcr_slope", "", load_words())
    'UPCR: slope at the landmark'
    >>> print(feature_said("il6_last", "il6: last value", load_words()))
    <span lang="en">il6: last value</span>
    """
    for key in (f"feature.{name}", f"analyte.{name}"):
        if key in words.texts:
            return words.texts[key]
    for analyte in analytes():
        for series in (f"log_{analyte}_", f"{analyte}_"):
            statistic = f"statistic.{name.removeprefix(series)}"
            if name.startswith(series) and statistic in words.texts:
                return words.say(statistic, analyte=words.name("analyte", analyte))
    return foreign(meaning)


def topic_said(topic: str, meaning: str, words: Words) -> str:
    """Return the name of what features are about.

    Examples
    --------
    >>> from lnrisk.serving.pages.words import load_words
    >>> topic_said("biopsy", "", load_words())
    'biopsy'
    """
    key = f"topic.{topic}"
    return words.texts[key] if key in words.texts else feature_said(topic, meaning, words)


def lack_said(lack: Lack, words: Words) -> str:
    """Return what is not known of a topic: all of it, one feature, or some.

    Examples
    --------
    >>> from lnrisk.serving.pages.words import load_words
    >>> lack_said(Lack("c3", "C3", False, ("c3_change", "c3_last"), ""), load_words())
    'C3 (in part)'
    """
    topic = topic_said(lack.topic, lack.meaning, words)
    if lack.whole:
        return topic
    if len(lack.features) == 1:
        return feature_said(lack.features[0], lack.text, words)
    return words.say("missing.in_part", topic=topic)


def amount_said(shown: str, words: Words) -> str:
    """Return a value with its unit, as a term of a model shows it.

    Examples
    --------
    >>> from lnrisk.serving.pages.words import load_words
    >>> amount_said("2.1 g/g", load_words()).split()
    ['2.1', 'g/g']
    >>> amount_said("-3 mL/min/1.73 m2/mo", load_words()).split()
    ['-3', 'mL/min/1.73', 'm²', 'a', 'month']
    >>> amount_said("0.7x", load_words())
    '0.7 times'
    """
    if shown in _STATED:
        return words.texts[_STATED[shown]]
    number, _, unit = shown.partition(" ")
    said = words.figure(number.removesuffix("x"))
    if number.endswith("x"):
        return words.say("amount.ratio", number=said)
    return words.say("format.value", value=said, unit=_unit_said(unit, words)) if unit else said


def range_said(lowest: str, highest: str, words: Words) -> str:
    """Return a range of values, each as a term of a model shows it."""
    ends = {"lower": amount_said(lowest, words), "upper": amount_said(highest, words)}
    return words.say("format.range", **ends)


def _unit_said(unit: str, words: Words) -> str:
    if unit.endswith("/mo"):
        return words.say("amount.per_month", unit=_unit_said(unit.removesuffix("/mo"), words))
    if unit.startswith("ln(") and unit.endswith(")"):
        return words.say("amount.logged", unit=_unit_said(unit[3:-1], words))
    if unit == "unit of the registry":
        return words.texts["amount.of_registry"]
    return words.unit(unit.replace("1.73 m2", "{1.73_m2}"))
