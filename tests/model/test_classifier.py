import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lnrisk.model.calibrations import likeliest_calibration
from lnrisk.model.classifier import LogisticRisk, MissingAwareScaler
from lnrisk.model.folds import PatientFolds
from lnrisk.model.linear import linear_predictor
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

EXPECTED_FAILURES: dict[type, dict[str, str]] = {
    MissingAwareScaler: {},
    LogisticRisk: {
        "check_sample_weight_equivalence_on_dense_data": (
            "without `groups` a repeated row is a new patient with a fold of its own; with "
            "`groups` the equivalence holds, see test_weight_2_is_a_patient_twice"
        ),
        "check_classifiers_train": (
            "the linear predictor is not calibrated: 0 is not the boundary between the classes"
        ),
    },
}


@pytest.mark.filterwarnings("ignore:The linear predictor ranks patients no better than chance")
@parametrize_with_checks(
    [MissingAwareScaler(), LogisticRisk(folds=3, Cs=(0.01, 0.1, 1.0, 10.0))],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES[type(estimator)],
    xfail_strict=True,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def cohort(n=300, seed=0):
    """Four columns, the second often missing and the last of no use."""
    rng = np.random.default_rng(seed)
    X = rng.normal([3, 100, 0, 1], [1, 30, 5, 1], size=(n, 4))
    y = (rng.uniform(size=n) < expit(-4 + X[:, 0] + 0.1 * X[:, 2])).astype(int)
    X[rng.uniform(size=n) < 0.2 + 0.2 * y, 1] = np.nan
    return X, y, rng.uniform(0.3, 3, size=n)


def learned(model):
    """Everything a fit leaves that a prediction uses."""
    scaler = model.preparation_["design"]
    calibration = model.calibration_
    return {
        "C": model.C_,
        "log loss": model.cv_log_loss_,
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "coefficients": model.coef_,
        "intercept": model.intercept_,
        "calibration": [value for value in vars(calibration.map_).values()],
    }


def assert_same_fit(one, other):
    expected = learned(other)
    for name, value in learned(one).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-8, atol=1e-8, err_msg=name)


def test_scaler_without_missing_values_is_the_standard_scaler():
    X, _, weight = cohort()
    X = X[:, [0, 2, 3]]
    expected = StandardScaler().fit(X, sample_weight=weight)
    scaler = MissingAwareScaler().fit(X, sample_weight=weight)
    np.testing.assert_allclose(scaler.mean_, expected.mean_)
    np.testing.assert_allclose(scaler.scale_, expected.scale_)
    np.testing.assert_allclose(scaler.transform(X), expected.transform(X))


def test_scaler_takes_moments_over_observed_values_and_marks_the_rest():
    X = np.array([[1.0, 10.0, 7.0], [3.0, np.nan, 7.0], [5.0, 30.0, 7.0]])
    scaler = MissingAwareScaler().fit(X, sample_weight=[1, 5, 3])
    assert scaler.mean_[1] == 25
    assert scaler.scale_[1] == pytest.approx(np.sqrt((15**2 + 3 * 5**2) / 4))
    np.testing.assert_array_equal(scaler.transform(X)[:, 3], [0, 1, 0])
    np.testing.assert_array_equal(scaler.transform(X)[1, 1], 0)


def test_scaler_only_centres_a_constant_column():
    scaler = MissingAwareScaler().fit(np.full((7, 1), 0.1))
    assert scaler.scale_ == 1
    np.testing.assert_allclose(scaler.transform([[0.1], [1.1]]), [[0], [1]], atol=1e-15)


def test_scaler_with_a_column_never_observed():
    X = np.column_stack([np.arange(4.0), np.full(4, np.nan)])
    scaler = MissingAwareScaler().fit(X)
    assert (scaler.mean_[1], scaler.scale_[1]) == (0, 1)
    np.testing.assert_array_equal(scaler.transform(X)[:, 1:], [[0, 1]] * 4)


