"""What clinicians did with cards, beside what became of the patients.

Assumes that a card's feedback, its assessment and the patient's outcome are joined by the card's
uuid and the pseudonym alone. Few cards say little: counts are given, no rates.
"""

from dataclasses import dataclass

import pandas as pd

from .outcomes import Joined
from .recorded import Recorded

__all__ = ["Reaction", "reactions_of"]


@dataclass(frozen=True)
class Reaction:
    """Cards that were answered alike.

    Parameters
    ----------
    outcome : str
        ``accepted`` or ``overridden``.
    reason : str
        Code of the reason, empty without one.
    cards : int
    with_risk : int
        Cards of this model that showed a risk.
    mean_risk : float or None
        Of these.
    known : int
        Patients among them whose horizon has passed and whose outcome can be told.
    events : int
        Of these, who met the definition by the horizon.
    """

    outcome: str
    reason: str
    cards: int
    with_risk: int
    mean_risk: float | None
    known: int
    events: int


def reactions_of(recorded: Recorded, joined: Joined | None) -> list[Reaction]:
    """Return the cards by outcome and reason.

    Parameters
    ----------
    recorded : Recorded
    joined : Joined or None
        None where no registry was given.
    """
    told = pd.Series(dtype="float64")
    if joined is not None:
        counted = joined.table[joined.table["weight"] > 0]
        told = counted.set_index("subject")["y"]
    return [
        _reaction(str(outcome), str(reason), group, told)
        for (outcome, reason), group in recorded.cards.groupby(["outcome", "reason"], sort=True)
    ]


def _reaction(outcome: str, reason: str, group: pd.DataFrame, told: "pd.Series[float]") -> Reaction:
    risks = group["risk"].dropna()
    patients = group.loc[group["risk"].notna(), "subject"].dropna().unique()
    known = told[told.index.isin(patients)]
    return Reaction(
        outcome,
        reason,
        len(group),
        len(risks),
        float(risks.mean()) if len(risks) else None,
        len(known),
        int(known.sum()),
    )
