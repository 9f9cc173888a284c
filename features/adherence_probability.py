"""One probability of adherence from all kinds of evidence, by naive Bayes on the log-odds scale.

Assumes that, given whether a patient adheres, kinds of evidence are independent; where a report
only repeats the refill record, both are counted and the probability is too sure of itself.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .days import Days
from .history import Numbers

__all__ = ["AdherenceModel", "Band", "adherence_model", "adherence_probability"]

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
    """

    lowest: float
    ratio: float
    source: str


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
        bands = self.bands[kind]
        lowest = np.array([band.lowest for band in bands])
        logs = np.log([band.ratio for band in bands])
        at = np.searchsorted(lowest, value + _ROUNDING, side="right") - 1
        inside = ~np.isnan(value) & (at >= 0)
        return np.where(inside, logs[np.maximum(at, 0)], np.nan)


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
        kind: tuple(Band(band["from"], band["ratio"], band["source"]) for band in entry["bands"])
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
