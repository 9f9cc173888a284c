"""Log loss of models that see a course as shrunken trajectory, plain line or last value.

Trained on simulated registries of 300, 1,000 and 5,000 patients, judged against the true risk of
others: the share of replayed futures in which the rule was met, see docs/simulator.md.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from lnrisk.features.registry import Registry
from lnrisk.model.definition import load_definition
from lnrisk.training import cohort as cohorts
from lnrisk.training.config import TrainingConfig
from lnrisk.training.fitting import fit_classifier
from page import PERFORMANCE, replace, table
from true_world import cross_entropy, simulated

SIZES = {300: 12, 1_000: 6, 5_000: 3}
TESTED, REPLAYS, TEST_SEED = 3_000, 60, 1_000_003
COURSES = {
    "shrunken": "shrunken level and slope",
    "last": "last value",
    "least_squares_line": "plain level and slope",
    "least_squares": "last, change, plain slope",
}

Risks = npt.NDArray[np.float64]


@cache
def _test() -> tuple[Registry, Risks]:
    registry, truth = simulated(TESTED, TEST_SEED, landmark_days=84, replays=REPLAYS)
    return registry, truth["true_risk"].to_numpy(dtype=np.float64)


def _loss(course: str, registry: Registry) -> float:
    """Return the expected log loss on the test patients at risk, less that of their true risk."""
    config = TrainingConfig(course=course, landmark_days=(84,), allow_small=True)
    trained = cohorts.build_cohort(registry, load_definition(), config)
    classifier, _ = fit_classifier(trained, trained.has_outcome, 0)
    others, true = _test()
    tested = cohorts.build_cohort(others, load_definition(), config)
    position = pd.Index(others.patient_ids).get_indexer(pd.Index(tested.patient_id))
    true = true[position]
    known = np.isfinite(true) & tested.each
    risk = classifier.predict_proba(tested.features[trained.inputs.columns])[known, 1]
    return float(
        np.mean(cross_entropy(true[known], risk) - cross_entropy(true[known], true[known]))
    )


def main() -> None:
    """Print the table and write it to docs/performance.md."""
    cohorts.FEWEST_EVENTS = (
        2  # the smallest registries have few, and are to be compared all the same
    )
    rows = []
    for patients, repeats in SIZES.items():
        losses = {course: [] for course in COURSES}
        for repeat in range(repeats):
            registry, _ = simulated(patients, 100 * repeat + 7)
            for course in COURSES:
                losses[course].append(_loss(course, registry))
            print(f"{patients:,} patients, registry {repeat + 1} of {repeats}", flush=True)
        best = np.array(losses["shrunken"])
        for course, name in COURSES.items():
            found = np.array(losses[course])
            more = found - best
            error = more.std(ddof=1) / np.sqrt(repeats)
            beyond = f"{1e3 * more.mean():+.2f} ({1e3 * error:.2f})" if more.any() else ""
            rows.append([f"{patients:,}", str(repeats), name, f"{1e3 * found.mean():.2f}", beyond])
            print(rows[-1], flush=True)
    text = table(
        [
            "patients",
            "registries",
            "the model sees",
            "excess log loss, mnat",
            "more than shrunken (SE)",
        ],
        rows,
    )
    replace(PERFORMANCE, "courses", f"Synthetic data, `python bench/courses.py`.\n\n{text}")


if __name__ == "__main__":
    main()
