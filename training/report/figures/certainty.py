"""Certainty of the label: how often a verdict of the rule is right.

Assumes a stated within-person variation of the measurements, and nothing else that could be wrong.
"""

from ...schema.results import Results
from ..words import VERDICTS, count, defined, percent
from .drawing import LINE, RISK, Drawing, canvas, drawing, percent_axis

__all__ = ["label_certainty"]


def label_certainty(results: Results) -> Drawing | None:
    """Draw the mean probability of being right, verdict by verdict; None without any."""
    found = results.label_certainty
    rows = [r for r in (found.verdicts if found else []) if defined(r.mean_probability_right)]
    if not rows:
        return None
    with canvas(0.7 + 0.5 * len(rows)) as figure:
        axes = figure.subplots()
        for place, row in enumerate(rows):
            value = row.mean_probability_right or 0.0
            axes.barh(place, 1, height=0.3, color=LINE)
            axes.barh(place, value, height=0.3, color=RISK)
            name = VERDICTS.get(row.verdict, row.verdict).split(":")[0]
            axes.text(0, place - 0.36, f"{name}, {count(row.patients)}", verticalalignment="center")
            axes.text(
                1,
                place - 0.36,
                percent(value),
                fontweight="bold",
                horizontalalignment="right",
                verticalalignment="center",
            )
        axes.set(xlim=(0, 1), ylim=(len(rows) - 0.6, -0.7))
        axes.set_xlabel("Mean probability that the verdict is right")
        axes.set_yticks([])
        percent_axis(axes, "x")
        axes.spines["left"].set_visible(False)
        said = "; ".join(f"{r.verdict} {percent(r.mean_probability_right)}" for r in rows)
        return drawing(
            figure,
            "certainty-figure",
            f"Bars of the mean probability that a verdict is right: {said}.",
            "How often the rule's verdict would be the same if every value were measured without "
            "variation. No model can be better than the label it learns from.",
            ("Verdict", "Patients", "Probability that it is right"),
            [(r.verdict, count(r.patients), percent(r.mean_probability_right)) for r in rows],
        )
