"""Calibration: what was observed against what was predicted.

Assumes weighted curves and groups that are already computed, and draws them as they are.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ...schema.parts import CalibrationAtLandmark, RiskDistribution
from ...schema.results import Results
from ..words import count, defined, number, percent, percent_span, wording
from .drawing import (
    EVENT,
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

__all__ = ["calibration", "calibration_by_landmark", "draw_calibration"]

DASHES = (0, (4, 3))
PANELS = 3
SHOWN = 21


def calibration(results: Results) -> Drawing | None:
    """Draw observed against predicted, with interval, groups and all risks; None without any."""
    if not (results.calibration_curve or results.calibration_groups):
        return None
    with canvas(5.3) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
        draw_calibration(upper, lower, results)
        groups = [g for g in results.calibration_groups if defined(g.observed)]
        rows = [
            ("group", percent(g.predicted), percent(g.observed), "", count(g.rows)) for g in groups
        ]
        every = max(1, len(results.calibration_curve) // SHOWN)
        rows += [
            ("curve", percent(p.predicted), percent(p.observed), percent_span(p.lower, p.upper), "")
            for p in results.calibration_curve[::every]
        ]
        return drawing(
            figure,
            "calibration-figure",
            _in_words(results),
            "Observed against predicted. On the dashed line a predicted 20% happens to 20%; above "
            "it risks are too low, below it too high. The band is the interval of the curve; "
            "circles are tenths of the patients by risk, as large as their weight; the strip shows "
            "where the patients are, those with the outcome in orange.",
            ("Part", "Predicted", "Observed", "Interval", "Patients"),
            rows,
        )


def calibration_by_landmark(results: Results) -> Drawing | None:
    """Draw one small curve per landmark; None without any."""
    rows = results.calibration_by_landmark
    landmarks = sorted({row.landmark_days for row in rows})
    if not landmarks:
        return None
    lines = -(-len(landmarks) // PANELS)
    limit = _limit(points(rows, "predicted", "observed").ravel())
    with canvas(0.5 + 1.45 * lines) as figure:
        panels = figure.subplots(lines, PANELS, sharex=True, sharey=True, squeeze=False).ravel()
        for panel in panels[len(landmarks) :]:
            panel.set_axis_off()
        for panel in panels[max(0, len(landmarks) - PANELS) : len(landmarks)]:
            panel.tick_params(labelbottom=True)  # the last of each column
        for panel, landmark in zip(panels, landmarks, strict=False):
            _draw_small(panel, [r for r in rows if r.landmark_days == landmark], limit)
            panel.set_title(f"week {landmark / 7:.3g}", fontsize="medium", fontweight="bold")
        figure.supxlabel("Predicted risk", fontsize="medium")
        figure.supylabel("Observed share", fontsize="medium")
        return drawing(
            figure,
            "calibration-landmarks-figure",
            f"Small calibration curves at {len(landmarks)} landmarks, each against a diagonal of "
            "perfect agreement.",
            "The same at every landmark. A model that is right on average can still be wrong early "
            "and make up for it late.",
            ("Landmark", "Predicted", "Observed"),
            [
                (f"week {r.landmark_days / 7:.3g}", percent(r.predicted), percent(r.observed))
                for landmark in landmarks
                for r in _thinned([r for r in rows if r.landmark_days == landmark])
            ],
        )


def draw_calibration(upper: Axes, lower: Axes, results: Results) -> None:
    """Draw the curve into one panel and the risks into another below it."""
    words = wording(results.task)
    curve = points(results.calibration_curve, "predicted", "observed")
    band = points(results.calibration_curve, "predicted", "lower", "upper")
    groups = [g for g in results.calibration_groups if defined(g.observed)]
    centres = points(groups, "predicted", "observed")
    limit = _limit([*curve.ravel(), *centres.ravel()])
    upper.plot([0, limit], [0, limit], color=MUTED, linestyle=DASHES, linewidth=1.2)
    if len(band):
        upper.fill_between(*band.T, color=RISK, alpha=0.16, linewidth=0)
    if len(curve):
        upper.plot(*curve.T, color=RISK, linewidth=2.4)
    if len(groups):
        weight = np.array([g.weight if defined(g.weight) else 1.0 for g in groups], dtype=float)
        area = (55 * weight / weight.max()).tolist()
        upper.scatter(
            centres[:, 0],
            centres[:, 1],
            s=area,
            color="none",
            edgecolor=EVENT,
            linewidth=1.8,
            zorder=3,
        )
    if not len(curve) and not len(groups):
        say_nothing(upper)
    room = 0.02 * limit
    upper.set(xlim=(-room, limit + room), ylim=(-room, limit + room))
    upper.set_ylabel(f"Share who {words.had}")
    upper.grid()
    upper.tick_params(labelbottom=False)
    percent_axis(upper, "y")
    _draw_strip(lower, results.risk_distribution)


def _draw_strip(axes: Axes, distribution: RiskDistribution | None) -> None:
    """Draw the risks of patients with the outcome upwards, of those without downwards."""
    if distribution is not None and len(distribution.edges) > 1:
        edges = np.asarray(distribution.edges)
        for weights, colour, way in (
            (distribution.with_event, EVENT, 1),
            (distribution.without_event, RISK, -1),
        ):
            axes.bar(
                edges[:-1],
                way * shares(weights),
                np.diff(edges),
                align="edge",
                color=colour,
                edgecolor="none",
            )
        axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xlabel("Predicted risk")
    percent_axis(axes, "x")
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)


def _draw_small(axes: Axes, rows: Sequence[CalibrationAtLandmark], limit: float) -> None:
    curve = points(rows, "predicted", "observed")
    axes.plot([0, limit], [0, limit], color=MUTED, linestyle=DASHES, linewidth=1)
    axes.plot(*curve.T, color=RISK, linewidth=2)
    axes.set(xlim=(0, limit), ylim=(0, limit), xticks=[0, limit], yticks=[0, limit])
    axes.set_aspect("equal")
    percent_axis(axes, "x", "y")


def _limit(values: Sequence[float] | np.ndarray) -> float:
    highest = max([0.2, *values])
    return float(min(1.0, np.ceil(10 * highest - 1e-9) / 10))


def _thinned(rows: Sequence[CalibrationAtLandmark]) -> Sequence[CalibrationAtLandmark]:
    return rows[:: max(1, len(rows) // 7)]


def _in_words(results: Results) -> str:
    groups = [g for g in results.calibration_groups if defined(g.observed)]
    start = (
        "Calibration curve of observed share against predicted risk, with a diagonal where both "
        "agree and a strip of how many patients have each risk."
    )
    slope = {r.measure: r.estimate for r in results.performance}.get("calibration_slope")
    if slope is not None:
        start += f" Slope {number(slope)}."
    if not groups:
        return f"{start} No groups to show."
    low, high = groups[0], groups[-1]
    return (
        f"{start} In the group with the lowest risks {percent(low.predicted)} was predicted and "
        f"{percent(low.observed)} observed; in the highest, {percent(high.predicted)} and "
        f"{percent(high.observed)}."
    )
