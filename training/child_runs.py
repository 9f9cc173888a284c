"""Child runs of a training run: the folds of its cross-validation, and the candidates compared.

Assumes that the parent run is open. Each child costs three requests whatever it holds, so that a
slow server does not make training slow.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from .validation.fold_figures import MEASURES

__all__ = ["log_children"]

CANDIDATE_METRICS = (
    "log_loss",
    "standard_error",
    "difference",
    "difference_error",
    "auroc",
    "parameters",
    "chosen_in_folds",
    "chosen_in_refits",
)


def log_children(
    client: Any,
    parent: Any,
    folds: pd.DataFrame,
    candidates: Sequence[Mapping[str, Any]],
    tags: Mapping[str, str],
) -> None:
    """Log a child run for each fold and each candidate; the parent gets the folds as steps.

    Parameters
    ----------
    client : mlflow.MlflowClient
    parent : mlflow.entities.Run
    folds : DataFrame
        As `lnrisk.training.validation.fold_figures.fold_figures` returns it. The repeats of a fold
        are the steps of its metrics.
    candidates : sequence of dict
        As `lnrisk.training.selection.choose` returns them.
    tags : dict of str to str
        That every child gets.
    """
    in_order = [
        (f"fold_{name}", float(row[name]), step)
        for step, row in enumerate(folds.to_dict("records"))
        for name in MEASURES
    ]
    client.log_batch(parent.info.run_id, metrics=_metrics(in_order))
    for number, of_fold in folds.groupby("fold"):
        steps = [
            (name, float(row[name]), int(row["repeat"]))
            for row in of_fold.to_dict("records")
            for name in (*MEASURES, "patients", "events")
        ]
        own = {**tags, "lnrisk.child": "fold"}
        _log_child(client, parent, f"fold {number}", own, steps)
    for row in candidates:
        own = {
            **tags,
            "lnrisk.child": "candidate",
            "lnrisk.chosen": str(row["chosen"]).lower(),
            "lnrisk.served": str(row["served"]).lower(),
            "mlflow.note.content": f"{row['meaning']}: {row['why']}",
        }
        steps = [(m, float(row[m]), 0) for m in CANDIDATE_METRICS if row.get(m) is not None]
        _log_child(client, parent, f"candidate {row['name']}", own, steps)


def _log_child(
    client: Any,
    parent: Any,
    name: str,
    tags: dict[str, str],
    steps: Sequence[tuple[str, float, int]],
) -> None:
    child = client.create_run(
        parent.info.experiment_id,
        run_name=name,
        tags={**tags, "mlflow.parentRunId": parent.info.run_id},
    )
    client.log_batch(child.info.run_id, metrics=_metrics(steps))
    client.set_terminated(child.info.run_id)


def _metrics(steps: Sequence[tuple[str, float, int]]) -> list[Any]:
    """Return metrics; what is not defined is left out, since no number stands for it."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(name, value, now, step) for name, value, step in steps if math.isfinite(value)]
