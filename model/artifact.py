"""A trained model as data: coefficients, calibration, definition, feature dictionary, one file.

Assumes that whoever scores computes the features of the same names in the same way; the dictionary
in the file says how. A changed byte is refused, because the file carries its own hash.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.errors import ModelError
from ..features.laboratory import LANDMARK_MONTH, statistic_name
from ..features.summaries import STATISTICS
from ..features.trajectories import Trajectory, shrunken_dictionary, shrunken_values
from ..features.vocabulary import Scale
from .calibration_map import CalibrationMap, VennAbersMap
from .columns import Column, design_columns
from .definition import Definition
from .gaps import as_flags, never_together
from .linear import inverse_logit, linear_predictor
from .spread import Spread

__all__ = ["MODEL_FILE", "SCHEMA", "RiskModel", "Term"]

SCHEMA = "lnrisk.model/4"
MODEL_FILE = "lnrisk-model.json"
MARGIN = 0.05
"""Share of a term's training range that a value may lie beyond it."""

ROWS_TOGETHER = 256
"""Rows whose scores under every refit stay in a processor's cache."""

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.ArrayLike]


@dataclass(frozen=True)
class Term:
    """One feature of the model.

    Parameters
    ----------
    name, meaning, unit, table, look_back, formula : str
        The feature's entry in the dictionary.
    mean, scale : float
        Mean and standard deviation in the training data.
    lowest, highest : float
        Range in the training data.
    """

    name: str
    meaning: str
    unit: str
    table: str
    look_back: str
    formula: str
    mean: float
    scale: float
    lowest: float
    highest: float

    def shown(self, value: float) -> str:
        """Return a value with its unit as a clinician reads it; a logged level is shown as such."""
        if np.isnan(value):
            return "missing"
        unit = self.unit.replace("{1.73_m2}", "1.73 m2")
        if self.unit.startswith("ln(") and self.unit.endswith(")"):
            return f"{_three_digits(np.exp(value))} {self.unit[3:-1]}".replace(" x", "x")
        return _three_digits(value) + ("" if unit == "1" else f" {unit}")