def test_value_missing_only_at_prediction_becomes_the_mean():
    scaler = MissingAwareScaler().fit([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(scaler.transform([[np.nan, 4.0]]), [[0, 1]])


def test_scaler_names_and_pandas_output():
    frame = pd.DataFrame({"upcr": [1.0, 2.0], "c3": [np.nan, 0.8]}, index=["a", "b"])
    found = MissingAwareScaler().set_output(transform="pandas").fit_transform(frame)
    assert list(found) == ["upcr", "c3", "c3_missing"]
    assert list(found.index) == ["a", "b"]


def test_scaler_ignores_rows_without_weight():
    scaler = MissingAwareScaler().fit([[1.0], [3.0], [np.nan], [99.0]], sample_weight=[1, 1, 0, 0])
    assert (scaler.mean_, scaler.scale_, len(scaler.indicator_columns_)) == (2, 1, 0)


def test_weight_2_is_a_patient_twice():
    X, y, weight = cohort()
    patient = np.random.default_rng(1).permutation(len(X))
    twice = np.arange(len(X)) % 3 == 0
    rows = np.random.default_rng(2).permutation([*range(len(X)), *np.flatnonzero(twice)])
    by_weight = LogisticRisk().fit(X, y, weight * (1 + twice), patient)
    by_row = LogisticRisk().fit(X[rows], y[rows], weight[rows], patient[rows])
    assert_same_fit(by_weight, by_row)
    np.testing.assert_allclose(
        by_row.out_of_fold_linear_predictor_,
        by_weight.out_of_fold_linear_predictor_[rows],
        rtol=1e-8,
        atol=1e-8,
    )


@given(st.integers(0, 999))
@settings(max_examples=5, deadline=None)
def test_order_of_rows_does_not_matter(seed):
    X, y, weight = cohort(120)
    patient = np.arange(120) // 2
    rows = np.random.default_rng(seed).permutation(120)
    parameters = {"Cs": (0.03, 0.3), "folds": 3}
    straight = LogisticRisk(**parameters).fit(X, y, weight, patient)
    shuffled = LogisticRisk(**parameters).fit(X[rows], y[rows], weight[rows], patient[rows])
    assert_same_fit(straight, shuffled)


def test_rows_without_weight_have_no_influence():
    X, y, weight = cohort()
    patient = np.arange(len(X))
    expected = LogisticRisk().fit(X, y, weight, patient)
    outliers = np.array([[1e3, np.nan, np.nan, np.nan]] * 5)
    found = LogisticRisk().fit(
        np.vstack([outliers, X]), [1] * 5 + list(y), [0] * 5 + list(weight), [*range(-5, len(X))]
    )
    assert_same_fit(found, expected)
    assert np.isnan(found.out_of_fold_linear_predictor_[:5]).all()
    assert np.isfinite(found.out_of_fold_linear_predictor_[5:]).all()


def test_weights_reach_every_step():
    X, y, weight = cohort()
    model = LogisticRisk().fit(X, y, weight)
    found, predictor = learned(model), model.out_of_fold_linear_predictor_
    loss = log_loss(y, expit(predictor), sample_weight=weight)
    assert found["log loss"].min() == pytest.approx(loss)
    assert list(model.Cs).index(model.C_) == np.argmin(found["log loss"])
    calibration = likeliest_calibration(("beta", "ceiling"), predictor, y, weight)
    assert found["calibration"] == pytest.approx(list(vars(calibration.map_).values()))
    scaler = MissingAwareScaler().fit(X, sample_weight=weight)
    np.testing.assert_array_equal(found["mean"], scaler.mean_)
    regression = LogisticRegression(C=model.C_, solver="newton-cholesky", tol=1e-10)
    regression.fit(scaler.transform(X), y, weight)
    np.testing.assert_allclose(found["coefficients"], regression.coef_[0])
    train, test = next(PatientFolds().split(X, y))
    regression.fit(scaler.transform(X[train]), y[train], weight[train])
    expected = regression.decision_function(scaler.transform(X[test]))
    np.testing.assert_allclose(predictor[test], expected)


def test_choice_of_C_is_the_least_log_loss_out_of_fold():
    X, y, _ = cohort()
    X = np.nan_to_num(X)
    Cs = (0.001, 0.03, 10.0)
    model = LogisticRisk(Cs=(10.0, 0.001, 0.03)).fit(X, y)
    prepared = model.preparation_.transform(X)
    predictors = [
        cross_val_predict(
            LogisticRegression(C=C, tol=1e-9),
            prepared,
            y,
            cv=PatientFolds(),
            method="decision_function",
        )
        for C in Cs
    ]
    losses = [log_loss(y, expit(values)) for values in predictors]
    np.testing.assert_allclose(model.cv_log_loss_, losses, rtol=1e-5)
    best = np.argmin(losses)
    assert Cs.index(model.C_) == best
    np.testing.assert_allclose(model.out_of_fold_linear_predictor_, predictors[best], atol=1e-3)


def test_equal_losses_take_the_stronger_penalty():
    y = np.arange(40) % 2
    assert LogisticRisk(Cs=(1.0, 0.1, 10.0)).fit(np.ones((40, 1)), y).C_ == 0.1


def test_the_regression_agrees_with_scikit_learn():
    X, y, weight = cohort()
    model = LogisticRisk().fit(X, y, weight)
    regression = LogisticRegression(C=model.C_, tol=1e-9, max_iter=1000)
    regression.fit(model.preparation_.transform(X), y, weight)
    np.testing.assert_allclose(model.coef_, regression.coef_[0], rtol=1e-4, atol=1e-5)


def test_risk_is_the_calibrated_linear_predictor():
    X, y, _ = cohort()
    model = LogisticRisk().fit(X, np.where(y, "refractory", "adequate"))
    risk = model.calibration_.map_.risk(model.decision_function(X))
    np.testing.assert_allclose(
        model.predict_proba(X), np.column_stack([1 - risk, risk]), rtol=0, atol=1e-15
    )
    assert list(model.classes_) == ["adequate", "refractory"]
    np.testing.assert_array_equal(model.predict(X) == "refractory", risk > 0.5)


def test_risks_are_calibrated_in_new_patients():
    model = LogisticRisk().fit(*cohort(3000)[:2])
    X, y, _ = cohort(20_000, seed=1)
    risk = model.predict_proba(X)[:, 1]
    assert risk.mean() == pytest.approx(y.mean(), abs=0.02)
    for group in np.array_split(np.argsort(risk), 5):
        assert risk[group].mean() == pytest.approx(y[group].mean(), abs=0.04)


@pytest.mark.filterwarnings("ignore:The linear predictor ranks patients no better than chance")
def test_noise_gives_everyone_nearly_the_prevalence():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 10)), np.arange(400) % 5 == 0
    np.testing.assert_allclose(LogisticRisk().fit(X, y).predict_proba(X)[:, 1], 0.2, atol=0.06)


