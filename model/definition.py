"""A definition of refractory lupus nephritis as a file of named parameters.

Assumes that what a definition may vary is a number, a window or the rule for *failed*; how courses
are built from treatments is the same in all of them.
"""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..features.errors import DefinitionError, field_by_field

__all__ = ["Condition", "Definition", "Rule", "load_definition", "presets"]

Arm = Literal["proteinuria", "egfr"]
Measure = Literal[
    "proteinuria",
    "proteinuria_ratio",
    "proteinuria_baseline",
    "egfr",
    "egfr_ratio",
    "egfr_baseline",
]
_COMPARISONS = ("above", "at_least", "below", "at_most")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Condition(_Part):
    """One comparison of a measure with a threshold.

    Parameters
    ----------
    measure : str
        Assessed proteinuria (g/g) or eGFR (mL/min/1.73 m2), its baseline, or assessed/baseline.
    above, at_least, below, at_most : float
        Exactly one of them.
    """

    measure: Measure
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> "Condition":
        if sum(getattr(self, name) is not None for name in _COMPARISONS) != 1:
            raise ValueError(f"give exactly one of {', '.join(_COMPARISONS)}")
        return self

    @property
    def arm(self) -> Arm:
        """The arm that the measure belongs to."""
        return "egfr" if self.measure.startswith("egfr") else "proteinuria"

    @property
    def arms(self) -> frozenset[Arm]:
        """The arms that are asked about, here one."""
        return frozenset({self.arm})

    @property
    def comparison(self) -> tuple[str, float]:
        """Name of the comparison and its threshold."""
        name = next(name for name in _COMPARISONS if getattr(self, name) is not None)
        return name, getattr(self, name)


class Rule(_Part):
    """Conditions joined by *all*, *any* or *none*; rules nest."""

    all: "tuple[Rule | Condition, ...] | None" = None
    any: "tuple[Rule | Condition, ...] | None" = None
    none: "tuple[Rule | Condition, ...] | None" = None

    @model_validator(mode="after")
    def _one_join(self) -> "Rule":
        parts = [part for part in (self.all, self.any, self.none) if part is not None]
        if len(parts) != 1 or not parts[0]:
            raise ValueError("give exactly one of all, any, none, with at least one condition")
        return self

    @property
    def join(self) -> "tuple[str, tuple[Rule | Condition, ...]]":
        """Name of the join and what it joins."""
        for name in ("all", "any", "none"):
            parts = getattr(self, name)
            if parts is not None:
                return name, parts
        raise AssertionError("a validated rule has a join")

    @property
    def arms(self) -> frozenset[Arm]:
        """The arms that some condition asks about."""
        return frozenset().union(*(part.arms for part in self.join[1]))


class Regimen(_Part):
    """How anchor classes make a regimen and when a new course opens; days."""

    joins_within_days: int = Field(ge=0)
    still_taken_on_day: int = Field(ge=0)
    maintenance_within_days: int = Field(ge=0)


class Window(_Part):
    """Days after the course's start that are assessed, and those that give the baseline."""

    first_day: int = Field(gt=0)
    last_day: int
    baseline_first_day: int
    baseline_last_day: int

    @model_validator(mode="after")
    def _in_order(self) -> "Window":
        if self.last_day < self.first_day or self.baseline_last_day < self.baseline_first_day:
            raise ValueError("a window ends on or after the day it begins")
        return self


class ProteinuriaWords(_Part):
    """When proteinuria is called at target, improved, unchanged or worsened (g/g, ratios)."""

    at_target: float = Field(ge=0)
    improved_at_most: float = Field(gt=0)
    worsened_from: float = Field(gt=0)


class EgfrWords(_Part):
    """When eGFR is called worsened, unchanged or improved (ratios)."""

    worsened_at_most: float = Field(gt=0)
    improved_from: float = Field(gt=0)


