"""Empirical-Bayes trajectories: a patient's level and slope at the landmark, with their error.

Values of an analyte are taken to scatter normally, on the analyte's scale, around a line with the
patient's own intercept and slope; intercepts and slopes scatter normally around the mean curve of
the drugs given. Where a patient's true course bends more than the mean curve does, or sicker
patients are measured more often because they are sicker, the level is pulled the wrong way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from .feature import Feature
from .laboratory import LANDMARK_MONTH, statistic_name
from .summaries import COMPILE_FROM_ROWS, STATISTICS
from .vocabulary import analytes

__all__ = [
    "Posterior",
    "Trajectory",
    "posterior",
    "shrunken_dictionary",
    "shrunken_features",
    "shrunken_values",
]

Numbers = npt.NDArray[np.float64]

_PROTEINURIA, _FILTRATION = "log_upcr", "egfr"
_LAIRD = "Laird & Ware, Biometrics 1982;38:963"
_FALLS = {"25": 0.25, "50": 0.50}


@dataclass(frozen=True)
class Trajectory:
    """The fitted trajectory model of one analyte.

    Parameters
    ----------
    name : str
        Name of the series, for example ``log_upcr``.
    groups : tuple of str
        Names of the 0/1 columns that shift the mean curve, such as ``given_cni``.
    mean : tuple of tuple of float, shape (1 + n_groups, 3)
        Level at the start, slope per month, and change of slope past the knot: for everyone, then
        what each group adds.
    variance : tuple of float
        Of the intercepts, covariance, and of the slopes, between patients.
    error : float
        Variance of a single value around the patient's line.
    knot : float or None
        Months after the index date from which the mean curve may bend; None where it may not.
    patients, values : int
        What it was fitted to.
    """

    name: str
    groups: tuple[str, ...]
    mean: tuple[tuple[float, float, float], ...]
    variance: tuple[float, float, float]
    error: float
    knot: float | None
    patients: int
    values: int

    def curve(self, given: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return the mean level, slope and bend of patients.

        Parameters
        ----------
        given : ndarray of float, shape (n_patients, n_groups)
        """
        everyone, *groups = np.array(self.mean)[:, :, None]
        curve = np.repeat(everyone, len(given), axis=1)
        for more, column in zip(groups, given.T, strict=True):
            curve += column * more
        level, slope, bend = curve
        return level, slope, bend


@dataclass(frozen=True)
class Posterior:
    """What is known of patients' lines; fields of shape (n_patients,), nan without any value.

    Parameters
    ----------
    level, slope : ndarray of float
        Posterior mean of the true level at the landmark and of the slope there, per month.
    level_sd, slope_sd : ndarray of float
    change : ndarray of float
        Posterior mean of the true level at the landmark minus that at the index date.
    change_sd : ndarray of float
    """

    level: Numbers
    slope: Numbers
    level_sd: Numbers
    slope_sd: Numbers
    change: Numbers
    change_sd: Numbers


@dataclass(frozen=True)
class _Line:
    """Posterior of intercept and slope deviations: means and covariance."""

    intercept: Numbers
    slope: Numbers
    v11: Numbers
    v12: Numbers
    v22: Numbers


def _line(model: Trajectory, sums: Numbers, curve: tuple[Numbers, Numbers, Numbers]) -> _Line:
    """Return the posterior given the values that are known exactly."""
    n, t, k, tt, tk, _, y, ty = (sums[:, column] for column in range(8))
    level, slope, bend = curve
    r1 = (y - (n * level + t * slope + k * bend)) / model.error
    r2 = (ty - (t * level + tt * slope + tk * bend)) / model.error
    v11, v12, v22 = _covariance(model.variance, n / model.error, t / model.error, tt / model.error)
    return _Line(v11 * r1 + v12 * r2, v12 * r1 + v22 * r2, v11, v12, v22)


