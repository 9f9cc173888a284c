"""Logistic regression with an elastic-net penalty, along a path of penalties.

Assumes columns on comparable scales, since one penalty holds all of them. Newton's method outside,
coordinate descent inside, each penalty starting from the solution of the stronger one before it;
columns that the strong rules set aside are looked at again before a solution is accepted. What is
to be exact is finished on the active set, since coordinates are slow where columns are much alike.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from .active_set import LEAST_INFORMATION, newton_on_active_set
from .descent import curvature_of, descend

__all__ = ["elastic_net_path", "strongest_penalty"]

Floats = npt.NDArray[np.float64]

ROUGHLY, EXACTLY = 1e-6, 1e-14
"""Largest last squared step of a coefficient, in units of the linear predictor's variance."""
ROUNDING = 1e-12  # of the objective, within which a step is not called uphill
NEWTON_STEPS = 100
CYCLES = 10_000
HALVINGS = 30


@dataclass(frozen=True)
class _Problem:
    """Columns as rows in memory, weights that add up to 1, and who is penalised by how much."""

    columns: Floats
    y: Floats
    weight: Floats
    factor: Floats

    def residual(self, solution: Floats) -> Floats:
        """Return the weighted residuals, shape (n_rows,)."""
        residual: Floats = self.weight * (self.y - expit(self.predictor(solution)))
        return residual

    def predictor(self, solution: Floats) -> Floats:
        used = np.flatnonzero(solution[1:])
        predictor: Floats = solution[0] + solution[1:][used] @ self.columns[used]
        return predictor

    def objective(self, solution: Floats, predictor: Floats, l1: Floats, l2: Floats) -> float:
        b = solution[1:]
        misfit = self.weight @ (np.logaddexp(0, predictor) - self.y * predictor)
        return float(misfit + l1 @ np.abs(b) + 0.5 * l2 @ b**2)


def _problem(X: Floats, y: Floats, weight: Floats, factor: Floats | None) -> _Problem:
    columns = np.ascontiguousarray(X.T, dtype=np.float64)
    factor = np.ones(len(columns)) if factor is None else factor
    return _Problem(columns, y.astype(np.float64), weight / weight.sum(), factor)


def strongest_penalty(
    X: Floats, y: Floats, weight: Floats, l1_ratio: float, factor: Floats | None = None
) -> float:
    """Return the least penalty at which every penalised coefficient is 0.

    Parameters
    ----------
    X, y, weight, l1_ratio, factor
        As in `elastic_net_path`.
    """
    problem = _problem(X, y, weight, factor)
    return _strongest(problem, _null(problem), l1_ratio)


def _strongest(problem: _Problem, null: Floats, l1_ratio: float) -> float:
    held = problem.factor > 0
    if not held.any():
        return 0.0
    gradient = np.abs(problem.columns[held] @ problem.residual(null))
    return float((gradient / problem.factor[held]).max() / l1_ratio)


def elastic_net_path(
    X: Floats,
    y: Floats,
    weight: Floats,
    penalties: Floats,
    l1_ratio: float,
    factor: Floats | None = None,
    exact: bool = True,
) -> Floats:
    """Minimise mean log loss + penalty * (l1_ratio * |b| + (1 - l1_ratio) / 2 * b^2) for each one.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Without nan.
    y : ndarray of shape (n_rows,)
        0 or 1, both with weight.
    weight : ndarray of shape (n_rows,)
        Positive; the loss is their weighted mean.
    penalties : ndarray of shape (n_penalties,)
        Descending.
    l1_ratio : float
        Between 0, exclusive, and 1.
    factor : ndarray of shape (n_columns,), optional
        By what each column's penalty is multiplied; 0 leaves it free. 1 without it.
    exact : bool
        To rounding; else to about a thousandth of the linear predictor's standard deviation.

    Returns
    -------
    ndarray of shape (n_penalties, 1 + n_columns)
        Intercept, which is not penalised, and coefficients.

    Raises
    ------
    ValueError
        When it does not converge, as where free columns separate the outcomes.

    References
    ----------
    Friedman J, Hastie T, Tibshirani R. Regularization paths for generalized linear models via
    coordinate descent. J Stat Softw 2010;33(1).
    Tibshirani R, et al. Strong rules for discarding predictors. J R Stat Soc B 2012;74:245.
    """
    problem = _problem(X, y, weight, factor)
    solution = _null(problem)
    before = _strongest(problem, solution, l1_ratio)
    path = np.empty((len(penalties), len(solution)))
    for position, penalty in enumerate(penalties):
        l1 = penalty * l1_ratio * problem.factor
        l2 = penalty * (1 - l1_ratio) * problem.factor
        slope = np.abs(problem.columns @ problem.residual(solution))
        likely = slope >= l1_ratio * (2 * penalty - before) * problem.factor
        chosen = likely | (solution[1:] != 0) | (problem.factor == 0)
        while True:
            solution = _newton(problem, l1, l2, solution, np.flatnonzero(chosen), ROUGHLY)
            if exact:
                solution = _exact(problem, l1, l2, solution, np.flatnonzero(chosen))
            slope = np.abs(problem.columns @ problem.residual(solution))
            missed = ~chosen & (slope > l1 * (1 + 1e-6))
            if not missed.any():
                break
            chosen |= missed
        path[position] = solution
        before = penalty
    return path


