"""The one picture outside the page: calibration and ROC side by side, as a PNG.

Assumes a white ground and no style sheet. It says so when the patients are simulated.
"""

import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...schema.results import Results, as_results
from ..words import count, wording
from .calibration import draw_calibration
from .discrimination import draw_roc
from .drawing import EVENT, MUTED, STYLE

__all__ = ["picture", "save_picture"]

IN_PICTURE: Any = {"font.size": 15.0, "axes.linewidth": 1.2}


def picture(results: Mapping[str, Any] | Results) -> bytes:
    """Draw calibration and ROC side by side, titled.

    Parameters
    ----------
    results : mapping or Results

    Returns
    -------
    bytes
        A PNG of 1600 x 700 pixels.
    """
    found = results if isinstance(results, Results) else as_results(results)
    task, words = found.task, wording(found.task)
    at_risk = count(found.cohort.patients if found.cohort else None)
    patients = f"{at_risk} patients at risk, cross-validated"
    with matplotlib.rc_context(STYLE | IN_PICTURE):
        figure = Figure(figsize=(16, 7), dpi=100, layout="constrained", facecolor="white")
        heights = (0.8, 6.2)
        title, body = figure.subfigures(2, 1, height_ratios=heights, squeeze=False).ravel()
        title.text(
            0.02,
            0.62,
            f"Risk on day {task.primary_landmark} of {words.outcome} by day {task.horizon_days}",
            fontsize=19,
            fontweight="bold",
            verticalalignment="center",
        )
        if found.synthetic:
            said = f"{patients}. Simulated patients: no figure is evidence about real people"
            title.text(0.02, 0.08, said, color=EVENT, fontweight="bold")
        else:
            title.text(0.02, 0.08, patients, color=MUTED)
        left, right = body.subfigures(1, 2, squeeze=False).ravel()
        upper, lower = left.subplots(2, 1, sharex=True, height_ratios=(6, 1))
        draw_calibration(upper, lower, found)
        upper.set_title("Calibration", fontweight="bold")
        axes = right.subplots()
        draw_roc(axes, found, aspect="auto")
        axes.set_title("ROC: telling patients apart", fontweight="bold")
        FigureCanvasAgg(figure)
        content = io.BytesIO()
        figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def save_picture(results: Mapping[str, Any] | Results, path: str | os.PathLike[str]) -> None:
    """Write the picture, whole or not at all.

    Parameters
    ----------
    results : mapping or Results
    path : path-like
        A PNG file; one that is there is replaced.
    """
    target = Path(path)
    content = picture(results)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        whole = Path(folder) / target.name
        whole.write_bytes(content)
        whole.replace(target)
