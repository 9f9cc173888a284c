"""The default and its challengers in the same folds."""

import numpy as np
import pytest
from lnrisk.model.definition import load_definition
from lnrisk.training.challengers.candidates import MEANINGS, challengers, compare
from lnrisk.training.cohort import build_cohort
from lnrisk.training.config import TrainingConfig, Validation
from training.registries import simulated

CONFIG = TrainingConfig(
    landmark_days=84,
    allow_small=True,
    validation=Validation(folds=2, repeats=1, resamples=50),
)


@pytest.fixture(scope="module")
def cohort():
    return build_cohort(simulated(), load_definition(), CONFIG)


def test_the_elastic_net_sees_every_feature_and_boosting_the_terms(cohort):
    found = challengers(cohort, CONFIG)
    every, few = (set(found[name].features.keep) for name in ("elastic net", "boosting"))
    assert few == {"landmark_month", *cohort.terms}
    assert few < every
    assert {"hcq_blood", "c3_slope", "log_upcr_last", "upcr_fall_below_50"} <= every
    assert not any(":" in name for name in every)


@pytest.mark.slow
def test_candidates_are_judged_on_the_same_rows(cohort):
    y = cohort.y[cohort.has_outcome]
    told = []
    share = np.full(len(y), np.average(y, weights=cohort.weights.weight[cohort.has_outcome]))
    rows = compare(cohort, share, CONFIG, lambda *progress: told.append(progress))
    assert [row["name"] for row in rows] == list(MEANINGS)
    assert sum(row["chosen"] for row in rows) == 1
    assert told[-1] == ("challengers", 4, 4)
    logistic, *others = rows
    assert logistic["auroc"] == pytest.approx(0.5)
    assert logistic["parameters"] == cohort.sample_size.parameters
    assert max(row["auroc"] for row in others) > 0.6
