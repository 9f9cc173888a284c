"""Maximum likelihood for trajectories, on sufficient statistics alone.

Assumes what `lnrisk.features.trajectories` assumes. The mean curve and the error variance are
profiled out, which leaves three numbers to search for; a variance may come out as 0 where the data
show no difference between patients.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .posterior import with_limits
from .trajectories import Trajectory

__all__ = ["FEWEST_PATIENTS", "fit_trajectory", "has_enough"]

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

FEWEST_PATIENTS = 10
SMALLEST_GROUP = 20
FIRST_GUESS_PATIENTS = 5_000
ROUNDS_AT_LIMITS = 20
STEPS = 20
MOST_GROUPS = 10
TOLERANCE, GUESS_TOLERANCE, LEVEL = 1e-13, 1e-8, 1e-12
"""Fall of deviance per value that a step must promise for the search to go on, for a first guess,
and the rise that is rounding."""
STEEP, GRADIENT = 1e-3, 1e-7
"""Gradient that scoring must not leave behind, and that the more careful search ends at."""
SMALLEST_ERROR = 1e-10
"""Least error variance as a share of the mean square: values without scatter are taken as such."""

_FIRST, _SECOND = np.triu_indices(4)
_FULL = np.array([[0, 1, 2, 3], [1, 4, 5, 6], [2, 5, 7, 8], [3, 6, 8, 9]])
"""The ten pairs of 1, time, time past the knot and value; where a pair stands among them."""
_ORDERS = np.where(_FIRST == _SECOND, 1.0, 2.0)
_TWICE = np.stack([_ORDERS, np.ones(10), _ORDERS])
"""How often each product of a pair enters a sum of squares; both orders of 12 are summed."""


@dataclass(frozen=True)
class _Found:
    """Where a search ended; a next one may start from the factor."""

    mean: Numbers
    variance: Numbers
    error: float
    factor: Numbers


_NOWHERE = _Found(np.zeros((0, 3)), np.zeros(3), 1.0, np.array([1.0, 0.0, 0.3]))


class _Data:
    """What a trajectory is fitted to, and how much of it there is.

    ``rows`` (n_patterns, 1 + n_groups) are the patterns of groups with a leading 1, ``count`` the
    patients of each; ``enough`` says which columns may shift the mean curve.
    """

    def __init__(
        self, sums: Numbers, given: Numbers, weight: Numbers, pattern: Whole, rows: Numbers
    ):
        from .compiled import count_patterns

        self.sums, self.given, self.weight = sums, given, weight
        self.pattern, self.rows = pattern, rows
        count = np.zeros((len(rows), 2))
        self.limited = count_patterns(sums, weight, pattern, count)
        self.count = count[:, 0].astype(np.int64)
        self.patients, self.values = int(self.count.sum()), int(count[:, 1].sum())
        number = rows.T @ self.count
        self.enough = np.minimum(number, self.patients - number) >= SMALLEST_GROUP
        self.enough[0] = True


class _Profile:
    """The profile deviance per value as a function of the scaled covariance's Cholesky factor.

    ``factor``, ``mean`` and ``error`` are those of the last call, and ``information`` is the
    expected second derivative there.
    """

    def __init__(self, sums: Numbers, data: _Data):
        from .compiled import gather

        begin = np.concatenate([[0], np.cumsum(data.count)])
        self.columns, self.weight = np.empty((10, begin[-1])), np.empty(begin[-1])
        gather(sums, data.weight, data.pattern, begin[:-1].copy(), self.columns, self.weight)
        some = data.count > 0
        self.groups = data.rows[some][:, data.enough]
        self.both = (self.groups[:, :, None] * self.groups[:, None, :]).reshape(some.sum(), -1)
        self.begin = np.append(begin[:-1][some], begin[-1])
        self.factor, self.information = np.full(3, np.nan), np.zeros((3, 3))
        self.mean, self.error = np.zeros((0, 3)), 1.0
        mean_square = float(self.weight @ self.columns[9] / (self.weight @ self.columns[0]))
        self.smallest_error = SMALLEST_ERROR * mean_square or SMALLEST_ERROR

    def __call__(self, factor: Numbers) -> tuple[float, Numbers]:
        """Return deviance and gradient at a factor (l11, l21, l22)."""
        from .compiled import add_profile

        patterns = len(self.groups)
        left, outer = np.zeros((patterns, 10)), np.zeros((patterns, 3, 10))
        totals = np.zeros((patterns, 5))
        add_profile(self.columns, self.weight, self.begin, _covariance(factor), left, outer, totals)
        self.factor = factor
        if not np.isfinite(left).all():
            return np.inf, np.zeros(3)
        g11, g12, g22, count, log_determinant = totals.sum(axis=0)
        self._solve_mean(left, count)
        residual = np.column_stack([-self.groups @ self.mean, np.ones(patterns)])
        pairs = residual[:, _FIRST] * residual[:, _SECOND]
        squares = (pairs[:, None, :] * outer).sum(axis=0)
        lost = np.array([g11, g12, g22])
        gradient = lost - (squares * _TWICE).sum(axis=1) / self.error
        self.information = _information(factor, outer.sum(axis=0), lost, count)
        slope = gradient @ _derivative(factor)
        return float(np.log(self.error) + log_determinant / count), slope / count

    def _solve_mean(self, left: Numbers, count: float) -> None:
        """Set the mean curve and the error variance that are best at a covariance."""
        groups = self.groups.shape[1]
        cross = (self.both.T @ left)[:, _FULL[:3, :3]].reshape(groups, groups, 3, 3)
        whole = cross.transpose(0, 2, 1, 3).reshape(3 * groups, 3 * groups)
        side = (self.groups.T @ left[:, _FULL[:3, 3]]).ravel()
        scale = np.sqrt(np.where(np.diag(whole) > 0, np.diag(whole), 1.0))
        coefficients = _solve(whole / np.outer(scale, scale), side / scale, 1e-10) / scale
        total = left[:, _FULL[3, 3]].sum()
        residual = total - 2.0 * coefficients @ side + coefficients @ whole @ coefficients
        self.mean = coefficients.reshape(-1, 3)
        self.error = max(float(residual / count), self.smallest_error)

    def found(self, factor: Numbers) -> _Found:
        """Return the estimates at a factor."""
        if not np.array_equal(self.factor, factor):
            self(factor)
        return _Found(self.mean, _covariance(factor) * self.error, self.error, factor)


def _covariance(factor: Numbers) -> Numbers:
    l11, l21, l22 = factor
    return np.array([l11 * l11, l11 * l21, l21 * l21 + l22 * l22])


def _derivative(factor: Numbers) -> Numbers:
    """Return the derivative of the covariance's entries (11, twice 12, 22) on its factor's."""
    l11, l21, l22 = factor
    return 2.0 * np.array([[l11, 0.0, 0.0], [l21, l11, 0.0], [0.0, l21, l22]])


def _information(factor: Numbers, outer: Numbers, lost: Numbers, count: float) -> Numbers:
    """Return the expected second derivative on the factor, per value.

    ``outer`` holds sums of products of S = inv(I + G D) G with itself, ``lost`` those of S.
    """
    s1111, s1112, s1212 = outer[0, [0, 1, 4]]
    s1122, s1222, s2222 = outer[1, 1] - s1212, outer[2, 1], outer[2, 4]
    squares = np.array(
        [
            [s1111, s1112, s1212],
            [s1112, (s1122 + s1212) / 2.0, s1222],
            [s1212, s1222, s2222],
        ]
    )
    along = _derivative(factor)
    information: Numbers = along.T @ (squares - np.outer(lost, lost) / count) @ along / count
    return information


def _search(profile: _Profile, start: _Found) -> _Found:
    """Search with a method that takes nothing for granted."""
    from scipy.optimize import minimize

    with np.errstate(over="ignore", invalid="ignore"):
        found = minimize(profile, start.factor, jac=True, method="BFGS", options={"gtol": GRADIENT})
    return profile.found(found.x)


def _score(profile: _Profile, start: _Found, tolerance: float = TOLERANCE) -> _Found:
    """Take scoring steps until they promise no more; search from where they lead astray."""
    factor, before = start.factor, np.inf
    for _ in range(STEPS):
        with np.errstate(over="ignore", invalid="ignore"):
            deviance, gradient = profile(factor)
        if not deviance <= before + LEVEL:
            break
        step = _solve(profile.information, gradient, 1e-8)
        if gradient @ step < tolerance and np.abs(gradient).max() < STEEP:
            return profile.found(factor)
        before, factor = deviance, factor - step
    return _search(profile, start)


def _solve(matrix: Numbers, right: Numbers, smallest: float) -> Numbers:
    """Solve a symmetric system, without the directions of relatively small eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > smallest * values[-1]
    solved: Numbers = vectors[:, kept] @ ((right @ vectors[:, kept]) / values[kept])
    return solved


