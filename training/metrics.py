"""How well predicted risks agree with what happened: discrimination, calibration, overall error.

Weights are taken as given, with the assumption that the weighted rows stand for the patients who
will be asked about; intervals resample whole patients and hold the weights fixed. They are too
narrow when the weights were estimated from few patients, and when patients share a centre.
"""

from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._param_validation import Interval, validate_params

from ..model.calibration import logistic_line

__all__ = [
    "auroc",
    "bootstrap_intervals",
    "brier",
    "calibration_intercept",
    "calibration_slope",
    "log_loss",
    "observed_expected",
    "performance",
    "scaled_brier",
]

Floats = npt.NDArray[np.float64]

EXTREME = 1e-10  # risks are held this far from 0 and 1 before their log-odds are taken
BLOCK = 1_000_000  # rows times resamples held in memory at once


def auroc(y: Any, risk: Any, sample_weight: Any = None) -> Any:
    """Probability that a patient with the outcome has the higher risk; ties count one half.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Outcome, 0 or 1.
    risk : array-like of shape (n_rows,)
        Predicted risk between 0 and 1.
    sample_weight : array-like of shape (..., n_rows), default=None
        Non-negative weights. Rows of weight 0 are left out and may have any `y`; each leading
        index, as of a bootstrap, is answered by a value of its own.

    Returns
    -------
    float or ndarray of shape (...)
        NaN where only one class has weight.

    Raises
    ------
    ValueError
        If lengths differ, `y` is not 0/1, a risk lies outside 0 to 1, or a weight is negative.

    Examples
    --------
    >>> print(auroc([0, 0, 1, 1], [0.1, 0.3, 0.3, 0.9]))
    0.875
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    order = np.argsort(risk, kind="stable")
    starts = np.flatnonzero(np.diff(risk[order], prepend=-1.0))
    cases = np.add.reduceat((weight * y)[..., order], starts, axis=-1)
    controls = np.add.reduceat((weight * (1 - y))[..., order], starts, axis=-1)
    below = np.cumsum(controls, axis=-1) - controls / 2
    with np.errstate(invalid="ignore"):
        return (cases * below).sum(axis=-1) / (cases.sum(axis=-1) * controls.sum(axis=-1))


def brier(y: Any, risk: Any, sample_weight: Any = None) -> Any:
    """Mean squared difference between risk and outcome, 0 at best.

    Parameters
    ----------
    y, risk, sample_weight : array-like
        As in :func:`auroc`, errors included.

    Returns
    -------
    float or ndarray of shape (...)
        Between 0 and 1.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    return weight @ (risk - y) ** 2 / weight.sum(axis=-1)


def scaled_brier(y: Any, risk: Any, sample_weight: Any = None) -> Any:
    """Share of the Brier score of the prevalence that the risk takes away (Brier skill, IPA).

    Parameters
    ----------
    y, risk, sample_weight : array-like
        As in :func:`auroc`, errors included.

    Returns
    -------
    float or ndarray of shape (...)
        1 at best, 0 for the weighted prevalence, negative if worse; NaN where only one class
        has weight.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    prevalence = weight @ y / weight.sum(axis=-1)
    reference = prevalence * (1 - prevalence)
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = 1 - brier(y, risk, weight) / reference
    return np.where(reference > 0, skill, np.nan)[()]


def log_loss(y: Any, risk: Any, sample_weight: Any = None) -> Any:
    """Mean negative log-likelihood of the outcome, 0 at best.

    Parameters
    ----------
    y, risk, sample_weight : array-like
        As in :func:`auroc`, errors included.

    Returns
    -------
    float or ndarray of shape (...)
        In nats; finite, since no risk counts as nearer to 0 or 1 than the measures of calibration
        take it.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    at = log_odds(risk)
    return weight @ (np.logaddexp(0, at) - y * at) / weight.sum(axis=-1)