def _three_digits(value: float) -> str:
    """Return a number with three digits or all that stand before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class RiskModel:
    """A calibrated model of who will meet the definition by the horizon.

    Parameters
    ----------
    landmarks : tuple of int
        Days after the index date that it was trained at; it scores on any day from the first to
        the last.
    horizon_days : int
        Days after the index date.
    outcome : {"rule", "registry"}
        Whose outcome was learned, and whose index date counts.
    definition : Definition
        The rule beside the risk.
    analytes : dict of str to {"log", "identity"}
        Trajectories among the features.
    trajectories : tuple of Trajectory
        What shrunken terms are made with.
    terms : tuple of Term
    columns : tuple of Column
        What the regression is of.
    intercept : float
    coefficients : tuple of float
        Of the linear predictor, per unit of each column.
    calibration : CalibrationMap
        From the linear predictor to the risk.
    venn_abers : VennAbersMap
        From the linear predictor to the pair of risks, had the patient been one more without or
        with the outcome.
    refits : tuple of tuple of float
        Calibrated intercept and coefficients of refits to bootstrap samples of the patients.
    spread : Spread, optional
        How far the risks of patients alike lie apart; None where training could not tell.
    missing_patterns : tuple of str
        Which terms were missing together in training, see `lnrisk.model.gaps`.
    required_feature : str
        Without it a patient is outside the model.
    training : dict
        What it was trained on: name and hash of the data, patients, events, whether simulated.
    sha256 : str
        Hash of the content; the model's version.
    """

    landmarks: tuple[int, ...]
    horizon_days: int
    outcome: str
    definition: Definition
    analytes: dict[str, Scale]
    trajectories: tuple[Trajectory, ...]
    terms: tuple[Term, ...]
    columns: tuple[Column, ...]
    intercept: float
    coefficients: tuple[float, ...]
    calibration: CalibrationMap
    venn_abers: VennAbersMap
    refits: tuple[tuple[float, ...], ...]
    spread: Spread | None
    missing_patterns: tuple[str, ...]
    required_feature: str
    training: dict[str, Any]
    sha256: str = ""

    @property
    def version(self) -> str:
        """The first twelve digits of the hash."""
        return self.sha256[:12]

    @property
    def synthetic(self) -> bool:
        """Whether the training patients were simulated."""
        return bool(self.training["synthetic"])

    @property
    def too_few(self) -> tuple[str, ...]:
        """What the training patients were too few for; empty where they were enough."""
        return tuple(self.training.get("too_few", ()))

    @cached_property
    def feature_names(self) -> list[str]:
        """Names of the terms, in order."""
        return [term.name for term in self.terms]

    @cached_property
    def input_names(self) -> list[str]:
        """Names of the columns that a risk is computed from."""
        series = [trajectory.name for trajectory in self.trajectories]
        shrunken = {feature.name for feature in shrunken_dictionary(series)}
        plain = [name for name in self.feature_names if name not in shrunken]
        groups = [name for t in self.trajectories[:1] for name in t.groups if name not in plain]
        statistics = [statistic_name(name, part) for name in series for part in STATISTICS]
        inputs = [self.required_feature, *plain, *groups, LANDMARK_MONTH, *statistics]
        return list(dict.fromkeys(inputs))

    def term_values(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the terms' values, shape (n_patients, n_terms); nan where missing.

        Raises
        ------
        ModelError
            When a column is absent.
        """
        absent = [name for name in self.input_names if name not in features.columns]
        if absent:
            raise ModelError(
                f"features lack {', '.join(absent[:5])}; the model needs "
                f"{len(self.input_names)} columns, missing values as nan."
            )
        values = self.terms_of(features)
        return pd.DataFrame(values, index=features.index, dtype=np.float64)

    def terms_of(self, columns: "Columns | pd.DataFrame") -> dict[str, Floats]:
        """Return the terms' values from columns of features, without a table."""
        made = shrunken_values(self.trajectories, columns, self.feature_names)
        return {
            name: made[name] if name in made else np.asarray(columns[name], dtype=np.float64)
            for name in self.feature_names
        }

    def design(self, features: pd.DataFrame) -> Floats:
        """Return the columns of the regression, shape (n_patients, n_columns)."""
        values = self.term_values(features)
        months = features[LANDMARK_MONTH].to_numpy(dtype=np.float64)
        return self.design_of(values, months)

    def design_of(self, values: "Columns | pd.DataFrame", months: Floats) -> Floats:
        """Return the columns of the regression from the terms' values and the landmark's month."""
        of = {name: np.asarray(values[name], dtype=np.float64) for name in self.feature_names}
        return design_columns(self.columns, {**of, LANDMARK_MONTH: months}, months)

    def contributions_of(self, design: Floats) -> Floats:
        """Return what each term adds to the linear predictor, shape (n_patients, n_terms).

        All columns of a term together; 0 for a term at its training mean, or with nothing shown.
        """
        parts = design * np.array(self.coefficients)
        of_term = [column.term for column in self.columns]
        shares = [
            parts[:, [name == term for name in of_term]].sum(axis=1) for term in self.feature_names
        ]
        return np.column_stack([np.empty((len(design), 0)), *shares])

    def coefficient(self, term: str) -> float:
        """Return the change in the linear predictor per unit of a term's column, at month 3."""
        return sum(
            coefficient
            for column, coefficient in zip(self.columns, self.coefficients, strict=True)
            if column.term == term and column.shape == "value" and not column.in_time
        )

    def predict(self, features: pd.DataFrame) -> Floats:
        """Return calibrated risks, shape (n_patients,); a row does not depend on the others.

        Raises
        ------
        ModelError
            When a column is absent.
        """
        return self.risk_of(self.design(features))

    def risk_of(self, design: Floats) -> Floats:
        """Return calibrated risks from the columns of the regression."""
        return self.calibration.risk(linear_predictor(design, self.coefficients, self.intercept))

    def pair(self, features: pd.DataFrame) -> tuple[Floats, Floats]:
        """Return the Venn-Abers pair: the risk had the patient been free of the outcome, or had it.

        One of the two is well calibrated, if patients are exchangeable with those in training; how
        far they are apart tells how much data there is near such a risk, not how one patient's
        risk may vary.
        """
        design = self.design(features)
        return self.venn_abers.pair(linear_predictor(design, self.coefficients, self.intercept))

    def interval(self, features: pd.DataFrame, level: float = 0.9) -> tuple[Floats, Floats]:
        """Return the range of risks over the refits: how much the training sample moves a risk.

        Parameters
        ----------
        features : DataFrame
        level : float, default=0.9
            Share of refits inside.

        Returns
        -------
        lower, upper : ndarray of float, shape (n_patients,)
            nan where the model has no refits.
        """
        return self.interval_of(self.design(features), level)

    def interval_of(self, design: Floats, level: float = 0.9) -> tuple[Floats, Floats]:
        """Return the range of risks over the refits, from the columns of the regression."""
        if not self.refits:
            nothing = np.full(len(design), np.nan)
            return nothing, nothing.copy()
        ends = np.empty((2, len(design)))
        for start in range(0, len(design), ROWS_TOGETHER):
            rows = slice(start, start + ROWS_TOGETHER)
            ends[:, rows] = self._refit_range(design[rows], level)
        return inverse_logit(ends[0]), inverse_logit(ends[1])

    def _refit_range(self, design: Floats, level: float) -> tuple[Floats, Floats]:
        """Return the range of the linear predictor over the refits."""
        scores = np.repeat(self._refits[:, :1], len(design), axis=1)
        product = np.empty_like(scores)
        for column, coefficients in zip(design.T, self._refits[:, 1:].T, strict=True):
            scores += np.multiply(column, coefficients[:, None], out=product)
        scores.sort(axis=0)
        return _quantile(scores, (1 - level) / 2), _quantile(scores, (1 + level) / 2)

    def range_of(
        self, risk: Floats, months: Floats, steady: tuple[Floats, Floats]
    ) -> tuple[Floats, Floats]:
        """Return the range that holds most risks of patients who look alike to the model.

        Parameters
        ----------
        risk : ndarray of float, shape (n_patients,)
        months : ndarray of float, shape (n_patients,)
            From the index date to the landmark.
        steady : tuple of ndarray of float, shape (n_patients,)
            The range over the refits; what it holds is not left out.

        Returns
        -------
        lower, upper : ndarray of float, shape (n_patients,)
            nan where the model does not know its spread.
        """
        if self.spread is None:
            return np.full(len(risk), np.nan), np.full(len(risk), np.nan)
        lower, upper = self.spread.range_of(risk, months)
        lowest, highest = np.fmin(steady[0], risk), np.fmax(steady[1], risk)
        return np.minimum(lower, lowest), np.maximum(upper, highest)

    @cached_property
    def _refits(self) -> Floats:
        return np.array(self.refits)

    def outside_range(self, features: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return which values lie outside the training data, shape (n_patients, n_terms)."""
        return self.outside_of(self.term_values(features).to_numpy())

    def outside_of(self, values: Floats) -> npt.NDArray[np.bool_]:
        """Return which of the terms' values lie outside the training data."""
        lowest, highest = self._range
        far: npt.NDArray[np.bool_] = (values < lowest) | (values > highest)
        return far

    @cached_property
    def _range(self) -> tuple[Floats, Floats]:
        """The lowest and the highest value of each term that is not outside."""
        lowest, highest = (
            np.array([getattr(term, end) for term in self.terms], dtype=np.float64)
            for end in ("lowest", "highest")
        )
        margin = MARGIN * (highest - lowest)
        return lowest - margin, highest + margin

    def unseen_missing(self, features: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return for whom these terms were never missing together in training."""
        return self.unseen_of(self.term_values(features).to_numpy())

    def unseen_of(self, values: Floats) -> npt.NDArray[np.bool_]:
        """Return which rows of the terms' values lack what was never missing together."""
        return never_together(values, self._seen_gaps)

    @cached_property
    def _seen_gaps(self) -> npt.NDArray[np.bool_]:
        return as_flags(self.missing_patterns, len(self.terms))

    def content(self) -> dict[str, Any]:
        """Return the model as plain data, without its hash."""
        plain = asdict(replace(self, definition=None))  # type: ignore[arg-type]
        plain.pop("sha256")
        plain |= {
            "calibration": self.calibration.to_dict(),
            "venn_abers": self.venn_abers.to_dict(),
        }
        rule = self.definition.model_dump(mode="json", exclude_none=True)
        return {"schema": SCHEMA, **plain, "definition": rule}

    def sealed(self) -> "RiskModel":
        """Return the model with the hash of its content."""
        return replace(self, sha256=_hash(self.content()))

    def to_json(self) -> str:
        """Return the model file's text."""
        return json.dumps({**self.content(), "sha256": self.sha256}, indent=1) + "\n"


def _quantile(ascending: Floats, share: float) -> Floats:
    """Return the linearly interpolated quantile of each column; as `numpy.quantile`, with less ado.

    Examples
    --------
    >>> _quantile(np.array([[1.0], [2.0], [4.0]]), 0.75)
    array([3.])
    """
    below, part = divmod(share * (len(ascending) - 1), 1.0)
    low = ascending[int(below)]
    high = ascending[min(int(below) + 1, len(ascending) - 1)]
    step = high - low
    quantile: Floats = low + step * part if part < 0.5 else high - step * (1.0 - part)
    return quantile


def _hash(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
