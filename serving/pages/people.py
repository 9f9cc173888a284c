"""A risk as a picture of 100 people.

Assumes that of 100 people alike as many meet the definition as the risk says, whatever sets them
apart; so the range of patients alike is drawn elsewhere, in `lnrisk.serving.pages.ranges`. A risk
below one half of a percent is shown as nobody marked, with the number beside it.
"""

from markupsafe import Markup

from .svg import drawing, element

__all__ = ["draw_people"]

PER_ROW = 10
WIDTH, HEIGHT = 24, 30
BODY = "M4.5 25v-6.2a5.5 5.5 0 0 1 11 0V25z"


def draw_people(marked: int, title: str, identity: str = "people") -> Markup:
    """Draw ten rows of ten people, those who meet the definition first.

    Parameters
    ----------
    marked : int
        How many meet it.
    title : str
        The same in words.
    identity : str
        Unique on the page.
    """
    drawn = []
    for position in range(100):
        row, column = divmod(position, PER_ROW)
        figure = (
            element("circle", cx=10, cy=6.5, r=4.3),
            element("path", d=BODY),
        )
        drawn.append(
            element(
                "g",
                *figure,
                class_="person marked" if position < marked else "person",
                transform=f"translate({column * WIDTH + 2} {row * HEIGHT + 1})",
            )
        )
    return drawing("people", PER_ROW * WIDTH, PER_ROW * HEIGHT, title, drawn, identity)
