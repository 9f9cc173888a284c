"""One training run from a registry to MLflow and, on request, to a folder.

Assumes that the tracking server can be reached; nothing is written to the folder unless it can.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..features.errors import LnriskError
from ..features.registry import Registry
from ..model.artifact import MODEL_FILE
from ..model.definition import Definition
from ..model.ledger import Ledger
from .champions import enter_first
from .config import TrainingConfig
from .progress import Step
from .report.figure_files import figure_files
from .report.page import render_report
from .schema.results import as_results
from .schema.tables import write_tables
from .tracking import Registered, Tracked, check_free, log_run, without_autologging
from .train import TrainingRun, train
from .validation.fold_figures import fold_figures

__all__ = ["Done", "Request", "run"]

_HEADLINES = {
    "auroc": "AUROC",
    "brier": "Brier score",
    "scaled_brier": "scaled Brier score",
    "calibration_intercept": "calibration intercept",
    "calibration_slope": "calibration slope",
    "observed_expected": "observed / expected",
    "ici": "calibration ICI",
    "e50": "calibration E50",
    "e90": "calibration E90",
}


@dataclass(frozen=True)
class Request:
    """What to train on, how, and where it goes; a model that gets an alias goes into the ledger."""

    registry: Registry
    definition: Definition
    config: TrainingConfig
    experiment: str = "lnrisk"
    tracking_uri: str | None = None
    register: str | None = None
    alias: str | None = None
    out: Path | None = None
    work: Path | None = None
    ledger: Path | None = None


@dataclass(frozen=True)
class Done:
    """A finished run and where it is."""

    trained: TrainingRun
    tracked: Tracked
    out: Path | None

    def summary(self) -> str:
        """Return attrition, figures and addresses in lines."""
        results = self.trained.results
        figures = []
        for row in results["performance"]:
            values = [row[name] for name in ("estimate", "lower", "upper")]
            shown = ["not defined" if value is None else f"{value:.3f}" for value in values]
            figures.append(
                f"  {_HEADLINES[row['measure']]:<22} {shown[0]} ({shown[1]} to {shown[2]})"
            )
        plan = results["validation"]
        synthetic = ["SIMULATED PATIENTS: no figure is evidence about real people."]
        lines = [
            *(synthetic if results["synthetic"] else []),
            "who was left out",
            _indented(self.trained.cohort.attrition.to_string(index=False)),
            f"{_events(results)}; {plan['repeats']} x {plan['folds']}-fold cross-validation, "
            f"{plan['level']:.0%} intervals",
            *figures,
            *(f"note: {warning}" for warning in results["warnings"]),
            f"run id     {self.tracked.run_id}",
            f"model URI  {self.tracked.model_uri}",
            f"tracking   {self.tracked.tracking_uri}",
        ]
        return "\n".join([*lines, *([f"folder     {self.out}"] if self.out else [])])


def _events(results: dict[str, Any]) -> str:
    known = results["cohort"]["events"]
    others = round(results["sample_size"]["events"] - known)
    return f"{known} known events and {others} expected" if others else f"{known} events"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _write_folder(trained: TrainingRun, report: str, out: Path) -> None:
    """Write model, results, attrition and report; the folder appears whole or not at all."""
    contents = {
        MODEL_FILE: trained.model.to_json(),
        "results.json": json.dumps(trained.results, indent=1) + "\n",
        "attrition.csv": trained.cohort.attrition.to_csv(index=False),
        "report.html": report,
    }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            whole = Path(folder) / "whole"
            whole.mkdir()
            for name, text in contents.items():
                (whole / name).write_text(text, encoding="utf-8")
            write_tables(as_results(trained.results), whole / "tables")
            if out.exists():
                out.rmdir()
            shutil.move(whole, out)
    except OSError as error:
        raise LnriskError(f"{out}: cannot be written: {error}") from error


def run(request: Request, step: Step, version: str) -> Done:
    """Train, log and write.

    Parameters
    ----------
    request : Request
    step : callable
        Told of the progress.
    version : str
        Of this software.
    """
    registered = Registered(request.register, request.alias) if request.register else None
    check_free(registered, request.tracking_uri)
    book = None if request.ledger is None else Ledger(request.ledger)
    if book is not None:
        book.entries()  # what cannot be entered is said before hours of training
    with without_autologging():
        trained = train(
            request.registry, request.definition, request.config, step, version, request.work
        )
    report = render_report(trained.results)
    step("MLflow", 0, 1)
    tracked = log_run(
        trained.model,
        trained.results,
        request.config,
        trained.cohort.features,
        report,
        figure_files(trained.results),
        fold_figures(trained.cohort, trained.validated, request.config),
        experiment=request.experiment,
        tracking_uri=request.tracking_uri,
        registered=registered,
    )
    if book is not None and request.register and request.alias:
        given = (request.register, str(tracked.version), "lnrisk train")
        enter_first(trained.model, *given, book, alias=request.alias)
    step("MLflow", 1, 1)
    if request.out is not None:
        _write_folder(trained, report, request.out)
    return Done(trained, tracked, request.out)