def calibration_intercept(y: Any, risk: Any, sample_weight: Any = None) -> Any:
    """Calibration-in-the-large: what must be added to all log-odds, the slope being held at 1.

    Parameters
    ----------
    y, risk, sample_weight : array-like
        As in :func:`auroc`, errors included.

    Returns
    -------
    float or ndarray of shape (...)
        0 at best, above 0 where risks are too low; NaN where only one class has weight.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    return logistic_line(log_odds(risk), y, weight, slope=1.0)[0][()]


def calibration_slope(y: Any, risk: Any, sample_weight: Any = None) -> Any:
    """Slope of the outcome's log-odds on those of the risk.

    Parameters
    ----------
    y, risk, sample_weight : array-like
        As in :func:`auroc`, errors included.

    Returns
    -------
    float or ndarray of shape (...)
        1 at best, below 1 where risks are too extreme. NaN where only one class has weight or
        all risks are equal; large but finite where the risk separates the classes.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    slope = logistic_line(log_odds(risk), y, weight)[1]
    several = (np.where(weight > 0, risk, -1).max(axis=-1)) > (
        np.where(weight > 0, risk, 2).min(axis=-1)
    )
    return np.where(several, slope, np.nan)[()]


def observed_expected(y: Any, risk: Any, sample_weight: Any = None) -> Any:
    """Ratio of the observed number of outcomes to the sum of the risks.

    Parameters
    ----------
    y, risk, sample_weight : array-like
        As in :func:`auroc`, errors included.

    Returns
    -------
    float or ndarray of shape (...)
        1 at best, above 1 where risks are too low; NaN if all risks are 0.
    """
    y, risk, weight = checked_rows(y, risk, sample_weight)
    expected = weight @ risk
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, weight @ y / expected, np.nan)[()]


_MEASURES: dict[str, Callable[[Any, Any, Any], Any]] = {
    measure.__name__: measure
    for measure in (
        auroc,
        brier,
        scaled_brier,
        calibration_intercept,
        calibration_slope,
        observed_expected,
    )
}


def performance(y: Any, risk: Any, sample_weight: Any = None) -> dict[str, Any]:
    """All six measures at once [1]_.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Outcome, 0 or 1.
    risk : array-like of shape (n_rows,) or (n_rows, n_repeats)
        Predicted risk; each measure is the mean over repeats, as of a repeated cross-validation.
    sample_weight : array-like of shape (..., n_rows), default=None
        As in :func:`auroc`, errors included.

    Returns
    -------
    dict
        The measures by the names of their functions.

    References
    ----------
    .. [1] Van Calster B, et al. Evaluation of performance measures in predictive artificial
       intelligence models to support medical decisions. Lancet Digital Health 2025;7:100916.
    """
    repeats = _columns(risk)
    return {
        name: np.mean([measure(y, repeat, sample_weight) for repeat in repeats], axis=0)[()]
        for name, measure in _MEASURES.items()
    }


