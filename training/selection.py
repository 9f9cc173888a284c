"""Which candidate is taken: the simplest whose log loss is within one standard error of the best.

Assumes risks that were made without the patient's own fold, tuning and calibration included, on the
same patients and folds for all candidates. The rule guards against chance in picking a winner; it
cannot make the log loss of the winner unbiased, which a second data set or a bootstrap of the whole
choice has to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .metrics import auroc, log_odds

__all__ = ["Candidate", "choose"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A candidate and what it predicted out of fold.

    Parameters
    ----------
    name, meaning : str
    risk : ndarray of float, shape (n_rows,) or (n_rows, n_repeats)
    parameters : float, optional
        How many there are, where that can be said.
    """

    name: str
    meaning: str
    risk: Floats
    parameters: float | None = None


def choose(
    candidates: Sequence[Candidate], y: Any, sample_weight: Any, groups: Any
) -> list[dict[str, Any]]:
    """Compare candidates by weighted log loss and take one.

    The standard error that decides is that of the *difference* to the best, patients being the
    units: candidates are judged on the same patients, whose outcomes they miss together, and the
    error of either loss alone would be so much larger that the simplest always won.

    Parameters
    ----------
    candidates : sequence of Candidate
        In order of simplicity, the simplest first.
    y : array-like of shape (n_rows,)
        Outcome, 0 or 1.
    sample_weight : array-like of shape (n_rows,)
        Non-negative.
    groups : array-like of shape (n_rows,)
        Patient of each row.

    Returns
    -------
    list of dict
        One row per candidate, in their order: name, meaning, log_loss (nats, mean over repeats),
        standard_error (of it), difference and difference_error (to the best; 0 for the best),
        auroc, parameters, chosen, and why in words.

    Raises
    ------
    ValueError
        If there is no candidate, or a risk is not finite.

    Examples
    --------
    >>> y = np.array([0, 0, 1, 1] * 25)
    >>> weak, strong = np.full(100, 0.5), np.where(y == 1, 0.9, 0.1)
    >>> both = [Candidate("share", "", weak), Candidate("oracle", "", strong)]
    >>> [row["chosen"] for row in choose(both, y, np.ones(100), range(100))]
    [False, True]
    """
    if not candidates:
        raise ValueError("there is no candidate to choose from.")
    outcome, weight = np.asarray(y, np.float64), np.asarray(sample_weight, np.float64)
    _, patient = np.unique(np.asarray(groups), return_inverse=True)
    losses = np.array([_losses(candidate, outcome) for candidate in candidates])
    mean = losses @ weight / weight.sum()
    best = int(np.argmin(mean))
    error = [_clustered_error(loss, weight, patient) for loss in losses]
    difference = mean - mean[best]
    difference_error = [_clustered_error(loss - losses[best], weight, patient) for loss in losses]
    taken = int(np.flatnonzero(difference <= difference_error)[0])
    return [
        {
            "name": candidate.name,
            "meaning": candidate.meaning,
            "log_loss": float(mean[at]),
            "standard_error": error[at],
            "difference": float(difference[at]),
            "difference_error": difference_error[at],
            "auroc": _mean_auroc(candidate, outcome, weight),
            "parameters": candidate.parameters,
            "chosen": at == taken,
            "why": _why(at, taken, best, difference, difference_error, candidates),
        }
        for at, candidate in enumerate(candidates)
    ]


def _losses(candidate: Candidate, y: Floats) -> Floats:
    """Return the log loss of each row, mean over repeats."""
    risks = np.asarray(candidate.risk, np.float64).reshape(len(y), -1)
    if not np.isfinite(risks).all():
        raise ValueError(f"candidate {candidate.name!r} has no risk for some rows.")
    odds = log_odds(risks)
    loss: Floats = (np.logaddexp(0, odds) - y[:, None] * odds).mean(axis=1)
    return loss


def _clustered_error(loss: Floats, weight: Floats, patient: npt.NDArray[np.intp]) -> float:
    """Return the standard error of a weighted mean, patients being drawn and not rows."""
    deviation = weight * (loss - weight @ loss / weight.sum())
    sums = np.bincount(patient, deviation)
    used = np.bincount(patient, weight) > 0
    n = int(used.sum())
    if n < 2:
        return float("nan")
    return float(np.sqrt(n / (n - 1) * (sums**2).sum()) / weight.sum())


def _mean_auroc(candidate: Candidate, y: Floats, weight: Floats) -> float | None:
    risks = np.asarray(candidate.risk, np.float64).reshape(len(y), -1).T
    mean = float(np.mean([auroc(y, risk, weight) for risk in risks]))
    return mean if np.isfinite(mean) else None


def _why(
    at: int,
    taken: int,
    best: int,
    difference: Floats,
    error: Sequence[float],
    candidates: Sequence[Candidate],
) -> str:
    gap = f"{difference[at]:.4f} above the best, standard error {error[at]:.4f}"
    if at == taken == best:
        simpler = "; no simpler one is within one standard error" if at else ", and the simplest"
        return f"taken: the least log loss{simpler}"
    if at == taken:
        return f"taken: {gap}, and the simplest of those within one"
    if at == best:
        return f"the least log loss, but {candidates[taken].name} is simpler and within one error"
    if difference[at] <= error[at]:
        return f"{gap}: within one, but not the simplest"
    return f"{gap}: more than one"
