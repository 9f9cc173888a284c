"""How much a laboratory value varies within a person whose disease stays as it is.

Assumes that values scatter log-normally around the person's usual one, independently from day to
day; a fever, a menstruation or an incomplete collection is part of no figure here.
"""

import tomllib
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..features.errors import DefinitionError, field_by_field

__all__ = ["Variation", "load_variation"]

Numbers = npt.NDArray[np.float64]

_LOWEST = 1e-6


class Coefficients(BaseModel):
    """Coefficient of variation of one kind of value, by its level.

    Parameters
    ----------
    levels : tuple of float
        Ascending, in the analyte's unit.
    coefficients : tuple of float
        At each level; all positive, or all 0 for a value that does not vary.
    source, unverified : str
        Where the figures come from, and what nobody has checked about them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    levels: tuple[float, ...] = Field(min_length=1)
    coefficients: tuple[float, ...]
    source: str
    unverified: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> "Coefficients":
        if len(self.levels) != len(self.coefficients):
            raise ValueError("give one coefficient for each level")
        if self.levels[0] <= 0 or (np.diff(self.levels) <= 0).any():
            raise ValueError("levels are positive and ascending")
        if min(self.coefficients) < 0 or (
            0 < np.count_nonzero(self.coefficients) < len(self.levels)
        ):
            raise ValueError("coefficients are all positive, or all 0")
        return self

    def log_sd(self, value: Numbers) -> Numbers:
        """Return the standard deviation of the logarithm of a value.

        Parameters
        ----------
        value : ndarray of float, any shape
            As measured; the usual value behind it is unknown.
        """
        if not any(self.coefficients):
            return np.zeros_like(value)
        at = np.log(np.maximum(value, _LOWEST))
        coefficient = np.exp(np.interp(at, np.log(self.levels), np.log(self.coefficients)))
        sd: Numbers = np.sqrt(np.log1p(coefficient**2))
        return sd


class Variation(BaseModel):
    """Within-person variation of what the rule reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    upcr: Coefficients
    protein_24h: Coefficients
    egfr: Coefficients

    @property
    def assumptions(self) -> list[str]:
        """What it takes for granted, in sentences."""
        said = []
        for name, label in (("upcr", "UPCR"), ("protein_24h", "24-h protein"), ("egfr", "eGFR")):
            kind: Coefficients = getattr(self, name)
            shown = ", ".join(
                f"{coefficient:.0%}" + (f" at {level:g}" if len(kind.levels) > 1 else "")
                for level, coefficient in zip(kind.levels, kind.coefficients, strict=True)
            )
            doubt = f" Not verified: {kind.unverified}." if kind.unverified else ""
            said.append(f"{label} varies by {shown} within a person ({kind.source}).{doubt}")
        return said


def load_variation(file: str | Path | None = None) -> Variation:
    """Read within-person variation from a TOML file; None gives ``model/variation.toml``.

    Raises
    ------
    DefinitionError
        The message names the field and what is accepted.

    Examples
    --------
    >>> load_variation().upcr.log_sd(np.array([0.18, 1.77, 4.0])).round(2)
    array([0.54, 0.18, 0.18])
    """
    path = Path(file) if file is not None else None
    name = path.name if path is not None else "variation.toml"
    try:
        if path is None:
            text = (resources.files(__package__) / name).read_text(encoding="utf-8")
        else:
            text = path.read_text(encoding="utf-8")
        return Variation.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError(f"{name}: not a readable TOML file: {error}") from error
    except ValidationError as error:
        what = f"{name}: not a table of within-person variation."
        raise DefinitionError(field_by_field(what, error)) from error
