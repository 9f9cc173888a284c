"""Which calibration: the fewer the outcomes, the fewer the numbers that are fitted to them.

Assumes cross-fitted linear predictors. The thresholds are conventions, not laws: below them a more
flexible map mostly follows chance, and above them it mostly does no harm.
"""

from .beta_calibration import BetaCalibration
from .calibration import LogisticCalibration
from .table_calibration import IsotonicCalibration, VennAbersCalibration

__all__ = ["CALIBRATIONS", "Calibration", "choose_calibration", "new_calibration"]

Calibration = LogisticCalibration | BetaCalibration | IsotonicCalibration | VennAbersCalibration
"""Any calibration; each has `fit`, `predict` and `map_`."""

CALIBRATIONS: dict[str, type[Calibration]] = {
    "logistic": LogisticCalibration,
    "beta": BetaCalibration,
    "isotonic": IsotonicCalibration,
    "venn-abers": VennAbersCalibration,
}

EVENTS_FOR_A_CURVE = 200
EVENTS_FOR_A_TABLE = 10_000


def choose_calibration(events: float) -> str:
    """Return the name of the calibration for so many outcomes.

    Logistic below 200 events, which is what an assessment of a flexible calibration curve needs
    [1]_, so that a line is all that fewer can tell; beta from there on. Venn-Abers only from
    10,000: a table's error falls with the cube root of the numbers, and with 6,700 events it was
    still 0.012 where a line's was 0.003 and the line was true. The thousand rows from which
    isotonic regression is often advised beat a sigmoid that is wrong [2]_, which beta need not be.
    Isotonic regression is never taken by itself, since Venn-Abers is the same with its uncertainty.

    Parameters
    ----------
    events : float
        Number of patients, or effective number, in the rarer of the two outcomes.

    References
    ----------
    .. [1] Van Calster B, et al. A calibration hierarchy for risk models was defined: from utopia
       to empirical data. J Clin Epidemiol 2016;74:167-176.
    .. [2] Niculescu-Mizil A, Caruana R. Predicting good probabilities with supervised learning.
       ICML 2005.

    Examples
    --------
    >>> choose_calibration(90), choose_calibration(300), choose_calibration(20_000)
    ('logistic', 'beta', 'venn-abers')
    """
    if events < EVENTS_FOR_A_CURVE:
        return "logistic"
    return "beta" if events < EVENTS_FOR_A_TABLE else "venn-abers"


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
