"""Bootstrap optimism: how much better a fit looks on its own patients than on others like them.

Assumes refits of the whole pipeline to samples of whole patients, as `lnrisk.training.refits` makes
them. The correction is known to fall a little short where patients are few for the model, and it
says nothing about patients from elsewhere.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from .figures import point_figures

__all__ = ["optimism"]

Floats = npt.NDArray[np.float64]


def optimism(
    y: Floats,
    weight: Floats,
    risk: Floats,
    refitted: Floats,
    times: Floats,
    level: float = 0.95,
) -> pd.DataFrame:
    """Correct the apparent figures for optimism [1]_.

    Parameters
    ----------
    y, weight : ndarray of shape (n_rows,)
    risk : ndarray of shape (n_rows,)
        By the model, fitted to these rows.
    refitted : ndarray of shape (n_refits, n_rows)
        By each refit.
    times : ndarray of shape (n_refits, n_rows)
        How often each row was in the sample of the refit.
    level : float

    Returns
    -------
    DataFrame
        measure, apparent, optimism, corrected, lower, upper, resamples. The interval is that of
        the refits on their own samples, moved by the optimism [2]_.

    References
    ----------
    .. [1] Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat Med 1996;15:361-387.
    .. [2] Noma H, Shinozaki T, Iba K, Teramukai S, Furukawa TA. Confidence intervals of prediction
       accuracy measures for multivariable prediction models based on the bootstrap-based optimism
       correction methods. Stat Med 2021;40:5691-5701.
    """
    apparent = point_figures(y, risk, weight)
    pairs = [
        (point_figures(y, one, weight * drawn), point_figures(y, one, weight))
        for one, drawn in zip(refitted, times, strict=True)
        if len(np.unique(y[(weight * drawn) > 0])) == 2
    ]
    rows = []
    for measure, seen in apparent.items():
        own = np.array([pair[0][measure] for pair in pairs])
        others = np.array([pair[1][measure] for pair in pairs])
        known = np.isfinite(own) & np.isfinite(others)
        excess, lower, upper = np.nan, np.nan, np.nan
        if known.any():
            excess = float((own - others)[known].mean())
            lower, upper = np.quantile(own[known], [(1 - level) / 2, (1 + level) / 2]) - excess
        rows.append(
            {
                "measure": measure,
                "apparent": seen,
                "optimism": excess,
                "corrected": seen - excess,
                "lower": lower,
                "upper": upper,
                "resamples": int(known.sum()),
            }
        )
    return pd.DataFrame(rows)
