"""Agreement between the rule and a registry's own adjudicated outcome.

Assumes that both speak of the same question; indeterminate labels and censored outcomes answer
nothing and are left out, with their number said.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..features.registry import Registry

__all__ = ["Agreement", "agreement", "agreement_text"]


@dataclass(frozen=True)
class Agreement:
    """Two by two counts and Cohen's kappa.

    Parameters
    ----------
    counts : ndarray of int, shape (2, 2)
        Rows: rule no, yes. Columns: registry no, yes.
    left_out : int
        Patients for whom one of the two has no answer.
    """

    counts: npt.NDArray[np.int64]
    left_out: int

    @property
    def kappa(self) -> float:
        """Cohen's kappa; nan where chance alone would agree fully.

        References
        ----------
        Cohen, Educ Psychol Meas 1960;20:37.
        """
        total = self.counts.sum()
        if not total:
            return float("nan")
        observed = np.trace(self.counts) / total
        expected = (self.counts.sum(axis=0) * self.counts.sum(axis=1)).sum() / total**2
        return float((observed - expected) / (1 - expected)) if expected < 1 else float("nan")


def agreement(registry: Registry, labels: pd.DataFrame) -> Agreement:
    """Compare labels with the registry's outcomes.

    Parameters
    ----------
    registry : Registry
    labels : DataFrame
        One row per patient, as `lnrisk.model.label.label` gives.
    """
    outcomes = registry.outcomes
    verdict = labels["verdict"].to_numpy()[registry.positions("outcomes")]
    status = outcomes["status"].astype("str").to_numpy()
    answered = (verdict != "indeterminate") & (status != "censored")
    counts = np.zeros((2, 2), dtype=np.int64)
    rule = (verdict[answered] == "refractory").astype(int)
    own = (status[answered] == "event").astype(int)
    np.add.at(counts, (rule, own), 1)
    return Agreement(counts, int((~answered).sum()))


def agreement_text(registry: Registry, labels: pd.DataFrame) -> str:
    """Return the agreement as lines of text."""
    result = agreement(registry, labels)
    (no_no, no_yes), (yes_no, yes_yes) = result.counts.tolist()
    kappa = f"{result.kappa:.2f}" if np.isfinite(result.kappa) else "not defined"
    return (
        "agreement of the rule with the registry's own outcome\n"
        "                     registry: event   no event\n"
        f"  rule: refractory   {yes_yes:15d} {yes_no:10d}\n"
        f"  rule: not          {no_yes:15d} {no_no:10d}\n"
        f"  kappa {kappa}; {result.left_out} indeterminate or censored left out"
    )
