"""Calibration: what was observed against what was predicted.

Assumes weighted curves and groups that are already computed, and draws them as they are.
"""

from collections.abc import Mapping, Sequence
from textwrap import shorten

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from ...schema.measures import RiskDistribution
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

__all__ = ["calibration", "calibration_by_centre", "calibration_by_landmark", "draw_calibration"]

Points = npt.NDArray[np.float64]

DASHES = (0, (4, 3))
ENDS = ("predicted", "observed")
PANELS = 3
SHOWN, SHOWN_SMALL = 21, 7


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
    curves = {
        f"week {day / 7:.3g}": points([r for r in rows if r.landmark_days == day], *ENDS)
        for day in sorted({row.landmark_days for row in rows})
    }
    return _small_curves(
        curves,
        "calibration-landmarks-figure",
        "Landmark",
        "The same at every landmark. A model that is right on average can still be wrong early and "
        "make up for it late.",
    )


def calibration_by_centre(results: Results) -> Drawing | None:
    """Draw one small curve per centre that was left out; None without any."""
    rows = results.centres.calibration_by_centre if results.centres else []
    curves = {
        centre: points([r for r in rows if r.centre == centre], *ENDS)
        for centre in dict.fromkeys(row.centre for row in rows)
    }
    return _small_curves(
        curves,
        "calibration-centres-figure",
        "Centre",
        "Calibration in each centre, by a model of the others. Curves of small centres wander by "
        "chance; a centre that lies off the line as a whole may need its own recalibration.",
    )


def _small_curves(
    curves: Mapping[str, Points], name: str, what: str, caption: str
) -> Drawing | None:
    """Draw small panels of observed against predicted, all on one scale."""
    known = {title: curve for title, curve in curves.items() if len(curve)}
    if not known:
        return None
    lines = -(-len(known) // PANELS)
    limit = _limit(np.concatenate([curve.ravel() for curve in known.values()]))
    with canvas(0.5 + 1.45 * lines) as figure:
        panels = figure.subplots(lines, PANELS, sharex=True, sharey=True, squeeze=False).ravel()
        for panel in panels[len(known) :]:
            panel.set_axis_off()
        for panel in panels[max(0, len(known) - PANELS) : len(known)]:
            panel.tick_params(labelbottom=True)  # the last of each column
        for panel, (title, curve) in zip(panels, known.items(), strict=False):
            _draw_small(panel, curve, limit)
            panel.set_title(shorten(title, 14, placeholder="…"), fontsize="medium", weight="bold")
        figure.supxlabel("Predicted risk", fontsize="medium")
        figure.supylabel("Observed share", fontsize="medium")
        return drawing(
            figure,
            name,
            f"{len(known)} small calibration curves, each against a diagonal of perfect agreement: "
            f"{', '.join(known)}.",
            caption,
            (what, "Predicted", "Observed"),
            [
                (title, percent(predicted), percent(observed))
                for title, curve in known.items()
                for predicted, observed in curve[:: max(1, len(curve) // SHOWN_SMALL)]
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


def _draw_small(axes: Axes, curve: Points, limit: float) -> None:
    axes.plot([0, limit], [0, limit], color=MUTED, linestyle=DASHES, linewidth=1)
    axes.plot(*curve.T, color=RISK, linewidth=2)
    axes.set(xlim=(0, limit), ylim=(0, limit), xticks=[0, limit], yticks=[0, limit])
    axes.set_aspect("equal")
    percent_axis(axes, "x", "y")


def _limit(values: Sequence[float] | np.ndarray) -> float:
    highest = max([0.2, *values])
    return float(min(1.0, np.ceil(10 * highest - 1e-9) / 10))


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