def test_column_never_observed_changes_nothing():
    X, y, _ = cohort()
    never = np.column_stack([X, np.full(len(X), np.nan)])
    with_it, without = LogisticRisk().fit(never, y), LogisticRisk().fit(X, y)
    expected = without.predict_proba(X)
    np.testing.assert_allclose(with_it.predict_proba(never), expected, atol=1e-9)
    never[:, 4] = 12.0
    np.testing.assert_allclose(with_it.predict_proba(never), expected, atol=1e-9)


def test_data_frame_and_array_give_the_same_risk():
    X, y, _ = cohort()
    frame = pd.DataFrame(X, columns=["upcr", "c3", "slope", "age"])
    model = LogisticRisk().fit(frame, pd.Series(y, index=frame.index + 7))
    np.testing.assert_array_equal(
        model.predict_proba(frame), LogisticRisk().fit(X, y).predict_proba(X)
    )
    names = model.preparation_["design"].get_feature_names_out(model.feature_names_in_)
    assert list(names) == ["upcr", "c3", "slope", "age", "c3_missing"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict_proba(frame[["c3", "upcr", "slope", "age"]])


@pytest.mark.parametrize(
    "config", [{"transform_output": "pandas"}, {"enable_metadata_routing": True}], ids=str
)
def test_global_settings_of_scikit_learn_do_not_matter(config):
    X, y, weight = cohort()
    expected = LogisticRisk().fit(X, y, weight).predict_proba(X)
    with sklearn.config_context(**config):
        found = LogisticRisk().fit(X, y, weight).predict_proba(X)
    np.testing.assert_array_equal(found, expected)


X_FITTED, Y_FITTED, _ = cohort()
FITTED = LogisticRisk().fit(X_FITTED, Y_FITTED)
VALUES = st.one_of(st.just(np.nan), st.floats(-1e3, 1e3))


@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(4)), elements=VALUES), st.data())
def test_a_row_has_the_same_risk_in_any_company(X, data):
    batch = FITTED.predict_proba(X)
    alone = np.vstack([FITTED.predict_proba(row[None]) for row in X])
    order = data.draw(st.permutations(range(len(X))))
    some = data.draw(st.lists(st.integers(0, len(X) - 1), min_size=1))
    np.testing.assert_array_equal(alone, batch)
    np.testing.assert_array_equal(FITTED.predict_proba(X[order]), batch[order])
    np.testing.assert_array_equal(FITTED.predict_proba(X[some]), batch[some])
    np.testing.assert_array_equal(FITTED.predict_proba(np.asfortranarray(X)), batch)
    np.testing.assert_array_equal(FITTED.predict_proba(X), batch)


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 64, 1001])
def test_a_row_has_the_same_risk_in_large_batches(rows):
    X = np.random.default_rng(0).normal([3, 100, 0, 1], [1, 30, 5, 1], size=(4096, 4))
    every = FITTED.predict_proba(X)
    np.testing.assert_array_equal(FITTED.predict_proba(X[-rows:]), every[-rows:])


@given(
    arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 30)), elements=VALUES), st.data()
)
def test_linear_predictor_adds_from_left_to_right(X, data):
    coefficients = data.draw(arrays(np.float64, X.shape[1], elements=st.floats(-10, 10)))
    expected = []
    for row in X:
        total = 0.3
        for value, coefficient in zip(row.tolist(), coefficients.tolist(), strict=True):
            total += value * coefficient
        expected.append(total)
    np.testing.assert_array_equal(linear_predictor(X, coefficients, 0.3), expected)


def test_linear_predictor_wants_a_coefficient_for_each_column():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        linear_predictor([[1.0, 2.0]], [1.0], 0.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Cs": (1.0, 0.0)}, "`Cs` must be a list of positive numbers"),
        ({"Cs": 1.0}, "The 'Cs' parameter"),
        ({"folds": 1}, "The 'folds' parameter"),
        ({"random_state": None}, "The 'random_state' parameter"),
    ],
    ids=str,
)
def test_parameters_out_of_range(parameters, message):
    X, y, _ = cohort()
    with pytest.raises(ValueError, match=message):
        LogisticRisk(**parameters).fit(X, y)


def test_each_outcome_needs_two_patients():
    X, y, _ = cohort(40)
    patient = np.where(y == 1, -1, np.arange(40))
    with pytest.raises(ValueError, match=r"at least 2 patients .* '1': 1}"):
        LogisticRisk().fit(X, y, groups=patient)
