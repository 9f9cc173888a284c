"""Stability: how far risks and figures hang on who happened to be in the registry.

Assumes that every refit repeats the whole of training.
"""

import numpy as np

from ...schema.results import Results
from ..words import MEASURES, count, number, percent, span
from .drawing import MUTED, RISK, Drawing, canvas, drawing, percent_axis, points

__all__ = ["instability", "learning_curve"]


def instability(results: Results) -> Drawing | None:
    """Draw the range of the refits' risks against the model's; None without any."""
    found = results.instability
    band = points(found.points if found else [], "risk", "lower", "upper")
    if found is None or not len(band):
        return None
    limit = float(min(1.0, np.ceil(10 * max(0.2, band.max()) - 1e-9) / 10))
    with canvas(4.5) as figure:
        axes = figure.subplots()
        axes.plot([0, limit], [0, limit], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
        axes.fill_between(*band.T, color=RISK, alpha=0.2, linewidth=0)
        for side in (1, 2):
            axes.plot(band[:, 0], band[:, side], color=RISK, linewidth=1.4)
        axes.set(xlim=(0, limit), ylim=(0, limit), aspect="equal")
        axes.set_xlabel("Risk by the model")
        axes.set_ylabel("Risk by refits, 5th to 95th percentile")
        axes.grid()
        percent_axis(axes, "x", "y")
        middle = band[len(band) // 2]
        return drawing(
            figure,
            "instability-figure",
            f"Range of the risks of {count(found.refits)} refits against the model's risk. At a "
            f"risk of {percent(middle[0])} refits give {percent(middle[1])} to "
            f"{percent(middle[2])}.",
            "Had other patients of the same kind been in the registry, the same patient's risk "
            "would have been somewhere in the band, nine times in ten. The closer to the dashed "
            "line, the better.",
            ("Risk by the model", "Refits, 5th percentile", "95th percentile"),
            [tuple(percent(value) for value in row) for row in band],
        )


def learning_curve(results: Results, measure: str = "auroc") -> Drawing | None:
    """Draw a measure against the patients learned from; None without any."""
    rows = [r for r in results.learning_curve if r.measure == measure]
    line = points(rows, "patients", "estimate")
    if not len(line):
        return None
    name = MEASURES[measure].short if measure in MEASURES else measure
    with canvas(3.5) as figure:
        axes = figure.subplots()
        band = points(rows, "patients", "lower", "upper")
        if len(band):
            axes.fill_between(*band.T, color=RISK, alpha=0.16, linewidth=0)
        axes.plot(*line.T, "o-", color=RISK, linewidth=2.4, markersize=5)
        axes.set_xlabel("Patients learned from")
        axes.set_ylabel(name)
        axes.set_xlim(left=0)
        axes.grid()
        return drawing(
            figure,
            f"learning-{measure.replace('_', '-')}-figure",
            f"{name} against the number of patients learned from: {number(line[0, 1])} with "
            f"{count(line[0, 0])}, {number(line[-1, 1])} with {count(line[-1, 0])}.",
            f"{name} of models that learned from fewer patients. Where the line still climbs, more "
            "patients would make a better model.",
            ("Patients", "Events", name, "Interval"),
            [
                (count(r.patients), count(r.events), number(r.estimate), span(r.lower, r.upper))
                for r in rows
            ],
        )
