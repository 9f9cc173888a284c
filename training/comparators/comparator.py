"""A comparator as an entry of ``comparators.toml``, and what it says of each row of features.

Assumes that a feature means what the publication meant; where it does not, the entry says so under
`unverified`. An input that is missing makes the answer missing, unless it is known all the same.
"""

import tomllib
from functools import cache, cached_property
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from ...model.kleene import UNKNOWN, YES, Answers, answer, any_of
from ...model.response import at_least, at_most

__all__ = ["Comparator", "comparators"]

Numbers = npt.NDArray[np.float64]

_COMPARISONS = ("above", "at_least", "below", "at_most")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Quantity(_Entry):
    """A feature, or one over another; with ``exp`` of a feature that is a logarithm."""

    feature: str
    over: str | None = None
    transform: Literal["exp"] | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features it is made of."""
        return (self.feature,) if self.over is None else (self.feature, self.over)

    def of(self, features: pd.DataFrame) -> Numbers:
        """Return its values, nan where a feature is missing; shape (n_rows,)."""
        first, *rest = (_column(features, name) for name in self.features)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = first / rest[0] if rest else first
        return np.exp(values) if self.transform == "exp" else values


class Question(Quantity):
    """Whether a quantity is above, at least, below or at most a threshold; exactly one of them."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> "Question":
        if sum(getattr(self, name) is not None for name in _COMPARISONS) != 1:
            raise ValueError(f"give exactly one of {', '.join(_COMPARISONS)}")
        return self

    def asked_of(self, features: pd.DataFrame) -> Answers:
        """Return yes, no or unknown for each row."""
        values = self.of(features)
        if self.above is not None:
            truth = ~at_most(values, self.above)
        elif self.at_least is not None:
            truth = at_least(values, self.at_least)
        elif self.below is not None:
            truth = ~at_least(values, self.below)
        else:
            assert self.at_most is not None
            truth = at_most(values, self.at_most)
        return answer(truth, known=~np.isnan(values))


class Term(_Entry):
    """A coefficient times a quantity, or times 1 where a question is answered yes."""

    coefficient: float
    of: Quantity | None = None
    when: Question | None = None

    @model_validator(mode="after")
    def _one_input(self) -> "Term":
        if (self.of is None) == (self.when is None):
            raise ValueError("give either of or when")
        return self

    @property
    def input(self) -> Quantity:
        """What the coefficient is multiplied with."""
        found = self.of or self.when
        assert found is not None
        return found

    def part(self, features: pd.DataFrame) -> Numbers:
        """Return its part of the linear predictor."""
        if self.when is None:
            return self.coefficient * self.input.of(features)
        return self.coefficient * _as_number(self.when.asked_of(features))


class Comparator(_Entry):
    """Something the model is compared with.

    Parameters
    ----------
    name, meaning, source, horizon : str
    kind : {"rule", "value", "published"}
        Its raw answer is 0 or 1, a number, or a linear predictor.
    unverified : str
        What nobody has checked at the source.
    requires : tuple of Question
        Where it may be asked at all.
    fails_when_any : tuple of Question
        Of a rule.
    value : Quantity
        Of a value.
    intercept, terms
        Of a published model; without an intercept its linear predictor is no risk.
    higher_is : {"worse", "better"}
        Whether a high value or linear predictor speaks for or against failing.
    """

    name: str
    kind: Literal["rule", "value", "published"]
    meaning: str
    source: str
    horizon: str
    unverified: str = ""
    requires: tuple[Question, ...] = ()
    fails_when_any: tuple[Question, ...] = ()
    value: Quantity | None = None
    intercept: float | None = None
    terms: tuple[Term, ...] = ()
    higher_is: Literal["worse", "better"] = "worse"

    @model_validator(mode="after")
    def _of_one_kind(self) -> "Comparator":
        given = {
            "rule": bool(self.fails_when_any),
            "value": self.value is not None,
            "published": bool(self.terms),
        }
        if [kind for kind, there in given.items() if there] != [self.kind]:
            raise ValueError("a rule has fails_when_any, a value value, a published model terms")
        return self

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """Names of the features it is made of, each once."""
        own = [self.value] if self.value is not None else []
        inputs = [*self.fails_when_any, *own, *(term.input for term in self.terms)]
        return tuple(dict.fromkeys(name for one in inputs for name in one.features))

    @property
    def gives_risk(self) -> bool:
        """Whether the raw answer can be read as a probability before any recalibration."""
        return self.kind == "rule" or self.intercept is not None

    def absent(self, features: pd.DataFrame) -> tuple[str, ...]:
        """Return the inputs that a table of features has no column for."""
        return tuple(name for name in self.needs if name not in features.columns)

    def raw(self, features: pd.DataFrame) -> Numbers:
        """Return what it says, high for failing.

        Parameters
        ----------
        features : DataFrame, shape (n_rows, n_columns)
            `FeatureTable.whole`, or rows of several landmarks.

        Returns
        -------
        ndarray of float, shape (n_rows,)
            0 or 1 of a rule, else a number or log-odds; nan where it is not computable.
        """
        if self.absent(features):
            return np.full(len(features), np.nan)
        if self.kind == "rule":
            raw = _as_number(any_of(*(one.asked_of(features) for one in self.fails_when_any)))
        elif self.value is not None:
            raw = self.value.of(features)
        else:
            parts = [term.part(features) for term in self.terms]
            raw = np.sum(parts, axis=0) + (self.intercept or 0.0)
        may_be_asked = np.ones(len(features), dtype=bool)
        for question in self.requires:
            may_be_asked &= question.asked_of(features) == YES
        signed = raw if self.higher_is == "worse" else -raw
        return np.where(may_be_asked, signed, np.nan)


def _column(features: pd.DataFrame, name: str) -> Numbers:
    if name not in features.columns:
        return np.full(len(features), np.nan)
    return features[name].to_numpy(dtype=np.float64)


def _as_number(answers: Answers) -> Numbers:
    return np.where(answers == UNKNOWN, np.nan, answers == YES)


@cache
def comparators() -> tuple[Comparator, ...]:
    """Return all comparators, in the order of the file.

    Examples
    --------
    >>> [one.name for one in comparators() if one.kind == "value"]
    ['last_upcr', 'upcr_change']
    """
    text = (resources.files(__package__) / "comparators.toml").read_text(encoding="utf-8")
    return tuple(Comparator.model_validate(one) for one in tomllib.loads(text)["comparator"])
