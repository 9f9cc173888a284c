"""What the definition asks about and the registry has of nobody.

Assumes that one value anywhere is enough to learn from; where few have been measured, the chances
of failures are poor and nothing here says so.
"""

from ..features.registry import Registry
from ..model.definition import Definition
from ..model.response import Evidence

__all__ = ["unmeasured"]

NAMES = {"proteinuria": "proteinuria", "egfr": "eGFR"}


def unmeasured(registry: Registry, definition: Definition) -> list[str]:
    """Return a sentence for each arm of the rule for *failed* that nobody has a value of.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    """
    evidence = Evidence.of(registry)
    values = {
        "proteinuria": len(evidence.upcr) + len(evidence.protein_24h),
        "egfr": len(evidence.egfr),
    }
    return [
        f"The definition asks about {NAMES[arm]}, which the registry has of nobody: where the rest "
        "does not decide, whether a course failed is unknown, and no chance of it can be learned."
        for arm in sorted(definition.failed.arms)
        if not values[arm]
    ]
