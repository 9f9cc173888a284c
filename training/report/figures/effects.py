"""Effects of the features: on the risk scale, and as odds.

Assumes effects with the other features held at their mean. They are associations: changing an input
need not change the outcome.
"""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from ...schema.explanation import Effect
from ...schema.results import Results
from ..words import defined, number, percent, unit_text, value_text
from .drawing import EVENT, MUTED, RISK, Drawing, canvas, drawing, percent_axis

__all__ = ["odds", "partial_effects"]

ODDS_SHOWN = 15
FEATURES_SHOWN = 12
ODDS_TICKS = (
    (0.25, (0.8, 0.9, 1, 1.1, 1.25)),
    (0.75, (0.5, 0.7, 1, 1.4, 2)),
    (1.7, (0.25, 0.5, 1, 2, 4)),
    (np.inf, (0.01, 0.1, 1, 10, 100)),
)
WIDTHS = (1.2, 1.8, 2.6)


def partial_effects(results: Results) -> Drawing | None:
    """Draw the risk against each feature, one line per landmark; None without any."""
    known = [e for e in results.effects if len(e.values) > 1 and len(e.values) == len(e.risks)]
    by: dict[str, list[Effect]] = {}
    for effect in known:
        by.setdefault(effect.feature, []).append(effect)
    shown = list(by.values())[:FEATURES_SHOWN]
    if not shown:
        return None
    lines = -(-len(shown) // 2)
    highest = max(r for effects in shown for e in effects for r in e.risks if r is not None)
    with canvas(0.3 + 1.95 * lines) as figure:
        panels = figure.subplots(lines, 2, sharey=True, squeeze=False).ravel()
        for panel in panels[len(shown) :]:
            panel.set_axis_off()
        for panel, effects in zip(panels, shown, strict=False):
            _draw_effect(panel, effects)
            panel.set_ylim(0, 1.1 * highest)
        figure.supylabel("Risk", fontsize="medium")
        rows = [row for effects in shown for e in effects for row in _cells(e)]
        return drawing(
            figure,
            "effects-figure",
            _in_words(shown),
            _caption(shown),
            ("Input", "Landmark", "Value", "Risk"),
            rows,
        )


def _caption(shown: Sequence[Sequence[Effect]]) -> str:
    """Return what the lines are: of several landmarks, or of the one that all are of."""
    said = "as one input changes and the others stay at their mean."
    weeks = {_week(effect) for effects in shown for effect in effects}
    if len(weeks) == 1:
        (week,) = weeks
        return f"The risk {f'at {week} ' if week else ''}{said} Associations, not causes."
    return (
        f"The risk {said} Thin lines are early landmarks, thick lines late ones. Associations, "
        "not causes."
    )


def odds(results: Results) -> Drawing | None:
    """Draw the largest coefficients as bars on the log-odds scale; None without any."""
    primary = results.task.primary_landmark
    known = [
        e for e in results.effects if defined(e.coefficient) and e.at_landmark in (None, primary)
    ]
    shown = sorted(known, key=lambda e: -abs(e.coefficient or 0.0))[:ODDS_SHOWN]
    if not shown:
        return None
    with canvas(0.9 + 0.4 * max(len(shown), 2)) as figure:
        _draw_odds(figure.subplots(), shown)
        said = [f"{e.meaning}, times {np.exp(e.coefficient or 0.0):.2f}" for e in shown]
        return drawing(
            figure,
            "odds-figure",
            f"Bar chart of the largest effects on the odds per standard deviation: "
            f"{'; '.join(said)}.",
            "How the odds change with one standard deviation more of each input, the others held "
            "still. Associations, not causes: changing an input need not change the outcome.",
            ("Input", "Log odds", "Odds times"),
            [
                (e.meaning or e.feature, number(e.coefficient), f"{np.exp(e.coefficient or 0):.2f}")
                for e in shown
            ],
        )


def _draw_effect(axes: Axes, effects: Sequence[Effect]) -> None:
    first = effects[0]
    said = f"{first.meaning or first.feature}{unit_text(first.unit)}"
    axes.set_title("\n".join(textwrap.wrap(said, 25)[:3]), fontsize="small")
    for order, effect in enumerate(effects):
        risks = [np.nan if r is None else r for r in effect.risks]
        width = WIDTHS[min(order + len(WIDTHS) - len(effects[:3]), 2)]
        if _named(effect):
            axes.bar(_names(effect), risks, width=0.5, color=RISK)
        else:
            axes.plot(np.asarray(effect.values, dtype=float), risks, color=RISK, linewidth=width)
            axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y")
    percent_axis(axes, "y")


def _draw_odds(axes: Axes, shown: Sequence[Effect]) -> None:
    places = np.arange(len(shown))
    values = np.array([e.coefficient for e in shown], dtype=float)
    limit = max(0.2, 1.3 * np.abs(values).max())
    axes.barh(places, values, height=0.32, color=[EVENT if v > 0 else RISK for v in values])
    for place, value, effect in zip(places, values, shown, strict=True):
        axes.text(
            -limit,
            place - 0.36,
            textwrap.shorten(str(effect.meaning or effect.feature), 66, placeholder=" …"),
            verticalalignment="center",
            fontsize="small",
        )
        axes.annotate(
            f"×{np.exp(value):.2f}",
            (value, place),
            xytext=(4 if value > 0 else -4, 0),
            textcoords="offset points",
            horizontalalignment="left" if value > 0 else "right",
            verticalalignment="center",
            color=MUTED,
            fontsize="small",
        )
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set(xlim=(-limit, limit), ylim=(len(shown) - 0.5, -0.75))
    ticks = next(ticks for largest, ticks in ODDS_TICKS if limit <= largest)
    inside = [tick for tick in ticks if abs(np.log(tick)) <= limit]
    axes.xaxis.set_major_locator(FixedLocator(np.log(inside).tolist()))
    axes.set_xticklabels([f"×{tick:g}" for tick in inside])
    axes.set_xlabel("Odds multiplied by, per standard deviation")
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines[["left", "bottom"]].set_visible(False)


def _named(effect: Effect) -> bool:
    """Return whether the values are names, or a yes and a no, and no scale."""
    return effect.values == [0, 1] or any(not isinstance(value, float) for value in effect.values)


def _names(effect: Effect) -> list[str]:
    if effect.values == [0, 1]:
        return ["no", "yes"]
    return [value_text(value) for value in effect.values]


def _week(effect: Effect) -> str:
    return "" if effect.at_landmark is None else f"week {effect.at_landmark / 7:.3g}"


def _cells(effect: Effect) -> list[tuple[str, ...]]:
    landmark = _week(effect)
    every = max(1, (len(effect.values) - 1) // 4)
    name = effect.meaning or effect.feature
    return [
        (name, landmark, v, percent(r))
        for v, r in list(zip(_names(effect), effect.risks, strict=True))[::every]
    ]


def _in_words(shown: Sequence[Sequence[Effect]]) -> str:
    said = []
    for effects in shown:
        last = effects[-1]
        said.append(
            f"{last.meaning or last.feature}, from {percent(last.risks[0])} to "
            f"{percent(last.risks[-1])}"
        )
    return f"Risk against each of {len(shown)} inputs. {'; '.join(said)}."
