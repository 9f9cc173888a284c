"""Newton's method on the active set against coordinate descent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.training.challengers.active_set import newton_on_active_set
from lnrisk.training.challengers.penalised import elastic_net_path, strongest_penalty
from scipy.special import expit


def alike(n, p, seed):
    """Columns much alike, the last of them the sum of the others."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p)) + 2 * random.normal(size=(n, 1))
    X = np.column_stack([X, X @ random.normal(size=p)])
    y = (random.uniform(size=n) < expit(-1 + X[:, 0] - X[:, 1])).astype(float)
    y[:2] = 0, 1
    return (X - X.mean(axis=0)) / X.std(axis=0), y, random.uniform(0.5, 2, n)


def optimality(X, y, weight, l1, l2, solution):
    residual = weight * (y - expit(solution[0] + X @ solution[1:]))
    slope, b = X.T @ residual - l2 * solution[1:], solution[1:]
    in_it = b != 0
    inside = np.abs(slope[in_it] - np.sign(b[in_it]) * l1[in_it]).max(initial=0)
    return max(abs(residual.sum()), inside, (np.abs(slope[~in_it]) - l1[~in_it]).max(initial=0))


@given(st.integers(0, 10_000), st.sampled_from((0.2, 0.5, 0.9)), st.sampled_from((0.5, 0.1, 0.02)))
@settings(max_examples=30, deadline=None)
def test_it_ends_at_the_minimum_however_alike_the_columns_are(seed, l1_ratio, share):
    X, y, weight = alike(120, 12, seed)
    weight /= weight.sum()
    penalty = share * strongest_penalty(X, y, weight, l1_ratio)
    l1, l2 = np.full(13, penalty * l1_ratio), np.full(13, penalty * (1 - l1_ratio))
    rough = elastic_net_path(X, y, weight, np.array([penalty]), l1_ratio, exact=False)[0]
    found = newton_on_active_set(X.T.copy(), y, weight, l1, l2, rough, np.arange(13))
    assert found is not None
    assert optimality(X, y, weight, l1, l2, found) < 1e-9 * max(penalty, 1e-3)


def test_a_free_column_is_in_though_it_starts_at_0():
    X, y, weight = alike(200, 4, 1)
    weight /= weight.sum()
    l1, l2 = np.array([0, 0.05, 0.05, 0.05, 0.05]), np.array([0, 0.05, 0.05, 0.05, 0.05])
    found = newton_on_active_set(X.T.copy(), y, weight, l1, l2, np.zeros(6), np.arange(5))
    assert found[1] != 0
    assert optimality(X, y, weight, l1, l2, found) < 1e-12


def test_where_two_columns_are_one_and_nothing_holds_them_it_is_right_or_gives_up():
    X, y, weight = alike(100, 2, 2)
    X[:, 1] = X[:, 0]
    weight /= weight.sum()
    nothing, start = np.zeros(3), np.array([-1.0, 0.1, 0.1, 0.1])
    found = newton_on_active_set(X.T.copy(), y, weight, nothing, nothing, start, np.arange(3))
    assert found is None or optimality(X, y, weight, nothing, nothing, found) < 1e-9


@pytest.mark.parametrize("exact", [True, False])
def test_a_rough_path_is_near_the_exact_one(exact):
    X, y, weight = alike(300, 8, 3)
    penalties = strongest_penalty(X, y, weight, 0.5) * np.geomspace(1, 0.05, 5)
    path = elastic_net_path(X, y, weight, penalties, 0.5, exact=exact)
    precise = elastic_net_path(X, y, weight, penalties, 0.5)
    np.testing.assert_allclose(X @ path[:, 1:].T, X @ precise[:, 1:].T, atol=0.02)
