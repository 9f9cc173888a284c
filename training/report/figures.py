"""The report's figures, drawn from plain results as inline SVG, and the one picture as a PNG.

Assumes weighted shares that are already computed and draws them as they are; a list that is empty
leaves its axes with a sentence instead of a curve. Inline figures take font and colours from the
page's style sheet, and look unfinished without it.
"""

import io
import os
import re
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from .words import count, defined, number, percent, wording

__all__ = [
    "calibration_figure",
    "distribution_figure",
    "effects_figure",
    "picture",
    "roc_figure",
    "save_picture",
]

INK, MUTED, LINE = "#1d2b36", "#5a6772", "#d5dce2"
RISK, EVENT = "#17697f", "#b1491b"
COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    RISK: "var(--risk)",
    EVENT: "var(--event)",
}
STYLE: Any = {
    "svg.hashsalt": "lnrisk",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "lines.solid_capstyle": "round",
}
ON_PAGE: Any = {"font.size": 11.0}
IN_PICTURE: Any = {"font.size": 15.0, "axes.linewidth": 1.2}
EFFECTS_SHOWN = 15
ODDS_TICKS = (
    (0.25, (0.8, 0.9, 1, 1.1, 1.25)),
    (0.75, (0.5, 0.7, 1, 1.4, 2)),
    (1.7, (0.25, 0.5, 1, 2, 4)),
    (np.inf, (0.01, 0.1, 1, 10, 100)),
)


def calibration_figure(results: Mapping[str, Any]) -> str:
    """Draw observed against predicted, with groups and a strip of risks below.

    Parameters
    ----------
    results : mapping
        Of schema ``lnrisk.results/1``.

    Returns
    -------
    str
        An SVG element with an accessible name.
    """
    with matplotlib.rc_context(STYLE | ON_PAGE):
        figure = Figure(figsize=(4.7, 5.4), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(6, 1))
        _draw_calibration(upper, lower, results)
        return _as_svg(figure, "calibration", _calibration_in_words(results))


def roc_figure(results: Mapping[str, Any]) -> str:
    """Draw sensitivity against 1 - specificity, with the thresholds of the table marked.

    Parameters and return value as in :func:`calibration_figure`.
    """
    with matplotlib.rc_context(STYLE | ON_PAGE):
        figure = Figure(figsize=(4.7, 4.7), layout="constrained")
        _draw_roc(figure.subplots(), results)
        return _as_svg(figure, "roc", _roc_in_words(results))


def distribution_figure(results: Mapping[str, Any]) -> str:
    """Draw the risks of patients with and without the outcome, one above the other.

    Parameters and return value as in :func:`calibration_figure`.
    """
    words = wording(results["task"])
    distribution = results["risk_distribution"]
    edges = np.asarray(distribution["edges"], dtype=float)
    with matplotlib.rc_context(STYLE | ON_PAGE):
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        panels = figure.subplots(2, 1, sharex=True, sharey=True)
        for axes, name, colour, said in (
            (panels[0], "with_event", EVENT, f"Patients who {words.had}"),
            (panels[1], "without_event", RISK, "Patients who did not"),
        ):
            axes.set_title(said, color=colour, fontsize="medium", fontweight="bold")
            shares = _shares(distribution[name])
            if len(edges) < 2 or not shares.any():
                _say_nothing(axes)
                continue
            axes.bar(
                edges[:-1], shares, np.diff(edges), align="edge", color=colour, edgecolor="none"
            )
            axes.grid(axis="y")
            axes.set_axisbelow(True)
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.spines["left"].set_visible(False)
            axes.tick_params(left=False)
        panels[1].set_xlabel("Predicted risk")
        panels[1].set_xlim(0, 1)
        panels[1].xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        return _as_svg(figure, "distribution", _distribution_in_words(results))


def effects_figure(results: Mapping[str, Any]) -> str:
    """Draw the largest effects as bars on the log-odds scale, labelled as odds ratios.

    Parameters and return value as in :func:`calibration_figure`.
    """
    shown = _largest(results["effects"])
    with matplotlib.rc_context(STYLE | ON_PAGE):
        figure = Figure(figsize=(5.6, 1.1 + 0.48 * max(len(shown), 2)), layout="constrained")
        axes = figure.subplots()
        if shown:
            _draw_effects(axes, shown)
        else:
            _say_nothing(axes)
        return _as_svg(figure, "effects", _effects_in_words(shown))


