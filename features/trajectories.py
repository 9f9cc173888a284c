"""Empirical-Bayes trajectories: a patient's level and slope at the landmark, with their error.

Values of an analyte are taken to scatter normally, on the analyte's scale, around a line with the
patient's own intercept and slope; intercepts and slopes scatter normally around the mean curve of
the drugs given. Where a patient's true course bends more than the mean curve does, or sicker
patients are measured more often because they are sicker, the level is pulled the wrong way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from .feature import Feature
from .laboratory import LANDMARK_MONTH, statistic_name
from .posterior import Posterior, posteriors
from .summaries import COMPILE_FROM_ROWS, STATISTICS
from .vocabulary import analytes

__all__ = [
    "Trajectory",
    "matrix_of",
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
        everyone, *groups = self._mean
        curve = np.repeat(everyone, len(given), axis=1)
        for more, column in zip(groups, given.T, strict=True):
            curve += column * more
        level, slope, bend = curve
        return level, slope, bend

    @cached_property
    def _mean(self) -> Numbers:
        return np.array(self.mean)[:, :, None]


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
    month = np.asarray(columns[LANDMARK_MONTH], dtype=np.float64) if models else np.empty(0)
    few = len(models) * len(month) < COMPILE_FROM_ROWS
    known: dict[str, Posterior] = {}
    for part in [models] if few else [[model] for model in models]:
        sums = [matrix_of(columns, _statistics_of(model.name), len(month)) for model in part]
        given = [matrix_of(columns, model.groups, len(month)) for model in part]
        found = posteriors(part, sums, given, month)
        known |= {model.name: each for model, each in zip(part, found, strict=True)}
    made = _made(tuple(known))
    return {name: made[name].of(known) for name in names if name in made}


def matrix_of(
    columns: "Mapping[str, npt.ArrayLike] | pd.DataFrame", names: Sequence[str], rows: int
) -> Numbers:
    """Return some columns side by side, shape (n_rows, n_names)."""
    made = np.empty((rows, len(names)))
    for position, name in enumerate(names):
        made[:, position] = columns[name]
    return made


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
        "probability that UPCR truly fell by 25 % or more, and eGFR too",
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
