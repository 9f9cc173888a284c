"""Forest plots: one estimate and interval per row, with what is pooled below.

Assumes rows in the order in which they are to be read. A row that is suppressed for its size keeps
its place and says so, since its absence would say more than its presence.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ...schema.results import Results
from ..words import MEASURES, count, defined, number, percent, span
from .drawing import EVENT, LINE, MUTED, RISK, Drawing, canvas, drawing

__all__ = ["Row", "candidates", "centres", "comparators", "forest", "subgroups"]

GROUPS = {
    "sex": "Sex",
    "age": "Age",
    "ancestry": "Ancestry",
    "centre": "Centre",
    "class": "Class",
    "era": "Era",
}
HIDDEN, NOT_HAD = "too few to show", "not to be had in time"
ROW, HEAD, ABOVE = 0.43, 0.5, 0.17  # inches


@dataclass(frozen=True)
class Row:
    """A row of a forest plot.

    Parameters
    ----------
    label : str
    estimate, lower, upper : float, optional
    note : str
        Beside the label, such as a number of patients.
    wide : tuple of float, optional
        A wider interval behind it: where a new centre is expected.
    strong : bool
        A summary, drawn as such.
    head : bool
        Only a heading.
    empty : str
        What to say where there is no estimate.
    beside : str
        More for the table.
    """

    label: str
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    note: str = ""
    wide: tuple[float, float] | None = None
    strong: bool = False
    head: bool = False
    empty: str = HIDDEN
    beside: str = ""


def forest(
    rows: Sequence[Row],
    name: str,
    axis: str,
    alt: str,
    caption: str,
    best: float | None = None,
    reference: float | None = None,
    digits: int = 2,
    limits: tuple[float, float] | None = None,
) -> Drawing:
    """Draw rows of estimates.

    Parameters
    ----------
    rows : sequence of Row
    name, axis, alt, caption : str
        `axis` names the scale.
    best, reference : float, optional
        Values marked by a line: perfection, and what to compare with.
    digits : int
    limits : tuple of float, optional
        Of the axis; intervals beyond them are cut.
    """
    low, high = limits or _limits(rows, best, reference)
    height = 0.7 + sum(HEAD if row.head else ROW for row in rows)
    with canvas(height) as figure:
        axes = figure.subplots()
        place, places = 0.0, []
        for row in rows:
            place += HEAD if row.head else ROW
            places.append(place)
        for value, style in ((best, "-"), (reference, (0, (4, 3)))):
            if value is not None:
                axes.axvline(value, color=MUTED, linewidth=1, linestyle=style, zorder=0)
        for row, y in zip(rows, places, strict=True):
            _draw_row(axes, row, y, low, high, digits)
        axes.set(xlim=(low, high), ylim=(place + 0.12, 0.05))
        axes.set_xlabel(axis)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        return drawing(
            figure,
            name,
            alt,
            caption,
            ("", axis, "Interval", "Note"),
            [_cells(row, digits) for row in rows if not row.head],
        )


def centres(results: Results, measure: str) -> Drawing | None:
    """Draw each centre, and all of them pooled with the range of a new one; None without any."""
    found = results.centres
    rows = [r for r in (found.rows if found else []) if r.measure == measure]
    if found is None or not any(defined(r.estimate) for r in rows):
        return None
    drawn = [Row(r.centre, r.estimate, r.lower, r.upper, _size(r.patients, r.events)) for r in rows]
    words = MEASURES[measure]
    alt = f"Forest plot of the {words.short} in {len(rows)} centres, each left out in turn."
    for pooled in found.pooled:
        if pooled.measure != measure:
            continue
        known = defined(pooled.prediction_lower) and defined(pooled.prediction_upper)
        wide = (pooled.prediction_lower or 0.0, pooled.prediction_upper or 0.0) if known else None
        note = f"{count(pooled.centres)} centres"
        drawn.append(
            Row("Pooled", pooled.estimate, pooled.lower, pooled.upper, note, wide, strong=True)
        )
        alt += f" Pooled {number(pooled.estimate)} ({span(pooled.lower, pooled.upper)})"
        alt += f"; in a new centre {span(*wide)}." if wide else "."
    return forest(
        drawn,
        f"centres-{measure.replace('_', '-')}-figure",
        words.short,
        alt,
        f"{words.short} in each centre, by a model of the others, with events of patients. The "
        "orange bar is where a new centre is expected (prediction interval): what a new centre "
        "should plan with.",
        best=words.best if measure != "auroc" else None,
        reference=0.5 if measure == "auroc" else None,
    )


def subgroups(results: Results, measure: str) -> Drawing | None:
    """Draw a measure in every subgroup; None without any."""
    rows = [r for r in results.subgroups if r.measure == measure]
    if not any(defined(r.estimate) for r in rows):
        return None
    words = MEASURES[measure]
    overall = {r.measure: r.estimate for r in results.performance}.get(measure)
    drawn = []
    for group in dict.fromkeys(r.group for r in rows):
        drawn.append(Row(GROUPS.get(group, group), head=True))
        drawn += [
            Row(r.level, r.estimate, r.lower, r.upper, _size(r.patients, r.events))
            for r in sorted(rows, key=lambda r: not r.level.startswith("under"))
            if r.group == group
        ]
    return forest(
        drawn,
        f"subgroups-{measure.replace('_', '-')}-figure",
        words.short,
        f"Forest plot of the {words.short} in {len(rows)} subgroups; overall {number(overall)}.",
        f"{words.short} by subgroup, with events of patients; the dashed line is everybody. Small "
        "groups have wide intervals: that a difference is seen does not make it one.",
        best=words.best if measure != "auroc" else None,
        reference=overall,
    )


def comparators(results: Results) -> Drawing | None:
    """Draw the model's AUROC above those of rules and published models; None without any."""
    by = {r.name: r for r in reversed(results.comparators) if r.measure in (None, "auroc")}
    own = next((r for r in results.performance if r.measure == "auroc"), None)
    if own is None or not any(defined(r.recalibrated) for r in by.values()):
        return None
    drawn = [Row("the model", own.estimate, own.lower, own.upper, "everyone", strong=True)]
    for r in reversed(by.values()):
        known = defined(r.recalibrated)
        note = f"of {percent(r.computable_share)}" if known else ""
        beside = f"; the model there {number(r.model)}" if known and defined(r.model) else ""
        drawn.append(
            Row(r.name, r.recalibrated, r.lower, r.upper, note, empty=NOT_HAD, beside=beside)
        )
    return forest(
        drawn,
        "comparators-figure",
        "AUROC",
        f"Forest plot of the AUROC of the model ({number(own.estimate)}) and {len(by)} "
        "comparators.",
        "The model against what is already used, recalibrated out of fold. A comparator is judged "
        "on the patients for whom it can be had; the table has the model on those same patients.",
        reference=0.5,
    )