class Adequate(_Part):
    """What an adequate dose of each class is."""

    mpa_counted_from_day: int = Field(ge=0)
    mpa_mg_per_day: float = Field(gt=0)
    mpa_mg_per_day_with_cni: float = Field(gt=0)
    cyc_cumulative_mg: float = Field(gt=0)
    cni_share_of_days: float = Field(gt=0, le=1)
    tacrolimus_trough_ng_per_ml: float = Field(ge=0)


class Adherent(_Part):
    """Where each kind of evidence says yes or no."""

    share: float = Field(gt=0, le=1)
    hcq_blood_no_below: float
    hcq_blood_yes_from: float
    hcq_serum_no_below: float
    hcq_serum_yes_from: float
    missed_infusions_no_from: int = Field(ge=1)
    when_adherence_unknown: Literal["unknown", "assume_adherent"]


class Verdict(_Part):
    """How many regimens must fail, by when for training, and what is weighed beside."""

    different_regimens: int = Field(ge=1)
    horizon_days: int = Field(gt=0)
    chronicity_index_from: float = Field(ge=0)
    ifta_from: float = Field(ge=0)
    apol1_risk_alleles_from: int = Field(ge=0)


class Definition(_Part):
    """A definition of refractory lupus nephritis.

    Every part is described in docs/definition.md, sentence by sentence.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
    version: Annotated[str, Field(min_length=1)]
    source: str
    regimen: Regimen
    window: Window
    proteinuria: ProteinuriaWords
    egfr: EgfrWords
    failed: Rule
    adequate: Adequate
    adherent: Adherent
    verdict: Verdict

    def with_adherence_unknown(self, reading: str) -> "Definition":
        """Return the definition with another reading of unknown adherence."""
        content = self.model_dump(exclude_none=True)
        content["adherent"]["when_adherence_unknown"] = reading
        return Definition.model_validate(content)


def presets() -> tuple[str, ...]:
    """Return the names of the definitions that come with the package.

    Examples
    --------
    >>> presets()[0]
    'arora-2022'
    """
    folder = resources.files(__package__) / "definitions"
    return tuple(sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".toml")))


def _content(text: str, file: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{file}: not a TOML file: {error}") from error
    base = content.pop("based_on", None)
    if base is None:
        return content
    if base not in presets() or base in seen:
        raise DefinitionError(
            f"{file}: based_on {base!r} is no preset; accepted are {', '.join(presets())}."
        )
    merged = _content(_preset_text(base), f"{base}.toml", (*seen, base))
    for key, value in content.items():
        before = merged.get(key, {})
        tables = isinstance(value, dict) and isinstance(before, dict)
        merged[key] = {**before, **value} if tables and key != "failed" else value
    return merged


def _preset_text(name: str) -> str:
    folder = resources.files(__package__) / "definitions"
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def load_definition(name_or_file: str | Path = "arora-2022") -> Definition:
    """Read a preset by its name, or a definition file.

    Parameters
    ----------
    name_or_file : str or Path
        One of `presets`, or the path of a TOML file, which may say ``based_on = "PRESET"`` and
        then hold only what differs.

    Raises
    ------
    DefinitionError
        The message names the field and what is accepted.

    Examples
    --------
    >>> load_definition().window.first_day
    112
    """
    name = str(name_or_file)
    path = Path(name_or_file)
    if name in presets():
        text, file = _preset_text(name), f"{name}.toml"
    elif path.is_file():
        try:
            text, file = path.read_text(encoding="utf-8"), path.name
        except (OSError, UnicodeDecodeError) as error:
            raise DefinitionError(f"{path.name}: the file cannot be read: {error}") from error
    else:
        raise DefinitionError(
            f"{name!r} is neither a preset ({', '.join(presets())}) nor a file that exists."
        )
    try:
        return Definition.model_validate(_content(text, file))
    except ValidationError as error:
        raise DefinitionError(field_by_field(f"{file}: not a definition.", error)) from error
