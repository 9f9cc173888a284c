"""Risks against the true risk of fresh patients, and what internal validation had said.

Trained on simulated registries of 2,000 patients at all landmarks, and once on 50 times as many;
the true risk is the share of replayed futures in which the rule was met, see docs/simulator.md. It
takes 20,000 fresh patients to say how far the way is: with 4,000, it came out between 96.5 and 98 %
of one and the same. The last part holds the figures of cross-validation against those that the same
model has on the outcomes of 20,000 fresh patients, six times over: those of one set differ from the
next by 0.004 of AUROC.
"""

import os
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from lnrisk.features.laboratory import DAYS_PER_MONTH
from lnrisk.model.definition import load_definition
from lnrisk.model.spread import Spread
from lnrisk.training.at_risk import rows_at_risk
from lnrisk.training.challengers.candidates import candidates, compare, served
from lnrisk.training.cohort import ELASTIC_NET, Cohort, build_cohort, with_every_feature
from lnrisk.training.config import TrainingConfig, Validation
from lnrisk.training.curves import calibration_error
from lnrisk.training.fitting import fit_classifier
from lnrisk.training.later_look import look_again
from lnrisk.training.metrics import auroc, calibration_slope
from lnrisk.training.pieces import Pieces
from lnrisk.training.validation.cross_validation import cross_validate
from page import PERFORMANCE, replace, table
from true_world import cross_entropy, expected_auroc, simulated

PATIENTS, REGISTRIES, MOST = 2_000, 16, 100_000
TESTED, REPLAYS = 20_000, 100
MANY, SETS = 20_000, 6
PROCESSES = 2
DAYS = (0, 84, 182)
ARORA = load_definition()
CONFIG = TrainingConfig(validation=Validation(resamples=50))
SILENT = lambda *_: None  # noqa: E731

Figures = dict[str, float]


class Fresh:
    """Fresh patients at risk on a landmark day, with their true risk."""

    def __init__(self, day: int) -> None:
        registry, truth = simulated(TESTED, 1_000_003 + day, landmark_days=day, replays=REPLAYS)
        rows = rows_at_risk(registry, ARORA, CONFIG.changed(landmark_days=(day,)))
        true = truth["true_risk"].to_numpy(dtype=np.float64)[rows.position]
        known = rows.each & np.isfinite(true)
        self.day, self.features = day, rows.features[known]
        self.true = true[known]

    def figures(self, risk: np.ndarray, spread: Spread | None = None) -> Figures:
        """Return what a risk is like against the true one."""
        twice, case = np.tile(risk, 2), np.repeat([1.0, 0.0], len(risk))
        weight = np.concatenate([self.true, 1 - self.true])
        loss = cross_entropy(self.true, risk) - cross_entropy(self.true, self.true)
        found = {
            "auroc": expected_auroc(self.true, risk),
            "observed / expected": self.true.mean() / risk.mean(),
            "slope": float(calibration_slope(case, twice, weight)),
            "ICI": float(calibration_error(case, twice, weight)["ici"]),
            "excess": 1e3 * loss.mean(),
        }
        if spread is not None:
            lower, upper = spread.range_of(risk, np.full(len(risk), self.day / DAYS_PER_MONTH))
            lower, upper = np.minimum(lower, risk), np.maximum(upper, risk)
            inside = (self.true >= lower) & (self.true <= upper)
            found |= {"covered": inside.mean(), "width": (upper - lower).mean()}
        return found


def _risk(classifier: object, cohort: Cohort, features: pd.DataFrame) -> np.ndarray:
    return classifier.predict_proba(features[list(cohort.inputs.columns)])[:, 1]


