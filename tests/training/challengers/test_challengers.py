"""Both challengers: scikit-learn's checks, weights in every step, patients whole, rows stacked."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features.trajectory_transformer import TrajectoryFeatures
from lnrisk.model.folds import PatientFolds
from lnrisk.training.challengers.boosting import INCREASING, BoostedRisk
from lnrisk.training.challengers.elastic_net import ElasticNetRisk
from scipy.special import expit
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

REPEATED = {
    "check_sample_weight_equivalence_on_dense_data": (
        "without `groups` a repeated row is a new patient with a fold of its own"
    )
}
EXPECTED_FAILURES = {ElasticNetRisk: REPEATED, BoostedRisk: REPEATED}
FEW_TREES = {"trees": (5, 15), "patients_per_leaf": 1}
BOTH = (
    ElasticNetRisk(l1_ratios=(0.5,), penalties=8),
    BoostedRisk(**FEW_TREES),
)


@pytest.mark.filterwarnings("ignore:The linear predictor ranks patients no better than chance")
@parametrize_with_checks(
    [
        ElasticNetRisk(folds=3, l1_ratios=(0.5,), penalties=6),
        BoostedRisk(folds=3, leaves=(3,), learning_rate=0.3, **FEW_TREES),
    ],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES[type(estimator)],
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def cohort(n=400, seed=0):
    """Six named columns, the third often missing and the last of no use."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame(
        random.normal([1, 0.5, 3, 90, 0, 0], [1, 0.3, 2, 20, 1, 1], size=(n, 6)),
        columns=["log_upcr_last", "upcr_fall_below_25", "c3", "egfr_last", "age", "noise"],
    )
    risk = expit(-3 + X["log_upcr_last"] + 2 * X["upcr_fall_below_25"])
    y = (random.uniform(size=n) < risk).to_numpy().astype(int)
    X.loc[random.uniform(size=n) < 0.3, "c3"] = np.nan
    return X, y, random.uniform(0.3, 3, n)


def ids(model):
    return type(model).__name__


@pytest.mark.parametrize("model", BOTH, ids=ids)
def test_weight_2_is_a_patient_twice(model):
    X, y, weight = cohort()
    patient = np.random.default_rng(1).permutation(len(X))
    twice = np.arange(len(X)) % 3 == 0
    rows = np.random.default_rng(2).permutation([*range(len(X)), *np.flatnonzero(twice)])
    by_weight = clone(model).fit(X, y, weight * (1 + twice), patient)
    by_row = clone(model).fit(X.iloc[rows], y[rows], weight[rows], patient[rows])
    np.testing.assert_allclose(by_row.cv_log_loss_, by_weight.cv_log_loss_, rtol=1e-6)
    np.testing.assert_allclose(by_row.predict_proba(X), by_weight.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize("model", BOTH, ids=ids)
def test_a_row_without_weight_is_not_there(model):
    X, y, weight = cohort()
    gone = np.arange(len(X)) % 4 == 0
    wrong = X.mask(np.broadcast_to(gone[:, None], X.shape), 1e6)
    without = clone(model).fit(wrong, np.where(gone, 1 - y, y), np.where(gone, 0, weight), X.index)
    kept = clone(model).fit(X[~gone], y[~gone], weight[~gone], X.index[~gone])
    np.testing.assert_array_equal(without.predict_proba(X), kept.predict_proba(X))
    assert np.isnan(without.out_of_fold_linear_predictor_).tolist() == gone.tolist()


@pytest.mark.parametrize("model", BOTH, ids=ids)
def test_the_order_of_rows_does_not_matter(model):
    X, y, weight = cohort()
    patient = np.arange(len(X)) // 2
    order = np.random.default_rng(5).permutation(len(X))
    one = clone(model).fit(X, y, weight, patient)
    other = clone(model).fit(X.iloc[order], y[order], weight[order], patient[order])
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-6)


def test_out_of_fold_predictions_do_not_know_the_fold():
    X, y, weight = cohort()
    patient = np.arange(len(X)) // 2
    ever = np.maximum.reduceat(y, np.arange(0, len(X), 2))[patient]
    model = BoostedRisk(trees=(10,), leaves=(2,))
    fitted = clone(model).fit(X, ever, weight, patient)
    _, test = next(iter(PatientFolds(5, 0).split(X, ever, patient)))
    changed = X.copy()
    changed.iloc[test[::2], :] = 0.0
    again = clone(model).fit(changed, ever, weight, patient)
    np.testing.assert_array_equal(
        again.out_of_fold_linear_predictor_[test[1::2]],
        fitted.out_of_fold_linear_predictor_[test[1::2]],
    )


@pytest.mark.parametrize("model", BOTH, ids=ids)
def test_a_column_that_nobody_had_in_training_says_nothing(model):
    X, y, weight = cohort()
    nobody = X.assign(c3=np.nan)
    fitted = clone(model).fit(nobody, y, weight)
    np.testing.assert_array_equal(fitted.predict_proba(nobody), fitted.predict_proba(X))


