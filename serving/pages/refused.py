"""Why there is no risk, in the words of the page.

Assumes that a reason says all as data; its own plain text is for tables and programs.
"""

import datetime

from ..assessment import Status
from ..refusals import Concerned, Reason
from .named import amount_said, feature_said, lack_said
from .words import Words

__all__ = ["refusal_said", "why_none"]


def refusal_said(reason: Reason, words: Words) -> str:
    """Return a reason as a sentence.

    Examples
    --------
    >>> from lnrisk.serving.pages.words import load_words
    >>> refusal_said(Reason("outcome_reached"), load_words())
    "The registry's own outcome has been reached already."
    """
    lacks = [lack_said(lack, words) for lack in reason.lacks]
    said = words.listed(
        lacks or [_beyond(each, words) for each in reason.features], "format.features"
    )
    return words.say(
        f"refused.{reason.code}",
        day=reason.day,
        limit=reason.limit,
        date=words.date(reason.date),
        features=said or words.texts["refused.no_feature"],
    )


def why_none(status: Status, reason: Reason | None, day: datetime.date, words: Words) -> str:
    """Return why there was no risk by the model on a day."""
    if reason is not None:
        return refusal_said(reason, words)
    return words.say(f"refusal.{status}", date=words.date(day))


def _beyond(feature: Concerned, words: Words) -> str:
    return words.say(
        "refused.beyond_feature",
        feature=feature_said(feature.feature, feature.meaning, words),
        value=amount_said(feature.value, words),
        lowest=amount_said(feature.lowest, words),
        highest=amount_said(feature.highest, words),
    )
