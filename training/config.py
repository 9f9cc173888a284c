"""What a training run may be told, as a TOML file.

Assumes one horizon and one outcome per run; the risk at several landmarks is one model.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..features.errors import LnriskError, field_by_field
from ..features.pipeline import DEFAULT_ANALYTES
from ..features.vocabulary import Scale
from ..model.columns import Piece
from ..model.terms import Course, baseline_pieces, model_pieces, pieces_of

__all__ = ["TrainingConfig", "load_config"]

LANDMARKS = (0, 28, 56, 84, 112, 140, 182)
HEADLINE = 84


class Validation(BaseModel):
    """How much is done to find out how far the risk can be believed.

    Parameters
    ----------
    folds, repeats : int
        Of the cross-validation.
    resamples : int
        Bootstrap samples behind the interval of a figure.
    level : float
        Probability that an interval is to cover.
    learning_sizes : tuple of float
        Shares of the training patients at which the learning curve is drawn.
    centres, sensitivity : bool
        Whether each centre is predicted by the others, and whether all presets of the definition
        and readings of unknown adherence are tried.
    challengers : bool
        Whether boosting and an elastic net are tried in the same folds.
    smallest_cell : int
        Fewest people that a table shows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folds: int = Field(default=10, ge=2)
    repeats: int = Field(default=3, ge=1)
    resamples: int = Field(default=500, ge=50)
    level: float = Field(default=0.95, gt=0, lt=1)
    learning_sizes: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.2, 0.4, 0.6, 0.8)
    centres: bool = True
    sensitivity: bool = True
    challengers: bool = True
    smallest_cell: int = Field(default=10, ge=1)

    @classmethod
    def quick(cls) -> "Validation":
        """Return a small plan: everything once, for a demonstration or a test."""
        return cls(
            folds=3,
            repeats=1,
            resamples=100,
            learning_sizes=(0.5,),
            sensitivity=False,
            challengers=False,
        )


class TrainingConfig(BaseModel):
    """Parameters of a training run.

    Parameters
    ----------
    outcome : {"rule", "registry"}
        The definition's outcome, or the registry's own.
    definition : str
        A preset or a file; also the rule beside the risk.
    landmark_days : tuple of int
        Days after the index date that the model is trained at; one number is one landmark. The
        model scores on any day from the first to the last.
    primary_landmark : int
        The landmark that the headline figures are of: day 84 where it is among them, else the
        middle one.
    horizon_days : int
        Days after the index date.
    analytes : dict of str to {"log", "identity"}
        Analytes whose trajectories are features, and on which scale.
    course : {"shrunken", "least_squares", "least_squares_line", "last"}
        How an analyte's course is told to the model, see `lnrisk.model.terms`.
    classifier : {"best", "logistic", "elastic net"}
        What the model file holds: the simplest of those two that is within one standard error of
        the better one in nested cross-validation, or one of them in any case.
    terms : tuple of str, optional
        Features that enter the logistic regression, the most important first; by default those of
        `lnrisk.model.terms.model_pieces`. Where they are named, no other classifier is taken unless
        it is named too.
    anticipated_auroc : float
        What the sample size is reckoned with, before anyone has looked.
    censoring : {"kaplan-meier", "cox"}
        Whether all patients leave alike, or by baseline covariates and centre.
    indeterminate : {"chance", "weight"}
        Whether a patient whom the rule cannot judge enters with the chance of either outcome, or
        patients like them whom it can judge count for more.
    allow_small : bool
        Train on fewer patients than the criteria ask for; every output then says so.
    refits : int
        Bootstrap refits behind each risk's interval.
    seed : int
    validation : Validation
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Literal["rule", "registry"] = "rule"
    definition: str = "arora-2022"
    landmark_days: tuple[Annotated[int, Field(ge=0)], ...] = LANDMARKS
    horizon_days: int = Field(default=548, gt=0)
    analytes: dict[str, Scale] = Field(default_factory=lambda: dict(DEFAULT_ANALYTES), min_length=1)
    course: Course = "shrunken"
    classifier: Literal["best", "logistic", "elastic net"] = "best"
    terms: tuple[str, ...] | None = None
    anticipated_auroc: float = Field(default=0.8, gt=0.5, lt=1)
    allow_small: bool = False
    censoring: Literal["kaplan-meier", "cox"] = "kaplan-meier"
    indeterminate: Literal["chance", "weight"] = "chance"
    refits: int = Field(default=200, ge=0)
    seed: int = Field(default=0, ge=0)
    validation: Validation = Field(default_factory=Validation)

    @field_validator("landmark_days", mode="before")
    @classmethod
    def _several(cls, days: object) -> object:
        return tuple(days) if isinstance(days, list | tuple) else (days,)

    @model_validator(mode="after")
    def _in_order(self) -> "TrainingConfig":
        days = self.landmark_days
        if not days or list(days) != sorted(set(days)):
            raise ValueError("landmark_days must be one day or several, ascending")
        if self.horizon_days <= days[-1]:
            raise ValueError("horizon_days must be after landmark_days")
        return self

    @property
    def primary_landmark(self) -> int:
        """The landmark that the headline figures are of."""
        days = self.landmark_days
        return HEADLINE if HEADLINE in days else days[len(days) // 2]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What may enter the model, the most important first."""
        listed = pieces_of(self.terms) if self.terms else model_pieces(self.analytes, self.course)
        return (*baseline_pieces(self.landmark_days), *listed)

    def to_toml(self) -> str:
        """Return the configuration as `load_config` reads it."""
        plain = self.model_dump(mode="json", exclude_none=True)
        tables = {name: value for name, value in plain.items() if isinstance(value, dict)}
        lines = [_toml_line(name, plain[name]) for name in plain if name not in tables]
        for name, content in tables.items():
            lines += ["", f"[{name}]", *(_toml_line(key, value) for key, value in content.items())]
        return "\n".join([*lines, ""])

    def changed(self, **fields: object) -> "TrainingConfig":
        """Return the configuration with some fields replaced, validated again."""
        return TrainingConfig.model_validate({**self.model_dump(), **fields})


def _toml_line(name: str, value: object) -> str:
    """Return a setting; numbers, booleans, text and lists of them are written alike in JSON."""
    return f"{name} = {json.dumps(value)}"


def load_config(path: Path | None) -> TrainingConfig:
    """Read a configuration file; None gives the defaults.

    Raises
    ------
    LnriskError
        The message names the field and what is accepted.
    """
    if path is None:
        return TrainingConfig()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return TrainingConfig.model_validate(content)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LnriskError(f"{path.name}: not a readable TOML file: {error}") from error
    except ValidationError as error:
        what = f"{path.name}: not a training configuration."
        raise LnriskError(field_by_field(what, error)) from error
