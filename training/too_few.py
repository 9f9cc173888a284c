"""What a model is told to say of itself where it was trained on too few all the same.

Assumes that training on so few was allowed; it is refused otherwise.
"""

from .cohort import FEWEST_EVENTS, Cohort, known_outcomes

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
    events, _ = known_outcomes(cohort)
    if events < FEWEST_EVENTS:
        said.append(
            f"FEW KNOWN EVENTS: of {size.events:.0f} only {events} are known; the others are "
            "expected of patients whom the rule cannot judge, and every figure rests on their "
            "chances."
        )
    return said
