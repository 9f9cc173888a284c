"""Inputs, missingness and scores of the patients scored, beside those of the training data.

A patient counts once in a quarter where the log knows them by a pseudonym; otherwise every request
counts, and one patient asked about often weighs more than one asked about once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...model.artifact import RiskModel, Term
from ...model.drift import Shift, population_stability, share_interval, standardised_difference
from ...model.support import Bins, Support, mixture, support_in
from .recorded import Recorded

__all__ = ["FEWEST", "InputDrift", "ScoreDrift", "drift_of", "once_a_quarter", "quarter_of"]

FEWEST = 50
"""Patients below which nothing is said about a shift: chance alone would move it as far."""

CONSIDERABLE_INDEX, CONSIDERABLE_DIFFERENCE, CONSIDERABLE_MISSING = 0.2, 0.25, 0.1
"""Common rules of thumb for the index and the difference; what they mean for the risk, the
calibration tells."""


@dataclass(frozen=True)
class InputDrift:
    """One term.

    Parameters
    ----------
    name, meaning : str
    patients, known : int
    difference : Shift or None
        Of the mean, in standard deviations of the training data.
    index, chance : float or None
        Population stability index, and what chance exceeds once in twenty times.
    missing : Shift or None
    missing_in_training : float or None
    beyond : float or None
        Share of values outside the range of the training data.
    says : str
        ``steady``, ``moved``, or why there is too little to say.
    """

    name: str
    meaning: str
    patients: int
    known: int
    difference: Shift | None
    index: float | None
    chance: float | None
    missing: Shift | None
    missing_in_training: float | None
    beyond: float | None
    says: str


@dataclass(frozen=True)
class ScoreDrift:
    """The scores of one period.

    Parameters
    ----------
    period : str
    patients : int
    refused : int
        Asked about, and outside the model.
    mean : float or None
    index, chance : float or None
        As in `InputDrift`.
    says : str
    """

    period: str
    patients: int
    refused: int
    mean: float | None
    index: float | None
    chance: float | None
    says: str


def quarter_of(dates: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    """Return quarters as 2026-Q4."""
    return dates.dt.year.astype(str) + "-Q" + dates.dt.quarter.astype(str)


def once_a_quarter(recorded: Recorded) -> Recorded:
    """Return the first assessment of each known patient in each quarter, and all of the others."""
    table = recorded.assessments
    again = table.assign(quarter=quarter_of(table["as_of"])).duplicated(["subject", "quarter"])
    return recorded.of(~(again & table["subject"].notna()))


def drift_of(model: RiskModel, recorded: Recorded) -> tuple[list[InputDrift], list[ScoreDrift]]:
    """Return the drift of each term, and of the scores in all and by quarter.

    Parameters
    ----------
    model : RiskModel
        Whose answers these are.
    recorded : Recorded

    Raises
    ------
    ModelError
        When the model's support cannot be read.
    """
    once, supports = once_a_quarter(recorded), support_in(model.training)
    scored = once.of(once.assessments["status"] == "ok")
    support = _asked(supports, scored)
    inputs = [_input(term, scored.terms, support) for term in model.terms]
    quarters = quarter_of(once.assessments["as_of"])
    periods = [("all", quarters == quarters), *((q, quarters == q) for q in sorted(set(quarters)))]
    scores = [_scores(name, once.of(chosen), supports) for name, chosen in periods]
    return inputs, scores


def _asked(supports: dict[int, Support] | None, recorded: Recorded) -> Support | None:
    """Return the training data as it was at the landmarks that were asked about."""
    if supports is None:
        return None
    return mixture(supports, recorded.assessments["landmark"].to_numpy(np.float64))


def _input(term: Term, terms: pd.DataFrame, support: Support | None) -> InputDrift:
    here = term.name in terms
    values = terms[term.name].to_numpy(np.float64) if here else np.full(len(terms), np.nan)
    n, known = len(values), int((~np.isnan(values)).sum())
    bins = support.terms.get(term.name) if support else None
    missing = share_interval(n - known, n) if n else None
    missed = bins.missing if bins else None
    if n < FEWEST:
        says = f"too little to say: {n} patients, {FEWEST} are needed"
        return InputDrift(
            term.name, term.meaning, n, known, None, None, None, missing, missed, None, says
        )
    difference = index = chance = beyond = None
    if known >= FEWEST:
        mean = term.mean if bins is None or bins.mean is None else bins.mean
        difference = standardised_difference(values, mean, term.scale)
        index, chance = _index(bins, values, support)
        outside = (values < term.lowest) | (values > term.highest)
        beyond = float(outside.sum() / known)
    moved = [
        difference is not None
        and abs(difference.value) >= CONSIDERABLE_DIFFERENCE
        and not difference.lower <= 0 <= difference.upper,
        _considerable(index, chance),
        missing is not None
        and missed is not None
        and abs(missing.value - missed) >= CONSIDERABLE_MISSING
        and not missing.lower <= missed <= missing.upper,
    ]
    says = "moved" if any(moved) else "steady"
    if known < FEWEST and says == "steady":
        says = f"too little to say: {known} known values, {FEWEST} are needed"
    return InputDrift(
        term.name, term.meaning, n, known, difference, index, chance, missing, missed, beyond, says
    )


def _index(
    bins: Bins | None,
    values: npt.NDArray[np.float64],
    support: Support | None,
) -> tuple[float | None, float | None]:
    if bins is None or support is None or not bins.edges:
        return None, None
    return population_stability(np.array(bins.shares), bins.counts(values), support.patients)


def _considerable(index: float | None, chance: float | None) -> bool:
    return index is not None and chance is not None and index >= max(CONSIDERABLE_INDEX, chance)


def _scores(period: str, recorded: Recorded, supports: dict[int, Support] | None) -> ScoreDrift:
    table = recorded.assessments
    scored = recorded.of(table["status"] == "ok")
    risk = scored.assessments["risk"].to_numpy(np.float64)
    support = _asked(supports, scored)
    refused = int((table["status"] == "outside_model").sum())
    mean = float(risk.mean()) if len(risk) else None
    if len(risk) < FEWEST:
        says = f"too little to say: {len(risk)} scores, {FEWEST} are needed"
        return ScoreDrift(period, len(risk), refused, mean, None, None, says)
    index, chance = _index(support.risk if support else None, risk, support)
    says = "moved" if _considerable(index, chance) else "steady"
    if index is None:
        says = "the model holds no scores of the training data to compare with"
    return ScoreDrift(period, len(risk), refused, mean, index, chance, says)
