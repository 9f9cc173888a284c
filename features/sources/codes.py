"""What the codes of other systems are in a bundle, read from codes.toml and local additions.

Assumes that a code means what its system's publisher says; a code that is not listed is never
guessed, and a name decides only where no code is known, which the caller has to report.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ..errors import RegistryError
from ..said import Said
from ..tables import TABLES
from ..vocabulary import analytes

__all__ = ["Codes", "Meaning", "load_codes", "strength_mg"]

_GROUPS = {
    "analytes": "analyte",
    "drugs": "drug",
    "conditions": "condition",
    "procedures": "procedure",
    "biopsy_scores": "biopsy_score",
    "isn_rps_classes": "isn_rps_class",
}
_SETTINGS = (
    "systems",
    "units",
    "omop_units",
    "omop_operators",
    "refused",
    "not_systemic",
    "intravenous",
)
_NOT_CODES = ("names", "assumed", "why", "words", "said")
_CLOSED = {
    "conditions": ("sle", "lupus_nephritis", "kidney_failure"),
    "procedures": ("kidney_biopsy", "kidney_transplant"),
}
_STRENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(mcg|mg|g)\b(?!\s*/)", re.IGNORECASE)
_MG = {"mcg": 0.001, "mg": 1.0, "g": 1000.0}
_ANNOTATION = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Meaning:
    """What a code is.

    Parameters
    ----------
    kind : {"analyte", "drug", "condition", "procedure", "biopsy_score", "isn_rps_class", "refused"}
    name : str
        The bundle's name for it; for a refused code, why it is not used.
    assumed : str, default=""
        What reading the code so takes for granted.
    """

    kind: str
    name: str
    assumed: str = ""


@dataclass(frozen=True)
class Codes:
    """The codes of every system, and the spellings of units.

    Parameters
    ----------
    content : mapping
        The tables of codes.toml.
    """

    content: Mapping[str, Any]

    @cached_property
    def _systems(self) -> dict[str, str]:
        return {
            given.casefold(): name
            for name, known in self.content["systems"].items()
            for given in (name, *known)
        }

    def _meanings(self) -> Iterator[tuple[str, str, Meaning]]:
        for group, kind in _GROUPS.items():
            for name, entry in self.content.get(group, {}).items():
                meaning = Meaning(kind, name, _remark(entry, "assumed"))
                yield from _listed(entry, meaning)
        for entry in self.content.get("refused", ()):
            yield from _listed(entry, Meaning("refused", _remark(entry, "why")))

    @cached_property
    def _exact(self) -> dict[tuple[str, str, str], Meaning]:
        return {
            (m.kind, system, code): m for system, code, m in self._meanings() if code[-1] != "*"
        }

    @cached_property
    def _prefixes(self) -> list[tuple[str, str, Meaning]]:
        return [(s, code[:-1], m) for s, code, m in self._meanings() if code[-1] == "*"]

    @cached_property
    def _names(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile(rf"\b(?:{'|'.join(map(re.escape, entry['names']))})\b"), drug)
            for drug, entry in self.content["drugs"].items()
            if entry.get("names")
        ]

    @cached_property
    def _local_words(self) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{'|'.join(self.content['not_systemic']['words'])})\b")

    @cached_property
    def _units(self) -> frozenset[str]:
        known = {unit for analyte in analytes().values() for unit in analyte.units}
        return frozenset(known | {"mg", "g", "ug", "mL", "mg/m2", "mg/kg", "mg/d", "g/d"})

    def system(self, given: str | None) -> str:
        """Return our name for a code system; what is not known stays as it is.

        Examples
        --------
        >>> load_codes().system("http://loinc.org")
        'loinc'
        """
        return self._systems.get((given or "").casefold(), given or "")

    def find(self, kind: str, system: str | None, code: str | None) -> Meaning | None:
        """Return what a code means as this kind of thing, or why it is refused, or None.

        Examples
        --------
        >>> load_codes().find("analyte", "http://loinc.org", "2890-2").name
        'upcr'
        >>> load_codes().find("drug", "ATC", "C09AA03").name
        'raas_inhibitor'
        """
        if not code:
            return None
        place = self.system(system)
        found = self._exact.get((kind, place, code))
        if found is None:
            found = next(
                (
                    m
                    for s, begin, m in self._prefixes
                    if m.kind == kind and s == place and code.startswith(begin)
                ),
                None,
            )
        return found or self._exact.get(("refused", place, code))

    def codes_of(self, kind: str, system: str) -> list[str]:
        """Return every code of a system that means this kind of thing, without prefixes."""
        return sorted(code for k, s, code in self._exact if (k, s) == (kind, system))

    def drug_named(self, text: str) -> str | None:
        """Return the one drug that a product's name contains, or None.

        Examples
        --------
        >>> load_codes().drug_named("Mycophenolate Mofetil 500 MG Oral Tablet")
        'mycophenolate_mofetil'
        """
        found = {drug for pattern, drug in self._names if pattern.search(text.casefold())}
        return found.pop() if len(found) == 1 else None

    def is_local(self, text: str) -> bool:
        """Return whether a product's name says that it is not taken for the whole body.

        Examples
        --------
        >>> load_codes().is_local("cyclosporine 0.5 MG/ML Ophthalmic Suspension")
        True
        """
        return bool(self._local_words.search(text.casefold()))

    def listed(self, group: str, system: str | None, code: str | None) -> bool:
        """Return whether a code is in a list such as ``not_systemic`` or ``intravenous``."""
        return code in self.content[group].get(self.system(system), ())

    def unit(self, given: str | None) -> str:
        """Return a unit as the bundle spells it; what is not known stays as it is.

        Examples
        --------
        >>> load_codes().unit("mg/mmol{creat}")
        'mg/mmol'
        >>> load_codes().unit("furlong")
        'furlong'
        """
        text = (given or "").strip()
        if text in self._units:
            return text
        spelt = self.content["units"].get(text)
        if spelt is None:
            bare = _ANNOTATION.sub("", text)
            spelt = self.content["units"].get(bare, bare)
        return str(spelt) if spelt in self._units else text


def _listed(entry: Mapping[str, Any], meaning: Meaning) -> Iterator[tuple[str, str, Meaning]]:
    for system, codes in entry.items():
        if system not in _NOT_CODES:
            for code in codes:
                yield system, str(code), meaning


def strength_mg(text: str) -> float | None:
    """Return the amount in one piece of a product, in mg, where its name states exactly one.

    Examples
    --------
    >>> strength_mg("Mycophenolate Mofetil 500 MG Oral Tablet")
    500.0
    >>> strength_mg("tacrolimus 1 MG/ML Oral Suspension") is None
    True
    """
    found = _STRENGTH.findall(text)
    if len(found) != 1:
        return None
    amount, unit = found[0]
    return float(amount) * _MG[unit.casefold()]


def _remark(entry: Mapping[str, Any], key: str) -> str:
    """Return what is to be said of a code; of a local code, in the words of its file alone."""
    text = str(entry.get(key, ""))
    return Said(text, entry["said"], {}) if text and "said" in entry else text


def _check_local(content: Mapping[str, Any], name: str, systems: Mapping[str, Any]) -> None:
    accepted = {
        "analytes": None,
        "drugs": None,
        "biopsy_scores": [c.name for c in TABLES["biopsies"] if c.kind == "number"],
        "isn_rps_classes": next(c.choices for c in TABLES["biopsies"] if c.name == "isn_rps_class"),
        **_CLOSED,
    }
    for group, entries in content.items():
        if group not in _GROUPS and group not in _SETTINGS:
            raise RegistryError(
                f"{name}: unknown table [{group}]; accepted are "
                f"{', '.join((*_GROUPS, *_SETTINGS))}."
            )
        if group not in _GROUPS:
            continue
        for entry, codes in entries.items():
            names = accepted[group]
            if names is not None and entry not in names:
                raise RegistryError(f"{name}: [{group}.{entry}] is not one of {', '.join(names)}.")
            for system, listed in codes.items():
                if system in _NOT_CODES:
                    continue
                if system not in systems:
                    raise RegistryError(
                        f"{name}: [{group}.{entry}] names the system {system!r}, which [systems] "
                        f"does not; known are {', '.join(systems)}."
                    )
                if not isinstance(listed, list) or not all(str(code) for code in listed):
                    raise RegistryError(
                        f"{name}: [{group}.{entry}] {system} must be a list of codes."
                    )


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in more.items():
        held = result.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            result[key] = _merged(held, value)
        elif isinstance(held, list) and isinstance(value, list):
            result[key] = [*value, *held]
        else:
            result[key] = value
    return result


@cache
def load_codes(local: Path | None = None) -> Codes:
    """Return the codes, with those of a local file added.

    Parameters
    ----------
    local : Path, optional
        A TOML file of the same form, with a site's own codes.

    Raises
    ------
    RegistryError
        When the local file cannot be read or names what the bundle does not have.
    """
    text = (Path(__file__).parent / "codes.toml").read_text(encoding="utf-8")
    content: dict[str, Any] = tomllib.loads(text)
    if local is not None:
        try:
            more = tomllib.loads(local.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RegistryError(f"{local.name}: cannot be read: {error}") from error
        systems = {**content["systems"], **more.get("systems", {})}
        _check_local(more, local.name, systems)
        content = _merged(content, more)
    return Codes(content)
