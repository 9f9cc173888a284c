"""Our figures through MLflow's own evaluation, and how MLflow finds them."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.training.evaluator import FILE, RiskEvaluator
from lnrisk.training.validation.figures import figures
from mlflow.models.evaluation.evaluator_registry import _model_evaluation_registry
from sklearn.metrics import log_loss

ROOT = Path(__file__).parents[2]
QUICK = {"resamples": 50}
pytestmark = pytest.mark.filterwarnings(
    "ignore::pandas.errors.Pandas4Warning"  # MLflow, on any data it is given
)


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.create_experiment("evaluated", artifact_location=(folder / "files").as_uri())
    mlflow.set_experiment("evaluated")
    _model_evaluation_registry.register("lnrisk", RiskEvaluator)
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    risk = random.uniform(0.05, 0.9, 300)
    return pd.DataFrame(
        {
            "x": risk,
            "outcome": (random.random(300) < risk).astype(int),
            "weight": random.uniform(0.5, 2, 300),
            "patient": np.repeat(np.arange(150), 2),
        }
    )


def evaluate(data, model=None, **config):
    given = {"predictions": "x"} if model is None else {"model": model}
    with mlflow.start_run() as run:
        found = mlflow.models.evaluate(
            data=data,
            targets="outcome",
            model_type="classifier",
            evaluators=["lnrisk"],
            evaluator_config={"lnrisk": {**QUICK, **config}},
            **given,
        )
    return found, run.info.run_id


def test_the_entry_point_leads_mlflow_to_it(tmp_path):
    """As an installed package: the metadata made from pyproject is what MLflow reads."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    group = project["entry-points"]["mlflow.model_evaluator"]
    info = tmp_path / "stand_in-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stand-in\nVersion: 0\n")
    lines = [f"{name} = {target}" for name, target in group.items()]
    (info / "entry_points.txt").write_text("\n".join(["[mlflow.model_evaluator]", *lines]))
    code = (
        f"import sys; sys.path.append({str(tmp_path)!r}); import mlflow; "
        "print(mlflow.models.list_evaluators())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'lnrisk'" in run.stdout, run.stderr
    assert "Failure attempting" not in run.stderr


def test_the_figures_are_ours_weighted_and_by_patient(data):
    found, run_id = evaluate(data, sample_weight="weight", groups="patient")
    given = data["outcome"], data["x"], data["weight"]
    ours = figures(*given, data["patient"].to_numpy(), **QUICK).set_index("measure")
    for measure in ("auroc", "ici", "calibration_slope"):
        assert found.metrics[measure] == ours.loc[measure, "estimate"]
        assert found.metrics[f"{measure}_upper"] == ours.loc[measure, "upper"]
    assert found.metrics["log_loss"] == pytest.approx(
        log_loss(*given[:2], sample_weight=given[2]), rel=1e-9
    )
    logged = mlflow.MlflowClient().get_run(run_id).data.metrics
    assert {name: logged[name] for name in found.metrics} == found.metrics


def test_the_file_is_logged_whole(data):
    found, run_id = evaluate(data)
    text = mlflow.artifacts.load_text(found.artifacts[FILE].uri)
    content = json.loads(text)
    assert content == found.artifacts[FILE].content
    assert content["rows"] == 300
    assert len(content["calibration_curve"]) > 10
    assert run_id in found.artifacts[FILE].uri


def test_a_model_is_kept_from_weights_and_patients(data):
    seen = []

    def model(features):
        seen.append(list(features))
        return pd.DataFrame({"risk": features["x"], "other": 0.5})

    found, _ = evaluate(data, model, sample_weight="weight", groups="patient")
    assert seen[-1] == ["x"]
    plain, _ = evaluate(data, sample_weight="weight", groups="patient")
    assert found.metrics == plain.metrics


@pytest.mark.parametrize(
    ("change", "config", "said"),
    [
        ({"x": 1}, {}, "labels. Probabilities are needed"),
        ({"x": np.nan}, {}, "300 rows have no risk"),
        ({"x": 1.2}, {}, "`risk` must lie in 0 to 1"),
        ({"outcome": 2}, {}, "`y` must be 0 or 1"),
        ({}, {"weights": "weight"}, "no setting 'weights'; accepted are sample_weight"),
        ({}, {"sample_weight": "wait"}, "no column 'wait'"),
    ],
)
def test_what_is_no_risk_is_refused(data, change, config, said):
    with pytest.raises(LnriskError, match=said):
        evaluate(data.assign(**change), **config)


def test_other_kinds_of_model_are_left_to_others():
    assert not RiskEvaluator.can_evaluate(model_type="regressor", evaluator_config={})
