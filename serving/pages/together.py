"""Rule and risk side by side, and openly where they disagree.

Assumes that a risk is called high or low against the patients the model was trained on, as there is
no threshold that anybody agreed on.
"""

from dataclasses import dataclass

from ...model.artifact import RiskModel
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
        Share of the training patients who met the definition.
    """

    key: str
    differ: bool
    rescue: bool
    average: float


def compare(model: RiskModel, assessment: Assessment) -> Together:
    """Compare the verdict of the rule with the risk."""
    average = model.training["events"] / max(model.training["patients"], 1)
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
