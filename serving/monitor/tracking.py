"""The report in MLflow, one run for each time that `lnrisk monitor` looks.

Assumes that the tracking server may be read by people who may not read the audit log: the report
holds aggregates only.
"""

from typing import Any

from ...features.errors import LnriskError
from .report import as_json, as_metrics, as_page

__all__ = ["log_report"]


def log_report(report: dict[str, Any], experiment: str, tracking_uri: str) -> str:
    """Log a report, and return the identifier of its run.

    Raises
    ------
    LnriskError
        When the tracking server refuses.
    """
    import mlflow

    try:
        mlflow.set_tracking_uri(tracking_uri)
        mlflow.set_experiment(experiment)
        with mlflow.start_run() as run:
            mlflow.set_tags(
                {
                    "lnrisk.kind": "monitor",
                    "lnrisk.model_sha256": report["model"]["sha256"],
                    "lnrisk.synthetic": str(report["model"]["synthetic"]).lower(),
                    "lnrisk.first": report["answers"]["first"] or "",
                    "lnrisk.last": report["answers"]["last"] or "",
                }
            )
            for name, value, step in as_metrics(report):
                mlflow.log_metric(name, value, step=step)
            mlflow.log_text(as_json(report), "monitor.json")
            mlflow.log_text(as_page(report), "monitor.html")
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise LnriskError(f"MLflow at {tracking_uri} refused the report: {error}") from error
    return str(run.info.run_id)
