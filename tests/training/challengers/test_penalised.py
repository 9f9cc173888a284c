"""The path of the elastic net against scikit-learn's saga, and what must hold on every path."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.training.challengers.penalised import elastic_net_path, strongest_penalty
from scipy.special import expit
from sklearn.linear_model import LogisticRegression


def data(n=250, p=10, seed=0):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n, 3))
    X = random.normal(size=(n, p)) + shared[:, random.integers(0, 3, p)]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (random.uniform(size=n) < expit(-1.5 + X[:, 0] - 0.5 * X[:, 1])).astype(float)
    return X, y, random.uniform(0.3, 3, n)


def saga(X, y, weight, penalty, l1_ratio):
    """The same objective: mean log loss plus penalty, as saga writes it."""
    model = LogisticRegression(
        l1_ratio=l1_ratio,
        solver="saga",
        C=1 / (penalty * weight.sum()),
        tol=1e-11,
        max_iter=200_000,
    )
    return model.fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("penalty", [0.05, 0.01, 0.002])
def test_it_is_what_saga_finds(l1_ratio, penalty):
    X, y, weight = data()
    found = elastic_net_path(X, y, weight, np.array([0.1, penalty]), l1_ratio)[-1]
    expected = saga(X, y, weight, penalty, l1_ratio)
    np.testing.assert_allclose(found[1:], expected.coef_[0], atol=1e-5)
    assert found[0] == pytest.approx(expected.intercept_[0], abs=1e-5)
    np.testing.assert_array_equal(found[1:] == 0, np.abs(expected.coef_[0]) < 1e-7)


@given(st.integers(0, 10_000), st.sampled_from((1.0, 0.7, 0.2)), st.integers(20, 60))
@settings(max_examples=25, deadline=None)
def test_no_direction_is_downhill(seed, l1_ratio, n):
    """The optimality conditions of a convex problem, at every penalty; more columns than fit."""
    X, y, weight = data(n, 30, seed)
    y[:2] = 0, 1
    strongest = strongest_penalty(X, y, weight, l1_ratio)
    penalties = strongest * np.geomspace(1, 0.05, 8)
    for penalty, solution in zip(
        penalties, elastic_net_path(X, y, weight, penalties, l1_ratio), strict=True
    ):
        intercept, b = solution[0], solution[1:]
        residual = weight / weight.sum() * (y - expit(intercept + X @ b))
        slope = X.T @ residual - penalty * (1 - l1_ratio) * b
        l1 = penalty * l1_ratio
        assert abs(residual.sum()) < 1e-6
        np.testing.assert_allclose(slope[b != 0], np.sign(b[b != 0]) * l1, atol=1e-5)
        assert (np.abs(slope[b == 0]) <= l1 + 1e-5).all()


def test_the_strongest_penalty_is_the_least_that_leaves_nothing_in():
    X, y, weight = data()
    strongest = strongest_penalty(X, y, weight, 0.5)
    path = elastic_net_path(X, y, weight, strongest * np.array([1.001, 0.99]), 0.5)
    assert (path[0, 1:] == 0).all()
    assert np.count_nonzero(path[1, 1:]) == 1
    share = np.average(y, weights=weight)
    assert path[0, 0] == pytest.approx(np.log(share / (1 - share)))


def test_a_free_column_is_not_penalised():
    X, y, weight = data()
    factor = np.ones(10)
    factor[3] = 0
    strongest = strongest_penalty(X, y, weight, 1.0, factor)
    (solution,) = elastic_net_path(X, y, weight, np.array([strongest * 1.01]), 1.0, factor)
    alone = LogisticRegression(C=np.inf, tol=1e-10).fit(X[:, [3]], y, sample_weight=weight)
    assert np.flatnonzero(solution[1:]).tolist() == [3]
    assert solution[4] == pytest.approx(alone.coef_[0, 0], abs=1e-5)


def test_with_all_columns_free_there_is_no_strongest_penalty():
    X, y, weight = data()
    assert strongest_penalty(X, y, weight, 1.0, np.zeros(10)) == 0


def test_outcomes_that_free_columns_separate_are_said():
    X = np.linspace(-1, 1, 40)[:, None]
    with pytest.raises(ValueError, match="separate"):
        elastic_net_path(
            X, (X[:, 0] > 0).astype(float), np.ones(40), np.array([0.1]), 1.0, np.zeros(1)
        )


def test_a_constant_column_stays_out():
    X, y, weight = data()
    X[:, 4] = 0.0
    path = elastic_net_path(X, y, weight, np.array([0.01, 0.001]), 0.5)
    assert (path[:, 5] == 0).all()


def test_the_path_does_not_hang_on_where_it_began():
    X, y, weight = data()
    long = elastic_net_path(X, y, weight, np.geomspace(0.1, 0.004, 20), 0.5)[-1]
    short = elastic_net_path(X, y, weight, np.array([0.004]), 0.5)[0]
    np.testing.assert_allclose(long, short, atol=1e-6)
