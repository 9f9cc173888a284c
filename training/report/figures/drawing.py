"""What every figure of the report shares: one style, one width, its words and its table.

Assumes that the page's style sheet gives font and colours: an inline SVG looks unfinished without
it. Every figure is as wide as a phone, so that its text is never scaled down to nothing, and wide
screens show two side by side.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..words import defined

__all__ = [
    "EVENT",
    "INK",
    "LINE",
    "MUTED",
    "RISK",
    "STYLE",
    "THIRD",
    "Drawing",
    "canvas",
    "drawing",
    "percent_axis",
    "points",
    "say_nothing",
    "shares",
]

WIDTH = 4.5  # inches; 324 points, about a phone's
INK, MUTED, LINE = "#1d2b36", "#56636e", "#d5dce2"
RISK, EVENT, THIRD = "#17697f", "#a8431a", "#6a4c93"
COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    RISK: "var(--risk)",
    EVENT: "var(--event)",
    THIRD: "var(--third)",
}
STYLE: Any = {
    "svg.hashsalt": "lnrisk",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "text.parse_math": False,  # a name with dollars in it is a name
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
    "axes.axisbelow": True,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
}
ON_PAGE: Any = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.size": 11.0,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
}


@dataclass(frozen=True)
class Drawing:
    """A figure with its words and the table behind it.

    Parameters
    ----------
    name : str
        Identifier on the page.
    svg : Markup
        The drawing, with an accessible name.
    caption : str
        What it shows and how to read it.
    columns : tuple of str
        Headings of the table; the first names the row.
    rows : tuple of tuple of str
        The numbers that were drawn.
    """

    name: str
    svg: Markup
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@contextmanager
def canvas(height: float) -> Iterator[Figure]:
    """Give an empty figure of the common width, in the page's style.

    Parameters
    ----------
    height : float
        Inches.
    """
    with matplotlib.rc_context(STYLE | ON_PAGE):
        yield Figure(figsize=(WIDTH, height), layout="constrained")


def drawing(
    figure: Figure,
    name: str,
    alt: str,
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> Drawing:
    """Return a finished figure.

    Parameters
    ----------
    figure : Figure
    name, alt, caption : str
    columns : sequence of str
    rows : sequence of sequences of str
    """
    table = tuple(tuple(row) for row in rows)
    return Drawing(name, _as_svg(figure, name, alt), caption, tuple(columns), table)


def percent_axis(axes: Axes, *names: str) -> None:
    """Label axes ``"x"`` or ``"y"`` in whole percent."""
    for name in names:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def points(rows: Sequence[Any], *names: str) -> npt.NDArray[np.float64]:
    """Return the rows that have all of some values, shape (n_rows, n_names)."""
    kept = [[getattr(row, name) for name in names] for row in rows]
    kept = [values for values in kept if all(defined(value) for value in values)]
    return np.asarray(kept, dtype=float).reshape(-1, len(names))


def shares(weights: Any) -> npt.NDArray[np.float64]:
    """Return weights as shares of their sum; nothing stays nothing."""
    values = np.asarray(weights, dtype=float)
    return values / values.sum() if values.sum() > 0 else np.zeros(len(values))


def say_nothing(axes: Axes) -> None:
    """Say in an empty panel that it is empty."""
    axes.text(
        0.5,
        0.5,
        "nothing to show",
        color=MUTED,
        horizontalalignment="center",
        verticalalignment="center",
        transform=axes.transAxes,
    )


def _as_svg(figure: Figure, name: str, said: str) -> Markup:
    """Return an SVG element that scales with the page and shares no id with another figure."""
    content = io.StringIO()
    svg_canvas: Any = FigureCanvasSVG(figure)
    svg_canvas.print_svg(content, metadata={"Date": None})  # draws once where savefig draws twice
    svg = content.getvalue()
    svg = svg[svg.index("<svg") :]
    for pattern, put in _replacements(name).items():
        svg = re.sub(pattern, put, svg, flags=re.DOTALL)
    for colour, variable in COLOURS.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r"<[^>]+>", _rounded, svg)
    size = re.search(r'viewBox="[^"]*"', svg)
    start = f'<svg class="drawing" role="img" aria-label="{escape(said)}" '
    return Markup(start + (size.group() if size else "") + svg[svg.index(">") :])


def _rounded(tag: re.Match[str]) -> str:
    """Return a tag with coordinates to a hundredth of a point; text between tags stays."""
    return re.sub(r"(\d+\.\d\d)\d+", r"\1", tag.group())


def _replacements(name: str) -> Mapping[str, str]:
    return {
        r"\s*<metadata>.*?</metadata>": "",
        r"\s*<style.*?</style>": "",
        r"\s*<!--.*?-->": "",
        r'\bid="([^"]+)"': rf'id="{name}-\1"',
        r'(href="|url\()#': rf"\1#{name}-",
        r"font-family: [^;\"]*(; )?": "",
        r"(font: [^;\"]*?)'DejaVu Sans'[^;\"]*": r"\1var(--font)",
        r">\s+<": "><",
    }
