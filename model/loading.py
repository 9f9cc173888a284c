"""From what a user calls a model to the model: a folder, a model file, or an MLflow model URI.

Assumes that a URI can be reached with the tracking URI in force; only the model file is read from
it, no code and no pickle.
"""

import os
from pathlib import Path

from ..features.errors import ModelError
from .artifact import MODEL_FILE, RiskModel, load_model

__all__ = ["find_model"]


def find_model(name: str, tracking_uri: str | None = None) -> RiskModel:
    """Load a model.

    Parameters
    ----------
    name : str
        A folder or file, or an MLflow URI such as ``models:/lnrisk@champion``.
    tracking_uri : str, optional
        MLflow's tracking URI; its own setting otherwise.

    Raises
    ------
    ModelError
        When there is no such model, or its file is not intact.
    """
    path = Path(name)
    if path.exists():
        return load_model(_inside(path) if path.is_dir() else path)
    if ":/" not in name:
        raise ModelError(
            f"{name!r} is neither a folder nor a model URI such as models:/lnrisk@champion."
        )
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    if tracking_uri is not None:
        mlflow.set_tracking_uri(tracking_uri)
    try:
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=name))
    except mlflow.exceptions.MlflowException as error:
        raise ModelError(f"{name}: MLflow has no such model: {error}") from error
    return load_model(_inside(folder))


def _inside(folder: Path) -> Path:
    """Return the model file of a folder, or of the MLflow model in it."""
    for candidate in (folder / MODEL_FILE, folder / "artifacts" / MODEL_FILE):
        if candidate.exists():
            return candidate
    raise ModelError(f"{folder.name}: the folder has no {MODEL_FILE}.")
