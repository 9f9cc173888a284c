"""Drugs and analytes that have a meaning of their own, read from the two TOML files beside this.

Assumes that a registry uses the names of the bundle format; a name that is not listed is kept and
reported, never guessed, so a misspelt drug has no role in the rule until someone reads the report.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

__all__ = ["ANCHOR_CLASSES", "Analyte", "Drug", "Scale", "analytes", "drugs", "drugs_with_role"]

Scale = Literal["log", "identity"]

ANCHOR_CLASSES = ("BEL", "CNI", "CYC", "MPA", "OBI")


@dataclass(frozen=True)
class Drug:
    """A drug and what it is to the definition.

    Parameters
    ----------
    name : str
    role : {"anchor", "rescue", "maintenance", "background"}
    route : {"oral", "infusion", "either"}
        How its dose is recorded: a total per day, one row per administration, or both.
    anchor_class : str
        One of `ANCHOR_CLASSES`; empty unless the role is ``anchor``.
    mycophenolate_mofetil_equivalent, prednisone_equivalent : float
        mg of the reference drug that 1 mg stands for; nan where that has no meaning.
    """

    name: str
    role: str
    route: str
    anchor_class: str = ""
    mycophenolate_mofetil_equivalent: float = float("nan")
    prednisone_equivalent: float = float("nan")


@dataclass(frozen=True)
class Analyte:
    """An analyte, its accepted units and the range outside which a value is odd.

    Parameters
    ----------
    name : str
    units : dict of str to float
        UCUM unit to the factor that gives the canonical unit, which is the first key.
    plausible : tuple of float
        Lowest and highest canonical value that raises no question.
    scale : {"log", "identity"}
        On which changes and slopes are taken.
    knot_days : float
        Days after the index date from which a mean curve may bend; inf where it may not.
    label : str
        How clinicians write it.
    """

    name: str
    units: dict[str, float]
    plausible: tuple[float, float]
    scale: Scale = "identity"
    knot_days: float = float("inf")
    label: str = ""

    @property
    def unit(self) -> str:
        """Canonical unit (UCUM)."""
        return next(iter(self.units))


def _read(name: str) -> dict[str, dict[str, object]]:
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _factor(value: object) -> float:
    numerator, _, denominator = str(value).partition("/")
    return float(numerator) / float(denominator or 1)


@cache
def drugs() -> dict[str, Drug]:
    """Return every drug with a role, by name.

    Examples
    --------
    >>> drugs()["voclosporin"].anchor_class
    'CNI'
    """
    entries = _read("drugs.toml")
    return {
        name: Drug(name, anchor_class=entry.pop("class", ""), **entry)  # type: ignore[arg-type]
        for name, entry in entries.items()
    }


def drugs_with_role(role: str) -> frozenset[str]:
    """Return the names of the drugs with a role.

    Examples
    --------
    >>> "rituximab" in drugs_with_role("rescue")
    True
    """
    return frozenset(drug.name for drug in drugs().values() if drug.role == role)


@cache
def analytes() -> dict[str, Analyte]:
    """Return every analyte with a canonical unit, by name.

    Examples
    --------
    >>> analytes()["upcr"].unit
    'g/g'
    >>> round(113.1 * analytes()["upcr"].units["mg/mmol"], 12)
    1.0
    """
    result = {}
    for name, entry in _read("analytes.toml").items():
        units: dict[str, object] = entry["units"]  # type: ignore[assignment]
        plausible: list[float] = entry["plausible"]  # type: ignore[assignment]
        factors = {unit: _factor(factor) for unit, factor in units.items()}
        result[name] = Analyte(
            name,
            factors,
            (plausible[0], plausible[1]),
            "log" if entry.get("scale") == "log" else "identity",
            float(str(entry.get("knot_days", "inf"))),
            str(entry.get("label", name)),
        )
    return result