def _covariance(
    variance: tuple[float, float, float], n: Numbers, t: Numbers, tt: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return ``inv(inv(D) + G)`` for 2 x 2 matrices, also where D is singular."""
    d11, d12, d22 = variance
    m11, m12 = 1.0 + d11 * n + d12 * t, d11 * t + d12 * tt
    m21, m22 = d12 * n + d22 * t, 1.0 + d12 * t + d22 * tt
    determinant = m11 * m22 - m12 * m21
    v11 = (m22 * d11 - m12 * d12) / determinant
    v12 = (m22 * d12 - m12 * d22) / determinant
    v22 = (m11 * d22 - m21 * d12) / determinant
    return v11, v12, v22


def _beyond(sums: Numbers, side: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return number, mean time, mean time past the knot and mean limit of values beyond a limit."""
    first = 10 if side < 0 else 14
    n = sums[:, first]
    t, k, limit = sums[:, first + 1 : first + 4].T / np.where(n > 0, n, 1.0)
    return n, t, k, limit


def with_limits(model: Trajectory, sums: Numbers, given: Numbers) -> tuple[Numbers, Numbers]:
    """Replace values beyond a detection limit by what is expected of them.

    The expectation is that of a normal value, given the patient's exact values, beyond the limit
    (exact for one such value; several on one side are taken at their mean time and limit).

    Parameters
    ----------
    model : Trajectory
    sums : ndarray of float, shape (n_patients, 18)
        As `lnrisk.features.summaries.trajectory_statistics` gives.
    given : ndarray of float, shape (n_patients, n_groups)

    Returns
    -------
    sums : ndarray of float, shape (n_patients, 18)
        With the expected values among the exact ones.
    variance : ndarray of float, shape (n_patients, 2)
        Of the value below and above the limit, 0 where there is none.
    """
    filled, spread = sums, np.zeros((len(sums), 2))
    if not sums[:, [10, 14]].any():
        return filled, spread
    filled = sums.copy()
    curve = model.curve(given)
    line = _line(model, sums, curve)
    for column, side in enumerate((-1, 1)):
        n, t, k, limit = _beyond(sums, side)
        centre = curve[0] + curve[1] * t + curve[2] * k + line.intercept + line.slope * t
        predictive = model.error + line.v11 + 2.0 * t * line.v12 + t * t * line.v22
        value, variance = _truncated(centre, np.sqrt(predictive), limit, side)
        some = n > 0
        spread[:, column] = np.where(some, variance, 0.0)
        value = np.where(some, value, 0.0)
        products = (np.ones_like(t), t, k, t * t, t * k, k * k)
        with_value = (value, t * value, k * value, value * value + spread[:, column])
        for position, term in enumerate((*products, *with_value)):
            filled[:, position] += n * term
    return filled, spread


def _truncated(
    centre: Numbers, deviation: Numbers, limit: Numbers, side: int
) -> tuple[Numbers, Numbers]:
    """Return mean and variance of normal values below (-1) or above (1) a limit."""
    from scipy.special import log_ndtr

    z = side * (centre - limit) / deviation
    hazard = np.exp(-0.5 * z * z - 0.5 * np.log(2.0 * np.pi) - log_ndtr(z))
    mean = centre + side * deviation * hazard
    variance = deviation * deviation * np.maximum(1.0 - hazard * (hazard + z), 0.0)
    return mean, variance


def posterior(model: Trajectory, sums: Numbers, given: Numbers, month: Numbers) -> Posterior:
    """Return what is known of patients' lines at their landmark.

    Parameters
    ----------
    model : Trajectory
    sums : ndarray of float, shape (n_patients, 18)
        Sufficient statistics up to the landmark.
    given : ndarray of float, shape (n_patients, n_groups)
        0 or 1; missing counts as 0.
    month : ndarray of float, shape (n_patients,)
        The landmark, months after the index date.

    Returns
    -------
    Posterior
        A patient's figures do not depend on who else is asked about.
    """
    if len(sums) < COMPILE_FROM_ROWS:
        return Posterior(*_posterior(model, sums, given, month))
    known = _without_limits(model, sums, given, month)
    limited = np.flatnonzero(sums[:, 10] + sums[:, 14] > 0)
    known[:, limited] = _posterior(model, sums[limited], given[limited], month[limited])
    return Posterior(*known)


def _without_limits(model: Trajectory, sums: Numbers, given: Numbers, month: Numbers) -> Numbers:
    """Return what `_posterior` does for patients without a value beyond a limit, compiled."""
    from .compiled import posterior_without_limits

    known = np.empty((6, len(sums)))
    mean, variance = np.array(model.mean), np.array(model.variance)
    knot = np.inf if model.knot is None else model.knot
    posterior_without_limits(sums, given, month, mean, variance, model.error, knot, known)
    return known


def _posterior(model: Trajectory, sums: Numbers, given: Numbers, month: Numbers) -> Numbers:
    """Return the six figures of a posterior, shape (6, n_patients)."""
    given = np.where(np.isnan(given), 0.0, given)
    curve = model.curve(given)
    filled, spread = with_limits(model, sums, given)
    line = _line(model, filled, curve)
    v11, v12, v22 = line.v11, line.v12, line.v22
    if spread.any():
        v11, v12, v22 = _widened(model, line, sums, spread)
    level, slope, bend = curve
    past = np.zeros_like(month) if model.knot is None else np.maximum(month - model.knot, 0.0)
    change = (slope + line.slope) * month + bend * past
    figures = (
        level + line.intercept + change,
        slope + np.where(past > 0, bend, 0.0) + line.slope,
        np.sqrt(v11 + 2.0 * month * v12 + month * month * v22),
        np.sqrt(v22),
        change,
        month * np.sqrt(v22),
    )
    return np.where(filled[:, 0] > 0, np.stack(figures), np.nan)


def _widened(
    model: Trajectory, line: _Line, sums: Numbers, spread: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the covariance of intercept and slope with that of the values beyond a limit."""
    v11, v12, v22 = line.v11, line.v12, line.v22
    for column, side in enumerate((-1, 1)):
        n, t, _, _ = _beyond(sums, side)
        gain1, gain2 = (
            v * n / model.error for v in (line.v11 + line.v12 * t, line.v12 + line.v22 * t)
        )
        v11 = v11 + gain1 * gain1 * spread[:, column]
        v12 = v12 + gain1 * gain2 * spread[:, column]
        v22 = v22 + gain2 * gain2 * spread[:, column]
    return v11, v12, v22


def shrunken_features(
    models: Sequence[Trajectory], columns: "Mapping[str, npt.ArrayLike] | pd.DataFrame"
) -> dict[Feature, Numbers]:
    """Return the features that trajectories give.

    Parameters
    ----------
    models : sequence of Trajectory
    columns : DataFrame, or mapping of str to array_like of shape (n_patients,)
        The statistics of `lnrisk.features.laboratory` and the columns of the groups.

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
        nan where the analyte was never measured.
    """
    entries = shrunken_dictionary([model.name for model in models])
    values = shrunken_values(models, columns, [entry.name for entry in entries])
    return {entry: values[entry.name] for entry in entries}


def shrunken_values(
    models: Sequence[Trajectory],
    columns: "Mapping[str, npt.ArrayLike] | pd.DataFrame",
    names: Iterable[str],
) -> dict[str, Numbers]:
    """Return some of the features that trajectories give; of other names, nothing."""
    known: dict[str, Posterior] = {}
    month = np.asarray(columns[LANDMARK_MONTH], dtype=np.float64) if models else np.empty(0)
    for model in models:
        sums = np.empty((len(month), len(STATISTICS)))
        for position, name in enumerate(_statistics_of(model.name)):
            sums[:, position] = columns[name]
        given = np.empty((len(month), len(model.groups)))
        for position, group in enumerate(model.groups):
            given[:, position] = columns[group]
        known[model.name] = posterior(model, sums, given, month)
    made = _made(tuple(known))
    return {name: made[name].of(known) for name in names if name in made}


@cache
def _statistics_of(series: str) -> tuple[str, ...]:
    return tuple(statistic_name(series, statistic) for statistic in STATISTICS)


def shrunken_dictionary(series: Iterable[str]) -> tuple[Feature, ...]:
    """Return the entries of the features that trajectories of some series give.

    Examples
    --------
    >>> [feature.name for feature in shrunken_dictionary(["albumin"])][:2]
    ['albumin_level', 'albumin_level_sd']
    """
    return tuple(made.entry for made in _made(tuple(series)).values())


@dataclass(frozen=True)
class _Made:
    """A feature and how it is made from the posteriors of all series."""

    entry: Feature
    of: Callable[[Mapping[str, Posterior]], Numbers]


@cache
def _made(series: tuple[str, ...]) -> Mapping[str, _Made]:
    """Return all features that trajectories of some series give, by name."""
    made = [each for name in series for each in _shrunken(name)]
    if _PROTEINURIA in series:
        made += _falls()
    if _PROTEINURIA in series and _FILTRATION in series:
        made.append(_together())
    return {each.entry.name: each for each in made}


def _entry(name: str, meaning: str, unit: str, formula: str) -> Feature:
    span = "day -90 to the landmark"
    return Feature(name, meaning, unit, "measurements", span, formula, _LAIRD)


def _shrunken(series: str) -> Iterator[_Made]:
    analyte = series.removeprefix("log_")
    listed = analytes().get(analyte)
    unit = listed.unit if listed else "unit of the registry"
    said = listed.label if listed else analyte
    unit = f"ln({unit})" if analyte != series else unit
    ratio = "ln(x)" if analyte != series else unit
    about = "posterior {} of the patient's own line, given those of all training patients"
    for name, field, meaning, of_unit, what in (
        ("level", "level", "level at the landmark", unit, "mean of the level"),
        ("level_sd", "level_sd", "uncertainty of the level", unit, "sd of the level"),
        ("slope", "slope", "slope at the landmark", f"{unit}/mo", "mean of the slope"),
        ("slope_sd", "slope_sd", "uncertainty of the slope", f"{unit}/mo", "sd of the slope"),
        ("shrunken_change", "change", "change since the index date", ratio, "mean of the change"),
    ):
        entry = _entry(f"{series}_{name}", f"{said}: {meaning}", of_unit, about.format(what))
        yield _Made(entry, partial(_figure, series, field))


def _figure(series: str, field: str, known: Mapping[str, Posterior]) -> Numbers:
    figure: Numbers = getattr(known[series], field)
    return figure


def _falls() -> Iterator[_Made]:
    """Give how likely it is that the true fall of proteinuria is less than a quarter, a half."""
    for percent, fall in _FALLS.items():
        entry = _entry(
            f"upcr_fall_below_{percent}",
            f"probability that proteinuria has truly fallen by less than {percent} %",
            "1",
            "normal posterior of the change of log UPCR since the index date",
        )
        yield _Made(entry, partial(_fall_below, fall))


def _fall_below(fall: float, known: Mapping[str, Posterior]) -> Numbers:
    upcr = known[_PROTEINURIA]
    return _probability_below(-upcr.change, upcr.change_sd, -np.log1p(-fall))


def _together() -> _Made:
    """Return how likely it is that proteinuria and eGFR both truly fell."""
    entry = _entry(
        "upcr_and_egfr_fall",
        "probability that proteinuria truly fell by 25 % or more while eGFR fell",
        "1",
        "product of the two posterior probabilities",
    )
    return _Made(entry, _both_fell)


def _both_fell(known: Mapping[str, Posterior]) -> Numbers:
    egfr = known[_FILTRATION]
    fell = 1.0 - _fall_below(_FALLS["25"], known)
    return fell * _probability_below(egfr.change, egfr.change_sd, 0.0)


def _probability_below(mean: Numbers, deviation: Numbers, threshold: float) -> Numbers:
    from scipy.special import ndtr

    some = deviation > 0
    z = (threshold - mean) / np.where(some, deviation, 1.0)
    certain = np.where(np.isnan(mean), np.nan, (mean < threshold).astype(float))
    return np.where(some, ndtr(z), certain)