def candidates(results: Results) -> Drawing | None:
    """Draw how much worse than the best each candidate is, with its error; None without any."""
    rows = [r for r in results.candidates if r.log_loss is not None]
    if not rows:
        return None
    best = min(rows, key=lambda r: r.log_loss or 0.0)
    drawn = []
    for r in rows:
        above = (r.log_loss or 0.0) - (best.log_loss or 0.0)
        error = r.difference_error if r.difference is not None else r.standard_error
        note = f"{count(r.parameters)} parameters" if defined(r.parameters) else ""
        low, high = (above - error, above + error) if defined(error) else (None, None)
        drawn.append(Row(r.name, above, low, high, note, strong=r.served))
    held = next((r.name for r in rows if r.served), "none")
    return forest(
        drawn,
        "candidates-figure",
        "Log loss above the best ± standard error",
        f"Log loss of {len(rows)} candidates above the best, {best.name}; in the model "
        f"file {held}.",
        "Nested cross-validation, less is better. The simplest candidate whose bar reaches the "
        "line of the best is taken (diamond), of those that a model file can hold.",
        reference=0.0,
        digits=4,
    )


def _draw_row(axes: Axes, row: Row, y: float, low: float, high: float, digits: int) -> None:
    """Draw label and numbers on one line, estimate and interval beneath."""
    across = axes.get_yaxis_transform()
    label = textwrap.shorten(row.label, 44, placeholder=" …")
    weight = "bold" if row.strong or row.head else "normal"
    axes.text(0, y - ABOVE, label, fontweight=weight, transform=across, verticalalignment="center")
    if row.head:
        return
    said = number(row.estimate, digits) if row.estimate is not None else row.empty
    if row.estimate is not None and defined(row.lower) and defined(row.upper) and digits < 4:
        said += f" ({span(row.lower, row.upper, digits)})"
    note = f"{row.note} · " if row.note else ""
    axes.text(
        1,
        y - ABOVE,
        note + said,
        color=MUTED,
        fontsize="small",
        transform=across,
        horizontalalignment="right",
        verticalalignment="center",
    )
    if row.estimate is None:
        axes.plot([low, high], [y, y], color=LINE, linewidth=1)
        return
    if row.wide is not None:
        axes.plot(np.clip(row.wide, low, high), [y, y], color=EVENT, linewidth=5, alpha=0.45)
    if row.lower is not None and row.upper is not None:
        ends = np.clip([row.lower, row.upper], low, high)
        axes.plot(ends, [y, y], color=RISK, linewidth=3.2 if row.strong else 2)
    marker = "D" if row.strong else "o"
    axes.plot(row.estimate, y, marker, color=RISK, markersize=7 if row.strong else 5.5)


def _limits(
    rows: Sequence[Row], best: float | None, reference: float | None
) -> tuple[float, float]:
    """Return ends that hold every estimate and most of the intervals."""
    estimates = [r.estimate for r in rows if r.estimate is not None]
    marks = [value for value in (best, reference) if value is not None]
    ends = [v for r in rows if r.estimate is not None for v in (r.lower, r.upper) if v is not None]
    ends += [v for r in rows if r.wide for v in r.wide]
    low = min([*estimates, *marks, *(np.quantile(ends, [0.03]) if ends else [])])
    high = max([*estimates, *marks, *(np.quantile(ends, [0.97]) if ends else [])])
    room = 0.06 * (high - low or 1.0)
    return float(low - room), float(high + room)


def _size(patients: int | None, events: int | None) -> str:
    if patients is None:
        return ""
    return f"{count(events)} of {count(patients)}" if events is not None else count(patients)


def _cells(row: Row, digits: int) -> tuple[str, ...]:
    if row.estimate is None:
        return (row.label, row.empty, "", row.note)
    note = row.note
    if row.wide:
        note = f"{note}; new centre {span(*row.wide, digits)}".lstrip("; ")
    note += row.beside
    return (row.label, number(row.estimate, digits), span(row.lower, row.upper, digits), note)
