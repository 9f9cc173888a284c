"""The figures of the report as files, for a tracking server, a talk or a paper.

Assumes that whoever opens one has no style sheet: colours, ground and font are written into it.
"""

from collections.abc import Mapping
from typing import Any

from ..schema.results import Results, as_results
from .figures.drawing import COLOURS, Drawing
from .figures.picture import picture
from .page import FIGURES

__all__ = ["figure_files"]

_START = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'style="background: #ffffff" '
)


def figure_files(results: Mapping[str, Any] | Results) -> dict[str, bytes]:
    """Draw calibration and ROC as ``validation.png``, and each figure that there is data for.

    Parameters
    ----------
    results : mapping or Results
        Of schema `lnrisk.results/2`, or `/1`.

    Returns
    -------
    dict of str to bytes
        File name to content, SVG except for the first.
    """
    found = results if isinstance(results, Results) else as_results(results)
    drawn = {name: draw(found) for name, draw in FIGURES.items()}
    return {"validation.png": picture(found)} | {
        f"{name}.svg": _standalone(figure) for name, figure in drawn.items() if figure is not None
    }


def _standalone(figure: Drawing) -> bytes:
    svg = str(figure.svg).replace("<svg ", _START, 1).replace("var(--font)", "sans-serif")
    for colour, variable in COLOURS.items():
        svg = svg.replace(variable, colour)
    return svg.encode()