def picture(results: Mapping[str, Any]) -> bytes:
    """Draw calibration and ROC side by side, titled.

    Parameters
    ----------
    results : mapping
        Of schema ``lnrisk.results/1``.

    Returns
    -------
    bytes
        A PNG of 1600 x 700 pixels; it says so when the patients are simulated.
    """
    task, words = results["task"], wording(results["task"])
    patients = f"{count(results['cohort']['patients'])} patients at risk, cross-validated"
    with matplotlib.rc_context(STYLE | IN_PICTURE):
        figure = Figure(figsize=(16, 7), dpi=100, layout="constrained", facecolor="white")
        heights = (0.8, 6.2)
        title, body = figure.subfigures(2, 1, height_ratios=heights, squeeze=False).ravel()
        title.text(
            0.02,
            0.62,
            f"Risk on day {task['landmark_days']} of {words.outcome} by day {task['horizon_days']}",
            fontsize=19,
            fontweight="bold",
            verticalalignment="center",
        )
        if results["synthetic"]:
            said = f"{patients}. Simulated patients: no figure is evidence about real people"
            title.text(0.02, 0.08, said, color=EVENT, fontweight="bold")
        else:
            title.text(0.02, 0.08, patients, color=MUTED)
        left, right = body.subfigures(1, 2, squeeze=False).ravel()
        upper, lower = left.subplots(2, 1, sharex=True, height_ratios=(6, 1))
        _draw_calibration(upper, lower, results)
        _draw_roc(right.subplots(), results, aspect="auto")
        FigureCanvasAgg(figure)
        content = io.BytesIO()
        figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def save_picture(results: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the picture, whole or not at all.

    Parameters
    ----------
    results : mapping
        Of schema ``lnrisk.results/1``.
    path : path-like
        A PNG file; one that is there is replaced.
    """
    target = Path(path)
    content = picture(results)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        whole = Path(folder) / target.name
        whole.write_bytes(content)
        whole.replace(target)


def _draw_calibration(upper: Axes, lower: Axes, results: Mapping[str, Any]) -> None:
    words = wording(results["task"])
    curve = _points(results["calibration_curve"], "predicted", "observed")
    groups = [g for g in results["calibration_groups"] if defined(g["observed"])]
    centres = _points(groups, "predicted", "observed")
    highest = max([0.2, *curve.ravel(), *centres.ravel()])
    limit = min(1.0, np.ceil(10 * highest - 1e-9) / 10)

    upper.set_title("Calibration", fontweight="bold")
    upper.plot([0, limit], [0, limit], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
    upper.text(
        0.97 * limit,
        0.90 * limit,
        "perfect",
        color=MUTED,
        horizontalalignment="right",
        fontsize="small",
    )
    if len(curve):
        upper.plot(*curve.T, color=RISK, linewidth=2.4)
    if len(groups):
        weight = np.array([group["weight"] for group in groups], dtype=float)
        area = 55 * weight / weight.max()
        upper.scatter(
            centres[:, 0],
            centres[:, 1],
            s=area.tolist(),
            color="none",
            edgecolor=EVENT,
            linewidth=1.8,
            zorder=3,
        )
    if not len(curve) and not len(groups):
        _say_nothing(upper)
    room = 0.02 * limit
    upper.set(xlim=(-room, limit + room), ylim=(-room, limit + room))
    upper.set_ylabel(f"Share who {words.had}")
    upper.grid()
    upper.tick_params(labelbottom=False, length=0)
    upper.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _draw_strip(lower, results["risk_distribution"])


def _draw_strip(axes: Axes, distribution: Mapping[str, Any]) -> None:
    edges = np.asarray(distribution["edges"], dtype=float)
    weights = np.asarray(distribution["with_event"], dtype=float) + np.asarray(
        distribution["without_event"], dtype=float
    )
    if len(edges) > 1:
        shares = _shares(weights)
        axes.bar(
            edges[:-1],
            shares,
            np.diff(edges),
            align="edge",
            color=MUTED,
            edgecolor="none",
            alpha=0.55,
        )
    axes.set_xlabel("Predicted risk")
    axes.set_ylabel("Patients", fontsize="small", color=MUTED)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines["left"].set_visible(False)


def _draw_roc(axes: Axes, results: Mapping[str, Any], aspect: str = "equal") -> None:
    curve = _points(results["roc_curve"], "specificity", "sensitivity")
    axes.set_title("ROC: telling patients apart", fontweight="bold")
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
    if len(curve):
        axes.plot(1 - curve[:, 0], curve[:, 1], color=RISK, linewidth=2.4)
        for row in _apart(results["flagged"]):
            at = (1 - row["specificity"], row["sensitivity"])
            axes.plot(*at, "o", color=EVENT, markersize=5.5)
            axes.annotate(
                percent(row["threshold"]).replace(".0%", "%"),
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
        _say_nothing(axes)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect=aspect)
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity")
    axes.grid()
    axes.tick_params(length=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _draw_effects(axes: Axes, shown: Sequence[Mapping[str, Any]]) -> None:
    places = np.arange(len(shown))
    values = np.array([effect["coefficient"] for effect in shown], dtype=float)
    limit = max(0.2, 1.3 * np.abs(values).max())
    axes.barh(places, values, height=0.34, color=[EVENT if value > 0 else RISK for value in values])
    for place, value, effect in zip(places, values, shown, strict=True):
        axes.text(
            -limit,
            place - 0.34,
            textwrap.shorten(str(effect["meaning"]), 60, placeholder=" …"),
            verticalalignment="center",
        )
        axes.annotate(
            f"×{np.exp(value):.2f}",
            (value, place),
            xytext=(4 if value > 0 else -4, 0),
            textcoords="offset points",
            horizontalalignment="left" if value > 0 else "right",
            verticalalignment="center",
            color=MUTED,
            fontsize="small",
        )
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set(xlim=(-limit, limit), ylim=(len(shown) - 0.5, -0.75))
    ticks = next(ticks for largest, ticks in ODDS_TICKS if limit <= largest)
    inside = [tick for tick in ticks if abs(np.log(tick)) <= limit]
    axes.xaxis.set_major_locator(FixedLocator(np.log(inside).tolist()))
    axes.set_xticklabels([f"×{tick:g}" for tick in inside])
    axes.set_xlabel("Odds multiplied by, per standard deviation")
    axes.yaxis.set_major_locator(NullLocator())
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def _as_svg(figure: Figure, name: str, said: str) -> str:
    """Return an SVG element that scales with the page and shares no id with another figure."""
    content = io.StringIO()
    figure.savefig(content, format="svg", transparent=True, metadata={"Date": None})
    svg = content.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    svg = re.sub(r"font-family: [^;\"]*(; )?", "", svg)
    svg = re.sub(r"(font: [^;\"]*?)'DejaVu Sans'[^;\"]*", r"\1var(--font)", svg)
    for colour, variable in COLOURS.items():
        svg = svg.replace(colour, variable)
    size = re.search(r'viewBox="[^"]*"', svg)
    start = f'<svg class="drawing {name}" role="img" aria-label="{escape(said)}" '
    return start + (size.group() if size else "") + svg[svg.index(">") :]


def _points(rows: Sequence[Mapping[str, Any]], *names: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the rows that have all of some values, shape (n_rows, n_names)."""
    kept = [[row[name] for name in names] for row in rows]
    kept = [values for values in kept if all(defined(value) for value in values)]
    return np.asarray(kept, dtype=float).reshape(-1, len(names))


def _shares(weights: Any) -> np.ndarray[Any, np.dtype[Any]]:
    values = np.asarray(weights, dtype=float)
    return values / values.sum() if values.sum() > 0 else np.zeros(len(values))


def _apart(flagged: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the thresholds whose labels would not cover each other."""
    kept: list[Mapping[str, Any]] = []
    for row in flagged:
        if not (defined(row["sensitivity"]) and defined(row["specificity"])):
            continue
        apart = [
            np.hypot(
                row["sensitivity"] - other["sensitivity"], row["specificity"] - other["specificity"]
            )
            for other in kept[-1:]
        ]
        if min(apart, default=np.inf) > 0.07:
            kept.append(row)
    return kept


def _largest(effects: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    known = [effect for effect in effects if defined(effect["coefficient"])]
    return sorted(known, key=lambda effect: -abs(effect["coefficient"]))[:EFFECTS_SHOWN]


def _say_nothing(axes: Axes) -> None:
    axes.text(
        0.5,
        0.5,
        "nothing to show",
        color=MUTED,
        horizontalalignment="center",
        verticalalignment="center",
        transform=axes.transAxes,
    )


def _auroc(results: Mapping[str, Any]) -> str:
    rows = [row for row in results["performance"] if row["measure"] == "auroc"]
    return number(rows[0]["estimate"]) if rows else number(None)


def _calibration_in_words(results: Mapping[str, Any]) -> str:
    groups = [g for g in results["calibration_groups"] if defined(g["observed"])]
    start = (
        "Calibration curve of observed share against predicted risk, with a diagonal where both "
    )
    start += "agree and a strip of how many patients have each risk."
    if not groups:
        return f"{start} No groups to show."
    low, high = groups[0], groups[-1]
    return (
        f"{start} In the group with the lowest risks {percent(low['predicted'])} was predicted and "
        f"{percent(low['observed'])} observed; in the highest, {percent(high['predicted'])} and "
        f"{percent(high['observed'])}."
    )


def _roc_in_words(results: Mapping[str, Any]) -> str:
    said = [
        f"at {percent(row['threshold'])}, sensitivity {percent(row['sensitivity'])} and "
        f"specificity {percent(row['specificity'])}"
        for row in results["flagged"]
    ]
    start = f"ROC curve of sensitivity against 1 minus specificity, AUROC {_auroc(results)}."
    return f"{start} Marked: {'; '.join(said)}." if said else start


def _distribution_in_words(results: Mapping[str, Any]) -> str:
    distribution, parts = results["risk_distribution"], []
    edges = np.asarray(distribution["edges"], dtype=float)
    for name, said in (("with_event", "with"), ("without_event", "without")):
        shares = _shares(distribution[name])
        if shares.any():
            most = int(shares.argmax())
            parts.append(
                f"patients {said} the outcome: most often {percent(edges[most])} to "
                f"{percent(edges[most + 1])}"
            )
    return "Two histograms of predicted risk. " + ("; ".join(parts) or "Nothing to show") + "."


def _effects_in_words(shown: Sequence[Mapping[str, Any]]) -> str:
    said = [f"{effect['meaning']}, times {np.exp(effect['coefficient']):.2f}" for effect in shown]
    start = "Bar chart of the largest effects on the odds per standard deviation"
    return f"{start}: {'; '.join(said)}." if said else f"{start}. Nothing to show."
