"""Finished pieces of a long validation, kept until it is done, so that nothing is done twice.

Assumes that a piece follows from its name and from the key of the run alone: same data, definition,
configuration and version. The files hold risks without identifiers, and no code.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..features.registry import Registry
from ..model.definition import Definition
from .config import TrainingConfig
from .parallel import in_parallel
from .progress import Step

__all__ = ["NOWHERE", "Arrays", "Pieces", "kept_for", "run_key"]

Arrays = dict[str, npt.NDArray[Any]]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Pieces:
    """A folder of finished pieces, or none.

    Parameters
    ----------
    folder : Path, optional
        Without it every piece is made anew and none is kept.
    """

    folder: Path | None = None

    def run(
        self,
        function: Callable[[Item], Arrays],
        items: Mapping[str, Item],
        what: str,
        step: Step,
        *,
        heavy: bool = False,
    ) -> dict[str, Arrays]:
        """Return what a function makes of each item, reading what was made before.

        Parameters
        ----------
        function : callable
            Can be pickled; returns arrays of numbers, booleans or text by name.
        items : mapping of str to object
            By the names under which the pieces are kept.
        what : str
            Name of the work, for the progress.
        step : callable
            Told of the progress, pieces found included.
        heavy : bool
            Whether one piece is worth a process of its own.
        """
        found = {name: arrays for name in items if (arrays := self._read(name)) is not None}
        missing = [(name, item) for name, item in items.items() if name not in found]

        def told(_: str, done: int, __: int) -> None:
            step(what, len(found) + done, len(items))

        made = in_parallel(partial(_make, function, self), missing, what, told, heavy=heavy)
        new = {name: arrays for (name, _), arrays in zip(missing, made, strict=True)}
        return {name: found[name] if name in found else new[name] for name in items}

    def clear(self) -> None:
        """Remove the folder: the run is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            if self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
                self.folder.parent.rmdir()

    def _file(self, name: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{name}.npz"

    def _read(self, name: str) -> Arrays | None:
        file = self._file(name)
        if file is None or not file.exists():
            return None
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except (BadZipFile, EOFError, OSError, ValueError):
            file.unlink(missing_ok=True)  # half-written by a machine that went down; made again
            return None

    def _keep(self, name: str, arrays: Arrays) -> None:
        file = self._file(name)
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = file.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)
        part.replace(file)


NOWHERE = Pieces()


def _make(function: Callable[[Item], Arrays], pieces: Pieces, named: tuple[str, Item]) -> Arrays:
    name, item = named
    arrays = function(item)
    pieces._keep(name, arrays)
    return arrays


def run_key(
    registry: Registry, definition: Definition, config: TrainingConfig, version: str
) -> str:
    """Return a hash of all that a piece follows from, besides its own name.

    Parameters
    ----------
    registry : Registry
    definition : Definition
    config : TrainingConfig
        How often something is repeated does not matter: a longer run takes up a shorter one.
    version : str
        Of this software.
    """
    content = {
        "data": registry.source.sha256,
        "definition": definition.model_dump(mode="json"),
        "config": config.model_dump(mode="json", exclude={"validation", "refits"}),
        "version": version,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def kept_for(folder: Path | None, key: str) -> Pieces:
    """Return the pieces of a run in a work folder; none are kept without one."""
    return NOWHERE if folder is None else Pieces(folder / key[:16])
