"""What all kinds of evidence say of adherence: one probability, and whether any shows nonadherence.

The probability is naive Bayes on the log-odds scale: it assumes that, given whether a patient
adheres, kinds of evidence are independent; where a report only repeats the refill record, both are
counted and the probability is too sure of itself.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .days import Days
from .given import Flags
from .history import Numbers

__all__ = [
    "AdherenceModel",
    "Band",
    "adherence_model",
    "adherence_probability",
    "nonadherence_shown",
]

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Band:
    """Values from `lowest` up to the next band, and what they say.

    Parameters
    ----------
    lowest : float
    ratio : float
        Likelihood of such a value in who adheres over that in who does not.
    source : str
    shows_nonadherence : bool
        Whether the definition takes it as objective evidence that treatment was not taken.
    """

    lowest: float
    ratio: float
    source: str
    shows_nonadherence: bool = False


@dataclass(frozen=True)
class AdherenceModel:
    """What ``adherence.toml`` says.

    Parameters
    ----------
    prior : float
        Probability of adherence without evidence.
    hydroxychloroquine_days, infusion_days : int
    bands : mapping of str to tuple of Band
        By kind of evidence.
    """

    prior: float
    hydroxychloroquine_days: int
    infusion_days: int
    bands: Mapping[str, tuple[Band, ...]]

    def log_ratio(self, kind: str, value: Numbers) -> Numbers:
        """Return the log of the likelihood ratio of each value; nan where it is nan."""
        inside, at = self._band_of(kind, value)
        logs = np.log([band.ratio for band in self.bands[kind]])
        return np.where(inside, logs[at], np.nan)

    def shows_nonadherence(self, kind: str, value: Numbers) -> Flags:
        """Return which values show that treatment was not taken; False where a value is nan."""
        inside, at = self._band_of(kind, value)
        shows: Flags = np.array([band.shows_nonadherence for band in self.bands[kind]])[at]
        return inside & shows

    def _band_of(self, kind: str, value: Numbers) -> tuple[Flags, Days]:
        lowest = np.array([band.lowest for band in self.bands[kind]])
        at = np.searchsorted(lowest, value + _ROUNDING, side="right") - 1
        return ~np.isnan(value) & (at >= 0), np.maximum(at, 0)


def _band(**content: Any) -> Band:
    return Band(content.pop("from"), **content)


@cache
def adherence_model() -> AdherenceModel:
    """Return the prior and the likelihood ratios.

    Examples
    --------
    >>> adherence_model().prior
    0.75
    """
    content = tomllib.loads((Path(__file__).parent / "adherence.toml").read_text(encoding="utf-8"))
    bands = {
        kind: tuple(_band(**band) for band in entry["bands"])
        for kind, entry in content["evidence"].items()
    }
    return AdherenceModel(content["prior"], **content["validity"], bands=bands)


def adherence_probability(evidence: Mapping[str, Numbers]) -> tuple[Numbers, Days]:
    """Return the probability of adherence, and the number of kinds of evidence behind it.

    Parameters
    ----------
    evidence : mapping of str to ndarray of float, shape (n_patients,)
        Per kind of ``adherence.toml``; nan where there is none.

    Returns
    -------
    probability : ndarray of float, shape (n_patients,)
        The prior where there is no evidence.
    kinds : ndarray of int, shape (n_patients,)

    Examples
    --------
    Odds of 3 to 1, times 3 for full refills, times 0.4 for a clinician's no: 3.6 to 1.

    >>> full, no = np.array([1.0]), np.array([0.0])
    >>> probability, kinds = adherence_probability({"refills": full, "clinician": no})
    >>> probability.round(3).tolist(), kinds.tolist()
    ([0.783], [2])
    """
    model = adherence_model()
    logs = np.stack([model.log_ratio(kind, value) for kind, value in evidence.items()])
    given = ~np.isnan(logs)
    log_odds = np.log(model.prior / (1 - model.prior)) + np.where(given, logs, 0.0).sum(axis=0)
    return 1 / (1 + np.exp(-log_odds)), given.sum(axis=0).astype(np.int64)


def nonadherence_shown(evidence: Mapping[str, Numbers]) -> Flags:
    """Return whether any kind of evidence shows that treatment was not taken.

    Parameters
    ----------
    evidence : mapping of str to ndarray of float, shape (n_patients,)
        As `adherence_probability` takes it.

    Returns
    -------
    ndarray of bool, shape (n_patients,)
        False where none does, which is no evidence of adherence: there may be none at all.

    Examples
    --------
    >>> nonadherence_shown({"refills": np.array([0.79, 0.8, np.nan])}).tolist()
    [True, False, False]
    """
    model = adherence_model()
    each = [model.shows_nonadherence(kind, value) for kind, value in evidence.items()]
    shown: Flags = np.any(each, axis=0)
    return shown
