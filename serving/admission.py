"""Which model is served: intact, of a known schema, and of a definition that is what its name says.

Assumes that a name means one thing: a definition that calls itself by the name and version of a
preset, but differs from it, is refused, because its labels would pass for the preset's.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..features.errors import ModelError
from ..model.artifact import RiskModel
from ..model.definition import Definition, load_definition, presets
from ..model.loading import find_model

__all__ = ["admitted", "exported"]


def exported(name: str, tracking_uri: str | None, cache: Path | None = None) -> Path:
    """Return where a model's file is, having fetched it from MLflow where need be.

    MLflow runs in a process of its own, which ends; the one that serves never imports it.

    Parameters
    ----------
    name : str
        A folder, a file, or an MLflow URI.
    tracking_uri : str or None
    cache : Path, optional
        Folder for fetched models; by default in the user's cache.

    Raises
    ------
    ModelError
        When there is no such model.
    """
    if Path(name).exists() or ":/" not in name:
        return Path(name)
    digest = hashlib.sha256(f"{name} {tracking_uri}".encode()).hexdigest()
    folder = (cache or _cache()) / digest[:12]
    folder.mkdir(parents=True, exist_ok=True)
    tracking = [] if tracking_uri is None else ["--tracking-uri", tracking_uri]
    run = subprocess.run(
        [sys.executable, "-m", "lnrisk", "export", name, str(folder), *tracking],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        said = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
        raise ModelError(said[-1].removeprefix("lnrisk: "))
    return folder


def admitted(path: Path) -> RiskModel:
    """Load a model that may be served.

    Raises
    ------
    ModelError
        When the file is not intact, of an unknown schema, or of a foreign definition.
    """
    model = find_model(str(path))
    definition = model.definition
    if definition.name in presets():
        preset = load_definition(definition.name)
        same = preset.with_adherence_unknown(definition.adherent.when_adherence_unknown)
        differs = list(_differences(definition, same))
        if differs:
            raise ModelError(
                f"the model's definition calls itself {definition.name} {definition.version}, "
                f"but is not that preset ({preset.version} here); it differs in "
                f"{', '.join(differs[:5])}. A definition of one's own needs a name of its own."
            )
    return model


def _differences(one: Definition, other: Definition) -> Iterator[str]:
    left, right = _flat(one.model_dump()), _flat(other.model_dump())
    return (name for name in left if left[name] != right.get(name))


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        flat |= (
            _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        )
    return flat


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "lnrisk" / "models"
