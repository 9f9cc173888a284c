"""UPCR and eGFR over time, with what was taken as bands under them.

Assumes days since the index date and values in the units that are shown. The time between today and
the horizon is drawn narrower than the time gone by, behind a mark that says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .scales import Scale, TimeScale, log_scale, plain_scale
from .svg import drawing, element, path

__all__ = ["Band", "Dose", "Mark", "Panel", "Point", "Segment", "Timeline", "draw_timeline"]

LEFT, RIGHT, TOP = 46.0, 14.0, 38.0
LETTER = 7.6
"""Width of a letter, at most, in the drawing's units."""
LANE, BAR = 34.0, 12.0
GAP = 34.0
NARROW = 500
AXIS = 40.0


@dataclass(frozen=True)
class Point:
    """One value: its day, the value, and how it is said."""

    day: int
    value: float
    said: str


@dataclass(frozen=True)
class Segment:
    """A level that a course's window asks for, from one day to another."""

    first_day: int
    last_day: int
    value: float


@dataclass(frozen=True)
class Panel:
    """One analyte.

    Parameters
    ----------
    kind : str
        Its class.
    title : str
    points : tuple of Point
        In order of time.
    target : float or None
        A level over the whole width.
    target_said : str
    segments : tuple of Segment
    logged : bool
    height : float
    """

    kind: str
    title: str
    points: tuple[Point, ...]
    target: float | None
    target_said: str
    segments: tuple[Segment, ...]
    logged: bool
    height: float

    def scale(self, top: float) -> Scale:
        """Return the vertical scale below a place."""
        values = [p.value for p in self.points] + [s.value for s in self.segments]
        if self.target is not None:
            values.append(self.target)
        make: Callable[[Sequence[float], float, float], Scale] = (
            log_scale if self.logged else plain_scale
        )
        return make(values, top, top + self.height)


@dataclass(frozen=True)
class Dose:
    """A time of constant dose: first and last day, and the share of the lane's highest dose."""

    first_day: int
    last_day: int
    share: float
    ongoing: bool


@dataclass(frozen=True)
class Band:
    """One drug: its name, doses in words and in few words, its role, and when it was taken."""

    name: str
    said: str
    short: str
    role: str
    doses: tuple[Dose, ...]


@dataclass(frozen=True)
class Mark:
    """A day that is marked across all panels."""

    day: int
    kind: str
    said: str


@dataclass(frozen=True)
class Timeline:
    """All that is drawn.

    Parameters
    ----------
    panels : tuple of Panel
    bands : tuple of Band
    windows : tuple of (int, int, str)
        First day, last day and name of each course's window.
    marks : tuple of Mark
    first_day, now, last_day : int
    week_said : str
        Name of the axis.
    figure : callable
        Takes a number as it is written in English, returns it as the language writes it.
    """

    panels: tuple[Panel, ...]
    bands: tuple[Band, ...]
    windows: tuple[tuple[int, int, str], ...]
    marks: tuple[Mark, ...]
    first_day: int
    now: int
    last_day: int
    week_said: str
    figure: Callable[[str], str] = str


