"""The first screen: what was found in a few numbers, and what of it should not be believed.

Assumes that a reader stops here. So whatever would change their mind is said here, by fixed rules
from the results and never by how good the results look.
"""

from dataclasses import dataclass

from ..schema.measures import PerformanceRow
from ..schema.results import Results
from .checklists import few_are_known, keeps_every_column
from .words import MEASURES, count, defined, number, percent, span, wording

__all__ = ["Tile", "doubts", "headline", "not_done", "tiles"]

SLOPE_FINE = (0.9, 1.1)
RATIO_FINE = (0.9, 1.1)
ICI_FINE = 0.02
AUROC_SPREAD = 0.1
CERTAIN_ENOUGH = 0.9
MOVED = 0.05
SECTIONS = {
    "weights": "positivity of the weights",
    "sample_size": "sample size criteria",
    "baseline": "baseline table",
    "performance_by_landmark": "performance at other landmarks",
    "auroc_in_time": "AUROC over time",
    "optimism": "optimism of the whole pipeline",
    "net_benefit": "decision curves",
    "comparators": "simple rules and published models",
    "candidates": "comparison of classifiers",
    "centres": "validation centre by centre",
    "instability": "instability of the risks",
    "learning_curve": "learning curve",
    "subgroups": "subgroups",
    "sensitivity": "sensitivity to definition, adherence and weights",
    "label_certainty": "certainty of the label",
    "worked_patients": "worked patients",
}


@dataclass(frozen=True)
class Tile:
    """A number of the first screen.

    Parameters
    ----------
    name, value, detail : str
    verdict : str
        In words, what to make of it.
    fine : bool or None
        Whether it is as one would want it; None when that is no question.
    """

    name: str
    value: str
    detail: str
    verdict: str
    fine: bool | None = None


def headline(results: Results) -> str:
    """Return in a sentence how many patients had the outcome."""
    cohort, task = results.cohort, results.task
    if cohort is None:
        return "How many patients had the outcome is not in these results."
    said = wording(task)
    return (
        f"Of {count(cohort.patients)} patients at risk on day {task.primary_landmark}, "
        f"{count(cohort.events)} {said.had} by day {task.horizon_days}; allowing for those whose "
        f"outcome is not known, {percent(cohort.weighted_event_rate)} would."
    )


def tiles(results: Results) -> list[Tile]:
    """Return the numbers of the first screen."""
    by = {row.measure: row for row in results.performance}
    return [_people(results), _auroc(results, by), _calibration(by), _elsewhere(results)]


def doubts(results: Results) -> list[str]:
    """Return what of the results should not be believed, the gravest first."""
    by = {row.measure: row for row in results.performance}
    said = [
        *_about_the_sample(results),
        *_about_figures(by),
        *_about_the_label(results),
    ]
    missing = not_done(results)
    if missing:
        said.append(f"Not done in this run: {'; '.join(missing)}. Absent is not the same as good.")
    return said


def not_done(results: Results) -> list[str]:
    """Return the parts of a full validation that this run left out."""
    missing = [name for section, name in SECTIONS.items() if not getattr(results, section)]
    if results.task.outcome == "rule" and not results.overlap:
        missing.append("overlap of inputs and definition")
    return missing


def _people(results: Results) -> Tile:
    cohort, size = results.cohort, results.sample_size
    value = count(cohort.patients) if cohort else "not known"
    detail = f"at risk, of them {count(cohort.events)} with the outcome" if cohort else ""
    if size is None:
        return Tile("Patients", value, detail, "Sample size criteria were not computed.")
    if few_are_known(results):
        return Tile("Patients", value, detail, "Nearly all events are expected, not known.", False)
    verdict = f"Enough for {count(size.affordable_parameters)} parameters; the "
    if keeps_every_column(results):
        verdict += f"model has {count(size.parameters)}."
        return Tile("Patients", value, detail, verdict, not size.too_small)
    verdict += f"default has {count(size.parameters)}. The elastic net chose among more."
    return Tile("Patients", value, detail, verdict, False if size.too_small else None)


def _auroc(results: Results, by: dict[str, PerformanceRow]) -> Tile:
    row = by.get("auroc")
    if row is None:
        return Tile("AUROC", "not done", "", "Discrimination was not measured.")
    corrected = next((o.corrected for o in results.optimism if o.measure == "auroc"), None)
    verdict = "How often the one with the outcome has the higher risk, of two patients."
    if defined(corrected):
        verdict += f" Corrected for optimism: {number(corrected)}."
    return Tile("AUROC", number(row.estimate), span(row.lower, row.upper), verdict)