@pytest.mark.parametrize("model", BOTH, ids=ids)
def test_a_fit_survives_pickling_and_each_row_stands_alone(model):
    X, y, weight = cohort()
    fitted = pickle.loads(pickle.dumps(clone(model).fit(X, y, weight)))
    whole = fitted.predict_proba(X)
    alone = np.vstack([fitted.predict_proba(X.iloc[[row]]) for row in range(10)])
    np.testing.assert_array_equal(alone, whole[:10])


@pytest.mark.parametrize("model", BOTH, ids=ids)
def test_rows_of_several_landmarks_and_trajectories(model):
    """Each patient has a row at month 0 and 3; the steps see the landmark as a column."""
    X, y, weight = cohort()
    late = X.assign(landmark_month=3.0)
    early = late.assign(landmark_month=0.0, log_upcr_last=late["log_upcr_last"] + 0.5)
    stacked = pd.concat([early, late], ignore_index=True)
    features = TrajectoryFeatures(keep=("landmark_month", *X.columns))
    patient = np.tile(X.index, 2)
    fitted = clone(model).set_params(features=features)
    fitted.fit(stacked, np.tile(y, 2), np.tile(weight, 2), patient)
    risk = fitted.predict_proba(stacked)[:, 1]
    assert np.isfinite(risk).all()
    for landmark in (0.0, 3.0):
        here = (stacked["landmark_month"] == landmark).to_numpy()
        expected = np.average(np.tile(y, 2)[here], weights=np.tile(weight, 2)[here])
        assert np.average(risk[here], weights=np.tile(weight, 2)[here]) == pytest.approx(
            expected, rel=0.25
        )


def test_the_elastic_net_leaves_the_landmark_free():
    X, y, weight = cohort()
    stacked = pd.concat([X.assign(landmark_month=m) for m in (0.0, 3.0)], ignore_index=True)
    both = np.concatenate([np.zeros_like(y), y])
    both[:3] = 1
    fitted = ElasticNetRisk(l1_ratios=(1.0,), penalties=5, smallest=0.5)
    fitted.fit(stacked, both, np.tile(weight, 2), np.tile(X.index, 2))
    coefficient = dict(zip(fitted.column_names_, fitted.coef_, strict=True))
    assert coefficient["landmark_month"] > 0.5


def test_the_elastic_net_drops_what_is_of_no_use():
    X, y, weight = cohort(2000)
    fitted = ElasticNetRisk(l1_ratios=(1.0,)).fit(X, y, weight)
    size = dict(zip(fitted.column_names_, np.abs(fitted.coef_), strict=True))
    assert set(size) == {*X.columns, "c3_missing"}
    assert min(size["log_upcr_last"], size["upcr_fall_below_25"]) > 0.3
    assert max(size["noise"], size["age"], size["c3"]) < 0.15


@pytest.mark.filterwarnings("ignore:The linear predictor ranks patients no better than chance")
@given(st.integers(0, 50), st.sampled_from(("log_upcr_last", "upcr_fall_below_25")))
@settings(max_examples=8, deadline=None)
def test_boosting_never_lowers_the_risk_where_it_must_not(seed, column):
    X, y, weight = cohort(200, seed)
    y = np.where(np.arange(len(y)) < 100, 1 - y, y)  # half of the data says the opposite
    fitted = BoostedRisk(trees=(30,), leaves=(4,), patients_per_leaf=3).fit(X, y, weight)
    grid = pd.concat([X.iloc[[0]]] * 40, ignore_index=True)
    grid[column] = np.linspace(-3, 5, 40)
    assert (np.diff(fitted.decision_function(grid)) >= 0).all()


def test_boosting_may_go_either_way_elsewhere():
    X, y, weight = cohort()
    y = (X["age"] < 0).to_numpy().astype(int)
    falls = BoostedRisk(**FEW_TREES).fit(X, y, weight)
    grid = pd.concat([X.iloc[[0]]] * 2, ignore_index=True).assign(age=[-2.0, 2.0])
    assert np.diff(falls.predict_proba(grid)[:, 1]) < -0.5
    held = BoostedRisk(increasing=("age",), **FEW_TREES)
    with pytest.warns(UserWarning, match="no better than chance"):
        assert np.diff(held.fit(X, y, weight).predict_proba(grid)[:, 1]) >= 0


def test_adherence_is_not_constrained():
    """A failure counts only in who adheres, so that either direction can be the true one."""
    assert not any("adherence" in name or "refill" in name for name in INCREASING)
    assert "adherence_probability" not in BoostedRisk().decreasing


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (BoostedRisk(trees=(20, 10)), "ascending"),
        (BoostedRisk(leaves=(1,)), "from 2"),
        (BoostedRisk(decreasing=("log_upcr_last",)), "both increasing and decreasing"),
        (ElasticNetRisk(l1_ratios=(0.0,)), "above 0"),
        (ElasticNetRisk(l1_ratios=()), "above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(model, said):
    X, y, weight = cohort()
    with pytest.raises(ValueError, match=said):
        model.fit(X, y, weight)


def test_boosting_learns_from_the_outcome_alone():
    X, y, _ = cohort(200)
    with pytest.raises(ValueError, match="BoostedRisk learns from the outcome alone"):
        BoostedRisk(**FEW_TREES).fit(X, y, steps=y[:, None])
