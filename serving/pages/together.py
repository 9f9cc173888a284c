"""Rule and risk side by side, and openly where they disagree.

Assumes that a risk is called high or low against the patients the model was trained on, at the same
landmark, as there is no threshold that anybody agreed on.
"""

from dataclasses import dataclass

import numpy as np

from ...model.artifact import RiskModel
from ...model.support import mixture, support_in
from ..assessment import Assessment

__all__ = ["Together", "compare"]


@dataclass(frozen=True)
class Together:
    """How rule and risk relate.

    Parameters
    ----------
    key : str
        Of the sentence that says it.
    differ : bool
        Whether they disagree.
    rescue : bool
        Whether a rescue treatment hides what the rule could say.
    average : float
        Risk of the training patients.
    """

    key: str
    differ: bool
    rescue: bool
    average: float


def compare(model: RiskModel, assessment: Assessment) -> Together:
    """Compare the verdict of the rule with the risk."""
    average = _average(model, assessment.landmark.day if assessment.landmark else np.nan)
    verdict = assessment.label.verdict
    rescue = "rescue_given" in assessment.label.consider and verdict != "refractory"

    def said(key: str, differ: bool = False) -> Together:
        return Together(key, differ, rescue, average)

    if verdict == "refractory":
        return said("met")
    if assessment.risk is None:
        return said("refused")
    if verdict == "pseudo_refractory":
        return said("pseudo")
    high = assessment.risk > average
    if verdict == "indeterminate":
        return said("unknown_high" if high else "unknown_low")
    return said("early_warning", True) if high else said("agree_low")


def _average(model: RiskModel, day: float) -> float:
    """Return the mean risk of the training patients at the nearest landmark.

    A model file without their risks comes from a time when every training patient had a known
    outcome; there it is the share who met the definition.
    """
    supports = support_in(model.training)
    if supports is None:
        return float(model.training["events"] / max(model.training["patients"], 1))
    return float(mixture(supports, np.array([day], dtype=np.float64)).risk.mean or 0.0)
