"""Who leaves: a Cox model of the time to censoring, for weights that differ between patients.

Assumes that the hazard of leaving is a common curve times a factor for each patient, and that given
the covariates leaving says nothing of what is to come; what made a patient leave and is not among
them still biases the weighted risk.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

__all__ = ["CoxCensoring", "fit_cox_censoring"]

Floats = npt.NDArray[np.float64]

PENALTY = 1.0
"""Of the squared coefficients of standardised columns: without it a centre from which nobody left
has no finite coefficient."""
TOLERANCE = 1e-9
NEWTON_STEPS = 50
HALVINGS = 20


@dataclass(frozen=True)
class CoxCensoring:
    """A fitted model of the time to censoring.

    Parameters
    ----------
    coefficients : ndarray of float, shape (n_columns,)
    days : ndarray of float, shape (n_steps,)
        Ascending days on which someone was censored.
    hazard : ndarray of float, shape (n_steps,)
        Cumulative baseline hazard just after each (Breslow).
    """

    coefficients: Floats
    days: Floats
    hazard: Floats

    def just_before(self, days: Floats, columns: Floats) -> Floats:
        """Return each patient's probability of being uncensored up to, not including, a day."""
        position = np.searchsorted(self.days, days, side="left")
        hazard = np.concatenate([[0.0], self.hazard])[position]
        probability: Floats = np.exp(-hazard * np.exp(columns @ self.coefficients))
        return probability


def fit_cox_censoring(
    days: Floats,
    censored: npt.NDArray[np.bool_],
    columns: Floats,
    chance: Floats | None = None,
    penalty: float = PENALTY,
) -> CoxCensoring:
    """Fit by penalised partial likelihood, ties as Breslow has them.

    Parameters
    ----------
    days : ndarray of float, shape (n_rows,)
    censored : ndarray of bool, shape (n_rows,)
        An event on the day of a censoring comes before it.
    columns : ndarray of float, shape (n_rows, n_columns)
        Without missing values, best standardised.
    chance : ndarray of float, shape (n_rows,), optional
        Of each row, where a patient has one for each possible outcome; 1 by default, and for the
        censored.
    penalty : float, default=1.0

    References
    ----------
    Cox, J R Stat Soc B 1972;34:187; Breslow, Biometrics 1974;30:89.
    """
    people = np.ones(len(days)) if chance is None else chance
    risk_set = _RiskSets.of(days, censored, people)
    solution = np.zeros(columns.shape[1])
    loss, gradient, information = _partial(risk_set, columns, solution, penalty)
    for _ in range(NEWTON_STEPS):
        step = cho_solve(cho_factor(information), -gradient)
        decrement = -float(gradient @ step)
        if decrement <= TOLERANCE * len(days):
            break
        share = 1.0
        for _ in range(HALVINGS):
            tried = _partial(risk_set, columns, solution + share * step, penalty)
            if tried[0] <= loss:
                break
            share /= 2
        solution = solution + share * step
        loss, gradient, information = tried
    factor = np.exp(columns @ solution)
    hazard = np.cumsum(risk_set.lost / (risk_set.at_risk @ factor))
    return CoxCensoring(solution, risk_set.steps, hazard)


@dataclass(frozen=True)
class _RiskSets:
    """Who was at risk when someone was censored.

    Parameters
    ----------
    steps : ndarray of float, shape (n_steps,)
    lost : ndarray of float, shape (n_steps,)
    at_risk : ndarray of float, shape (n_steps, n_rows)
        The chance of who was, else 0; who had the event on that very day was not.
    leaves : ndarray of float, shape (n_rows,)
        1 for the censored.
    """

    steps: Floats
    lost: Floats
    at_risk: Floats
    leaves: Floats

    @classmethod
    def of(cls, days: Floats, censored: npt.NDArray[np.bool_], people: Floats) -> "_RiskSets":
        steps = np.unique(days[censored])
        later = days[None, :] > steps[:, None]
        same = (days[None, :] == steps[:, None]) & censored[None, :]
        lost = same.sum(axis=1).astype(np.float64)
        return cls(steps, lost, (later | same) * people, censored.astype(np.float64))


def _partial(
    sets: _RiskSets, columns: Floats, at: Floats, penalty: float
) -> tuple[float, Floats, Floats]:
    """Return the negative penalised partial log-likelihood, its gradient and its Hessian."""
    predictor = columns @ at
    factor = np.exp(predictor)
    total = sets.at_risk @ factor
    mean = (sets.at_risk @ (factor[:, None] * columns)) / total[:, None]
    share = sets.lost / total
    own = factor * (share @ sets.at_risk)
    loss = float(sets.lost @ np.log(total) - sets.leaves @ predictor + penalty / 2 * at @ at)
    gradient = sets.lost @ mean - sets.leaves @ columns + penalty * at
    information = (columns * own[:, None]).T @ columns - (mean * sets.lost[:, None]).T @ mean
    return loss, gradient, information + penalty * np.eye(len(at))
