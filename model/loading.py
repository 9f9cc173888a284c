"""From what a user calls a model to the model: a folder, a model file, or an MLflow model URI.

Assumes that a URI can be reached with the tracking URI in force; only the model file is read from
it, no code and no pickle.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..features.errors import ModelError
from ..features.trajectories import Trajectory
from .artifact import MODEL_FILE, SCHEMA, RiskModel, Term
from .calibration_map import VennAbersMap, calibration_map
from .columns import Column
from .definition import Definition
from .spread import Spread

__all__ = ["find_model", "load_model"]


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


def _trajectory(content: dict[str, Any]) -> Trajectory:
    return Trajectory(
        **{
            **content,
            "groups": tuple(content["groups"]),
            "mean": tuple(tuple(row) for row in content["mean"]),
            "variance": tuple(content["variance"]),
        }
    )


def _pair_map(content: dict[str, Any]) -> VennAbersMap:
    found = calibration_map(content)
    if not isinstance(found, VennAbersMap):
        raise ValueError(f"venn_abers is a calibration of kind {found.kind!r}")
    return found


def _column(content: dict[str, Any]) -> Column:
    return Column(**{**content, "knots": tuple(content["knots"])})


def load_model(path: Path | str) -> RiskModel:
    """Read a model file, or the model file of a folder.

    Raises
    ------
    ModelError
        When the file is absent, of another schema, or its content does not match its hash.
    """
    path = Path(path)
    file = path / MODEL_FILE if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file.name}: not a readable model file: {error}") from error
    schema = content.pop("schema", None) if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise ModelError(f"{file.name}: schema {schema!r} is not {SCHEMA!r}.")
    try:
        sha256 = content.pop("sha256")
        model = RiskModel(
            **{
                **content,
                "definition": Definition.model_validate(content["definition"]),
                "trajectories": tuple(_trajectory(part) for part in content["trajectories"]),
                "terms": tuple(Term(**term) for term in content["terms"]),
                "columns": tuple(_column(column) for column in content["columns"]),
                "landmarks": tuple(content["landmarks"]),
                "coefficients": tuple(content["coefficients"]),
                "calibration": calibration_map(content["calibration"]),
                "venn_abers": _pair_map(content["venn_abers"]),
                "missing_patterns": tuple(content["missing_patterns"]),
                "refits": tuple(tuple(refit) for refit in content["refits"]),
                "spread": content["spread"] and Spread.of(content["spread"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{file.name}: not a model of schema {SCHEMA}: {error}") from error
    if model.sealed().sha256 != sha256:
        raise ModelError(f"{file.name}: the content does not match its hash; it was changed.")
    return replace(model, sha256=sha256)
