"""The outcome's own honesty: how sure the labels are, and how far rule and registry agree.

Assumes that values vary within a person as `model/variation.toml` says; where they vary more, the
labels are less sure than this says.
"""

from typing import Any

import numpy as np

from ...features.registry import Registry
from ...model.agreement import agreement
from ...model.certainty import label_certainty
from ...model.definition import Definition
from ...model.label import label
from ...model.variation import load_variation
from .baseline import SMALLEST_CELL

__all__ = ["label_section"]


def label_section(registry: Registry, definition: Definition) -> dict[str, Any]:
    """Return the sections label_certainty, agreement and kappa of the results.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    """
    labels = label(registry, definition)
    variation = load_variation()
    certainty = label_certainty(labels, definition, variation).summary()
    found: dict[str, Any] = {
        "label_certainty": {"assumptions": variation.assumptions, **_without_few(certainty)}
    }
    if len(registry.outcomes):
        agreed = agreement(registry, labels.labels)
        kappa = agreed.kappa
        found["agreement"] = [
            {"rule": rule, "registry": own, "patients": _count(agreed.counts[i, j])}
            for i, rule in enumerate(("not refractory", "refractory"))
            for j, own in enumerate(("no event", "event"))
        ]
        found["kappa"] = kappa if np.isfinite(kappa) else None
    return found


def _without_few(certainty: dict[str, Any]) -> dict[str, Any]:
    """Return the summary with verdicts of fewer than ten patients left untold."""
    verdicts = [
        row
        if row["patients"] >= SMALLEST_CELL
        else {"verdict": row["verdict"], "patients": None, "mean_probability_right": None}
        for row in certainty["verdicts"]
    ]
    return {**certainty, "verdicts": verdicts}


def _count(number: int) -> int | None:
    return int(number) if number == 0 or number >= SMALLEST_CELL else None
