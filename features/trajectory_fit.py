"""Maximum likelihood for trajectories, on sufficient statistics alone.

Assumes what `lnrisk.features.trajectories` assumes. The mean curve and the error variance are
profiled out, which leaves three numbers to search for; a variance may come out as 0 where the data
show no difference between patients.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .trajectories import Trajectory, with_limits

__all__ = ["FEWEST_PATIENTS", "fit_trajectory", "has_enough"]

Numbers = npt.NDArray[np.float64]

FEWEST_PATIENTS = 10
SMALLEST_GROUP = 20
FIRST_GUESS_PATIENTS = 20_000
ROUNDS_AT_LIMITS = 20
TOLERANCE = 1e-7
SMALLEST_ERROR = 1e-10
"""Least error variance as a share of the mean square: values without scatter are taken as such."""


@dataclass(frozen=True)
class _Found:
    """Where a search ended: the estimates, and what a next search may start from."""

    mean: Numbers
    variance: Numbers
    error: float
    factor: Numbers
    inverse_hessian: Numbers | None


_NOWHERE = _Found(np.zeros((0, 3)), np.zeros(3), 1.0, np.array([1.0, 0.0, 0.3]), None)


class _Profile:
    """The profile deviance per value as a function of the scaled covariance's Cholesky factor."""

    def __init__(
        self, sums: Numbers, weight: Numbers, pattern: npt.NDArray[np.int64], groups: Numbers
    ):
        self.sums, self.weight, self.pattern, self.groups = sums, weight, pattern, groups
        self.mean = np.zeros((groups.shape[1], 3))
        self.error = 1.0
        mean_square = float(weight @ sums[:, 9] / (weight @ sums[:, 0]))
        self.smallest_error = SMALLEST_ERROR * mean_square or SMALLEST_ERROR

    def __call__(self, factor: Numbers) -> tuple[float, Numbers]:
        """Return deviance and gradient at a factor (l11, l21, l22)."""
        from .compiled import add_gradient

        l11, l21, l22 = factor
        d = np.array([l11 * l11, l11 * l21, l21 * l21 + l22 * l22])
        count, log_determinant = self._solve_mean(d)
        gradient = np.zeros(3)
        curve = self.groups @ self.mean
        add_gradient(self.sums, self.weight, self.pattern, d, curve, self.error, gradient)
        g11, g12, g22 = gradient
        slope = 2.0 * np.array([g11 * l11 + g12 * l21, g12 * l11 + g22 * l21, g22 * l22])
        return float(np.log(self.error) + log_determinant / count), slope / count

    def _solve_mean(self, d: Numbers) -> tuple[float, float]:
        from .compiled import add_normal_equations

        patterns, size = len(self.groups), self.groups.shape[1] * 3
        matrix, right, total = np.zeros((patterns, 6)), np.zeros((patterns, 3)), np.zeros(3)
        add_normal_equations(self.sums, self.weight, self.pattern, d, matrix, right, total)
        square = matrix[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
        whole = np.einsum("pa,pb,pij->aibj", self.groups, self.groups, square).reshape(size, size)
        side = np.einsum("pa,pi->ai", self.groups, right).reshape(size)
        scale = np.sqrt(np.where(np.diag(whole) > 0, np.diag(whole), 1.0))
        solved = np.linalg.pinv(whole / np.outer(scale, scale), rcond=1e-10, hermitian=True)
        coefficients = solved @ (side / scale) / scale
        residual = total[0] - 2.0 * coefficients @ side + coefficients @ whole @ coefficients
        self.mean = coefficients.reshape(-1, 3)
        self.error = max(float(residual / total[2]), self.smallest_error)
        return float(total[2]), float(total[1])


def _search(profile: _Profile, start: _Found) -> _Found:
    from scipy.optimize import minimize

    options = {"gtol": TOLERANCE, "hess_inv0": start.inverse_hessian}
    with np.errstate(over="ignore", invalid="ignore"):
        found = minimize(profile, start.factor, jac=True, method="BFGS", options=options)
    profile(found.x)
    l11, l21, l22 = found.x
    scaled = np.array([l11 * l11, l11 * l21, l21 * l21 + l22 * l22])
    inverse = (found.hess_inv + found.hess_inv.T) / 2.0
    positive = np.isfinite(inverse).all() and (np.linalg.eigvalsh(inverse) > 0).all()
    known = inverse if positive else None
    return _Found(profile.mean, scaled * profile.error, profile.error, found.x, known)


def _fit_exact(
    sums: Numbers,
    weight: Numbers,
    pattern: npt.NDArray[np.int64],
    groups: Numbers,
    start: _Found,
) -> _Found:
    """Fit to statistics without limits; a first search looks at a part of many patients."""
    step = len(sums) // FIRST_GUESS_PATIENTS
    if start is _NOWHERE and step > 1:
        part = _Profile(sums[::step], weight[::step], pattern[::step], groups)
        start = _search(part, start)
    return _search(_Profile(sums, weight, pattern, groups), start)


def has_enough(sums: Numbers, weight: Numbers | None = None) -> bool:
    """Return whether enough patients have a value for a trajectory to be fitted."""
    seen = sums[:, [0, 10, 14]].sum(axis=1) > 0
    return int((seen if weight is None else seen & (weight > 0)).sum()) >= FEWEST_PATIENTS


def _patterns(given: Numbers) -> tuple[npt.NDArray[np.int64], Numbers]:
    """Return each patient's pattern of groups and the patterns with a leading 1."""
    code = (given @ (2.0 ** np.arange(given.shape[1]))).astype(np.int64)
    distinct, pattern = np.unique(code, return_inverse=True)
    bits = (distinct[:, None] >> np.arange(given.shape[1])) & 1
    return pattern, np.column_stack([np.ones(len(distinct)), bits]).astype(np.float64)


def fit_trajectory(
    name: str,
    sums: Numbers,
    given: Numbers,
    groups: tuple[str, ...],
    knot: float = np.inf,
    weight: Numbers | None = None,
) -> Trajectory:
    """Fit the trajectory model of one analyte by maximum likelihood.

    Parameters
    ----------
    name : str
    sums : ndarray of float, shape (n_patients, 18)
        As `lnrisk.features.summaries.trajectory_statistics` gives.
    given : ndarray of float, shape (n_patients, n_groups)
        0 or 1; missing counts as 0.
    groups : tuple of str
        Names of the columns of `given`. One with too few patients on either side shifts nothing.
    knot : float, default=inf
        The one that `sums` were made with.
    weight : ndarray of float, shape (n_patients,), optional

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError
        When too few patients of positive weight have a value.

    References
    ----------
    Laird & Ware, Biometrics 1982;38:963; Lindstrom & Bates, J Am Stat Assoc 1988;83:1014.
    """
    given = np.nan_to_num(np.asarray(given, dtype=np.float64)).reshape(len(sums), len(groups))
    weight = np.ones(len(sums)) if weight is None else np.asarray(weight, dtype=np.float64)
    used = (weight > 0) & (sums[:, [0, 10, 14]].sum(axis=1) > 0)
    sums, given, weight = np.ascontiguousarray(sums[used]), given[used], weight[used]
    values = float(sums[:, [0, 10, 14]].sum())
    if len(sums) < FEWEST_PATIENTS:
        raise ValueError(
            f"{name}: a trajectory needs values of at least {FEWEST_PATIENTS} patients, found "
            f"{len(sums)}."
        )
    enough = np.minimum(given.sum(axis=0), len(given) - given.sum(axis=0)) >= SMALLEST_GROUP
    pattern, rows = _patterns(given[:, enough])
    filled, found, model = _at_the_limit(sums), _NOWHERE, None
    for _ in range(ROUNDS_AT_LIMITS):
        found = _fit_exact(filled, weight, pattern, rows, found)
        before, model = model, _as_trajectory(name, groups, enough, found, knot)
        model = replace(model, patients=len(sums), values=int(values))
        if not sums[:, [10, 14]].any() or (before is not None and _alike(before, model)):
            break
        filled, _ = with_limits(model, sums, given)
    assert model is not None
    return model


def _as_trajectory(
    name: str,
    groups: tuple[str, ...],
    enough: npt.NDArray[np.bool_],
    found: _Found,
    knot: float,
) -> Trajectory:
    mean = np.zeros((1 + len(groups), 3))
    mean[np.flatnonzero(np.concatenate([[True], enough]))] = found.mean
    return Trajectory(
        name=name,
        groups=groups,
        mean=tuple((float(a), float(b), float(c)) for a, b, c in mean),
        variance=(float(found.variance[0]), float(found.variance[1]), float(found.variance[2])),
        error=found.error,
        knot=float(knot) if np.isfinite(knot) else None,
        patients=0,
        values=0,
    )


def _at_the_limit(sums: Numbers) -> Numbers:
    """Return statistics in which a value beyond a limit is the limit: where the search begins."""
    filled = sums.copy()
    for first in (10, 14):
        n, t, k, limit = (sums[:, first + column] for column in range(4))
        some = np.where(n > 0, n, 1.0)
        mean = limit / some
        terms = (n, t, k, t * t / some, t * k / some, k * k / some)
        for column, term in enumerate((*terms, limit, t * mean, k * mean, limit * mean)):
            filled[:, column] += term
    return filled


def _alike(one: Trajectory, other: Trajectory) -> bool:
    pairs = zip(
        (*one.variance, one.error, *np.ravel(one.mean)),
        (*other.variance, other.error, *np.ravel(other.mean)),
        strict=True,
    )
    scale = np.sqrt(other.error) + np.abs(np.ravel(other.mean)).max()
    return all(abs(a - b) <= 1e-6 * scale * (1 + scale) for a, b in pairs)
