"""The default and its challengers on one cohort, each without the patients that it is judged on.

Assumes that all candidates are trained on the same patients, in the folds of the cross-validation;
boosting in those of its first repeat alone. The model file holds sums of terms, so boosting can win
and is not served; the others are what every fit of the validation chooses from anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...model.terms import parameters_of
from ..cohort import BOOSTING, ELASTIC_NET, LOGISTIC, Cohort, with_every_feature
from ..config import TrainingConfig
from ..pieces import NOWHERE, Pieces
from ..progress import Step
from ..selection import Candidate, choose
from ..validation.cross_validation import out_of_fold

__all__ = ["candidates", "compare", "how_often_chosen", "served"]

MEANINGS = {
    LOGISTIC: "ridge-penalised logistic regression on few terms named beforehand",
    ELASTIC_NET: "elastic net on all that tells of the patient, each thing told once",
    BOOSTING: "gradient boosting on the terms of the default, monotone where medicine is sure",
}
"""In order of simplicity: a sum of few terms, a sum of many, and what is no sum."""
SERVABLE = (LOGISTIC, ELASTIC_NET)


def candidates(cohort: Cohort, config: TrainingConfig) -> dict[str, Cohort]:
    """Return what each candidate is fitted to, the simplest first.

    Parameters
    ----------
    cohort : Cohort
        Of the default.
    config : TrainingConfig
    """
    return {
        LOGISTIC: cohort,
        ELASTIC_NET: with_every_feature(cohort, config),
        BOOSTING: replace(cohort, classifier=BOOSTING),
    }


def compare(
    found: Mapping[str, Cohort], config: TrainingConfig, step: Step, pieces: Pieces = NOWHERE
) -> list[dict[str, Any]]:
    """Compare candidates, tuning and calibration repeated in every fold.

    Parameters
    ----------
    found : mapping of str to Cohort
        As `candidates` returns them.
    config : TrainingConfig
        Its folds and seed are those of the cross-validation.
    step : callable
        Told of the progress.
    pieces : Pieces
        Where finished folds are kept, and found again by the cross-validation.

    Returns
    -------
    list of dict
        As `lnrisk.training.selection.choose` returns them, of the rows of all landmarks, with
        ``served``: whether the model file is to hold it, which is the simplest within one standard
        error of the best among those that a model file can hold.
    """
    cohort = found[LOGISTIC]
    rows = cohort.has_outcome
    repeats = dict.fromkeys(SERVABLE, config.validation.repeats) | {BOOSTING: 1}
    competing = [
        Candidate(
            name,
            MEANINGS[name],
            out_of_fold(one, config, repeats[name], step, pieces).risk[rows],
            None if name == BOOSTING else float(parameters_of(one.pieces)),
        )
        for name, one in found.items()
    ]
    given = (cohort.y[rows], cohort.weights.weight[rows], cohort.patient_id[rows].astype(str))
    servable = choose([one for one in competing if one.name in SERVABLE], *given)
    taken = asked_for(config) or next(row["name"] for row in servable if row["chosen"])
    return [{**row, "served": row["name"] == taken} for row in choose(competing, *given)]


def asked_for(config: TrainingConfig) -> str | None:
    """Return the classifier that a configuration names, by itself or by its terms; None if none."""
    if config.classifier != "best":
        return config.classifier
    return LOGISTIC if config.terms else None


def served(
    found: Mapping[str, Cohort], rows: Sequence[Mapping[str, Any]], config: TrainingConfig
) -> Cohort:
    """Return the cohort of what the model file is to hold, with its rivals if it was to be chosen.

    Parameters
    ----------
    found : mapping of str to Cohort
        As `candidates` returns them.
    rows : sequence of dict
        As `compare` returns them; empty where nothing was compared.
    config : TrainingConfig
    """
    name = asked_for(config)
    if name is not None or not rows:
        return found[name or LOGISTIC]
    taken = next(str(row["name"]) for row in rows if row["served"])
    rivals = tuple(found[other] for other in SERVABLE if other != taken)
    return replace(found[taken], rivals=rivals)


def how_often_chosen(
    rows: Sequence[Mapping[str, Any]],
    cohort: Cohort,
    folds: Sequence[str],
    refits: Sequence[str],
) -> list[dict[str, Any]]:
    """Return the comparison with how often each contender was chosen anew.

    Parameters
    ----------
    rows : sequence of dict
        As `compare` returns them.
    cohort : Cohort
        As `served` returns it; nothing is added where it has no rivals.
    folds, refits : sequence of str
        What each fold of the cross-validation and each refit took.
    """
    again = [one.classifier for one in cohort.contenders] if cohort.rivals else []
    counts = {
        name: {"chosen_in_folds": folds.count(name), "chosen_in_refits": refits.count(name)}
        for name in again
    }
    return [{**row, **counts.get(row["name"], {})} for row in rows]
