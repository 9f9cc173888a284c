"""What a classifier learns from earlier, commoner steps towards the outcome."""

import numpy as np
import pytest
from lnrisk.model.classifier import LogisticRisk
from lnrisk.training.challengers.elastic_net import ElasticNetRisk
from scipy.special import expit
from steps import COLUMNS, drawn, loss, loss_where_known


@pytest.fixture(params=[LogisticRisk, ElasticNetRisk])
def classifier(request):
    return request.param


def test_a_step_that_goes_the_same_way_makes_better_risks_of_few_outcomes(classifier):
    X, y, earlier = drawn(500, 0)
    alone = classifier().fit(X, y)
    both = classifier().fit(X, y, steps=earlier[:, None])
    assert loss(both, 1.0) < loss(alone, 1.0) - 0.008


def test_a_step_that_goes_another_way_does_little_harm(classifier):
    X, y, earlier = drawn(500, 0, along=0.0)
    alone = classifier().fit(X, y)
    both = classifier().fit(X, y, steps=earlier[:, None])
    assert loss(both, 0.0) < loss(alone, 0.0) + 0.003


def test_a_step_before_the_step_makes_it_better_known(classifier):
    """How far all are along tells more of the direction than who took the step."""
    found = []
    for seed in range(4):
        X, y, earlier = drawn(400, seed)
        along = expit(X[:, :10] @ np.linspace(1, 0.1, 10))
        one = classifier().fit(X, y, steps=earlier[:, None])
        two = classifier().fit(X, y, steps=np.column_stack([along, earlier]))
        found.append(loss(two, 1.0) - loss(one, 1.0))
    assert np.mean(found) < -0.004


def test_a_later_step_draws_on_all_before_it(classifier):
    """The outcome needs two things, of each of which something is known of everybody."""
    found = []
    for seed in range(4):
        random = np.random.default_rng(seed)
        X = random.normal(size=(400, COLUMNS))
        matter = np.linspace(1, 0.1, 10)
        first, second = X[:, :10] @ matter, X[:, 10:20] @ matter
        nearly = (random.uniform(size=400) < expit(first + second - 1)).astype(float)
        y = (random.uniform(size=400) < expit(first + second - 3.2)).astype(int)
        steps = np.column_stack([expit(first), expit(second), nearly])
        two, three = (classifier().fit(X, y, steps=these) for these in (steps[:, ::2], steps))
        fresh = random.normal(size=(20_000, COLUMNS))
        risk = expit(fresh[:, :10] @ matter + fresh[:, 10:20] @ matter - 3.2)
        found.append(loss_where_known(three, fresh, risk) - loss_where_known(two, fresh, risk))
    assert np.mean(found) < -0.004


@pytest.mark.parametrize("known", [0, 15])
def test_too_little_known_of_the_step_is_as_if_nothing_were(classifier, known):
    X, y, earlier = drawn(400, 2)
    few = np.where(np.arange(len(X)) < known, earlier, np.nan)
    alone = classifier().fit(X, y)
    other = classifier().fit(X, y, steps=few[:, None])
    np.testing.assert_array_equal(other.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize("wrong", [-0.1, 1.5])
def test_a_chance_of_the_step_lies_between_0_and_1(classifier, wrong):
    X, y, earlier = drawn(200, 5)
    earlier[3] = wrong
    with pytest.raises(ValueError, match="between 0 and 1"):
        classifier().fit(X, y, steps=earlier[:, None])