def _outcomes(y: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> Figures:
    return {
        "auroc": float(auroc(y, risk, weight)),
        "ICI": float(calibration_error(y, risk, weight)["ici"]),
    }


class Many:
    """Fresh patients with outcomes as a registry of their number shows them, at week 12."""

    def __init__(self, cohort: Cohort) -> None:
        rows = cohort.primary & cohort.has_outcome
        self.features, self.y = cohort.features[rows], cohort.y[rows]
        self.weight = cohort.weights.weight[rows]

    def figures(self, classifier: object, cohort: Cohort) -> Figures:
        """Return what the risks of a classifier trained on another cohort are like."""
        return _outcomes(self.y, _risk(classifier, cohort, self.features), self.weight)


def _one(fresh: list[Fresh], many: list[Many], seed: int) -> tuple[dict, Figures, str]:
    """Train on one registry; return figures by landmark, and cross-validated less fresh ones.

    The classifier is the one that `lnrisk train` would write to the model file.
    """
    registry, _ = simulated(PATIENTS, seed)
    found = candidates(build_cohort(registry, ARORA, CONFIG), CONFIG)
    with tempfile.TemporaryDirectory() as folder:
        pieces = Pieces(Path(folder))
        cohort = served(found, compare(found, CONFIG, SILENT, pieces), CONFIG)
        inside = cross_validate(cohort, CONFIG, SILENT, pieces).at(84)
    classifier, _ = fit_classifier(cohort, cohort.has_outcome, CONFIG.seed)
    spread, _ = look_again(registry, ARORA, CONFIG.changed(classifier=cohort.classifier))
    by_day = {at.day: at.figures(_risk(classifier, cohort, at.features), spread) for at in fresh}
    said = _outcomes(inside.y, inside.mean_risk, inside.weight)
    shown = pd.DataFrame([each.figures(classifier, cohort) for each in many]).mean()
    return by_day, {name: said[name] - shown[name] for name in said}, cohort.classifier


def _limit(fresh: list[Fresh]) -> dict[int, float]:
    """Return the AUROC by landmark of an elastic net on 50 times as many patients."""
    cohort = build_cohort(simulated(MOST, 30_000)[0], ARORA, CONFIG)
    most = with_every_feature(cohort, CONFIG)
    best, _ = fit_classifier(most, most.has_outcome, CONFIG.seed)
    return {at.day: at.figures(_risk(best, most, at.features))["auroc"] for at in fresh}


def _many(seed: int) -> Many:
    return Many(build_cohort(simulated(MANY, seed)[0], ARORA, CONFIG))


def main() -> None:
    """Print the tables and write them to docs/performance.md."""
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"  # a registry is a process, and has none of its own
    figures, gaps, taken = defaultdict(list), [], []
    with ProcessPoolExecutor(PROCESSES) as pool:
        fresh = list(pool.map(Fresh, DAYS))
        limit = pool.submit(_limit, fresh)
        many = list(pool.map(_many, range(20_000, 20_000 + SETS)))
        one = partial(_one, fresh, many)
        for by_day, gap, classifier in pool.map(one, range(500, 500 + REGISTRIES)):
            for day, found in by_day.items():
                figures[day].append(found)
            gaps.append(gap)
            taken.append(classifier)
            print(f"{len(taken)} of {REGISTRIES}: {classifier} {by_day[84]} {gap}", flush=True)
    share = f"The elastic net was taken in {taken.count(ELASTIC_NET)} of {REGISTRIES} registries."
    told = f"{_table(figures, limit.result())}\n\n{_gaps(pd.DataFrame(gaps))} {share}"
    replace(PERFORMANCE, "true-risk", told)


def _table(figures: dict[int, list[Figures]], limit: dict[int, float]) -> str:
    rows = []
    for day, found in figures.items():
        mean, low, high = (getattr(pd.DataFrame(found), name)() for name in ("mean", "min", "max"))

        def told(name: str, digits: int, mean=mean, low=low, high=high) -> str:
            return f"{mean[name]:.{digits}f} ({low[name]:.{digits}f}-{high[name]:.{digits}f})"

        share = (mean["auroc"] - 0.5) / (limit[day] - 0.5)
        rows.append(
            [
                f"{day // 7}",
                f"{told('auroc', 3)}",
                f"{limit[day]:.3f}",
                f"{100 * share:.1f} %",
                told("observed / expected", 2),
                told("slope", 2),
                told("ICI", 3),
                f"{100 * mean['covered']:.0f} % ({100 * low['covered']:.0f}-"
                f"{100 * high['covered']:.0f})",
                f"{mean['width']:.2f}",
            ]
        )
    header = [
        *("week", "AUROC", f"of {MOST:,} patients", "of the way from 0.5", "true / expected"),
        *("slope", "ICI", "90 % range holds", "its width"),
    ]
    said = f"Synthetic data, `python bench/true_risk.py`: mean of {REGISTRIES} registries (range)."
    return f"{said}\n\n{table(header, rows)}"


def _gaps(gaps: pd.DataFrame) -> str:
    told = [
        f"{name} {gaps[name].mean():+.4f} (standard deviation {gaps[name].std():.4f})"
        for name in gaps
    ]
    return (
        f"Cross-validated less on {SETS} times {MANY:,} fresh patients, week 12: {'; '.join(told)}."
    )


if __name__ == "__main__":
    main()
