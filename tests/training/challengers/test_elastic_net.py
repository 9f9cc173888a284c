"""How an elastic net averages, favours and stays near a setting."""

from dataclasses import replace

import numpy as np
import pytest
from lnrisk.model.earlier_steps import STEP
from lnrisk.training.challengers.elastic_net import ElasticNetRisk
from lnrisk.training.challengers.penalised import elastic_net_path, strongest_penalty
from sklearn.base import clone
from steps import COLUMNS, drawn, loss


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


@pytest.mark.parametrize("toward", [None, 0.05, 0.015])
def test_around_a_setting_only_its_neighbours_are_tried_towards_either(toward):
    X, y, earlier = drawn(500, 3)
    whole = ElasticNetRisk().fit(X, y, steps=earlier[:, None])
    around = replace(whole.setting_, toward=toward)
    again = clone(whole).set_params(around=around).fit(X, y, steps=earlier[:, None])
    assert len(again.cv_log_loss_) == 3 * 3
    assert again.setting_.toward == whole.setting_.toward
    np.testing.assert_allclose(again.cv_log_loss_.min(), whole.cv_log_loss_.min(), rtol=5e-3)


@pytest.mark.parametrize("name", ["l1_ratios", "towards"])
@pytest.mark.parametrize("value", [(), (0.0,), (1.1,)])
def test_shares_lie_above_0_and_at_most_at_1(name, value):
    X, y, _ = drawn(200, 7)
    with pytest.raises(ValueError, match=name):
        ElasticNetRisk(**{name: value}).fit(X, y)
