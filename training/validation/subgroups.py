"""How the risk does in parts of the patients, with intervals, and nothing about the very few.

Assumes risks by fits without the patient. Many groups are looked at, so that some will look odd by
chance; an interval says how far.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..at_risk import people
from .cells import hidden
from .figures import COMPARED, quick_figures

__all__ = ["FEWEST_EITHER", "subgroup_figures"]

Floats = npt.NDArray[np.float64]

FEWEST_EITHER = 5
"""Patients with, and without, the outcome below which a figure means nothing."""
NOT_RECORDED = "not recorded"


def subgroup_figures(
    levels: pd.DataFrame,
    y: Floats,
    risk: Floats,
    weight: Floats,
    patient: npt.NDArray[np.object_],
    possible: npt.NDArray[np.bool_],
    *,
    smallest: int = 10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return AUROC, O/E and calibration slope in each level of each group.

    Parameters
    ----------
    levels : DataFrame of str, shape (n_rows, n_groups)
        Empty where not recorded.
    y, risk, weight : ndarray of shape (n_rows,)
    patient : ndarray of shape (n_rows,)
    possible : ndarray of bool, shape (n_rows,)
        Rows of an outcome that is possible and not known; such a patient has two.
    smallest : int
        Cell that may be shown.
    level : float

    Returns
    -------
    DataFrame
        group, level, patients, events, measure, estimate, lower, upper, suppressed. Counts that
        must not be shown are nan, and so are figures of fewer than `smallest` patients, or of
        fewer than five with or without the outcome.
    """
    tables = []
    for group in levels.columns:
        named = levels[group].replace("", NOT_RECORDED).to_numpy(dtype=str)
        names = np.unique(named)
        counted = [people(y[named == name], possible[named == name]) for name in names]
        patients, events = np.array(counted).T
        few = hidden(patients, smallest)
        few_events = few | hidden(events, smallest)
        for name, number, cases, no_count, no_events in zip(
            names, patients, events, few, few_events, strict=True
        ):
            rows = named == name
            told = number >= smallest and min(cases, number - cases) >= FEWEST_EITHER
            table = (
                quick_figures(y[rows], risk[rows], weight[rows], patient[rows], level)
                if told
                else pd.DataFrame({"measure": COMPARED}).assign(
                    estimate=np.nan, lower=np.nan, upper=np.nan
                )
            )
            table = table.assign(
                group=group,
                level=name,
                patients=np.nan if no_count else float(number),
                events=np.nan if no_events else float(cases),
                suppressed=bool(no_count or no_events),
            )
            tables.append(table)
    columns = ["group", "level", "patients", "events", "measure", "estimate", "lower", "upper"]
    return pd.concat(tables, ignore_index=True)[[*columns, "suppressed"]]
