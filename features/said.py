"""Sentences that know what they say: a code and its parts, for whoever says it in other words.

Assumes that the English sentence is made where the thing is found, and that it is text like any
other to whoever only prints or counts it. The code does not change when the sentence does.
"""

from collections.abc import Mapping

__all__ = ["Said", "Value", "said"]

Value = str | tuple[str, ...]
"""What stands in a sentence; several are separated by commas in it."""


class Said(str):
    """A sentence with its code and what stands in it.

    Parameters
    ----------
    text : str
    code : str
    parts : mapping of str to Value
    """

    __slots__ = ("code", "parts")

    code: str
    parts: Mapping[str, Value]

    def __new__(cls, text: str, code: str, parts: Mapping[str, Value]) -> "Said":
        """Make it, as `said` does."""
        made = super().__new__(cls, text)
        made.code, made.parts = code, parts
        return made

    def __getnewargs__(self) -> tuple[str, str, Mapping[str, Value]]:  # type: ignore[override]
        """Return what a copy is made from."""
        return str(self), self.code, self.parts


def said(code: str, template: str, **values: Value) -> Said:
    """Return a sentence.

    Parameters
    ----------
    code : str
        Unique among all sentences.
    template : str
        In English, with ``{name}`` where a value stands.
    **values : str or tuple of str
        A value may be such a sentence itself.

    Examples
    --------
    >>> sentence = said("not_final", "status {status!r} is not final", status="preliminary")
    >>> sentence
    "status 'preliminary' is not final"
    >>> sentence.code, sentence.parts
    ('not_final', {'status': 'preliminary'})
    """
    shown = {name: v if isinstance(v, str) else ", ".join(v) for name, v in values.items()}
    return Said(template.format(**shown), code, values)
