"""Every fold's figures are those of its own patients, and of no others."""

import numpy as np
import pytest
from lnrisk.training.at_risk import people
from lnrisk.training.metrics import auroc, brier
from lnrisk.training.validation.cross_validation import folds_of
from lnrisk.training.validation.fold_figures import MEASURES, fold_figures
from registries import CONFIG, trained
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score


@pytest.fixture(scope="module")
def table():
    run = trained()
    return fold_figures(run.cohort, run.validated, CONFIG)


def test_there_is_a_row_for_each_fold_and_every_patient_is_in_one(table):
    at = trained().validated.at(trained().cohort.primary_landmark)
    assert table["fold"].tolist() == list(range(CONFIG.validation.folds))
    patients, events = people(at.y, at.possible)
    assert table["patients"].sum() == patients
    assert table["events"].sum() == events


def test_the_figures_are_those_of_another_library(table):
    cohort, found = trained().cohort, trained().validated
    primary = cohort.primary[cohort.has_outcome]
    for number, fold in enumerate(folds_of(cohort, CONFIG.validation.folds, CONFIG.seed)):
        at = fold.test[cohort.has_outcome] & primary
        y, risk, weight = found.y[at], found.risk[at, 0], found.weight[at]
        row = table.iloc[number]
        assert row["log_loss"] == pytest.approx(log_loss(y, risk, sample_weight=weight))
        assert row["auroc"] == pytest.approx(roc_auc_score(y, risk, sample_weight=weight))
        assert row["brier"] == pytest.approx(brier_score_loss(y, risk, sample_weight=weight))
        assert row["auroc"] == auroc(y, risk, weight)
        assert row["brier"] == brier(y, risk, weight)


def test_the_folds_differ_and_hold_the_measures(table):
    assert set(MEASURES) <= set(table.columns)
    assert np.isfinite(table[list(MEASURES)].to_numpy()).all()
    assert table["log_loss"].nunique() == len(table)
