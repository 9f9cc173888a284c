"""How many patients a model needs, and how many parameters the patients at hand can carry.

The criteria of Riley and colleagues for a binary outcome. They assume a regression fitted by plain
maximum likelihood to independent patients, and an AUROC that is foreseen and not hoped for; where
that AUROC is 0.85 or more they ask for too few, and a simulation should be run instead.
"""

from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtri, xlogy

__all__ = [
    "Criterion",
    "SampleSize",
    "affordable_parameters",
    "cox_snell_r2",
    "criteria",
    "sample_size",
]

SHRINKAGE = 0.9
OPTIMISM = 0.05
MARGIN = 0.05
NORMAL_975 = 1.959963984540054
FORMULA_TOO_LOW_FROM = 0.85
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Criterion:
    """What one criterion asks for.

    Parameters
    ----------
    criterion : str
        What is held within bounds.
    needed_patients, needed_events : int
    """

    criterion: str
    needed_patients: int
    needed_events: int


@dataclass(frozen=True)
class SampleSize:
    """What was at hand, what is needed, and what can be afforded.

    Parameters
    ----------
    patients, events : float
        At hand; effective numbers where patients are weighted.
    event_rate, anticipated_auroc : float
    parameters, affordable_parameters : int
        Wanted, and the most that every criterion allows.
    criteria : tuple of Criterion
    remarks : tuple of str
    """

    patients: float
    events: float
    event_rate: float
    anticipated_auroc: float
    parameters: int
    affordable_parameters: int
    criteria: tuple[Criterion, ...]
    remarks: tuple[str, ...]

    @property
    def needed_patients(self) -> int:
        """The most that any criterion asks for."""
        return max(one.needed_patients for one in self.criteria)

    @property
    def too_small(self) -> bool:
        """Whether more parameters are wanted than can be afforded."""
        return self.parameters > self.affordable_parameters

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as the results file holds it."""
        return {
            "patients": self.patients,
            "events": self.events,
            "event_rate": self.event_rate,
            "anticipated_auroc": self.anticipated_auroc,
            "parameters": self.parameters,
            "affordable_parameters": self.affordable_parameters,
            "criteria": [vars(one) for one in self.criteria],
            "too_small": self.too_small,
            "remarks": list(self.remarks),
        }


def cox_snell_r2(auroc: float, event_rate: float) -> float:
    """Cox-Snell R squared that goes with an AUROC [1]_.

    The linear predictor is taken as normal with one variance in patients with and without the
    outcome, so that the AUROC fixes how far apart they lie. The published method simulates it;
    here the expected log-likelihood is integrated, which is the simulation with no chance in it.

    Parameters
    ----------
    auroc : float
        From 0.5 to below 1.
    event_rate : float
        Between 0 and 1.

    References
    ----------
    .. [1] Riley RD, Van Calster B, Collins GS. A note on estimating the Cox-Snell R2 from a
       reported C statistic (AUROC) to inform sample size calculations for developing a prediction
       model with a binary outcome. Stat Med 2021;40:859-864.

    Examples
    --------
    >>> print(round(cox_snell_r2(0.78, 0.10), 3))
    0.096
    """
    _check_rates(auroc, event_rate)
    apart = sqrt(2.0) * float(ndtri(auroc))

    def log_likelihood(mean: float, outcome: float) -> float:
        x = mean + NODES
        log_odds = log(event_rate / (1 - event_rate)) + apart * x - apart**2 / 2
        return float(WEIGHTS @ (outcome * log_odds - np.logaddexp(0, log_odds)))

    with_model = event_rate * log_likelihood(apart, 1.0)
    with_model += (1 - event_rate) * log_likelihood(0.0, 0.0)
    return 1 - exp(-2 * (with_model - _null_log_likelihood(event_rate)))


def criteria(parameters: int, auroc: float, event_rate: float) -> tuple[Criterion, ...]:
    """Return how many patients each criterion asks for [1]_.

    1. The coefficients are expected to need a shrinkage of no less than 0.9.
    2. Nagelkerke's R squared is expected to be too high by no more than 0.05.
    3. The overall risk is known within 0.05 with 95 % confidence.

    Parameters
    ----------
    parameters : int
        Coefficients without the intercept, candidates included.
    auroc, event_rate : float
        As in :func:`cox_snell_r2`.

    References
    ----------
    .. [1] Riley RD, et al. Minimum sample size for developing a multivariable prediction model:
       part II, binary and time-to-event outcomes. Stat Med 2019;38:1276-1296.

    Examples
    --------
    >>> [one.needed_patients for one in criteria(15, auroc=0.78, event_rate=0.10)]
    [1332, 590, 139]
    """
    if parameters < 0:
        raise ValueError(f"`parameters` must not be negative, found {parameters}.")
    per_parameter = _patients_per_parameter(auroc, event_rate)
    needed = {name: parameters * each for name, each in per_parameter.items()}
    needed["overall risk within 0.05"] = _patients_for_the_overall_risk(event_rate)
    return tuple(
        Criterion(name, ceil(patients), ceil(ceil(patients) * event_rate))
        for name, patients in needed.items()
    )


def affordable_parameters(patients: float, auroc: float, event_rate: float) -> int:
    """Return the most parameters for which the patients meet every criterion.

    Parameters
    ----------
    patients : float
        At hand; an effective number where they are weighted.
    auroc, event_rate : float
        As in :func:`cox_snell_r2`.

    Examples
    --------
    >>> affordable_parameters(1332, auroc=0.78, event_rate=0.10)
    15
    >>> affordable_parameters(100, auroc=0.78, event_rate=0.10)
    0
    """
    each = _patients_per_parameter(auroc, event_rate)
    if patients < _patients_for_the_overall_risk(event_rate):
        return 0
    return floor(patients / max(each.values()))


def sample_size(patients: float, events: float, parameters: int, auroc: float) -> SampleSize:
    """Hold the patients at hand against the criteria.

    Parameters
    ----------
    patients, events : float
        At hand; effective numbers where they are weighted.
    parameters : int
        Wanted.
    auroc : float
        Anticipated.

    Raises
    ------
    ValueError
        If there are no events, or none without, or the AUROC is not between 0.5 and 1.
    """
    if not 0 < events < patients:
        raise ValueError(f"{events:g} events among {patients:g} patients; both outcomes are needed")
    rate = events / patients
    remarks: tuple[str, ...] = ()
    if auroc >= FORMULA_TOO_LOW_FROM:
        remarks = (
            f"At an AUROC of {auroc:.2f} the formula asks for too few patients, by half or more "
            "(doi 10.1186/s12874-024-02268-5); simulate instead.",
        )
    return SampleSize(
        patients=patients,
        events=events,
        event_rate=rate,
        anticipated_auroc=auroc,
        parameters=parameters,
        affordable_parameters=affordable_parameters(patients, auroc, rate),
        criteria=criteria(parameters, auroc, rate),
        remarks=remarks,
    )


def _patients_per_parameter(auroc: float, event_rate: float) -> dict[str, float]:
    explained = cox_snell_r2(auroc, event_rate)
    most = 1 - exp(2 * _null_log_likelihood(event_rate))
    shrinkages = {
        "shrinkage of at least 0.9": SHRINKAGE,
        "optimism in R squared of at most 0.05": explained / (explained + OPTIMISM * most),
    }
    if explained <= 0:
        return dict.fromkeys(shrinkages, float("inf"))
    return {
        name: 1 / ((shrinkage - 1) * log(1 - explained / shrinkage))
        for name, shrinkage in shrinkages.items()
    }


def _patients_for_the_overall_risk(event_rate: float) -> float:
    return (NORMAL_975 / MARGIN) ** 2 * event_rate * (1 - event_rate)


def _null_log_likelihood(event_rate: float) -> float:
    return float(xlogy(event_rate, event_rate) + xlogy(1 - event_rate, 1 - event_rate))


def _check_rates(auroc: float, event_rate: float) -> None:
    if not 0.5 < auroc < 1:
        raise ValueError(f"`auroc` must lie between 0.5 and 1, found {auroc}.")
    if not 0 < event_rate < 1:
        raise ValueError(f"`event_rate` must lie between 0 and 1, found {event_rate}.")
