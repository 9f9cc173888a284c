"""A risk on a scale from 0 to 100, with where patients alike lie and how steady the figure is.

Assumes that both ranges hold the risk; the steady one is drawn inside the other, thinner.
"""

from dataclasses import dataclass

from markupsafe import Markup

from ..assessment import Assessment, Interval
from .svg import drawing, element

__all__ = ["InHundred", "Ranges", "draw_ranges"]

WIDTH, HEIGHT, SIDE = 320.0, 56.0, 14.0
MIDDLE, HALF = 18.0, 11.0
TICKS = (0, 25, 50, 75, 100)
NARROWEST = 1.0


@dataclass(frozen=True)
class InHundred:
    """A range in whole people of 100.

    Parameters
    ----------
    lower, upper : int
    level : float
        Share inside.
    """

    lower: int
    upper: int
    level: float

    @classmethod
    def of(cls, interval: Interval | None) -> "InHundred | None":
        """Round a range of risks."""
        if interval is None:
            return None
        return cls(round(100 * interval.lower), round(100 * interval.upper), interval.level)


@dataclass(frozen=True)
class Ranges:
    """A risk and its ranges in whole people of 100.

    Parameters
    ----------
    expected : int
    alike : InHundred or None
        What holds most patients who look like this one.
    steady : InHundred or None
        What holds most refits of the model.
    """

    expected: int
    alike: InHundred | None
    steady: InHundred | None

    @classmethod
    def of(cls, assessment: Assessment) -> "Ranges | None":
        """Round an assessment; None where the model gave no risk."""
        if assessment.risk is None or assessment.status == "met":
            return None
        return cls(
            round(100 * assessment.risk),
            InHundred.of(assessment.interval),
            InHundred.of(assessment.steadiness),
        )


def draw_ranges(ranges: Ranges, title: str, identity: str = "ranges") -> Markup:
    """Draw the ranges over each other, the risk as a dot.

    Parameters
    ----------
    ranges : Ranges
    title : str
        The same in words.
    identity : str
        Unique on the page.
    """
    per_person = (WIDTH - 2 * SIDE) / 100

    def place(people: float) -> float:
        return SIDE + people * per_person

    parts = [
        element("line", x1=place(0), y1=MIDDLE, x2=place(100), y2=MIDDLE, class_="axis"),
    ]
    for tick in TICKS:
        x = place(tick)
        ends = {"x1": x, "y1": MIDDLE - 5, "x2": x, "y2": MIDDLE + 5}
        parts.append(element("line", **ends, class_="axis"))
        parts.append(
            element("text", str(tick), x=x, y=MIDDLE + 32, class_="label tick",
                    text_anchor="middle")
        )  # fmt: skip
    for kind, held, half in (("alike", ranges.alike, HALF), ("steady", ranges.steady, HALF / 3)):
        if held is not None:
            width = max(held.upper - held.lower, NARROWEST) * per_person
            size = {"y": MIDDLE - half, "height": 2 * half, "width": width, "rx": 2}
            parts.append(element("rect", x=place(held.lower), **size, class_=kind))
    parts.append(element("circle", cx=place(ranges.expected), cy=MIDDLE, r=6, class_="risk now"))
    return drawing("ranges", WIDTH, HEIGHT, title, parts, identity)
