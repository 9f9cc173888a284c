"""A training run in MLflow: parameters, metrics, figures, data, environment and the model.

Assumes that the tracking server may be read by people who may not read the registry: no row of a
patient is logged.
"""

import importlib.metadata
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..features.errors import LnriskError
from ..model.artifact import MODEL_FILE, RiskModel
from .child_runs import log_children
from .config import TrainingConfig
from .schema.results import as_results
from .schema.tables import write_tables

__all__ = [
    "DEFAULT_TRACKING_URI",
    "Registered",
    "Tracked",
    "check_free",
    "connect",
    "holder",
    "log_run",
    "without_autologging",
]

DEFAULT_TRACKING_URI = "sqlite:///mlflow.db"
FILES = ("sqlite", "file", "")
_PACKAGES = ("lnrisk", "mlflow", "numpy", "pandas", "pyarrow", "pydantic", "scikit-learn")
_CODE = Path(__file__).parent.parent / "serving" / "mlflow_model.py"


@dataclass(frozen=True)
class Registered:
    """Under which name, and optionally alias, to register the model."""

    name: str
    alias: str | None = None


@dataclass(frozen=True)
class Tracked:
    """Where the run and its model are; `version` is that of the registered model."""

    run_id: str
    model_uri: str
    tracking_uri: str
    version: str | None = None


def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python} | {name: importlib.metadata.version(name) for name in _PACKAGES}


_TUNED = ("C", "penalty", "l1_ratio")


def _parameters(config: TrainingConfig, results: dict[str, Any]) -> dict[str, Any]:
    plain = config.model_dump(mode="json")
    validation = plain.pop("validation")
    return {
        **plain,
        **{f"validation_{name}": value for name, value in validation.items()},
        "definition": results["task"]["definition"] or "registry outcome",
        "definition_version": results["task"]["definition_version"] or "",
        "classifier": results["model"]["classifier"],
        **{name: results["model"][name] for name in _TUNED if results["model"][name] is not None},
        "features": len(results["features"]),
    }


def _metrics(results: dict[str, Any]) -> dict[str, float]:
    metrics = {}
    for row in results["performance"]:
        for name, suffix in (("estimate", ""), ("lower", "_lower"), ("upper", "_upper")):
            if row[name] is not None:
                metrics[f"{row['measure']}{suffix}"] = row[name]
    counts = {
        name: float(value) for name, value in results["cohort"].items() if name != "landmarks"
    }
    return metrics | counts


def _signature(model: RiskModel) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs = [ColSpec(DataType.double, name, required=False) for name in model.input_names]
    inputs.append(ColSpec(DataType.string, "tables", required=False))
    outputs = [ColSpec(DataType.double, name) for name in ("risk", "risk_lower", "risk_upper")]
    outputs += [ColSpec(DataType.string, name) for name in ("status", "warnings")]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _input_example(model: RiskModel) -> pd.DataFrame:
    """Return one row of training means, without any measurement: an example that is nobody."""
    means = {term.name: term.mean for term in model.terms}
    return pd.DataFrame({name: [means.get(name, 0.0)] for name in model.input_names})


def _dataset(features: pd.DataFrame, results: dict[str, Any]) -> Any:
    """Describe the data by schema, size and hash; no row is logged."""
    import mlflow

    data = results["data"]
    return mlflow.data.from_pandas(features, name=data["name"], digest=data["sha256"][:36])


def _log_model(model: RiskModel, registered: Registered | None) -> tuple[str, str | None]:
    """Log and register the model; return its URI and version."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MODEL_FILE
        file.write_text(model.to_json(), encoding="utf-8")
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(_CODE),
            artifacts={"model": str(file)},
            signature=_signature(model),
            input_example=_input_example(model),
            pip_requirements=[f"{name}=={version}" for name, version in _versions().items()][1:],
            registered_model_name=registered.name if registered else None,
        )
    if registered is None:
        return str(info.model_uri), None
    version = str(info.registered_model_version)
    if registered.alias is None:
        return f"models:/{registered.name}/{version}", version
    mlflow.MlflowClient().set_registered_model_alias(registered.name, registered.alias, version)
    return f"models:/{registered.name}@{registered.alias}", version


def _log_documents(
    results: dict[str, Any], config: TrainingConfig, report: str, figures: dict[str, bytes]
) -> None:
    """Log everything that is a file; `lnrisk train --config` takes config.toml as it is."""
    import mlflow

    mlflow.log_text(json.dumps(results, indent=1), "results.json")
    mlflow.log_text(pd.DataFrame(results["attrition"]).to_csv(index=False), "attrition.csv")
    mlflow.log_dict({"features": results["features"]}, "features.json")
    mlflow.log_text(config.to_toml(), "config.toml")
    mlflow.log_dict(_versions(), "environment.json")
    mlflow.log_text(report, "report.html")
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "figures"
        drawn.mkdir()
        for name, content in figures.items():
            (drawn / name).write_bytes(content)
        write_tables(as_results(results), Path(folder) / "tables")
        mlflow.log_artifacts(folder)


def _quiet_mlflow() -> Any:
    """Import MLflow without telemetry and without its chatter, unless a user asks for either."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow


def _choose_experiment(name: str, uri: str) -> None:
    """Use an experiment; a new one in a SQLite file keeps its artefacts in a folder beside it."""
    import mlflow

    file = uri.removeprefix("sqlite:///")
    if file != uri and mlflow.get_experiment_by_name(name) is None:
        beside = Path(file).resolve().parent / "mlartifacts" / name
        mlflow.create_experiment(name, artifact_location=beside.as_uri())
    mlflow.set_experiment(name)


