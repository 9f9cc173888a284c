"""Which calibration: the fewer the outcomes, the fewer the numbers that are fitted to them.

Assumes cross-fitted linear predictors. The thresholds are conventions, not laws: below them a more
flexible map mostly follows chance, and above them it mostly does no harm.
"""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from .beta_calibration import BetaCalibration
from .calibration import LogisticCalibration
from .ceiling_calibration import CeilingCalibration
from .table_calibration import IsotonicCalibration, VennAbersCalibration

__all__ = [
    "CALIBRATIONS",
    "Calibration",
    "calibrations_for",
    "likeliest_calibration",
    "new_calibration",
]

Calibration = (
    LogisticCalibration
    | BetaCalibration
    | CeilingCalibration
    | IsotonicCalibration
    | VennAbersCalibration
)
"""Any calibration; each has `fit`, `predict` and `map_`."""

CALIBRATIONS: dict[str, type[Calibration]] = {
    "logistic": LogisticCalibration,
    "beta": BetaCalibration,
    "ceiling": CeilingCalibration,
    "isotonic": IsotonicCalibration,
    "venn-abers": VennAbersCalibration,
}

EVENTS_FOR_A_CURVE = 50
EVENTS_FOR_A_TABLE = 10_000


def calibrations_for(events: float) -> tuple[str, ...]:
    """Return the names of the calibrations that so many outcomes allow to choose from.

    Logistic below 50 events. From there on one of two curves that spend one number more: beta
    [1]_, whose ends bend apart, or a line of log-odds under a ceiling. In simulated registries of
    2,000 patients the risk levels off at 0.4, which beta cannot follow far enough: with a ceiling
    the ICI at week 12 was 0.007 instead of 0.009. Venn-Abers only from 10,000: a table's error
    falls with the cube root of the numbers, and with 6,700 events it was still 0.012 where a line's
    was 0.003 and the line was true. The thousand rows from which isotonic regression is often
    advised beat a sigmoid that is wrong [2]_, which the curves need not be. Isotonic regression is
    never taken by itself, since Venn-Abers is the same with its uncertainty.

    Parameters
    ----------
    events : float
        Number of patients, or effective number, in the rarer of the two outcomes.

    References
    ----------
    .. [1] Kull M, Silva Filho TM, Flach P. Beyond sigmoids: how to obtain well-calibrated
       probabilities from binary classifiers with beta calibration. Electron J Stat
       2017;11:5052-5080.
    .. [2] Niculescu-Mizil A, Caruana R. Predicting good probabilities with supervised learning.
       ICML 2005.

    Examples
    --------
    >>> calibrations_for(40), calibrations_for(300), calibrations_for(20_000)
    (('logistic',), ('beta', 'ceiling'), ('venn-abers',))
    """
    if events < EVENTS_FOR_A_CURVE:
        return ("logistic",)
    return ("beta", "ceiling") if events < EVENTS_FOR_A_TABLE else ("venn-abers",)


def likeliest_calibration(
    names: tuple[str, ...],
    linear_predictor: npt.NDArray[np.float64],
    y: npt.NDArray[Any],
    weight: npt.NDArray[np.float64],
) -> Calibration:
    """Return the fitted calibration with the least weighted log loss, of equal ones the first.

    Parameters
    ----------
    names : tuple of str
        Of calibrations that spend equally many numbers.
    linear_predictor, y, weight : ndarray of shape (n_rows,)

    Warns
    -----
    UserWarning
        What the fit of the one that is returned warned of.
    """
    fitted, losses, told = [], [], []
    for name in names:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted.append(new_calibration(name).fit(linear_predictor, y, weight))
        losses.append(_loss(fitted[-1].predict(linear_predictor), y, weight))
        told.append(caught)
    taken = int(np.argmin(losses))
    for warning in told[taken]:
        warnings.warn(warning.message, warning.category, stacklevel=2)
    return fitted[taken]


def _loss(
    risk: npt.NDArray[np.float64], y: npt.NDArray[Any], weight: npt.NDArray[np.float64]
) -> float:
    of_outcome = np.where(y > 0, risk, 1 - risk)
    return -float(weight @ np.log(np.maximum(of_outcome, np.finfo(float).tiny)))


def new_calibration(name: str) -> Calibration:
    """Return an unfitted calibration by its name.

    Raises
    ------
    ValueError
        If the name is not one of `CALIBRATIONS`.
    """
    if name not in CALIBRATIONS:
        raise ValueError(f"calibration {name!r}; accepted are {', '.join(CALIBRATIONS)}.")
    return CALIBRATIONS[name]()
