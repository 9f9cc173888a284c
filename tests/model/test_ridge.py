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