def has_enough(sums: Numbers, weight: Numbers | None = None) -> bool:
    """Return whether enough patients have a value for a trajectory to be fitted."""
    seen = _seen(sums)
    return int((seen if weight is None else seen & (weight > 0)).sum()) >= FEWEST_PATIENTS


def _seen(sums: Numbers) -> npt.NDArray[np.bool_]:
    some: npt.NDArray[np.bool_] = sums[:, 0] + sums[:, 10] + sums[:, 14] > 0
    return some


def _patterns(given: Numbers) -> tuple[Whole, Numbers]:
    """Return each patient's pattern of groups, and the patterns with a leading 1."""
    groups = given.shape[1]
    code = (given @ (2.0 ** np.arange(groups))).astype(np.int64)
    distinct = np.arange(2**groups)
    if groups > MOST_GROUPS:
        distinct, code = np.unique(code, return_inverse=True)
    bits = (distinct[:, None] >> np.arange(groups)) & 1
    return code, np.column_stack([np.ones(len(distinct)), bits]).astype(np.float64)


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
    pattern, rows = _patterns(given)
    every = _Data(sums, given, weight, pattern, rows)
    if every.patients < FEWEST_PATIENTS:
        raise ValueError(
            f"{name}: a trajectory needs values of at least {FEWEST_PATIENTS} patients, found "
            f"{every.patients}."
        )
    bend = float(knot) if np.isfinite(knot) else None
    unknown = (0.0, 0.0, 0.0)
    model = Trajectory(name, groups, (), unknown, 0.0, bend, every.patients, every.values)
    found, step = _NOWHERE, len(sums) // FIRST_GUESS_PATIENTS
    if step > 1:
        part = slice(None, None, step)
        fewer = _Data(sums[part], given[part], weight[part].copy(), pattern[part].copy(), rows)
        if fewer.patients >= FEWEST_PATIENTS:
            fewer.enough = every.enough
            found, model = _fit(fewer, found, model, GUESS_TOLERANCE)
    return _fit(every, found, model, TOLERANCE)[1]


