"""From what a user names to the results of a run: a folder, a file, an MLflow run or model.

Assumes that a run keeps its results as the artefact ``results.json``, which `lnrisk train` does.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from ...features.errors import LnriskError
from .results import Results, as_results

__all__ = ["RESULTS_FILE", "read_results"]

RESULTS_FILE = "results.json"
RUN_ID = re.compile(r"[0-9a-f]{32}")


def read_results(source: str | Path, tracking_uri: str | None = None) -> Results:
    """Read the results of a run.

    Parameters
    ----------
    source : str or Path
        A folder that `lnrisk train --out` wrote, a results file, an MLflow run id or URI such as
        ``runs:/RUN_ID``, or a model URI such as ``models:/lnrisk@champion``.
    tracking_uri : str, optional
        MLflow's tracking URI; its own setting otherwise.

    Raises
    ------
    LnriskError
        When there are no results there, or they are not of the schema.
    """
    path = Path(source)
    if path.is_dir():
        path = path / RESULTS_FILE
        if not path.is_file():
            raise LnriskError(f"{source}: the folder has no {RESULTS_FILE}.")
    elif not path.is_file():
        path = _download(str(source), tracking_uri)
    return as_results(_json(path, str(source)))


def _json(path: Path, source: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LnriskError(f"{source}: {RESULTS_FILE} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise LnriskError(f"{source}: expected one JSON object, found {type(content).__name__}.")
    return content


def _download(source: str, tracking_uri: str | None) -> Path:
    """Fetch the results of the run that a run id, run URI or model URI leads to."""
    name = f"runs:/{source}" if RUN_ID.fullmatch(source) else source
    if not name.startswith(("runs:/", "models:/")):
        raise LnriskError(
            f"{source!r} is neither a folder, nor a results file, nor an MLflow run id, nor a URI "
            "such as runs:/RUN_ID or models:/lnrisk@champion."
        )
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    if tracking_uri is not None:
        mlflow.set_tracking_uri(tracking_uri)
    try:
        run_id = (
            name.removeprefix("runs:/").split("/")[0]
            if name.startswith("runs:/")
            else mlflow.models.get_model_info(name).run_id
        )
        if run_id is None:
            raise LnriskError(f"{source}: the model names no run, so its results are not known.")
        address = f"runs:/{run_id}/{RESULTS_FILE}"
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=address))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise LnriskError(f"{source}: MLflow has no results there: {error}") from error
