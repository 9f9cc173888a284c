"""Repeated cross-validation: whole patients out of fold, and figures from their risks."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lnrisk.training import validation
from lnrisk.training.config import TrainingConfig, Validation
from lnrisk.training.metrics import bootstrap_intervals, performance
from lnrisk.training.validation import cross_validate
from registries import CONFIG, quietly, trained
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

PLAN = TrainingConfig(seed=5, validation=Validation(folds=4, repeats=2, resamples=50, level=0.9))


def cohort(rows=160, seed=0):
    """Two rows for every patient; every eighth row is unresolved."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    y = (rng.uniform(size=rows) < expit(x[:, 0] - 0.5)).astype(float)
    y[::8] = np.nan
    features = pd.DataFrame(x, columns=["a", "b"])
    return SimpleNamespace(
        patient_id=np.array([f"p{i // 2}" for i in range(rows)], dtype=object),
        landmark_days=np.full(rows, 84),
        features=features,
        inputs=features,
        y=y,
        resolved=~np.isnan(y),
        weights=SimpleNamespace(weight=np.where(np.isnan(y), 0, rng.uniform(1, 3, rows))),
    )


@pytest.fixture
def fits(monkeypatch):
    """Fit quickly, and note who was trained on."""
    noted = []

    def fit(people, chosen, seed):
        noted.append((chosen, seed))
        plain = LogisticRegression().fit(people.features[chosen], people.y[chosen])
        return plain, ["weak (in fold)" if len(noted) % 2 else "odd"]

    monkeypatch.setattr(validation, "fit_classifier", fit)
    return noted


def test_no_patient_is_trained_and_tested_on_in_a_fold(fits):
    people = cohort()
    cross_validate(people, PLAN, quietly)
    assert len(fits) == 8
    for chosen, seed in fits:
        assert seed == PLAN.seed
        assert not (chosen & ~people.resolved).any()
        tested = people.resolved & ~chosen
        assert tested.any()
        assert not set(people.patient_id[chosen]) & set(people.patient_id[tested])


def test_every_resolved_row_is_tested_once_in_each_repeat_and_repeats_differ(fits):
    people = cohort()
    cross_validate(people, PLAN, quietly)
    left = np.array([people.resolved & ~chosen for chosen, _ in fits]).reshape(2, 4, -1)
    np.testing.assert_array_equal(left.sum(axis=1), np.tile(people.resolved, (2, 1)))
    assert (left[0] != left[1]).any()


def test_a_risk_is_that_of_a_fit_without_the_patient(fits):
    people = cohort()
    found = cross_validate(people, PLAN, quietly)
    for number, (chosen, _) in enumerate(fits):
        plain = LogisticRegression().fit(people.features[chosen], people.y[chosen])
        tested = people.resolved & ~chosen
        expected = plain.predict_proba(people.features[tested])[:, 1]
        inside = tested[people.resolved]
        np.testing.assert_array_equal(found.risk[inside, number // 4], expected)


@pytest.mark.usefixtures("fits")
def test_figures_are_those_of_the_metrics_on_the_out_of_fold_risks():
    found = cross_validate(cohort(), PLAN, quietly).at(84)
    table = found.performance.set_index("measure")
    expected = performance(found.y, found.risk, found.weight)
    assert table["estimate"].to_dict() == expected
    again = bootstrap_intervals(
        found.y,
        found.risk,
        found.weight,
        found.patient_id.astype(str),
        resamples=50,
        random_state=5,
        level=0.9,
    )
    pd.testing.assert_frame_equal(table, again, check_names=False)


def test_the_same_holds_for_a_whole_training_run():
    whole = trained().validated
    found = whole.at(84)
    expected = performance(found.y, found.risk, found.weight)
    assert found.performance.set_index("measure")["estimate"].to_dict() == expected
    assert whole.risk.shape == (trained().cohort.resolved.sum(), CONFIG.validation.repeats)
    assert ((whole.risk > 0) & (whole.risk < 1)).all()
    np.testing.assert_array_equal(
        whole.patient_id, trained().cohort.patient_id[trained().cohort.resolved]
    )


@pytest.mark.usefixtures("fits")
def test_the_same_seed_gives_the_same_figures_to_the_bit_and_another_does_not():
    first, second = (cross_validate(cohort(), PLAN, quietly) for _ in range(2))
    np.testing.assert_array_equal(first.risk, second.risk)
    pd.testing.assert_frame_equal(first.performance, second.performance, check_exact=True)
    other = cross_validate(cohort(), PLAN.changed(seed=6), quietly)
    assert (other.risk != first.risk).any()


@pytest.mark.usefixtures("fits")
def test_the_mean_risk_is_over_the_repeats():
    found = cross_validate(cohort(), PLAN, quietly)
    np.testing.assert_allclose(found.mean_risk, (found.risk[:, 0] + found.risk[:, 1]) / 2)


@pytest.mark.usefixtures("fits")
def test_remarks_are_counted_over_the_fits():
    found = cross_validate(cohort(), PLAN, quietly)
    assert sorted(found.remarks) == ["odd (in 4 of 8 fits)", "weak (in 4 of 8 fits)"]


@pytest.mark.usefixtures("fits")
def test_progress_is_told_fold_by_fold():
    told = []
    cross_validate(cohort(), PLAN, lambda *said: told.append(said))
    assert told == [("cross-validation", done, 8) for done in range(9)]
