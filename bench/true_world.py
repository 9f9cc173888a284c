"""Simulated registries whose true risk is known, and what is measured against it."""

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from lnrisk.features.registry import Registry, read_registry
from lnrisk.training.metrics import auroc
from lnrisk.training.simulate import simulate, write

__all__ = ["cross_entropy", "expected_auroc", "simulated"]

Risks = npt.NDArray[np.float64]


def simulated(patients: int, seed: int, **replays: int) -> tuple[Registry, pd.DataFrame]:
    """Return a registry, read as any other, and the truth beside it."""
    made = simulate(patients, seed, **replays)
    with tempfile.TemporaryDirectory() as folder:
        write(made, Path(folder) / "registry", "parquet")
        return read_registry(Path(folder) / "registry"), made.truth


def cross_entropy(true: Risks, risk: Risks) -> Risks:
    """Return the expected log loss of a risk where the true one is known, in nats."""
    held = np.clip(risk, 1e-9, 1 - 1e-9)
    return -(true * np.log(held) + (1 - true) * np.log(1 - held))


def expected_auroc(true: Risks, risk: Risks) -> float:
    """Return the AUROC were each patient a case with the true risk and a control with the rest."""
    case = np.repeat([1, 0], len(true))
    return float(auroc(case, np.tile(risk, 2), np.concatenate([true, 1 - true])))
