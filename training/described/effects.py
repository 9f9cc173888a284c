"""How the model sees its features: the risk along each, and three patients that nobody is.

Assumes the primary landmark, with every other feature at its mean there; a risk at a value is what
the model says of such a patient, not what changing the value would do.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...model.artifact import RiskModel
from ...model.terms import only_where_shown
from ..at_risk import AtRisk
from ..records import plain

__all__ = ["effects", "worked_patients"]

POINTS = 21
SHOWN_QUANTILES = (0.02, 0.98)
DAYS_PER_MONTH = 30.4375
DRIVERS = 3
_NAMES = {"low": 0.05, "typical": 0.5, "high": 0.95}
TENTH = 0.1

Floats = npt.NDArray[np.float64]


def effects(model: RiskModel, rows: AtRisk) -> list[dict[str, Any]]:
    """Return the risk along the middle 96 % of each feature's values, strongest first.

    Parameters
    ----------
    model : RiskModel
    rows : AtRisk

    Returns
    -------
    list of dict
        feature, meaning, unit, values (on their own scale where the feature is a logarithm),
        risks, at_landmark and coefficient.
    """
    values = _at_primary(model, rows)
    usual = values.mean()
    found = []
    for term in model.terms:
        known = values[term.name].dropna().to_numpy()
        if len(known) == 0:
            continue
        ends = np.quantile(known, SHOWN_QUANTILES)
        along = (
            np.unique(known)
            if len(np.unique(known)) <= 2
            else np.linspace(ends[0], ends[1], POINTS)
        )
        table = pd.DataFrame({name: np.full(len(along), mean) for name, mean in usual.items()})
        table[term.name] = along
        logged = term.unit.startswith("ln(")
        found.append(
            {
                "feature": term.name,
                "meaning": term.meaning,
                "unit": term.unit[3:-1] if logged else term.unit,
                "values": (np.exp(along) if logged else along).tolist(),
                "risks": _risks(model, table, rows.primary_landmark).tolist(),
                "at_landmark": rows.primary_landmark,
                "coefficient": model.coefficient(term.name),
            }
        )
    return sorted(found, key=lambda one: min(one["risks"]) - max(one["risks"]))


def worked_patients(
    model: RiskModel, rows: AtRisk, strongest: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return three made-up patients: the medians of a tenth of the patients each, by risk.

    Parameters
    ----------
    model : RiskModel
    rows : AtRisk
    strongest : sequence of str
        Features whose values are told first.
    """
    place_of = {name: number for number, name in enumerate(strongest)}
    ordered = sorted(model.terms, key=lambda term: place_of.get(term.name, len(place_of)))
    values = _at_primary(model, rows)
    risk = _risks(model, values, rows.primary_landmark)
    place = pd.Series(risk).rank(pct=True).to_numpy()
    usual = values.mean()
    usual[[name for name in usual.index if only_where_shown(name)]] = 0.0
    found = []
    for name, middle in _NAMES.items():
        near = np.abs(place - middle) <= TENTH / 2
        own = values[near].median().to_frame().T.reset_index(drop=True)
        months = _months(own, rows.primary_landmark)
        design = model.design_of(own, months)
        its_risk = model.risk_of(design)
        lower, upper = model.range_of(its_risk, months, model.interval_of(design))
        found.append(
            {
                "name": name,
                "risk": float(its_risk[0]),
                "lower": plain(lower[0]),
                "upper": plain(upper[0]),
                "text": [
                    {
                        "feature": term.name,
                        "meaning": term.meaning,
                        "value": term.shown(float(own[term.name].iloc[0])),
                    }
                    for term in ordered
                ],
                "drivers": _drivers(model, own, usual, rows.primary_landmark),
            }
        )
    return found


def _at_primary(model: RiskModel, rows: AtRisk) -> pd.DataFrame:
    at = rows.features[rows.primary & rows.each]
    inside = np.flatnonzero(~model.outside_range(at).any(axis=1))
    return model.term_values(at.iloc[inside]).reset_index(drop=True)


def _months(table: pd.DataFrame, landmark: int) -> Floats:
    return np.full(len(table), landmark / DAYS_PER_MONTH)


def _risks(model: RiskModel, values: pd.DataFrame, landmark: int) -> Floats:
    return model.risk_of(model.design_of(values, _months(values, landmark)))


def _drivers(model: RiskModel, own: pd.DataFrame, usual: pd.Series, landmark: int) -> list[str]:
    """Return the features that move this risk most from what it would be at their usual value."""
    here = float(_risks(model, own, landmark)[0])
    moved = {
        term: here - float(_risks(model, own.assign(**{term.name: usual[term.name]}), landmark)[0])
        for term in model.terms
    }
    strongest = sorted(moved, key=lambda term: -abs(moved[term]))[:DRIVERS]
    return [
        f"{term.meaning} {term.shown(float(own[term.name].iloc[0]))}: "
        f"{100 * moved[term]:+.1f} percentage points"
        for term in strongest
    ]
