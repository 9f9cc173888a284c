"""Discrimination: how well patients with and without the outcome are told apart.

Assumes curves at even steps, so that no point is one patient's.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ...schema.measures import Flagged
from ...schema.results import Results
from ..words import count, defined, number, percent, span, wording
from .drawing import (
    EVENT,
    LINE,
    MUTED,
    RISK,
    Drawing,
    canvas,
    drawing,
    percent_axis,
    points,
    say_nothing,
    shares,
)

__all__ = ["auroc_by_landmark", "auroc_in_time", "distribution", "draw_roc", "roc"]

APART = 0.09  # of labels on the curve, so that they do not cover each other
SHOWN = 21


def roc(results: Results) -> Drawing | None:
    """Draw sensitivity against 1 - specificity, with some thresholds marked; None without any."""
    if not results.roc_curve:
        return None
    with canvas(4.4) as figure:
        draw_roc(figure.subplots(), results)
        every = max(1, len(results.roc_curve) // SHOWN)
        return drawing(
            figure,
            "roc-figure",
            _roc_in_words(results),
            "How many with the outcome are found (up) at the price of how many without it are "
            "flagged (right), for every threshold. Marked risks are those of the table of who "
            "would be flagged.",
            ("1 − specificity", "Sensitivity"),
            [
                (percent(1 - p.specificity), percent(p.sensitivity))
                for p in results.roc_curve[::every]
                if defined(p.specificity)
            ],
        )


def distribution(results: Results) -> Drawing | None:
    """Draw the risks of those with the outcome above those without; None without any."""
    found = results.risk_distribution
    if found is None:
        return None
    edges = np.asarray(found.edges, dtype=float)
    parts = (
        (found.with_event, EVENT, f"Patients who {wording(results.task).had}"),
        (found.without_event, RISK, "Patients who did not"),
    )
    with canvas(4.2) as figure:
        panels = figure.subplots(2, 1, sharex=True, sharey=True)
        for axes, (weights, colour, said) in zip(panels, parts, strict=True):
            axes.set_title(said, color=colour, fontsize="medium", fontweight="bold")
            each = shares(weights)
            if len(edges) < 2 or not each.any():
                say_nothing(axes)
                continue
            axes.bar(edges[:-1], each, np.diff(edges), align="edge", color=colour, edgecolor="none")
            axes.grid(axis="y")
            percent_axis(axes, "y")
            axes.spines["left"].set_visible(False)
        panels[1].set_xlabel("Predicted risk")
        panels[1].set_xlim(0, 1)
        percent_axis(panels[1], "x")
        rows = [
            (f"{percent(low)} to {percent(high)}", percent(event), percent(free))
            for low, high, event, free in zip(
                edges[:-1], edges[1:], shares(parts[0][0]), shares(parts[1][0]), strict=False
            )
        ]
        return drawing(
            figure,
            "distribution-figure",
            _distribution_in_words(edges, parts[0][0], parts[1][0]),
            "Share of the patients at each predicted risk. The less the two overlap, the better "
            "the model tells them apart.",
            ("Risk", "With the outcome", "Without"),
            rows,
        )


def auroc_by_landmark(results: Results) -> Drawing | None:
    """Draw the AUROC at each landmark with its interval; None without any."""
    rows = [r for r in results.performance_by_landmark if r.measure == "auroc"]
    known = [r for r in rows if defined(r.estimate)]
    if not known:
        return None
    with canvas(3.5) as figure:
        axes = figure.subplots()
        for row in known:
            week = row.landmark_days / 7
            if defined(row.lower) and defined(row.upper):
                axes.plot([week, week], [row.lower, row.upper], color=RISK, linewidth=2, alpha=0.55)
            axes.plot([week], [row.estimate or 0.0], "o", color=RISK, markersize=6)
        axes.set_xticks(
            [r.landmark_days / 7 for r in known], [f"{r.landmark_days / 7:.3g}" for r in known]
        )
        axes.set_xlabel("Landmark, weeks after the start")
        _auroc_axis(axes, [v for r in known for v in (r.lower, r.upper, r.estimate)])
        first, last = known[0], known[-1]
        return drawing(
            figure,
            "auroc-landmarks-figure",
            f"AUROC at {len(known)} landmarks: {number(first.estimate)} at week "
            f"{first.landmark_days / 7:.3g}, {number(last.estimate)} at week "
            f"{last.landmark_days / 7:.3g}.",
            "AUROC at each landmark: how much is to be known, how early. Patients at risk differ "
            "from landmark to landmark.",
            ("Landmark", "AUROC", "Interval", "Patients", "Events"),
            [
                (
                    f"week {r.landmark_days / 7:.3g}",
                    number(r.estimate),
                    span(r.lower, r.upper),
                    count(r.patients),
                    count(r.events),
                )
                for r in rows
            ],
        )


def auroc_in_time(results: Results) -> Drawing | None:
    """Draw the time-dependent AUROC at the primary landmark; None without any."""
    rows = results.auroc_in_time
    line = points(rows, "days", "auroc")
    if not len(line):
        return None
    with canvas(3.5) as figure:
        axes = figure.subplots()
        band = points(rows, "days", "lower", "upper")
        if len(band):
            axes.fill_between(
                band[:, 0] / 30.44, *band[:, 1:].T, color=RISK, alpha=0.16, linewidth=0
            )
        axes.plot(line[:, 0] / 30.44, line[:, 1], color=RISK, linewidth=2.4)
        axes.set_xlabel("Months after the start")
        _auroc_axis(axes, [*line[:, 1], *band[:, 1:].ravel()])
        return drawing(
            figure,
            "auroc-time-figure",
            f"Time-dependent AUROC from day {line[0, 0]:.0f} ({number(line[0, 1])}) to day "
            f"{line[-1, 0]:.0f} ({number(line[-1, 1])}).",
            "AUROC for the outcome by each day, from risks given at the primary landmark: the "
            "further ahead, the harder.",
            ("By day", "AUROC", "Interval", "Events"),
            [
                (count(r.days), number(r.auroc), span(r.lower, r.upper), count(r.events))
                for r in rows
            ],
        )


def draw_roc(axes: Axes, results: Results, aspect: str = "equal") -> None:
    """Draw the ROC curve into a panel."""
    curve = points(results.roc_curve, "specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
    if len(curve):
        axes.fill_between(1 - curve[:, 0], curve[:, 1], color=RISK, alpha=0.07, linewidth=0)
        axes.plot(1 - curve[:, 0], curve[:, 1], color=RISK, linewidth=2.4)
        for row in _apart(results.flagged):
            at = (1 - (row.specificity or 0.0), row.sensitivity or 0.0)
            axes.plot(*at, "o", color=EVENT, markersize=5.5)
            axes.annotate(
                f"{100 * row.threshold:g}%",
                at,
                xytext=(8, -4),
                textcoords="offset points",
                color=EVENT,
                verticalalignment="top",
                fontsize="small",
            )
        axes.text(
            0.97,
            0.05,
            f"AUROC {_auroc(results)}",
            horizontalalignment="right",
            transform=axes.transAxes,
            fontweight="bold",
        )
    else:
        say_nothing(axes)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect=aspect)
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity")
    axes.grid()
    percent_axis(axes, "x", "y")


def _auroc_axis(axes: Axes, values: Sequence[float | None]) -> None:
    known = [value for value in values if value is not None]
    low = min(0.5, *known)
    axes.axhline(0.5, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylim(low - 0.02, min(1.0, max(known) + 0.05))
    axes.set_ylabel("AUROC")
    axes.grid(axis="y")
    axes.margins(x=0.06)
    axes.spines["left"].set_color(LINE)


def _apart(flagged: Sequence[Flagged]) -> list[Flagged]:
    """Return the thresholds whose labels would not cover each other."""
    kept: list[Flagged] = []
    for row in flagged:
        if row.sensitivity is None or row.specificity is None:
            continue
        last = kept[-1] if kept else None
        if last is None or (
            np.hypot(
                row.sensitivity - (last.sensitivity or 0.0),
                row.specificity - (last.specificity or 0.0),
            )
            > APART
        ):
            kept.append(row)
    return kept


def _auroc(results: Results) -> str:
    rows = [row for row in results.performance if row.measure == "auroc"]
    return number(rows[0].estimate if rows else None)


def _roc_in_words(results: Results) -> str:
    said = [
        f"at {percent(row.threshold)}, sensitivity {percent(row.sensitivity)} and "
        f"specificity {percent(row.specificity)}"
        for row in results.flagged
    ]
    start = f"ROC curve of sensitivity against 1 minus specificity, AUROC {_auroc(results)}."
    return f"{start} Marked: {'; '.join(said)}." if said else start


def _distribution_in_words(
    edges: np.ndarray, with_event: Sequence[float], without_event: Sequence[float]
) -> str:
    parts = []
    for weights, said in ((with_event, "with"), (without_event, "without")):
        each = shares(weights)
        if each.any():
            most = int(each.argmax())
            parts.append(
                f"patients {said} the outcome: most often {percent(edges[most])} to "
                f"{percent(edges[most + 1])}"
            )
    return "Two histograms of predicted risk. " + ("; ".join(parts) or "Nothing to show") + "."
