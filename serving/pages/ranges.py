"""A risk and its ranges in whole people of 100, as they are drawn and said.

Assumes that both ranges hold the risk; rounding keeps them so.
"""

from dataclasses import dataclass

from ..assessment import Assessment, Interval

__all__ = ["InHundred", "Ranges"]


@dataclass(frozen=True)
class InHundred:
    """A range in whole people of 100.

    Parameters
    ----------
    lower, upper : int
    level : float
        Share inside.
    """

    lower: int
    upper: int
    level: float

    @classmethod
    def of(cls, interval: Interval | None) -> "InHundred | None":
        """Round a range of risks."""
        if interval is None:
            return None
        return cls(round(100 * interval.lower), round(100 * interval.upper), interval.level)


@dataclass(frozen=True)
class Ranges:
    """A risk and its ranges in whole people of 100.

    Parameters
    ----------
    expected : int
    alike : InHundred or None
        What holds most patients who look like this one.
    steady : InHundred or None
        What holds most refits of the model.
    """

    expected: int
    alike: InHundred | None
    steady: InHundred | None

    @classmethod
    def of(cls, assessment: Assessment) -> "Ranges | None":
        """Round an assessment; None where the model gave no risk."""
        if assessment.risk is None or assessment.status == "met":
            return None
        return cls(
            round(100 * assessment.risk),
            InHundred.of(assessment.interval),
            InHundred.of(assessment.steadiness),
        )
