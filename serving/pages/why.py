"""What moves a risk and what could: which of it is shown at once, and which is folded away.

Assumes that a reader has time for half a dozen lines, and that what moves the risk by less than a
tenth of what moves it most tells nothing at the bedside.
"""

from dataclasses import dataclass

from ..assessment import Assessment
from ..drivers import Driver, DriverGroup
from ..missing import Missing

__all__ = ["Why", "why_of"]

MOST_SHOWN = 6
SMALLEST_SHARE = 0.1
"""Of the largest effect; a smaller one is folded away."""
SMALLEST_MOVE = 0.01
"""Of the risk, over what a missing value could be; less is folded away."""


@dataclass(frozen=True)
class Why:
    """What is shown of drivers and of missing values, each the largest first.

    Parameters
    ----------
    groups, small_groups : tuple of DriverGroup
        Shown at once, and folded away.
    features : tuple of Driver
        One by one, where groups are of several; else empty.
    meanings : dict of str to str
        Of every feature that drives, by its name.
    widest : float
        Percentage points of the longest bar.
    missing, small_missing : tuple of Missing
        Shown at once, and folded away.
    """

    groups: tuple[DriverGroup, ...]
    small_groups: tuple[DriverGroup, ...]
    features: tuple[Driver, ...]
    meanings: dict[str, str]
    widest: float
    missing: tuple[Missing, ...]
    small_missing: tuple[Missing, ...]


def why_of(assessment: Assessment) -> Why:
    """Return what is shown of an assessment, and what is folded away.

    Parameters
    ----------
    assessment : Assessment
    """
    groups, missing = assessment.driver_groups, assessment.missing
    largest = abs(groups[0].points) if groups else 0.0
    telling = [abs(group.points) >= SMALLEST_SHARE * largest for group in groups]
    moving = [each.risk_highest - each.risk_lowest >= SMALLEST_MOVE for each in missing]
    first, asked = min(sum(telling), MOST_SHOWN), min(sum(moving), MOST_SHOWN)
    several = any(len(group.features) > 1 for group in groups)
    drivers = assessment.drivers if several else ()
    return Why(
        groups[:first],
        groups[first:],
        drivers,
        {driver.feature: driver.meaning for driver in assessment.drivers},
        max([largest, *(abs(each.points) for each in drivers)]),
        missing[:asked],
        missing[asked:],
    )
