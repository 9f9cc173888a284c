"""Every word of the page, from one file, so that a translation is one more file.

Assumes that a sentence with values in it is written whole; nothing is glued together from parts,
because another language would order them otherwise.
"""

import datetime
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

__all__ = ["Words", "foreign", "load_words"]


def foreign(text: str) -> Markup:
    """Return a text that the page has no words for, marked as the English that it is.

    Examples
    --------
    >>> print(foreign("a < b"))
    <span lang="en">a &lt; b</span>
    """
    return Markup('<span lang="en">{}</span>').format(text)


@dataclass(frozen=True)
class Words:
    """The texts of one language.

    Parameters
    ----------
    texts : dict of str to str
        By dotted key; ``{name}`` stands for a value.
    """

    texts: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """Return a text with its values; where one is marked up, it is safe markup as well.

        Raises
        ------
        KeyError
            When the key is not in the file, or a value is not given.

        Examples
        --------
        >>> load_words().say("risk.number", percent="12")
        '12 in 100'
        """
        text = self.texts[key]
        marked = any(isinstance(value, Markup) for value in values.values())
        return escape(text).format(**values) if marked else text.format(**values)

    def listed(self, parts: Iterable[str], between: str = "format.list") -> str:
        """Return parts one after the other.

        Examples
        --------
        >>> load_words().listed(["UPCR", foreign("il6")])
        Markup('UPCR, <span lang="en">il6</span>')
        """
        listed, sign = list(parts), self.texts[between]
        marked = any(isinstance(part, Markup) for part in listed)
        return (escape(sign) if marked else sign).join(listed)

    def name(self, group: str, key: str) -> str:
        """Return the name of something that data may bring: an analyte, a drug, a unit.

        Examples
        --------
        >>> load_words().name("drug", "mycophenolate_mofetil")
        'mycophenolate mofetil'
        >>> load_words().name("drug", "study_drug")
        'study drug'
        """
        return self.texts.get(f"{group}.{key}", key.replace("_", " "))

    def date(self, day: datetime.date | None) -> str:
        """Return a date as it is read aloud; nothing for none.

        Examples
        --------
        >>> load_words().date(datetime.date(2025, 3, 9)).split()
        ['9', 'Mar', '2025']
        """
        if day is None:
            return ""
        month = self.texts["format.months"].split()[day.month - 1]
        return self.say("format.date", day=day.day, month=month, year=day.year)

    def percent(self, share: float) -> str:
        """Return a share of 100 with as many digits as it bears.

        Examples
        --------
        >>> [load_words().percent(share).split() for share in (0.0042, 0.28, 0.997)]
        [['less', 'than', '1', '%'], ['28', '%'], ['more', 'than', '99', '%']]
        """
        if share < 0.01:
            return self.texts["format.least_percent"]
        if share > 0.99:
            return self.texts["format.most_percent"]
        return self.say("format.percent", percent=f"{100 * share:.0f}")

    def number(self, value: float) -> str:
        """Return a number with three digits, or with all before the point.

        Examples
        --------
        >>> [load_words().number(value) for value in (0.51234, 2.0, 1840.4)]
        ['0.512', '2', '1,840']
        """
        return self.figure(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")

    def figure(self, written: str) -> str:
        """Return a number that was written as in English with the signs of this language.

        Examples
        --------
        >>> Words({"format.decimal": ",", "format.thousands": "."}).figure("1,840.5")
        '1.840,5'
        """
        decimal, thousands = self.texts["format.decimal"], self.texts["format.thousands"]
        return written.translate({ord("."): decimal, ord(","): thousands})

    def unit(self, unit: str) -> str:
        """Return a UCUM unit as it is read.

        Examples
        --------
        >>> load_words().unit("mL/min/{1.73_m2}")
        'mL/min/1.73 m²'
        """
        return self.texts.get(f"unit.{unit}", unit)


def _flat(content: Mapping[str, Any], before: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            texts |= _flat(value, f"{before}{key}.")
        else:
            texts[before + key] = str(value)
    return texts


@cache
def load_words(language: str = "en") -> Words:
    """Read the texts of a language.

    Examples
    --------
    >>> load_words().say("site.name")
    'lnrisk'
    """
    file = Path(__file__).parent / f"words.{language}.toml"
    return Words(_flat(tomllib.loads(file.read_text(encoding="utf-8"))))
