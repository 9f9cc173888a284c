"""The whole road on simulated patients: simulate, check, label, train, validate, score, report.

Assumes an empty folder; what it shows says how the software works, and nothing about real people.
"""

from pathlib import Path

import pandas as pd

from .features.errors import LnriskError
from .features.files import write_files
from .features.registry import check_registry
from .model.artifact import RiskModel
from .model.definition import load_definition
from .model.label import label
from .serving.scoring import score
from .training.config import TrainingConfig, Validation
from .training.progress import Step
from .training.report.figures import save_picture
from .training.report.page import render_report
from .training.run import Request, run
from .training.simulate import simulate, write

__all__ = ["run_demo"]

SCORED = 10
SCORED_AT_WEEK = 12
REFITS = 60


def _ten_patients(model: RiskModel, folder: Path) -> pd.DataFrame:
    """Score everyone at the landmark and take patients across the range of risks."""
    registry = check_registry(folder).registry
    if registry is None:
        raise LnriskError(f"{folder}: the simulated registry does not pass its own checks.")
    risks = score(model, registry, landmark_weeks=SCORED_AT_WEEK)
    ranked = risks[risks["status"] == "ok"].sort_values(["risk", "patient_id"], ascending=False)
    spread = [round(i * (len(ranked) - 1) / (SCORED - 1)) for i in range(SCORED)]
    return ranked.iloc[spread]


def run_demo(folder: Path, patients: int, seed: int, step: Step, version: str) -> str:
    """Run the demo in a folder.

    Parameters
    ----------
    folder : Path
        Empty or absent.
    patients, seed : int
    step : callable
        Told of the progress.
    version : str
        Of this software.

    Returns
    -------
    str
        What to tell the user: where everything is and which command comes next.

    Raises
    ------
    LnriskError
        When the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LnriskError(
            f"{folder}: exists and is not an empty folder; name another one: lnrisk demo DIR"
        )
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / "registry"
    step("simulate", 0, 1)
    write(simulate(patients, seed), bundle)
    step("simulate", 1, 1)
    step("check and label", 0, 1)
    reading = check_registry(bundle)
    registry = reading.registry
    if registry is None:
        raise LnriskError(reading.findings.text(("error",), 20))
    definition = load_definition()
    labelled = label(registry, definition)
    write_files({folder / "labels.csv": labelled.labels, folder / "courses.csv": labelled.courses})
    step("check and label", 1, 1)
    config = TrainingConfig(seed=seed, refits=REFITS, validation=Validation.quick())
    done = run(
        Request(
            registry,
            definition,
            config,
            experiment="lnrisk-demo",
            tracking_uri=f"sqlite:///{(folder / 'mlflow.db').resolve()}",
            register="lnrisk",
            alias="champion",
            out=folder / "model",
        ),
        step,
        version,
    )
    scored = _ten_patients(done.trained.model, bundle)
    results = done.trained.results
    write_files(
        {folder / "risks.csv": scored, folder / "report.html": render_report(results, scored)}
    )
    save_picture(results, folder / "validation.png")
    return _closing_words(folder, done.summary(), registry_day(labelled.labels))


def registry_day(labels: pd.DataFrame) -> str:
    """Return a day on which many patients of the registry can be scored."""
    middle = labels["index_date"].dropna().sort_values().iloc[-len(labels) // 20]
    return str((middle + pd.Timedelta(days=100)).date())


def _closing_words(folder: Path, summary: str, day: str) -> str:
    return "\n".join(
        [
            summary,
            "",
            f"report     {folder / 'report.html'}   (open it in a browser)",
            f"registry   {folder / 'registry'}      with truth.parquet beside the tables",
            f"labels     {folder / 'labels.csv'}, {folder / 'courses.csv'}",
            f"ten scored {folder / 'risks.csv'}",
            "",
            "next: look at a patient, risk beside rule, in a browser at http://127.0.0.1:8000",
            f"  lnrisk serve {folder / 'model'}",
            "",
            "or score every patient on one day, risk and label together",
            f"  lnrisk score {folder / 'model'} {folder / 'registry'} --as-of {day}"
            f" --out {folder / 'all-risks.csv'}",
        ]
    )
