"""Maximum likelihood for trajectories, on sufficient statistics alone.

Assumes what `lnrisk.features.trajectories` assumes. The mean curve and the error variance are
profiled out, which leaves three numbers to search for; a variance may come out as 0 where the data
show no difference between patients.
"""

import numpy as np
import numpy.typing as npt

from .trajectories import Trajectory, with_limits

__all__ = ["FEWEST_PATIENTS", "fit_trajectory", "has_enough"]

Numbers = npt.NDArray[np.float64]

FEWEST_PATIENTS = 10
SMALLEST_GROUP = 20
FIRST_GUESS_PATIENTS = 20_000
ROUNDS_AT_LIMITS = 20
TOLERANCE = 1e-8
SMALLEST_ERROR = 1e-10
"""Least error variance as a share of the mean square: values without scatter are taken as such."""


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


def _search(
    profile: _Profile, start: Numbers, inverse_hessian: Numbers | None
) -> tuple[Numbers, Numbers]:
    from scipy.optimize import minimize

    options = {"gtol": TOLERANCE, "hess_inv0": inverse_hessian}
    with np.errstate(over="ignore", invalid="ignore"):
        found = minimize(profile, start, jac=True, method="BFGS", options=options)
    hessian = found.hess_inv if np.isfinite(found.hess_inv).all() else np.eye(3)
    profile(found.x)
    return found.x, (hessian + hessian.T) / 2.0


def _fit_exact(
    sums: Numbers, weight: Numbers, pattern: npt.NDArray[np.int64], groups: Numbers
) -> tuple[Numbers, Numbers, float]:
    """Return mean curve, covariance and error variance; the search starts from a part."""
    start, inverse_hessian = np.array([1.0, 0.0, 0.3]), None
    step = len(sums) // FIRST_GUESS_PATIENTS
    if step > 1:
        part = _Profile(sums[::step], weight[::step], pattern[::step], groups)
        start, inverse_hessian = _search(part, start, None)
    profile = _Profile(sums, weight, pattern, groups)
    l11, l21, l22 = _search(profile, start, inverse_hessian)[0]
    scaled = np.array([l11 * l11, l11 * l21, l21 * l21 + l22 * l22])
    return profile.mean, scaled * profile.error, profile.error


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
    model: Trajectory | None = None
    filled = _at_the_limit(sums)
    for _ in range(ROUNDS_AT_LIMITS):
        mean, variance, error = _fit_exact(filled, weight, pattern, rows)
        full = np.zeros((1 + len(groups), 3))
        full[np.flatnonzero(np.concatenate([[True], enough]))] = mean
        before, model = (
            model,
            Trajectory(
                name=name,
                groups=groups,
                mean=tuple((float(a), float(b), float(c)) for a, b, c in full),
                variance=(float(variance[0]), float(variance[1]), float(variance[2])),
                error=error,
                knot=float(knot) if np.isfinite(knot) else None,
                patients=len(sums),
                values=int(values),
            ),
        )
        if not sums[:, [10, 14]].any() or (before is not None and _alike(before, model)):
            break
        filled, _ = with_limits(model, sums, given)
    assert model is not None
    return model


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
