"""Usefulness: the net benefit of acting on the risk, against acting on everyone, no one, a rule.

Assumes that acting on a patient without the outcome costs what the threshold says it costs.
"""

from ...schema.results import Results
from ..words import defined, number, percent, span
from .drawing import EVENT, INK, MUTED, RISK, THIRD, Drawing, canvas, drawing, percent_axis, points

__all__ = ["STRATEGIES", "decision_curves"]

STRATEGIES = {"model": "the model", "treat_all": "everyone", "treat_none": "no one"}
LINES = (
    (EVENT, (0, (5, 2))),
    (THIRD, (0, (1, 1.4))),
    (INK, (0, (5, 2, 1, 2))),
    (EVENT, (0, (2, 2))),
    (THIRD, (0, (7, 3))),
)
EVERYONE = (0, (3, 1.5))
SHOWN = 12


def decision_curves(results: Results) -> Drawing | None:
    """Draw net benefit against the threshold, one line per strategy; None without any."""
    rows = [r for r in results.net_benefit if defined(r.net_benefit)]
    if not rows:
        return None
    there = list(dict.fromkeys(r.strategy for r in rows))
    names = [n for n in STRATEGIES if n in there] + [n for n in there if n not in STRATEGIES]
    rivals = [name for name in names if name not in STRATEGIES]
    with canvas(4.4 + 0.1 * len(names)) as figure:
        axes = figure.subplots()
        for name in names:
            of = [r for r in rows if r.strategy == name]
            line = points(of, "threshold", "net_benefit")
            if name == "treat_none":
                axes.axhline(0, color=MUTED, linewidth=1.3, label="no one")
            elif name == "treat_all":
                axes.plot(*line.T, color=MUTED, linestyle=EVERYONE, linewidth=1.5, label="everyone")
            elif name == "model":
                band = points(of, "threshold", "lower", "upper")
                if len(band):
                    axes.fill_between(*band.T, color=RISK, alpha=0.16, linewidth=0)
                axes.plot(*line.T, color=RISK, linewidth=2.6, label="the model", zorder=4)
            else:
                colour, dashes = LINES[rivals.index(name) % len(LINES)]
                axes.plot(*line.T, color=colour, linestyle=dashes, linewidth=1.8, label=name)
        highest = max(max(r.net_benefit or 0.0 for r in rows), 0.01)
        axes.set_ylim(-0.25 * highest, 1.08 * highest)
        axes.set_xlim(left=0)
        axes.set_xlabel("Risk from which one would act")
        axes.set_ylabel("Net benefit per patient")
        axes.grid()
        percent_axis(axes, "x")
        figure.legend(loc="outside lower left", frameon=False, fontsize="small", ncols=2)
        return drawing(
            figure,
            "decision-figure",
            _in_words(results),
            "Net benefit: true positives per patient, less false positives at the price that the "
            "threshold implies. Acting on whoever a line names is worth it where that line is the "
            "highest.",
            ("Risk", *(STRATEGIES.get(name, name) for name in names), "Interval of the model"),
            _table(results, names),
        )


def _table(results: Results, names: list[str]) -> list[tuple[str, ...]]:
    by = {(r.strategy, r.threshold): r for r in results.net_benefit}
    thresholds = sorted({r.threshold for r in results.net_benefit})
    thresholds = thresholds[:: max(1, len(thresholds) // SHOWN)]
    rows = []
    for threshold in thresholds:
        found = [by.get((name, threshold)) for name in names]
        model = by.get(("model", threshold))
        rows.append(
            (
                percent(threshold),
                *(number(row.net_benefit if row else None, 3) for row in found),
                span(model.lower, model.upper, 3) if model else "",
            )
        )
    return rows


def _in_words(results: Results) -> str:
    """Say where the model has the highest net benefit."""
    by: dict[float, dict[str, float]] = {}
    for row in results.net_benefit:
        if row.net_benefit is not None:
            by.setdefault(row.threshold, {})[row.strategy] = row.net_benefit
    best = [
        t for t, values in sorted(by.items()) if max(values, key=lambda n: values[n]) == "model"
    ]
    start = "Decision curves of net benefit against threshold for the model and its rivals."
    if not best:
        return f"{start} The model has the highest net benefit nowhere."
    return (
        f"{start} The model has the highest net benefit at {len(best)} of {len(by)} thresholds, "
        f"from {percent(best[0])} to {percent(best[-1])}."
    )