def _null(problem: _Problem) -> Floats:
    """Return the solution without any penalised column."""
    solution = np.zeros(1 + len(problem.columns))
    share = problem.weight @ problem.y
    solution[0] = np.log(share) - np.log1p(-share)
    free = np.flatnonzero(problem.factor == 0)
    if len(free):
        nothing = np.zeros(len(problem.columns))
        solution = _exact(problem, nothing, nothing, solution, free)
    return solution


def _newton(
    problem: _Problem,
    l1: Floats,
    l2: Floats,
    start: Floats,
    chosen: npt.NDArray[np.intp],
    tolerance: float,
) -> Floats:
    """Solve one penalty over the chosen columns."""
    solution, predictor = start, problem.predictor(start)
    value = problem.objective(solution, predictor, l1, l2)
    for _ in range(NEWTON_STEPS):
        risk = expit(predictor)
        information = problem.weight * np.maximum(risk * (1 - risk), LEAST_INFORMATION)
        curvature = curvature_of(problem.columns, information, chosen)
        proposed = solution.copy()
        cycles = descend(
            problem.columns,
            information,
            problem.weight * (problem.y - risk),
            curvature,
            l1,
            l2,
            proposed,
            chosen,
            tolerance,
            CYCLES,
        )
        if cycles < 0:
            raise ValueError(f"Coordinate descent did not converge in {CYCLES} cycles.")
        proposed, predictor, value = _downhill(
            problem, l1, l2, solution, predictor, proposed, value
        )
        moved = np.append((proposed[chosen + 1] - solution[chosen + 1]) ** 2 * curvature[chosen],
                          (proposed[0] - solution[0]) ** 2 * information.sum())  # fmt: skip
        solution = proposed
        if moved.max() <= tolerance:
            return solution
    raise ValueError(
        f"The regression did not converge in {NEWTON_STEPS} steps; the weakest penalty may be too "
        "weak for outcomes that the columns separate."
    )


def _exact(
    problem: _Problem, l1: Floats, l2: Floats, start: Floats, chosen: npt.NDArray[np.intp]
) -> Floats:
    """Solve one penalty to rounding from a rough solution."""
    given = (problem.columns, problem.y, problem.weight, l1, l2, start, chosen)
    solution = newton_on_active_set(*given)
    return _newton(problem, l1, l2, start, chosen, EXACTLY) if solution is None else solution


def _downhill(
    problem: _Problem,
    l1: Floats,
    l2: Floats,
    start: Floats,
    predictor: Floats,
    proposed: Floats,
    before: float,
) -> tuple[Floats, Floats, float]:
    """Take the step, halved until the objective does not rise."""
    step, change, share = proposed - start, problem.predictor(proposed) - predictor, 1.0
    for _ in range(HALVINGS):
        solution, predicted = start + share * step, predictor + share * change
        value = problem.objective(solution, predicted, l1, l2)
        if value <= before + ROUNDING * abs(before):
            return solution, predicted, value
        share /= 2
    return start, predictor, before
