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

EVENTS_FOR_A_CURVE = 50
EVENTS_FOR_A_TABLE = 10_000


def choose_calibration(events: float) -> str:
    """Return the name of the calibration for so many outcomes.

    Logistic below 50 events; beta from there on, which spends one number more [1]_. In simulated
    registries with 40 to 170 expected events it was nearer to the true risk at weeks 12 and 26 (by
    1 to 5 thousandths of a nat) and a trace farther at week 0 (0.3). Venn-Abers only from 10,000: a
    table's error falls with the cube root of the numbers, and with 6,700 events it was still 0.012
    where a line's was 0.003 and the line was true. The thousand rows from which isotonic
    regression is often advised beat a sigmoid that is wrong [2]_, which beta need not be.
    Isotonic regression is never taken by itself, since Venn-Abers is the same with its uncertainty.

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
    >>> choose_calibration(40), choose_calibration(300), choose_calibration(20_000)
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