def _check_reached(uri: str) -> None:
    mlflow = _quiet_mlflow()
    try:
        connect(uri).search_experiments(max_results=1)
    except mlflow.exceptions.MlflowException as error:
        raise LnriskError(f"MLflow at {uri} cannot be reached: {error}") from error


def check_free(registered: Registered | None, tracking_uri: str | None = None) -> None:
    """Refuse to take an alias from another version: that is for `lnrisk promote` to decide.

    A server is asked even where no alias is wanted, so that hours of training do not end at one
    that cannot be reached; a file is made only when there is something to log.

    Raises
    ------
    LnriskError
        When a version has the alias, or the server cannot say.
    """
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_TRACKING_URI
    if uri.partition(":")[0] not in FILES:
        _check_reached(uri)
    if registered is None or registered.alias is None:
        return
    mlflow = _quiet_mlflow()
    try:
        held = holder(connect(tracking_uri), registered.name, registered.alias)
    except mlflow.exceptions.MlflowException as error:
        raise LnriskError(f"MLflow cannot say who is the {registered.alias}: {error}") from error
    if held is not None:
        raise LnriskError(
            f"version {held} of {registered.name} is the {registered.alias}; train without "
            "--alias, then let `lnrisk promote` compare the two."
        )


@contextmanager
def without_autologging() -> Iterator[None]:
    """Keep MLflow's autologging out, should whoever calls us have turned it on.

    It would open a run for every one of thousands of fits. MLflow is not imported for that.
    """
    if "mlflow" not in sys.modules:
        yield
        return
    from mlflow.utils.autologging_utils import disable_autologging

    with disable_autologging():
        yield


def connect(tracking_uri: str | None) -> Any:
    """Return a client of the tracking server in force."""
    mlflow = _quiet_mlflow()
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_TRACKING_URI
    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient()


def holder(client: Any, name: str, alias: str) -> str | None:
    """Return the version of a registered model that has an alias; None where none has.

    Raises
    ------
    MlflowException
        When the server cannot say.
    """
    import mlflow

    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def log_run(
    model: RiskModel,
    results: dict[str, Any],
    config: TrainingConfig,
    features: pd.DataFrame,
    report: str,
    figures: dict[str, bytes],
    folds: pd.DataFrame,
    *,
    experiment: str = "lnrisk",
    tracking_uri: str | None = None,
    registered: Registered | None = None,
) -> Tracked:
    """Log a training run.

    Parameters
    ----------
    model : RiskModel
    results : dict
        As `lnrisk.training.results.run_results` gives.
    config : TrainingConfig
    features : DataFrame
        Of the cohort; only its schema and size are logged.
    report : str
        HTML.
    figures : dict of str to bytes
        File name to content.
    folds : DataFrame
        As `lnrisk.training.validation.fold_figures.fold_figures` returns it.
    experiment : str, default="lnrisk"
    tracking_uri : str, optional
        ``MLFLOW_TRACKING_URI``, else a SQLite file in the working directory.
    registered : Registered, optional
        Register the model under a name and alias.

    Raises
    ------
    LnriskError
        When the tracking server refuses.
    """
    mlflow = _quiet_mlflow()
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_TRACKING_URI
    try:
        mlflow.set_tracking_uri(uri)
        check_free(registered, uri)
        _choose_experiment(experiment, uri)
        with mlflow.start_run() as run:
            mlflow.set_tags(_tags(model, results))
            mlflow.log_params(_parameters(config, results))
            mlflow.log_metrics(_metrics(results))
            mlflow.log_input(_dataset(features, results), context="training")
            synthetic = {"lnrisk.synthetic": _tags(model, results)["lnrisk.synthetic"]}
            candidates = results.get("candidates", [])
            log_children(mlflow.MlflowClient(), run, folds, candidates, synthetic)
            _log_documents(results, config, report, figures)
            model_uri, version = _log_model(model, registered)
            if registered is not None and version is not None:
                _describe_version(registered.name, version, _tags(model, results))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise LnriskError(f"MLflow at {uri} refused the run: {error}") from error
    return Tracked(run.info.run_id, model_uri, uri, version)


def _describe_version(name: str, version: str, tags: dict[str, str]) -> None:
    """Tag a registered version as its run is, so that nobody has to look for the run."""
    import mlflow

    client = mlflow.MlflowClient()
    client.update_model_version(name, version, description=tags["mlflow.note.content"])
    for key, value in tags.items():
        if key.startswith("lnrisk."):
            client.set_model_version_tag(name, version, key, value)


def _tags(model: RiskModel, results: dict[str, Any]) -> dict[str, str]:
    return {
        "lnrisk.version": results["lnrisk_version"],
        "lnrisk.synthetic": str(model.synthetic).lower(),
        "lnrisk.data": results["data"]["name"],
        "lnrisk.data_sha256": results["data"]["sha256"],
        "lnrisk.definition": f"{model.definition.name} {model.definition.version}",
        "lnrisk.outcome": model.outcome,
        "lnrisk.model_sha256": model.sha256,
        "lnrisk.too_few": str(bool(model.too_few)).lower(),
        "mlflow.note.content": " ".join(
            [
                "Trained on simulated patients; no figure is evidence about real people."
                if model.synthetic
                else "Research software, no medical device.",
                *model.too_few,
            ]
        ),
    }
