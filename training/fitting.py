"""The calibrated classifier of a cohort.

Assumes that the resolved patients, weighted, stand for all at risk; only they are fitted.
"""

import warnings

import numpy as np
import numpy.typing as npt

from ..features.laboratory import LANDMARK_MONTH
from ..features.trajectory_transformer import TrajectoryFeatures
from ..model.classifier import LogisticRisk
from ..model.design import LandmarkDesign
from .cohort import Cohort

__all__ = ["fit_classifier", "unfitted_classifier"]


def unfitted_classifier(cohort: Cohort, seed: int) -> LogisticRisk:
    """Return the classifier of a cohort: its trajectories, its design, the penalties to try."""
    plan, names = cohort.trajectories, (LANDMARK_MONTH, *cohort.terms)
    features = TrajectoryFeatures(plan.series, plan.groups, plan.knots, keep=names)
    return LogisticRisk(features, LandmarkDesign(names, cohort.pieces), random_state=seed)


def fit_classifier(
    cohort: Cohort,
    chosen: npt.NDArray[np.bool_],
    seed: int,
    times: npt.NDArray[np.float64] | None = None,
) -> tuple[LogisticRisk, list[str]]:
    """Fit the calibrated classifier, trajectories included, to some resolved rows.

    Parameters
    ----------
    cohort : Cohort
    chosen : ndarray of bool, shape (n_rows,)
    seed : int
    times : ndarray of float, shape (n_rows,), optional
        How often each row counts, as in a bootstrap sample of the patients.

    Returns
    -------
    classifier : LogisticRisk
    remarks : list of str
        What it warned of.
    """
    weight = cohort.weights.weight if times is None else cohort.weights.weight * times
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        classifier = unfitted_classifier(cohort, seed).fit(
            cohort.inputs[chosen],
            cohort.y[chosen].astype(int),
            sample_weight=weight[chosen],
            groups=cohort.patient_id[chosen].astype(str),
        )
    return classifier, [str(warning.message) for warning in caught]
