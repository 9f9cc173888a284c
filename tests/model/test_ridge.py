"""The ridge path: scikit-learn's solutions, found from one another."""

import numpy as np
import pytest
from lnrisk.model.ridge import ridge_path
from sklearn.linear_model import LogisticRegression

CS = np.array([1e-3, 0.1, 10.0])


def sample(n=400, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 4))
    y = (random.uniform(size=n) < 1 / (1 + np.exp(2 - X[:, 0] + X[:, 1]))).astype(float)
    return X, y, random.uniform(0.2, 3, n)


@pytest.mark.parametrize("seed", range(3))
def test_every_solution_is_scikit_learns(seed):
    X, y, weight = sample(seed=seed)
    for C, found in zip(CS, ridge_path(X, y, weight, CS), strict=True):
        expected = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12, max_iter=500)
        expected.fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(found[1:], expected.coef_[0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found[0], expected.intercept_[0], rtol=1e-6)


def test_a_solution_does_not_depend_on_where_the_path_began():
    X, y, weight = sample()
    alone = ridge_path(X, y, weight, CS[-1:])[0]
    np.testing.assert_allclose(ridge_path(X, y, weight, CS)[-1], alone, rtol=1e-9, atol=1e-11)


def test_separated_outcomes_are_held_by_the_penalty():
    X = np.linspace(-1, 1, 50)[:, None]
    path = ridge_path(X, (X[:, 0] > 0).astype(float), np.ones(50), CS)
    assert (np.diff(path[:, 1]) > 0).all()
    assert np.isfinite(path).all()


def test_the_last_columns_may_be_free():
    """A strong penalty then leaves what a fit to the free columns alone finds."""
    X, y, weight = sample()
    held = ridge_path(X, y, weight, np.array([1e-9]), free=1)[0]
    alone = ridge_path(X[:, -1:], y, weight, np.array([1e6]))[0]
    np.testing.assert_allclose(held[[0, -1]], alone, atol=1e-5)
    np.testing.assert_allclose(held[1:-1], 0, atol=1e-5)


def test_a_free_column_that_tells_nothing_does_not_matter():
    X, y, weight = sample()
    with_it = ridge_path(np.column_stack([X, np.zeros(len(X))]), y, weight, CS, free=1)
    np.testing.assert_allclose(with_it[:, :-1], ridge_path(X, y, weight, CS), atol=1e-9)
