"""What challengers gain or lose against the default: expected log loss above the true risk's.

Trained on simulated registries of 1,000 patients, on the rows of all landmarks, and judged at week
12 against the true risk of others: the share of replayed futures in which the rule was met.
"""

import time
from dataclasses import replace as replace_fields

import numpy as np
import numpy.typing as npt
import pandas as pd
from lnrisk.model.definition import load_definition
from lnrisk.training import cohort as cohorts
from lnrisk.training.challengers.candidates import candidates
from lnrisk.training.config import TrainingConfig
from lnrisk.training.fitting import fit_classifier
from page import PERFORMANCE, replace, table
from true_world import cross_entropy, expected_auroc, simulated

PATIENTS, REGISTRIES = 1_000, 4
TESTED, REPLAYS, TEST_SEED = 3_000, 60, 1_000_003
CONFIG = TrainingConfig(allow_small=True)
NAMES = {
    "logistic": "default: logistic, few terms",
    "logistic alone": "the same, from the outcome alone",
    "elastic net": "elastic net, every feature",
    "elastic net alone": "the same, from the outcome alone",
    "boosting": "boosting, terms of the default",
    "boosting on everything": "boosting, every feature",
}

Risks = npt.NDArray[np.float64]


def _cohorts(cohort: cohorts.Cohort) -> dict[str, cohorts.Cohort]:
    found = candidates(cohort, CONFIG)
    every = replace_fields(found["elastic net"], classifier="boosting")
    unaided = {
        f"{name} alone": replace_fields(found[name], steps=np.full_like(cohort.steps, np.nan))
        for name in ("logistic", "elastic net")
    }
    return {**found, **unaided, "boosting on everything": every}


def main() -> None:
    """Print the table and write it to docs/performance.md."""
    cohorts.FEWEST_EVENTS = 5  # some registries of this size have fewer than ten at week 12
    registry, truth = simulated(TESTED, TEST_SEED, landmark_days=84, replays=REPLAYS)
    tested = cohorts.build_cohort(registry, load_definition(), CONFIG)
    true = truth["true_risk"].to_numpy(dtype=np.float64)[tested.position]
    here = tested.primary & tested.each & np.isfinite(true)
    true, asked = true[here], tested.features[here]
    best = cross_entropy(true, true).mean()
    print(f"true risk: mean {true.mean():.4f}, AUROC {expected_auroc(true, true):.3f}", flush=True)
    rows = []
    for number in range(REGISTRIES):
        own, _ = simulated(PATIENTS, 100 * number + 7)
        cohort = cohorts.build_cohort(own, load_definition(), CONFIG)
        rows_of = cohort.has_outcome
        for name, fitted_to in _cohorts(cohort).items():
            begin = time.process_time()
            model, _ = fit_classifier(fitted_to, rows_of, 0)
            risk = model.predict_proba(asked[list(fitted_to.inputs.columns)])[:, 1]
            excess = cross_entropy(true, risk).mean() - best
            rows.append((number, name, 1e3 * excess, expected_auroc(true, risk)))
            seconds = time.process_time() - begin
            print(*rows[-1], f"{seconds:.1f} s", cohort.sample_size.parameters, flush=True)
    _tell(pd.DataFrame(rows, columns=["registry", "name", "excess", "auroc"]))


def _tell(found: pd.DataFrame) -> None:
    excess = found.pivot_table(index="registry", columns="name", values="excess")
    more = excess.sub(excess["logistic"], axis=0)
    shown = []
    for name, said in NAMES.items():
        own = found[found["name"] == name]
        beyond = "" if name == "logistic" else f"{more[name].mean():+.1f} ({more[name].sem():.1f})"
        shown.append([said, f"{own['excess'].mean():.1f}", beyond, f"{own['auroc'].mean():.3f}"])
    text = table(
        ["classifier", "excess log loss, mnat", "more than the default (SE)", "AUROC"], shown
    )
    print(text)
    replace(PERFORMANCE, "challengers", f"Synthetic data, `python bench/challengers.py`.\n\n{text}")


if __name__ == "__main__":
    main()
