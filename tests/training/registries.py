"""Simulated registries and a trained run that several test modules share."""

import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from lnrisk.features.registry import Registry, check_registry
from lnrisk.features.tables import TABLES
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
    anticipated_auroc=0.75,
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


def _as_json(value):
    if hasattr(value, "date"):
        return str(value.date())
    return int(value) if isinstance(value, float) and value.is_integer() else value


def request_of(registry, row, as_of):
    """Return a patient of a registry as the body of a request."""
    mine = registry.select(np.arange(len(registry)) == row)
    body = {"as_of": str(as_of)}
    for name, columns in TABLES.items():
        table = mine.table(name)
        kept = [c.name for c in columns if c.kind != "id" and c.name in table]
        if len(table):
            rows = table[kept].astype(object).to_dict("records")
            body[name] = [
                {
                    key: _as_json(value)
                    for key, value in each.items()
                    if pd.notna(value) and value != ""
                }
                for each in rows
            ]
    return json.dumps(body)
