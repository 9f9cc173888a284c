"""How certain the label is, given that values vary within a person from day to day.

Each measured value is read as the person's usual one times a log-normal error, about which nothing
else is known, and the rule is put to values that could be the usual ones. Courses, doses and
adherence stay as recorded, so a wrong refill record or a missing course makes nothing uncertain
here; and where values were taken because the last one looked wrong, certainty is overstated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from ..features.days import NEVER, Days, days_after
from ..features.pipeline import index_days
from ..features.registry import Registry
from .definition import Arm, Definition
from .judgement import Judgement
from .kleene import NO, UNKNOWN, YES, Answers, all_of, words
from .label import VERDICTS, Labels, label
from .response import ArmValues, failed_by
from .variation import Variation, load_variation

__all__ = ["LabelCertainty", "label_certainty", "outcome_certainty"]

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]

DRAWS = 2000
CELLS = 1_000_000  # courses times draws held in memory at once
_UPCR, _PROTEIN_24H, _EGFR = 1, 2, 3


@dataclass(frozen=True)
class LabelCertainty:
    """The probability that the rule's answers are right.

    Parameters
    ----------
    verdicts : DataFrame
        One row per patient of the labels, in their order: `patient_id`, `verdict`,
        `verdict_right` (nan where indeterminate) and `probability_<verdict>` for each verdict.
    courses : DataFrame
        One row per course, in the order of the table of courses: `patient_id`, `course`,
        `failed`, `failed_right` (nan where unknown), `probability_failed`,
        `probability_not_failed`; what is missing from one is that the rule could not tell.
    """

    verdicts: pd.DataFrame
    courses: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """Both in one: the verdicts, with the answers for each course joined by ``;``."""
        courses = self.courses
        right = [f"{p:.3f}" if p == p else "" for p in courses["failed_right"]]
        joined = (
            courses[["patient_id", "failed"]]
            .assign(failed_right=right)
            .groupby("patient_id", sort=False)
            .agg(";".join)
        )
        table = self.verdicts.join(joined, on="patient_id")
        return table.fillna({"failed": "", "failed_right": ""})

    def summary(self) -> dict[str, Any]:
        """Return the mean probability of being right, of *failed* and of each verdict."""
        right = self.verdicts.groupby("verdict")["verdict_right"]
        return {
            "mean_probability_of_failed": _or_none(self.courses["failed_right"].mean()),
            "verdicts": [
                {
                    "verdict": verdict,
                    "patients": len(group),
                    "mean_probability_right": _or_none(group.mean()),
                }
                for verdict, group in right
            ],
        }


def label_certainty(
    labels: Labels,
    definition: Definition,
    variation: Variation | None = None,
    draws: int = DRAWS,
) -> LabelCertainty:
    """Return how certain labels are.

    Parameters
    ----------
    labels : Labels
    definition : Definition
        The one that made them.
    variation : Variation, optional
        By default that of ``model/variation.toml``.
    draws : int
        Sets of values that each patient's rule is put to, even. Half of them mirror the others,
        so that a value on a single threshold has probability 1/2; the standard error of a
        probability is at most ``1 / (2 sqrt(draws))``.

    Returns
    -------
    LabelCertainty
        A measurement has the same draws wherever it serves: one that closes a course and opens
        the next errs in both alike. Draws hang on patient, day and kind of value, so that a
        patient's figures are the same whoever else is in the registry.
    """
    judgement, varying = labels.judgement, variation or load_variation()
    n, n_courses = len(labels.labels), len(judgement.courses)
    patient_id = labels.labels["patient_id"].to_numpy(dtype=object)
    identity: Keys = pd.util.hash_array(patient_id)
    failed = np.zeros((n_courses, 3))
    verdict = np.zeros((n, len(VERDICTS)))
    verdict[:, VERDICTS.index("not_refractory")] = 1.0
    for block in _blocks(judgement, max(1, CELLS // draws)):
        answers = _answers(judgement, definition, varying, identity, block, draws)
        for answer in (NO, UNKNOWN, YES):
            failed[block, answer] = (answers == answer).mean(axis=1)
        patient, found = _verdicts(judgement, definition, answers, block)
        for position in range(len(VERDICTS)):
            verdict[patient, position] = (found == position).mean(axis=1)
    return LabelCertainty(_verdict_table(labels, verdict), _course_table(labels, failed))


def outcome_certainty(
    registry: Registry,
    definition: Definition,
    horizon_days: int,
    variation: Variation | None = None,
    draws: int = DRAWS,
) -> Numbers:
    """Return the probability that each patient meets the definition by the horizon.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    horizon_days : int
        Days from the index date.
    variation : Variation, optional
    draws : int

    Returns
    -------
    ndarray of float, shape (n_patients,)
        For an outcome y of 1 it is the probability that y is right, for 0 one minus it. nan
        without index date, and where the verdict at the horizon is indeterminate.
    """
    index = index_days(registry)
    indexed = index < NEVER
    labels = label(registry, definition, days_after(index, horizon_days))
    verdicts = label_certainty(labels, definition, variation, draws).verdicts
    clear = indexed & (verdicts["verdict"] != "indeterminate").to_numpy()
    met: Numbers = np.where(clear, verdicts["probability_refractory"], np.nan)
    return met


def _blocks(judgement: Judgement, most: int) -> Iterator[slice]:
    """Yield slices of whole patients' courses, of about `most` courses each."""
    patient = judgement.courses.patient
    first = np.flatnonzero(np.diff(patient, prepend=-1))
    ends = np.append(first[1:], len(patient))
    start = 0
    while start < len(patient):
        within = ends[(ends > start) & (ends <= start + most)]
        end = int(within[-1] if len(within) else ends[ends > start][0])
        yield slice(start, end)
        start = end


