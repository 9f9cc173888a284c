"""SVG elements as safe text; colours come from the style sheet, by class.

Assumes a page whose content policy forbids inline styles: an element has attributes and classes.
"""

from markupsafe import Markup, escape

__all__ = ["drawing", "element", "path"]


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)


def element(name: str, *children: object, **attributes: object) -> Markup:
    """Return an element; ``class_`` is its class, underscores in names become hyphens.

    Parameters
    ----------
    name : str
    *children : Markup or text
        Text is escaped.
    **attributes : object
        None leaves an attribute out; a number keeps one digit after the point.

    Examples
    --------
    >>> print(element("text", "a < b", x=1.26, class_="note"))
    <text x="1.3" class="note">a &lt; b</text>
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(str(escape(child)) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def path(points: "list[tuple[float, float]]") -> str:
    """Return the path through points.

    Examples
    --------
    >>> path([(0.0, 1.0), (2.0, 3.5)])
    'M0 1 L2 3.5'
    """
    return "M" + " L".join(f"{_text(float(x))} {_text(float(y))}" for x, y in points)


def drawing(
    kind: str, width: float, height: float, title: str, parts: "list[Markup]", identity: str
) -> Markup:
    """Return a figure that a screen reader takes for one picture with a name.

    Parameters
    ----------
    kind : str
        Its class.
    width, height : float
        Of the drawing's own units; the page scales it.
    title : str
        What it shows, in a sentence; the table behind the figure has the values.
    parts : list of Markup
    identity : str
        Unique on the page.
    """
    return element(
        "svg",
        element("title", title, id=identity),
        *parts,
        class_=f"drawing {kind}",
        viewBox=f"0 0 {_text(float(width))} {_text(float(height))}",
        role="img",
        aria_labelledby=identity,
        focusable="false",
    )
