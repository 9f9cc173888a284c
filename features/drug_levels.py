"""Drug levels that were taken while the drug was: their median and how much they vary.

Assumes that a level without any row of its drug was taken on the drug; one taken after a recorded
stop, or too soon after a start, says nothing of adherence and is left out.
"""

import numpy as np

from .given import Given
from .history import History, Numbers, history_of

__all__ = ["levels_on_drug", "variation"]

FEWEST_TO_VARY = 3


def levels_on_drug(given: Given, analyte: str, drugs: frozenset[str], days_on: int = 0) -> History:
    """Return the levels of an analyte that count.

    Parameters
    ----------
    given : Given
    analyte : str
    drugs : frozenset of str
        Whose rows say when the drug was taken.
    days_on : int, default=0
        Days for which the drug must have been taken without a break by then, if it has any row.
    """
    history = history_of(given.view.registry, analyte)
    rows = given.rows.of_drugs(drugs)
    recorded = given.who(rows, np.ones(len(rows), dtype=bool))[history.patient]
    covered = rows.days_covered(history.patient, history.day - days_on, history.day)
    counts = ~recorded | (covered == days_on + 1)
    return History(history.patient[counts], history.day[counts], history.value[counts])


def variation(given: Given, history: History) -> Numbers:
    """Return the coefficient of variation from the index date to the landmark.

    Returns
    -------
    ndarray of float, shape (n_patients,)
        Sample sd over mean; nan where fewer than three values are or their mean is 0.
    """
    view, n = given.view, len(given.view.registry)
    person = history.patient
    inside = (history.day >= view.index_day[person]) & (history.day <= view.landmark_day[person])
    person, value = person[inside], history.value[inside]
    count = np.bincount(person, minlength=n)
    mean = np.bincount(person, value, n) / np.maximum(count, 1)
    squares = np.bincount(person, (value - mean[person]) ** 2, n)
    some = (count >= FEWEST_TO_VARY) & (mean > 0)
    sd = np.sqrt(squares / np.maximum(count - 1, 1))
    return np.where(some, sd / np.where(some, mean, 1.0), np.nan)
