"""Repeated cross-validation: whole patients out of fold, and figures from their risks."""

import numpy as np
import pandas as pd
import pytest
from lnrisk.training.metrics import performance
from lnrisk.training.validation.cross_validation import cross_validate, folds_of
from lnrisk.training.validation.figures import figures
from people import PLAN, people
from registries import CONFIG, quietly, trained
from sklearn.linear_model import LogisticRegression


def test_no_patient_is_trained_and_tested_on_in_a_fold(fits):
    cohort = people()
    cross_validate(cohort, PLAN, quietly)
    assert len(fits) == 8
    for chosen, seed in fits:
        assert seed == PLAN.seed
        assert not (chosen & ~cohort.has_outcome).any()
        tested = cohort.has_outcome & ~chosen
        assert tested.any()
        assert not set(cohort.patient_id[chosen]) & set(cohort.patient_id[tested])


def test_every_row_is_tested_once_in_each_repeat_and_repeats_differ():
    cohort = people()
    dealt = [folds_of(cohort, 4, seed) for seed in (5, 6)]
    for folds in dealt:
        np.testing.assert_array_equal(sum(fold.test.astype(int) for fold in folds), 1)
        for fold in folds:
            assert not (fold.train & fold.test).any()
            np.testing.assert_array_equal(fold.train | fold.test, cohort.has_outcome | fold.test)
    assert (dealt[0][0].test != dealt[1][0].test).any()


def test_a_risk_is_that_of_a_fit_without_the_patient(fits):
    cohort = people()
    found = cross_validate(cohort, PLAN, quietly)
    for number, (chosen, _) in enumerate(fits):
        plain = LogisticRegression(C=100).fit(
            cohort.features[chosen],
            cohort.y[chosen],
            sample_weight=cohort.weights.weight[chosen],
        )
        tested = cohort.has_outcome & ~chosen
        expected = plain.predict_proba(cohort.features[tested])[:, 1]
        inside = tested[cohort.has_outcome]
        np.testing.assert_allclose(found.risk[inside, number // 4], expected, rtol=1e-12)


@pytest.mark.usefixtures("fits")
def test_the_unresolved_get_a_risk_too():
    cohort = people()
    found = cross_validate(cohort, PLAN, quietly)
    assert np.isfinite(found.risk_of_all).all()
    np.testing.assert_array_equal(found.risk_of_all[cohort.has_outcome], found.mean_risk)


@pytest.mark.usefixtures("fits")
def test_figures_are_those_of_the_metrics_on_the_out_of_fold_risks():
    found = cross_validate(people(), PLAN, quietly)
    for day in (0, 84):
        at = found.at(day)
        table = at.performance.set_index("measure")
        expected = performance(at.y, at.risk, at.weight)
        assert table["estimate"][list(expected)].to_dict() == pytest.approx(expected, rel=1e-12)
        again = figures(
            at.y,
            at.risk,
            at.weight,
            at.patient_id.astype(str),
            resamples=50,
            random_state=5,
            level=0.9,
        )
        pd.testing.assert_frame_equal(at.performance.reset_index(drop=True), again, check_like=True)


@pytest.mark.usefixtures("fits")
def test_the_same_seed_gives_the_same_figures_to_the_bit_and_another_does_not():
    first, second = (cross_validate(people(), PLAN, quietly) for _ in range(2))
    np.testing.assert_array_equal(first.risk, second.risk)
    pd.testing.assert_frame_equal(first.performance, second.performance, check_exact=True)
    other = cross_validate(people(), PLAN.changed(seed=6), quietly)
    assert (other.risk != first.risk).any()


@pytest.mark.usefixtures("fits")
def test_the_mean_risk_is_over_the_repeats():
    found = cross_validate(people(), PLAN, quietly)
    np.testing.assert_allclose(found.mean_risk, (found.risk[:, 0] + found.risk[:, 1]) / 2)


@pytest.mark.usefixtures("fits")
def test_remarks_are_counted_over_the_fits():
    found = cross_validate(people(), PLAN, quietly)
    assert sorted(found.remarks) == ["odd (in 4 of 8 fits)", "weak (in 4 of 8 fits)"]


@pytest.mark.usefixtures("fits")
def test_progress_is_told_fold_by_fold():
    told = []
    cross_validate(people(), PLAN, lambda *said: told.append(said))
    assert told[:9] == [("cross-validation, logistic", done, 8) for done in range(9)]
    assert told[9:] == [("figures", done, 2) for done in range(3)]


def test_the_same_holds_for_a_whole_training_run():
    found = trained().validated
    at = found.at(CONFIG.primary_landmark)
    expected = performance(at.y, at.risk, at.weight)
    table = at.performance.set_index("measure")["estimate"]
    assert table[list(expected)].to_dict() == pytest.approx(expected, rel=1e-12)
    assert found.risk.shape == (trained().cohort.has_outcome.sum(), CONFIG.validation.repeats)
    assert ((found.risk > 0) & (found.risk < 1)).all()
    np.testing.assert_array_equal(
        found.patient_id, trained().cohort.patient_id[trained().cohort.has_outcome]
    )
