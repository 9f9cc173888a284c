"""Every example in a docstring runs and says what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN_BY_MLFLOW = "lnrisk.serving.mlflow_model"


def module_names():
    for folder in ("features", "model", "training", "serving"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(("lnrisk", *parts)).removesuffix(".__init__")
            if name != RUN_BY_MLFLOW:
                yield name


@pytest.mark.parametrize("name", list(module_names()))
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
