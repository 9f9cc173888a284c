"""What a model is told to say of itself where it was trained on too few all the same.

Assumes that training on so few was allowed; it is refused otherwise.
"""

from .cohort import FEWEST_EVENTS, FEWEST_WITHOUT, Cohort, known_outcomes

__all__ = ["too_few"]


def too_few(cohort: Cohort) -> list[str]:
    """Return a sentence for each thing of which there was too little; none where all was enough.

    Parameters
    ----------
    cohort : Cohort
    """
    said, size = [], cohort.sample_size
    if size.too_small:
        said.append(
            f"TOO FEW PATIENTS: {size.patients:g} with {size.events:.0f} events carry "
            f"{size.affordable_parameters} parameters, the model has {size.parameters}; it was "
            "trained because this was allowed, and its figures will not hold elsewhere."
        )
    events, without = known_outcomes(cohort)
    for known, everyone, fewest, name in (
        (events, size.events, FEWEST_EVENTS, "EVENTS"),
        (without, size.patients - size.events, FEWEST_WITHOUT, "NON-EVENTS"),
    ):
        if known < fewest:
            said.append(
                f"FEW KNOWN {name}: of {everyone:.0f} only {known} are known; the others are "
                "expected of patients whom the rule cannot judge, and every figure rests on their "
                "chances."
            )
    return said