@validate_params(  # type: ignore[untyped-decorator]
    {
        "resamples": [Interval(Integral, 1, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def bootstrap_intervals(
    y: Any,
    risk: Any,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    resamples: int = 500,
    random_state: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Percentile intervals of all six measures, resampling whole patients.

    The model is not fitted again: the interval says how well this set of patients measures the
    predictions, not how the predictions would vary had others been trained on.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Outcome, 0 or 1.
    risk : array-like of shape (n_rows,) or (n_rows, n_repeats)
        Predicted risk; each measure is the mean over repeats.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weights; a patient without weight is not resampled.
    groups : array-like of shape (n_rows,), default=None
        Patient of each row; without it every row is a patient of its own.
    resamples : int, default=500
        Number of bootstrap samples.
    random_state : int, default=0
        Seed of the resampling.
    level : float, default=0.95
        Probability that the interval is to cover.

    Returns
    -------
    DataFrame
        One row per measure with `estimate`, `lower`, `upper` and `resamples`, the number that the
        interval rests on: samples where the measure is undefined, as with one class, are skipped.

    Raises
    ------
    ValueError
        As in :func:`auroc`, or if a parameter is out of range.

    Examples
    --------
    >>> risk = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    >>> table = bootstrap_intervals([0, 0, 1, 0, 0, 1, 0, 1], risk, resamples=200)
    >>> table.loc[["auroc", "brier"]].round(2)
           estimate  lower  upper  resamples
    auroc      0.73   0.28   1.00        197
    brier      0.20   0.09   0.33        200
    """
    columns = _columns(risk).T
    rows = np.arange(len(columns)) if groups is None else groups
    patient = check_array(rows, ensure_2d=False, dtype=None)
    outcome = np.asarray(y)
    check_consistent_length(columns, outcome, patient)
    weight = _weights(sample_weight, len(columns))
    used = weight > 0
    outcome, columns, weight, patient = outcome[used], columns[used], weight[used], patient[used]

    estimate = performance(outcome, columns, weight)
    drawn = {name: np.empty(resamples) for name in estimate}
    first = 0
    for counts in drawn_counts(patient, resamples, random_state):
        block = slice(first, first + len(counts))
        for name, values in performance(outcome, columns, counts * weight).items():
            drawn[name][block] = values
        first = block.stop
    intervals = {name: percentile_interval(estimate[name], drawn[name], level) for name in estimate}
    return pd.DataFrame.from_dict(
        intervals, orient="index", columns=["estimate", "lower", "upper", "resamples"]
    )


def checked_rows(y: Any, risk: Any, sample_weight: Any) -> tuple[Floats, Floats, Floats]:
    """Return outcome, risk and weights as floats, without the rows that have no weight."""
    risk = check_array(risk, ensure_2d=False, dtype=np.float64)
    outcome = np.asarray(y)
    if risk.ndim != 1 or outcome.shape != risk.shape:
        raise ValueError(
            f"`y` and `risk` must be lists of one length, found {outcome.shape} and {risk.shape}."
        )
    weight = _weights(sample_weight, len(risk))
    used = weight.reshape(-1, len(risk)).any(axis=0)
    if not used.any():
        raise ValueError("`sample_weight` is 0 for every row.")
    outcome, risk, weight = outcome[used], risk[used], weight[..., used]
    if not np.isin(outcome, [0, 1]).all():
        raise ValueError(f"`y` must be 0 or 1, found {list(np.unique(outcome))[:5]}.")
    if risk.min() < 0 or risk.max() > 1:
        raise ValueError(f"`risk` must lie in 0 to 1, found {risk.min():g} to {risk.max():g}.")
    return outcome.astype(np.float64), risk, weight


def clustered_rows(
    y: Any, risk: Any, sample_weight: Any, groups: Any
) -> tuple[Floats, Floats, Floats, npt.NDArray[Any]]:
    """Return outcome, risk, weights and patient of the rows that have weight."""
    weight = np.ones(len(risk)) if sample_weight is None else np.asarray(sample_weight, float)
    patient = np.arange(len(risk)) if groups is None else np.asarray(groups)
    return *checked_rows(y, risk, weight), patient[weight > 0]


def _weights(sample_weight: Any, rows: int) -> Floats:
    if sample_weight is None:
        return np.ones(rows)
    weight: Floats = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape[-1:] != (rows,):
        raise ValueError(f"`sample_weight` must end in {rows} rows, found shape {weight.shape}.")
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(f"`sample_weight` must be finite and not negative, found {weight.min()}.")
    return weight


def _columns(risk: Any) -> Floats:
    """Return the repeats of a risk as rows."""
    values = check_array(risk, ensure_2d=False, dtype=np.float64)
    return np.atleast_2d(values.T)


def log_odds(risk: Floats) -> Floats:
    held = np.clip(risk, EXTREME, 1 - EXTREME)
    return np.log(held) - np.log1p(-held)


def drawn_counts(
    patient: npt.NDArray[Any], resamples: int, random_state: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield, block by block, how often each row is drawn when patients are drawn."""
    patients, position = np.unique(patient, return_inverse=True)
    rng = np.random.default_rng(random_state)
    block = max(1, BLOCK // len(patient))
    for first in range(0, resamples, block):
        size = min(block, resamples - first)
        share = np.full(len(patients), 1 / len(patients))
        yield rng.multinomial(len(patients), share, size=size)[:, position]


def percentile_interval(
    estimate: float, drawn: Floats, level: float
) -> tuple[float, float, float, int]:
    """Return the estimate, its percentile interval, and the number of resamples that count."""
    defined = drawn[np.isfinite(drawn)]
    if not len(defined):
        return estimate, np.nan, np.nan, 0
    lower, upper = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return estimate, lower, upper, len(defined)
