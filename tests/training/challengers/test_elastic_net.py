"""What an elastic net learns from earlier, commoner steps towards the outcome."""

from dataclasses import replace

import numpy as np
import pytest
from lnrisk.model.earlier_steps import STEP
from lnrisk.training.challengers.elastic_net import ElasticNetRisk
from lnrisk.training.challengers.penalised import elastic_net_path, strongest_penalty
from scipy.special import expit
from sklearn.base import clone
from sklearn.metrics import log_loss

COLUMNS = 40


def people(n, seed, along=1.0):
    """Half take the earlier step, a tenth get to the outcome; `along`: how alike the two are."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, COLUMNS))
    matter = np.linspace(1, 0.1, 10)
    step = X[:, :10] @ matter
    other = X[:, 10:20] @ matter
    risk = expit(-3.2 + along * step + (1 - along) * other)
    return X, (random.uniform(size=n) < expit(step)).astype(float), risk, random


def drawn(n, seed, along=1.0):
    X, earlier, risk, random = people(n, seed, along)
    return X, (random.uniform(size=n) < risk).astype(int), earlier


def loss(model, along):
    X, _, risk, _ = people(20_000, 99, along)
    return loss_where_known(model, X, risk)


def loss_where_known(model, X, risk):
    told = model.predict_proba(X)[:, 1]
    return log_loss(
        np.repeat([1, 0], len(X)), np.tile(told, 2), sample_weight=np.r_[risk, 1 - risk]
    )


def test_a_step_that_goes_the_same_way_makes_better_risks_of_few_outcomes():
    X, y, earlier = drawn(500, 0)
    alone = ElasticNetRisk().fit(X, y)
    both = ElasticNetRisk().fit(X, y, steps=earlier[:, None])
    assert alone.setting_.toward is None
    assert both.setting_.toward in both.towards[1:]
    assert loss(both, 1.0) < loss(alone, 1.0) - 0.008


def test_a_step_that_goes_another_way_does_little_harm():
    X, y, earlier = drawn(500, 0, along=0.0)
    alone = ElasticNetRisk().fit(X, y)
    both = ElasticNetRisk().fit(X, y, steps=earlier[:, None])
    assert loss(both, 0.0) < loss(alone, 0.0) + 0.003


def test_what_was_named_beforehand_needs_fewer_outcomes():
    X, y, _ = drawn(500, 0)
    plain = ElasticNetRisk().fit(X, y)
    rightly = ElasticNetRisk(favoured=[str(k) for k in range(10)]).fit(X, y)
    wrongly = ElasticNetRisk(favoured=[str(k) for k in range(10, 20)]).fit(X, y)
    assert loss(rightly, 1.0) < loss(plain, 1.0) - 0.005
    assert loss(plain, 1.0) < loss(wrongly, 1.0) < loss(plain, 1.0) + 0.012


def test_the_coefficients_are_those_of_the_risk():
    X, y, earlier = drawn(500, 1)
    model = ElasticNetRisk().fit(X, y, steps=earlier[:, None])
    design = model.preparation_["design"].transform(X)
    told = model.intercept_ + design @ model.coef_
    np.testing.assert_allclose(model.decision_function(X), told, atol=1e-10)
    assert STEP not in model.column_names_
    assert len(model.coef_) == len(model.column_names_) == COLUMNS


def test_a_step_before_the_step_makes_it_better_known():
    """How far all are along tells more of the direction than who took the step."""
    found = []
    for seed in range(4):
        X, y, earlier = drawn(400, seed)
        along = expit(X[:, :10] @ np.linspace(1, 0.1, 10))
        one = ElasticNetRisk().fit(X, y, steps=earlier[:, None])
        two = ElasticNetRisk().fit(X, y, steps=np.column_stack([along, earlier]))
        found.append(loss(two, 1.0) - loss(one, 1.0))
    assert np.mean(found) < -0.004


def test_a_later_step_draws_on_all_before_it():
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
        two, three = (ElasticNetRisk().fit(X, y, steps=these) for these in (steps[:, ::2], steps))
        fresh = random.normal(size=(20_000, COLUMNS))
        risk = expit(fresh[:, :10] @ matter + fresh[:, 10:20] @ matter - 3.2)
        found.append(loss_where_known(three, fresh, risk) - loss_where_known(two, fresh, risk))
    assert np.mean(found) < -0.004


def test_an_average_counts_fits_by_how_well_they_foretell():
    losses = np.array([0.300, 0.301, 0.310])
    shares = ElasticNetRisk()._shares(losses, 500)
    np.testing.assert_allclose(shares[1] / shares[0], np.exp(-0.5))
    assert shares.sum() == pytest.approx(1)
    assert ElasticNetRisk()._shares(losses, 5000)[2] == 0


def test_the_coefficients_are_an_average_over_penalties():
    X, y, _ = drawn(500, 8)
    model = ElasticNetRisk().fit(X, y)
    shares = model._shares(model.cv_log_loss_, len(X))
    assert (shares > 0).sum() > 1
    design = model.preparation_["design"].transform(X)
    (ratio,) = model.l1_ratios
    strongest = strongest_penalty(design, y, np.ones(len(y)), ratio)
    penalties = strongest * np.geomspace(1, model.smallest, model.penalties)
    path = elastic_net_path(design, y.astype(float), np.ones(len(y)), penalties, ratio)
    np.testing.assert_allclose(model.coef_, shares @ path[:, 1:], atol=1e-9)


@pytest.mark.parametrize("known", [0, 15])
def test_too_little_known_of_the_step_is_as_if_nothing_were(known):
    X, y, earlier = drawn(400, 2)
    few = np.where(np.arange(len(X)) < known, earlier, np.nan)
    alone = ElasticNetRisk(penalties=6).fit(X, y)
    other = ElasticNetRisk(penalties=6).fit(X, y, steps=few[:, None])
    np.testing.assert_array_equal(other.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize("toward", [None, 0.05, 0.015])
def test_around_a_setting_only_its_neighbours_are_tried_towards_either(toward):
    X, y, earlier = drawn(500, 3)
    whole = ElasticNetRisk().fit(X, y, steps=earlier[:, None])
    around = replace(whole.setting_, toward=toward)
    again = clone(whole).set_params(around=around).fit(X, y, steps=earlier[:, None])
    assert len(again.cv_log_loss_) == 3 * 3
    assert again.setting_.toward == whole.setting_.toward
    np.testing.assert_allclose(again.cv_log_loss_.min(), whole.cv_log_loss_.min(), rtol=5e-3)


@pytest.mark.parametrize("wrong", [-0.1, 1.5])
def test_a_chance_of_the_step_lies_between_0_and_1(wrong):
    X, y, earlier = drawn(200, 5)
    earlier[3] = wrong
    with pytest.raises(ValueError, match="between 0 and 1"):
        ElasticNetRisk().fit(X, y, steps=earlier[:, None])


@pytest.mark.parametrize("name", ["l1_ratios", "towards"])
@pytest.mark.parametrize("value", [(), (0.0,), (1.1,)])
def test_shares_lie_above_0_and_at_most_at_1(name, value):
    X, y, _ = drawn(200, 7)
    with pytest.raises(ValueError, match=name):
        ElasticNetRisk(**{name: value}).fit(X, y)
