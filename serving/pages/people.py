"""A risk as a picture of 100 people.

Assumes that a risk below one half of a percent is still shown as nobody marked, with the number
beside it; the picture rounds, the number does not.
"""

from dataclasses import dataclass

from markupsafe import Markup

from .svg import drawing, element

__all__ = ["People", "draw_people"]

PER_ROW = 10
WIDTH, HEIGHT = 24, 30
BODY = "M4.5 25v-6.2a5.5 5.5 0 0 1 11 0V25z"


@dataclass(frozen=True)
class People:
    """How many of 100 people.

    Parameters
    ----------
    expected : int
    lower, upper : int
        The range; both equal to `expected` where none is known.
    """

    expected: int
    lower: int
    upper: int

    @classmethod
    def of(cls, risk: float, lower: float | None, upper: float | None) -> "People":
        """Count a risk and its interval, rounded to whole people."""
        expected = round(100 * risk)
        low = expected if lower is None else min(round(100 * lower), expected)
        high = expected if upper is None else max(round(100 * upper), expected)
        return cls(expected, low, high)

    def kind(self, position: int) -> str:
        """Return what the person at a position stands for.

        Examples
        --------
        >>> [People(2, 1, 3).kind(position) for position in range(4)]
        ['surely', 'likely', 'perhaps', 'not']
        """
        if position < self.lower:
            return "surely"
        if position < self.expected:
            return "likely"
        return "perhaps" if position < self.upper else "not"


def draw_people(people: People, title: str, identity: str = "people") -> Markup:
    """Draw ten rows of ten people, those who meet the definition first.

    Parameters
    ----------
    people : People
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
                class_=f"person {people.kind(position)}",
                transform=f"translate({column * WIDTH + 2} {row * HEIGHT + 1})",
            )
        )
    return drawing("people", PER_ROW * WIDTH, PER_ROW * HEIGHT, title, drawn, identity)
