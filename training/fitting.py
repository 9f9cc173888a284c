"""The calibrated classifier of a cohort.

Assumes that the resolved patients, weighted, stand for all at risk; only they are fitted.
"""

import warnings

import numpy as np
import numpy.typing as npt

from ..features.laboratory import LANDMARK_MONTH
from ..features.trajectory_transformer import TrajectoryFeatures
from ..model.classifier import LogisticRisk
from ..model.crossfitted import CrossFittedRisk
from ..model.design import LandmarkDesign, name_of
from .cohort import BOOSTING, ELASTIC_NET, Cohort

__all__ = ["fit_classifier", "unfitted_classifier"]


def unfitted_classifier(
    cohort: Cohort, seed: int, near: CrossFittedRisk | None = None
) -> CrossFittedRisk:
    """Return the classifier of a cohort: its trajectories, its design, the settings to try.

    Parameters
    ----------
    cohort : Cohort
    seed : int
    near : CrossFittedRisk, optional
        Fitted to all patients: where settings take long to try, only those near its own are.
    """
    plan, names = cohort.trajectories, (LANDMARK_MONTH, *cohort.terms)
    features = TrajectoryFeatures(plan.series, plan.groups, plan.knots, keep=names)
    if cohort.classifier == BOOSTING:
        from .challengers.boosting import BoostedRisk

        return BoostedRisk(features, random_state=seed)
    design = LandmarkDesign(names, cohort.pieces)
    if cohort.classifier == ELASTIC_NET:
        from .challengers.elastic_net import ElasticNetRisk

        around = None if near is None else near.setting_
        named = tuple(map(name_of, cohort.named))
        return ElasticNetRisk(features, design, favoured=named, around=around, random_state=seed)
    return LogisticRisk(features, design, random_state=seed)


def fit_classifier(
    cohort: Cohort,
    chosen: npt.NDArray[np.bool_],
    seed: int,
    times: npt.NDArray[np.float64] | None = None,
    near: CrossFittedRisk | None = None,
) -> tuple[CrossFittedRisk, list[str]]:
    """Fit the calibrated classifier, trajectories included, to some resolved rows.

    Parameters
    ----------
    cohort : Cohort
    chosen : ndarray of bool, shape (n_rows,)
    seed : int
    times : ndarray of float, shape (n_rows,), optional
        How often each row counts, as in a bootstrap sample of the patients.
    near : CrossFittedRisk, optional
        See `unfitted_classifier`.

    Returns
    -------
    classifier : CrossFittedRisk
    remarks : list of str
        What it warned of.
    """
    weight = cohort.weights.weight if times is None else cohort.weights.weight * times
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        classifier = unfitted_classifier(cohort, seed, near)
        beside = {"steps": cohort.steps[chosen]} if classifier.learns_from_steps else {}
        classifier.fit(
            cohort.inputs[chosen],
            cohort.y[chosen].astype(int),
            sample_weight=weight[chosen],
            groups=cohort.patient_id[chosen].astype(str),
            **beside,
        )
    return classifier, [str(warning.message) for warning in caught]
