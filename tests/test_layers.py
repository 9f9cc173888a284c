"""An import may only point down: features <- model <- training, serving <- demo, command line."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_USE = {
    "features": {"features"},
    "model": {"features", "model"},
    "training": {"features", "model", "training"},
    "serving": {"features", "model", "serving"},
}


def modules():
    return sorted(
        path
        for floor in MAY_USE
        for path in (ROOT / floor).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def floors_imported(path):
    depth = len(path.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.level:
            above = node.level - (depth - 1)
            inside = path.relative_to(ROOT).parts[: depth - node.level]
            prefix = ".".join(inside) if above < 1 else ""
            names = [f"{prefix}.{node.module or ''}".strip(".")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lnrisk."):
            names = [node.module.removeprefix("lnrisk.")]
        elif isinstance(node, ast.Import):
            names = [a.name.removeprefix("lnrisk.") for a in node.names if "lnrisk." in a.name]
        for name in names:
            floor = name.split(".")[0]
            if floor in MAY_USE:
                yield floor


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    floor = path.relative_to(ROOT).parts[0]
    assert set(floors_imported(path)) <= MAY_USE[floor]


def imported_by(statement):
    code = f"import sys; {statement}; print(*sorted(m.split('.')[0] for m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


HEAVY = {"sklearn", "mlflow", "matplotlib", "pandas", "numpy", "scipy", "pyarrow", "rich"}


def test_help_imports_nothing_heavy():
    assert not imported_by("import lnrisk.__main__") & HEAVY


def test_serving_needs_neither_scikit_learn_nor_mlflow():
    assert not imported_by("import lnrisk.serving.scoring") & {"sklearn", "mlflow", "matplotlib"}


def test_label_needs_neither_scikit_learn_nor_mlflow():
    assert not imported_by("import lnrisk.model.label") & {"sklearn", "mlflow", "matplotlib"}
