"""How the risk moved from landmark to landmark.

Assumes one risk per landmark that the patient had reached; where the model gave none the place
stays empty, and the reason is in the table behind the figure.
"""

from dataclasses import dataclass

from markupsafe import Markup

from .scales import plain_scale
from .svg import drawing, element, path
from .words import Words

__all__ = ["Move", "draw_moves"]

HEIGHT, LEFT, RIGHT = 210.0, 40.0, 16.0


@dataclass(frozen=True)
class Move:
    """The risk at one landmark, in percent.

    Parameters
    ----------
    name : str
        The landmark in words.
    risk, lower, upper : float or None
        None where the model gave none.
    said : str
        The risk in words, or why there is none.
    now : bool
        Whether it is the risk shown above.
    """

    name: str
    risk: float | None
    lower: float | None
    upper: float | None
    said: str
    now: bool


def draw_moves(
    moves: tuple[Move, ...], width: int, title: str, words: Words, identity: str
) -> Markup:
    """Draw risks with their intervals, side by side.

    Parameters
    ----------
    moves : tuple of Move
        In order of time.
    width : int
        In the drawing's units.
    title : str
        What it shows, in a sentence.
    words : Words
        For the axis and the figures.
    identity : str
        Unique on the page.
    """
    top, bottom = 30.0, HEIGHT - 44
    most = [m.upper if m.upper is not None else m.risk or 0.0 for m in moves]
    scale = plain_scale(most, top, bottom, least=10.0)
    step = (width - LEFT - RIGHT) / max(len(moves), 1)
    parts = []
    for tick in scale.ticks:
        y = scale(tick)
        parts.append(element("line", x1=LEFT, y1=y, x2=width - RIGHT, y2=y, class_="grid"))
        percent = words.say("format.percent", percent=words.figure(f"{tick:g}"))
        parts.append(
            element("text", percent, x=LEFT - 6, y=y + 4, class_="label tick", text_anchor="end")
        )
    places, bars, dots = [], [], []
    for number, move in enumerate(moves):
        x = LEFT + step * (number + 0.5)
        kind = " now" if move.now else ""
        parts.append(
            element("text", move.name, x=x, y=bottom + 20, class_=f"label tick{kind}",
                    text_anchor="middle")
        )  # fmt: skip
        if move.risk is None:
            parts.append(
                element("text", "-", x=x, y=bottom - 8, class_="label muted", text_anchor="middle")
            )
            continue
        y = scale(move.risk)
        places.append((x, y))
        if move.lower is not None and move.upper is not None:
            ends = {"x1": x, "y1": scale(move.lower), "x2": x, "y2": scale(move.upper)}
            bars.append(element("line", **ends, class_="interval"))
        radius = 6 if move.now else 4.5
        said = element("title", move.said)
        dots.append(element("circle", said, cx=x, cy=y, r=radius, class_=f"risk{kind}"))
        shown = (
            words.say("format.percent", percent=f"{move.risk:.0f}")
            if move.risk >= 1
            else words.texts["format.below_one_percent"]
        )
        dots.append(
            element("text", shown, x=x, y=y - 11, class_=f"label number{kind}",
                    text_anchor="middle")
        )  # fmt: skip
    if len(places) > 1:
        bars.append(element("path", d=path(places), class_="course risk"))
    axis = words.say("moves.axis")
    parts.append(element("text", axis, x=LEFT, y=HEIGHT - 6, class_="label muted"))
    return drawing("moves", width, HEIGHT, title, [*parts, *bars, *dots], identity)
