"""Our figures of any classifier, through ``mlflow.models.evaluate(evaluators=["lnrisk"])``.

Assumes a column of probabilities, each patient's outcome known or weighted for. MLflow finds the
class by its entry point and imports this module with itself, so that nothing heavy may be imported
here.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.models.evaluation import EvaluationResult, ModelEvaluator
from mlflow.models.evaluation.artifacts import JsonEvaluationArtifact

from ..features.errors import LnriskError

__all__ = ["RiskEvaluator"]

FILE = "lnrisk_figures.json"
SETTINGS = ("sample_weight", "groups", "resamples", "level", "random_state")


class RiskEvaluator(ModelEvaluator):  # type: ignore[misc]
    """Discrimination, calibration and Brier score with intervals from a bootstrap of patients.

    ``evaluator_config`` may hold

    sample_weight, groups : str
        Columns of the data with the weight of each row, and with its patient; they are kept from
        the model.
    resamples, level, random_state
        As in :func:`~lnrisk.training.metrics.bootstrap_intervals`.
    """

    name = "lnrisk"

    @classmethod
    def can_evaluate(
        cls, *, model_type: str | None, evaluator_config: Mapping[str, Any], **_: Any
    ) -> bool:
        """Return whether it is a classifier, or nobody says what it is."""
        return model_type in (None, "classifier")

    def evaluate(
        self,
        *,
        model_type: str | None,
        dataset: Any,
        run_id: str,
        evaluator_config: Mapping[str, Any] | None,
        model: Any = None,
        model_id: str | None = None,
        predictions: str | None = None,
        **_: Any,
    ) -> Any:
        """Return the figures, and log them to the run.

        Raises
        ------
        LnriskError
            When what the model gives are no probabilities of an outcome of 0 or 1.
        """
        import numpy as np

        from .curves import calibration_curve
        from .metrics import log_loss
        from .records import records
        from .validation.figures import figures

        config = _checked(evaluator_config or {}, dataset)
        features = dataset.features_data
        weight, groups = (_column(features, config.pop(name, None)) for name in SETTINGS[:2])
        aside = [(evaluator_config or {}).get(name) for name in SETTINGS[:2]]
        given = dataset.predictions_data
        if model is not None:
            given = model.predict(features.drop(columns=[name for name in aside if name]))
        y, risk = np.asarray(dataset.labels_data), _risks(given, predictions)
        patient = np.arange(len(y)) if groups is None else groups
        try:
            table = figures(y, risk, weight, patient, **config)
            loss = float(log_loss(y, risk, weight))
            curve = calibration_curve(y, risk, weight)
        except ValueError as error:
            raise LnriskError(f"the lnrisk evaluator: {error}") from error
        measured = records(table)
        content = {
            "rows": len(y),
            "events": int(y.sum()),
            "log_loss": loss,
            "model_of_simulated_patients": _synthetic(model),
            "performance": measured,
            "calibration_curve": records(curve),
        }
        metrics = {"log_loss": loss} | {
            f"{row['measure']}{suffix}": row[part]
            for row in measured
            for part, suffix in (("estimate", ""), ("lower", "_lower"), ("upper", "_upper"))
            if row[part] is not None
        }
        uri = _log(run_id, model_id, metrics, content)
        artifact = JsonEvaluationArtifact(uri=uri, content=content)
        return EvaluationResult(metrics=metrics, artifacts={FILE: artifact}, run_id=run_id)


def _checked(config: Mapping[str, Any], dataset: Any) -> dict[str, Any]:
    unknown = sorted(set(config) - set(SETTINGS))
    if unknown:
        raise LnriskError(
            f"the lnrisk evaluator has no setting {unknown[0]!r}; accepted are "
            f"{', '.join(SETTINGS)}."
        )
    if dataset.labels_data is None:
        raise LnriskError("the lnrisk evaluator needs `targets`: the outcome, 0 or 1.")
    return dict(config)


def _column(features: Any, name: str | None) -> Any:
    if name is None:
        return None
    if name not in features:
        raise LnriskError(f"the lnrisk evaluator: the data has no column {name!r}.")
    return features[name].to_numpy()


def _risks(given: Any, column: str | None) -> Any:
    """Return one probability for each row; labels are refused."""
    import numpy as np
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        chosen = column or "risk"
        if chosen not in given:
            raise LnriskError(
                f"the model gives {', '.join(map(str, given))}; say which are the risks by "
                "`predictions`."
            )
        given = given[chosen]
    risk = np.asarray(given, dtype=np.float64)
    if risk.ndim == 2 and risk.shape[1] == 2:
        risk = risk[:, 1]
    if risk.ndim != 1:
        raise LnriskError(f"expected one risk for each row, found the shape {risk.shape}.")
    unknown = int(np.isnan(risk).sum())
    if unknown:
        raise LnriskError(f"{unknown} rows have no risk; leave them out, and say so.")
    if np.isin(risk, [0, 1]).all():
        raise LnriskError("all risks are 0 or 1: labels. Probabilities are needed.")
    return risk


def _synthetic(model: Any) -> bool | None:
    """Return whether a model of ours was trained on simulated patients; None of another's."""
    if model is None:
        return None
    ours = getattr(getattr(model, "_model_impl", None), "python_model", None)
    return getattr(getattr(ours, "model", None), "synthetic", None)


def _log(
    run_id: str, model_id: str | None, metrics: Mapping[str, float], content: Mapping[str, Any]
) -> str:
    import mlflow
    from mlflow.entities import Metric

    client, now = mlflow.MlflowClient(), int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now, 0, model_id=model_id) for name, value in metrics.items()],
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        client.log_artifact(run_id, str(path))
    return f"{client.get_run(run_id).info.artifact_uri}/{FILE}"
