"""A risk and its range as a picture of 100 people.

Assumes that of 100 people alike as many meet the definition as the risk says, whatever sets them
apart: those are filled, and nobody is half filled. The range is no count of people but where the
count may end; it is a frame behind them in reading order, with a bracket and a name at either end.
A risk below one half of a percent is shown as nobody filled, with the number beside it.
"""

from markupsafe import Markup

from .ranges import InHundred
from .svg import drawing, element

__all__ = ["draw_people"]

PER_ROW, ROWS = 10, 10
WIDTH, HEIGHT = 24, 30
SIDE, EDGE = 74, 2
"""Room for the names of the ends, and for the width of a line."""
TICK = 5
BODY = "M4.5 25v-6.2a5.5 5.5 0 0 1 11 0V25z"

Place = tuple[int, int]
"""Column of 0 to 10, as the line left of it, and row."""


def draw_people(
    marked: int,
    title: str,
    held: InHundred | None = None,
    ends: tuple[str, str] = ("", ""),
    identity: str = "people",
) -> Markup:
    """Draw ten rows of ten people, those who meet the definition first.

    Parameters
    ----------
    marked : int
        How many meet it.
    title : str
        The same in words, with the range.
    held : InHundred, optional
        The range; nothing is framed without it.
    ends : (str, str)
        Names of its lower and its upper end.
    identity : str
        Unique on the page.
    """
    left = SIDE if held else EDGE
    parts = [] if held is None else _range(held, ends, left)
    for position in range(PER_ROW * ROWS):
        row, column = divmod(position, PER_ROW)
        parts.append(
            element(
                "g",
                element("circle", cx=10, cy=6.5, r=4.3),
                element("path", d=BODY),
                class_="person marked" if position < marked else "person",
                transform=f"translate({column * WIDTH + 2 + left} {row * HEIGHT + 1 + EDGE})",
            )
        )
    size = PER_ROW * WIDTH + 2 * left, ROWS * HEIGHT + 2 * EDGE
    return drawing("people", *size, title, parts, identity)


def _range(held: InHundred, ends: tuple[str, str], left: int) -> list[Markup]:
    """Draw the frame, a bracket at either end, and their names left and right of all people."""
    lower, upper = _places(held)

    def at(column: int, row: int) -> str:
        return f"{left + WIDTH * column} {EDGE + HEIGHT * row}"

    pieces = _frame(lower, upper) if held.lower < held.upper else []
    frame = "".join(f"M{'L'.join(at(*corner) for corner in piece)}z" for piece in pieces)
    parts = [element("path", d=frame, class_="alike")] if pieces else []
    names = ((lower, TICK, left - 8, "end"), (upper, -TICK, left + PER_ROW * WIDTH + 8, "start"))
    for said, (place, tick, x, anchor) in zip(ends, names, strict=True):
        bracket = f"M{at(*place)}m{tick} 0h{-tick}v{HEIGHT}h{tick}"
        parts.append(element("path", d=bracket, class_="end"))
        y = EDGE + HEIGHT * (place[1] + 0.5) + 6
        parts.append(element("text", said, x=x, y=y, class_="label end-name", text_anchor=anchor))
    return parts


def _places(held: InHundred) -> tuple[Place, Place]:
    """Return where a range begins and ends.

    A range begins where a row begins rather than where the one before ends, and ends the other way
    round; one that begins where it ends is a single line.

    Examples
    --------
    >>> _places(InHundred(10, 20, 0.9))
    ((0, 1), (10, 1))
    >>> _places(InHundred(100, 100, 0.9))
    ((10, 9), (10, 9))
    """
    row, column = divmod(max(held.upper - 1, 0), PER_ROW)
    upper = (column + 1 if held.upper else 0, row)
    if held.lower == held.upper:
        return upper, upper
    row, column = divmod(held.lower, PER_ROW)
    return (column, row), upper


def _frame(lower: Place, upper: Place) -> list[list[Place]]:
    """Return the corners of what lies between two places in reading order, piece by piece.

    Examples
    --------
    >>> _frame((8, 0), (3, 1))
    [[(8, 0), (10, 0), (10, 1), (8, 1)], [(0, 1), (3, 1), (3, 2), (0, 2)]]
    """
    (first, top), (last, bottom) = lower, upper
    if top == bottom:
        return [_box(first, last, top)]
    if bottom == top + 1 and last <= first:
        return [_box(first, PER_ROW, top), _box(0, last, bottom)]
    right = [(first, top), (PER_ROW, top), (PER_ROW, bottom), (last, bottom)]
    return [[*right, (last, bottom + 1), (0, bottom + 1), (0, top + 1), (first, top + 1)]]


def _box(first: int, last: int, row: int) -> list[Place]:
    return [(first, row), (last, row), (last, row + 1), (first, row + 1)]
