"""From an audit log, and a registry where there is one, to the report."""

from pathlib import Path
from typing import Any

from ...features.registry import Registry
from ..audit.archive import Archive
from ..audit.chain import AuditError
from ..audit.pseudonyms import Pseudonyms
from .drift import drift_of
from .outcomes import calibration_of, join
from .reactions import reactions_of
from .recorded import read_log
from .report import summary

__all__ = ["monitor"]


def monitor(
    log: Path,
    version: str | None = None,
    registry: Registry | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> dict[str, Any]:
    """Return the report on one model's answers.

    Parameters
    ----------
    log : Path
        The folder, or one of its files.
    version : str, optional
        The first digits of the model's hash; by default the model that answered last.
    registry : Registry, optional
        As known now.
    pseudonyms : Pseudonyms, optional
        Needed with a registry.

    Raises
    ------
    AuditError
        When the log was changed, holds no answer of the model, or the model is not archived.
    """
    recorded = read_log(log)
    models = [sha256 for sha256 in recorded.models if sha256.startswith(version or "")]
    if not models:
        known = ", ".join(sha256[:12] for sha256 in recorded.models) or "none"
        raise AuditError(f"{log}: no answers of the model {version or ''}; there are of: {known}.")
    model = Archive(log if log.is_dir() else log.parent).model(models[-1])
    answers = recorded.of(recorded.assessments["model"] == model.sha256)
    inputs, scores = drift_of(model, answers)
    joined = None
    if registry is not None and pseudonyms is not None:
        joined = join(model, answers, registry, pseudonyms)
    calibration = calibration_of(joined) if joined is not None else []
    reactions = reactions_of(answers, joined)
    return summary(model, answers, inputs, scores, joined, calibration, reactions)
