"""Simulated registries and a trained run that several test modules share."""

import tempfile
from functools import cache
from pathlib import Path

from lnrisk.features.registry import Registry, check_registry
from lnrisk.model.definition import load_definition
from lnrisk.training.config import TrainingConfig, Validation
from lnrisk.training.simulate import simulate, write
from lnrisk.training.train import train

CONFIG = TrainingConfig(
    terms=(
        "log_upcr_shrunken_change",
        "egfr_slope",
        "chronicity_index_shrunken",
        "log_upcr_level",
        "adherence_probability",
        "egfr_level",
        "age",
    ),
    landmark_days=(0, 84, 182),
    allow_small=True,
    seed=1,
    refits=5,
    validation=Validation(
        folds=3,
        repeats=1,
        resamples=50,
        learning_sizes=(0.5,),
        centres=False,
        sensitivity=False,
        challengers=False,
    ),
)


def quietly(name, done, of):
    """Say nothing of the progress."""


@cache
def simulated(patients=600, seed=1) -> Registry:
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "registry"
        write(simulate(patients, seed), bundle, "parquet")
        return check_registry(bundle).registry


@cache
def trained():
    return train(simulated(), load_definition(), CONFIG, quietly, "0.0.0")