def _fit(
    data: _Data, found: _Found, model: Trajectory, tolerance: float
) -> tuple[_Found, Trajectory]:
    """Fit to some patients, in rounds where some of their values lie beyond a limit."""
    if not data.limited:
        found = _score(_Profile(data.sums, data), found, tolerance)
        return found, _with_estimates(model, found, data.enough)
    beyond = data.sums[:, 10] + data.sums[:, 14] > 0
    limited = np.flatnonzero(beyond & (data.weight > 0))
    filled, censored = data.sums.copy(), data.sums[limited]
    filled[limited] = _at_the_limit(censored)
    for _ in range(ROUNDS_AT_LIMITS):
        if model.mean:
            filled[limited], _ = with_limits(model, censored, data.given[limited])
        found = _score(_Profile(filled, data), found, tolerance)
        before, model = model, _with_estimates(model, found, data.enough)
        if before.mean and _alike(before, model):
            break
    return found, model


def _with_estimates(model: Trajectory, found: _Found, enough: npt.NDArray[np.bool_]) -> Trajectory:
    mean = np.zeros((len(enough), 3))
    mean[enough] = found.mean
    return replace(
        model,
        mean=tuple((float(a), float(b), float(c)) for a, b, c in mean),
        variance=(float(found.variance[0]), float(found.variance[1]), float(found.variance[2])),
        error=found.error,
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