def _calibration(by: dict[str, PerformanceRow]) -> Tile:
    slope, ratio, ici = (by.get(n) for n in ("calibration_slope", "observed_expected", "ici"))
    if slope is None or slope.estimate is None:
        return Tile("Calibration slope", "not done", "", "Calibration was not measured.")
    said = [_slope_in_words(slope.estimate)]
    fine = SLOPE_FINE[0] <= slope.estimate <= SLOPE_FINE[1]
    if ratio is not None and ratio.estimate is not None:
        said.append(f"Observed / expected {number(ratio.estimate)}.")
        fine = fine and RATIO_FINE[0] <= ratio.estimate <= RATIO_FINE[1]
    if ici is not None and ici.estimate is not None:
        said.append(f"Off by {100 * ici.estimate:.1f} percentage points on average (ICI).")
        fine = fine and ici.estimate <= ICI_FINE
    detail = span(slope.lower, slope.upper)
    return Tile("Calibration slope", number(slope.estimate), detail, " ".join(said), fine)


def _elsewhere(results: Results) -> Tile:
    name = "AUROC in a new centre"
    pooled = [
        p for p in (results.centres.pooled if results.centres else []) if p.measure == "auroc"
    ]
    if not pooled or not defined(pooled[0].prediction_lower):
        return Tile(name, "not known", "", "How the model does elsewhere was not examined.", False)
    found = pooled[0]
    value = span(found.prediction_lower, found.prediction_upper)
    detail = f"expected range, from {count(found.centres)} centres"
    return Tile(name, value, detail, f"Pooled over centres: {number(found.estimate)}.")


def _slope_in_words(slope: float) -> str:
    if slope < SLOPE_FINE[0]:
        return "Risks are too extreme."
    return (
        "Risks are too timid." if slope > SLOPE_FINE[1] else "Risks are spread as they should be."
    )


def _about_the_sample(results: Results) -> list[str]:
    said = []
    if results.synthetic:
        said.append(
            "Anything about real people: the patients are simulated. Figures show how the software "
            "works, and nothing else."
        )
    cohort, size = results.cohort, results.sample_size
    if cohort is not None and few_are_known(results):
        said.append(
            f"That outcomes were seen: {count(cohort.events)} events are known. The others are "
            "expected of patients whom the rule cannot judge, and every figure rests on their "
            "chances."
        )
    if size is not None and size.too_small:
        said.append(
            f"That the model has settled: {count(size.events)} events afford "
            f"{count(size.affordable_parameters)} parameters and it has {count(size.parameters)}. "
            "Another sample would give another model."
        )
    found = results.instability
    if found is not None and found.mean_absolute_error is not None:
        off = 100 * found.mean_absolute_error
        said.append(
            f"A single patient's risk to the last digit: refits move it by {off:.1f} percentage "
            "points on average."
        )
    return said


def _about_figures(by: dict[str, PerformanceRow]) -> list[str]:
    said = []
    auroc = by.get("auroc")
    ends = (auroc.lower, auroc.upper) if auroc else (None, None)
    if defined(ends[0]) and defined(ends[1]) and ends[1] - ends[0] > AUROC_SPREAD:
        said.append(f"The AUROC to two digits: its interval runs from {span(*ends)}.")
    for name, low, high in (("calibration_slope", *SLOPE_FINE), ("observed_expected", *RATIO_FINE)):
        row = by.get(name)
        if row is not None and row.estimate is not None and not low <= row.estimate <= high:
            said.append(
                f"The risks as they stand: {MEASURES[name].short.lower()} is "
                f"{number(row.estimate)}. {MEASURES[name].good}"
            )
    said.append(
        "That it works elsewhere. Validation was within this registry; another hospital, another "
        "country and another decade are other patients."
    )
    said.append("That changing an input changes the outcome. Effects are associations.")
    return said


def _about_the_label(results: Results) -> list[str]:
    said = []
    certainty = results.label_certainty
    right = certainty.mean_probability_of_failed if certainty else None
    if right is not None and right < CERTAIN_ENOUGH:
        said.append(
            f"The label itself: given how much measurements vary, a course called failed has truly "
            f"failed in {percent(right)}."
        )
    moved = _moved_by(results)
    if moved:
        said.append(
            f"That the choice of definition does not matter: with {moved[0]} the AUROC is "
            f"{number(moved[1])}."
        )
    if results.overlap:
        meanings = {f.name: f.meaning for f in results.features}
        names = list(dict.fromkeys(o.feature for o in results.overlap))[:3]
        named = "; ".join(meanings.get(name) or name for name in names)
        said.append(
            f"That this is all foresight: inputs such as {named} are measured before the landmark, "
            "but are of the kind that the definition itself asks for."
        )
    return said


def _moved_by(results: Results) -> tuple[str, float] | None:
    """Return the definition or policy under which the AUROC moves most, if it moves much."""
    own = next((r.estimate for r in results.performance if r.measure == "auroc"), None)
    rows = [
        (r.setting, r.estimate)
        for r in results.sensitivity
        if r.measure == "auroc" and r.analysis in ("definition", "adherence") and r.estimate
    ]
    if own is None or not rows:
        return None
    most = max(rows, key=lambda row: abs(row[1] - own))
    return most if abs(most[1] - own) >= MOVED else None