def _label(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> Markup:
    return element("text", text, x=x, y=y, class_=f"label {kind}".strip(), text_anchor=anchor)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _draw_panel(
    panel: Panel, scale: Scale, time: TimeScale, figure: Callable[[str], str]
) -> list[Markup]:
    parts = [_label(0, scale.top - 12, panel.title, "title")]
    for tick in scale.ticks:
        y = scale(tick)
        parts.append(_line(time.left, y, time.right, y, "grid"))
        parts.append(_label(time.left - 7, y + 4, figure(f"{tick:g}"), "tick", "end"))
    if panel.target is not None:
        y = scale(panel.target)
        parts.append(_line(time.left, y, time.right, y, "target"))
    for segment in panel.segments:
        y, left = scale(segment.value), time(segment.first_day)
        right = max(time(segment.last_day), left + 3)
        parts.append(_line(left, y, right, y, "asked"))
    places = [(time(p.day), scale(p.value)) for p in panel.points]
    if places:
        parts.append(element("path", d=path(places), class_=f"course {panel.kind}"))
    for (x, y), point in zip(places, panel.points, strict=True):
        dot = (
            element("circle", element("title", point.said), cx=x, cy=y, r=4)
            if panel.kind == "upcr"
            else element("rect", element("title", point.said), x=x - 3.6, y=y - 3.6, width=7.2,
                         height=7.2, rx=1)
        )  # fmt: skip
        parts.append(element("g", dot, class_=f"value {panel.kind}"))
    return parts


def _doses_that_fit(band: Band, time: TimeScale) -> str:
    """Return the doses in the words that end before today, else before the edge; else nothing."""
    for edge in (time.bend, time.right):
        room = (edge - time.left) / LETTER - len(band.name) - 1
        for text in (band.said, band.short):
            if len(text) <= room:
                return text
    return ""


def _draw_band(band: Band, top: float, time: TimeScale) -> list[Markup]:
    said = f"{band.name}  {band.said}".strip()
    doses = _doses_that_fit(band, time)
    parts = [
        element(
            "text",
            element("tspan", band.name, class_="drug"),
            element("tspan", doses, dx=6),
            x=time.left,
            y=top + 11,
            class_="label lane",
        )
    ]
    bottom = top + 16 + BAR
    parts.append(_line(time.left, bottom + 0.5, time.bend, bottom + 0.5, "grid"))
    for dose in band.doses:
        left, height = time(dose.first_day), max(BAR * dose.share, 4.0)
        right = time(dose.last_day + 1) if not dose.ongoing else time.bend
        width = max(right - left - (0 if dose.ongoing else 1), 3.0)
        parts.append(
            element(
                "rect",
                element("title", said),
                x=left,
                y=bottom - height,
                width=width,
                height=height,
                class_=f"band {band.role}",
            )
        )
    return parts


def _draw_time(timeline: Timeline, time: TimeScale, bottom: float, narrow: bool) -> list[Markup]:
    parts = []
    for week in time.weeks(34 if narrow else 46):
        x = time(7 * week)
        parts.append(_line(x, bottom, x, bottom + 5, "axis"))
        parts.append(_label(x, bottom + 19, str(week), "tick", "middle"))
    parts.append(_line(time.left, bottom, time.right, bottom, "axis"))
    parts.append(_label(time.left, bottom + 36, timeline.week_said, "muted"))
    if time.narrowed:
        x = time.bend + 9
        slash = f"M{x - 3:.1f} {bottom + 5:.1f}l3 -10m3 10l3 -10"
        parts.append(element("path", d=slash, class_="break"))
    return parts


def _draw_marks(timeline: Timeline, time: TimeScale, top: float, bottom: float) -> list[Markup]:
    """Draw marked days; a name that would run into one before it goes a line higher."""
    parts, taken = [], [-NARROW, -NARROW]
    for mark in sorted(timeline.marks, key=lambda mark: mark.day):
        x, width = time(mark.day), LETTER * len(mark.said)
        left = min(max(x - width / 2, 0.0), time.right + RIGHT - width - 2)
        row = 0 if left > taken[0] + LETTER else 1
        taken[row] = round(left + width)
        y = top - 9 - 17 * row
        parts.append(_line(x, y + 4, x, bottom, f"mark {mark.kind}"))
        parts.append(_label(left + width / 2, y, mark.said, f"mark-name {mark.kind}", "middle"))
    return parts


def draw_timeline(timeline: Timeline, width: int, title: str, identity: str) -> Markup:
    """Draw panels over bands over weeks.

    Parameters
    ----------
    timeline : Timeline
    width : int
        In the drawing's units, about the pixels that it will have.
    title : str
        What it shows, in a sentence.
    identity : str
        Unique on the page.
    """
    time = TimeScale(
        timeline.first_day, timeline.now, timeline.last_day, LEFT, float(width) - RIGHT
    )
    top = TOP
    scales, y = [], top + 30
    for panel in timeline.panels:
        scales.append(panel.scale(y))
        y += panel.height + GAP
    lanes = y - 8
    bottom = lanes + LANE * len(timeline.bands) + 6
    parts = [
        element("rect", x=time.bend, y=top, width=time.right - time.bend, height=bottom - top,
                class_="to-come")
    ]  # fmt: skip
    for first, last, said in timeline.windows:
        left, right = time(first), time(last)
        if right - left > 1:
            parts.append(
                element("rect", element("title", said), x=left, y=top, width=right - left,
                        height=lanes - 14 - top, class_="window")
            )  # fmt: skip
    parts += _draw_marks(timeline, time, top, bottom)
    for panel, scale in zip(timeline.panels, scales, strict=True):
        parts += _draw_panel(panel, scale, time, timeline.figure)
    for panel, scale in zip(timeline.panels, scales, strict=True):
        if panel.target is not None:
            y = scale(panel.target) - 6
            parts.append(_label(time.left + 6, y, panel.target_said, "target-name"))
    for number, band in enumerate(timeline.bands):
        parts += _draw_band(band, lanes + LANE * number, time)
    parts += _draw_time(timeline, time, bottom, width < NARROW)
    return drawing("timeline", width, bottom + AXIS, title, parts, identity)