def _answers(
    judgement: Judgement,
    definition: Definition,
    variation: Variation,
    identity: Keys,
    block: slice,
    draws: int,
) -> Answers:
    """Return whether courses failed by each set of values, shape (n_courses, n_draws)."""
    response, whose = judgement.response, identity[judgement.courses.patient[block]]

    def drawn(value: Numbers, day: Days, collected: Flags | None) -> Numbers:
        kind = np.full(len(value), _EGFR) if collected is None else _kind(collected)
        if collected is None:
            sd = variation.egfr.log_sd(value)
        else:
            spot, whole = variation.upcr.log_sd(value), variation.protein_24h.log_sd(value)
            sd = np.where(collected, whole, spot)
        error = _errors(_mixed(whose + _mixed(day.astype(np.uint64) * np.uint64(4) + kind)), draws)
        usual: Numbers = value[:, None] * np.exp(sd[:, None] * error)
        return usual

    def usual(arm: ArmValues, before: Flags | None, after: Flags | None) -> ArmValues:
        baseline_on, assessed_on = arm.baseline_on[block], arm.assessed_on[block]
        return ArmValues(
            drawn(arm.baseline[block], baseline_on, before),
            baseline_on,
            drawn(arm.assessed[block], assessed_on, after),
            assessed_on,
        )

    arms: dict[Arm, ArmValues] = {
        "proteinuria": usual(
            response.proteinuria,
            response.baseline_collected[block],
            response.assessed_collected[block],
        ),
        "egfr": usual(response.egfr, None, None),
    }
    too_short = judgement.reasons["too_short"][block, None]
    answers: Answers = np.where(too_short, NO, failed_by(definition, arms)).astype(np.int8)
    return answers


def _kind(collected: Flags) -> npt.NDArray[np.int64]:
    return np.where(collected, _PROTEIN_24H, _UPCR)


def _mixed(key: npt.NDArray[Any]) -> Keys:
    """Return keys so mixed that near ones have nothing in common (the finaliser of splitmix64)."""
    z = key.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Keys = z ^ (z >> np.uint64(31))
    return mixed


def _errors(key: Keys, draws: int) -> Numbers:
    """Return standard normal errors by key, the second half mirroring the first."""
    number = np.arange(draws // 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = _mixed(key[:, None] + number) >> np.uint64(11)
    error = ndtri((bits.astype(np.float64) + 0.5) / 2.0**53)
    return np.hstack([error, -error])


def _verdicts(
    judgement: Judgement, definition: Definition, failed: Answers, block: slice
) -> tuple[Days, npt.NDArray[np.int8]]:
    """Return the patients of a block and positions in `VERDICTS` by each set of values."""
    patient, regimen = judgement.courses.patient[block], judgement.courses.regimen[block]
    counts = all_of(failed, judgement.adequate[block, None], judgement.adherent[block, None])
    order = np.lexsort((regimen, patient))
    patient, regimen = patient[order], regimen[order]
    new = np.diff(patient, prepend=-1) != 0
    first_of_regimen = np.flatnonzero(new | (np.diff(regimen, prepend=-1) != 0))
    best_counts = np.maximum.reduceat(counts[order], first_of_regimen, axis=0)
    best_failed = np.maximum.reduceat(failed[order], first_of_regimen, axis=0)
    first_of_patient = np.flatnonzero(new[first_of_regimen])
    needed = definition.verdict.different_regimens

    def enough(chosen: Flags) -> Flags:
        number = np.add.reduceat(chosen, first_of_patient, axis=0, dtype=np.int8)
        reached: Flags = number >= needed
        return reached

    found = np.select(
        [enough(best_counts == YES), enough(best_counts >= UNKNOWN), enough(best_failed == YES)],
        [np.int8(3), np.int8(2), np.int8(1)],
        np.int8(0),
    )
    return patient[new], found.astype(np.int8)


def _verdict_table(labels: Labels, probability: Numbers) -> pd.DataFrame:
    given = pd.Categorical(labels.labels["verdict"], categories=list(VERDICTS)).codes
    right = probability[np.arange(len(given)), given]
    unknown = given == VERDICTS.index("indeterminate")
    table = labels.labels[["patient_id", "verdict"]].copy()
    table["verdict_right"] = np.where(unknown, np.nan, right)
    for position in reversed(range(len(VERDICTS))):
        table[f"probability_{VERDICTS[position]}"] = probability[:, position]
    return table


def _course_table(labels: Labels, probability: Numbers) -> pd.DataFrame:
    answer = labels.judgement.failed
    right = probability[np.arange(len(answer)), answer]
    table = labels.courses[["patient_id", "course"]].copy()
    table["failed"] = words(answer)
    table["failed_right"] = np.where(answer == UNKNOWN, np.nan, right)
    table["probability_failed"] = probability[:, YES]
    table["probability_not_failed"] = probability[:, NO]
    return table


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
