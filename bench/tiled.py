"""A registry of any size: simulated patients, checked once, repeated under new names."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from lnrisk.features.registry import Registry, read_registry
from lnrisk.training.simulate import simulate, write

DISTINCT = 2_000


@cache
def _distinct() -> Registry:
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "registry"
        write(simulate(DISTINCT, 0), bundle, "parquet")
        return read_registry(bundle)


def tiled(patients: int) -> Registry:
    """Return a registry of so many simulated patients."""
    one = _distinct()
    times = -(-patients // DISTINCT)
    names = pd.Index([f"p{number:08d}" for number in range(DISTINCT * times)], dtype="str")
    tables = {}
    for name in one.tables:
        table = pd.concat([one.table(name)] * times, ignore_index=True)
        if name == "patients":
            tables[name] = table.assign(patient_id=pd.Series(names, dtype="str"))
        else:
            codes = [one.positions(name) + DISTINCT * tile for tile in range(times)]
            identifiers = pd.Categorical.from_codes(np.concatenate(codes), categories=names)
            tables[name] = table.assign(patient_id=identifiers)
    chosen = np.arange(DISTINCT * times) < patients
    return Registry(tables, one.source).select(chosen)
