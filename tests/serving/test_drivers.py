"""Drivers: what the risk would be with one feature at its mean."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.drivers import drivers_of
from lnrisk.serving.topics import topics_of
from models import linear_model, term
from served import broad_model

MONTH = 84 / 30.4375

NAMES = ("age", "upcr", "egfr")


def model():
    terms = [replace(term(name, mean=2.0, scale=1.5), unit="g/g") for name in NAMES]
    return linear_model(terms, [-0.4, 0.9, 0.0])


def columns(*values):
    given = dict(zip(NAMES, np.array(values, dtype=float)[:, None], strict=True))
    return {**given, "landmark_month": np.array([84 / 30.4375])}


def asked(given):
    made = model().terms_of(given)
    design = model().design_of(made, given["landmark_month"])
    (found,) = drivers_of(model(), np.column_stack(list(made.values())), design)
    return found.features, model().risk_of(design)[0]


def test_points_are_the_change_when_the_feature_is_put_to_its_mean():
    found, risk = asked(columns(1.0, 4.0, 5.0))
    assert [each.feature for each in found] == ["upcr", "age"]
    for each in found:
        values = dict(zip(NAMES, (1.0, 4.0, 5.0), strict=True)) | {each.feature: 2.0}
        _, without = asked(columns(*values.values()))
        np.testing.assert_allclose(each.points, 100 * (risk - without), rtol=1e-9)
    assert found[0].text.startswith("upcr 4 g/g raises the risk by")


def test_a_feature_at_its_mean_drives_nothing():
    assert asked(columns(2.0, 2.0, 2.0))[0] == ()


def test_a_missing_feature_is_called_missing():
    found, _ = asked(columns(np.nan, 2.0, 2.0))
    assert [(each.feature, each.value) for each in found] == [("age", "missing")]


BROAD = broad_model()
NAMES_OF_ALL = BROAD.feature_names


def drivers_at(values):
    """Drivers of rows of terms of the broad model, and their risks."""
    months = np.full(len(values), MONTH)
    design = BROAD.design_of(dict(zip(NAMES_OF_ALL, values.T, strict=True)), months)
    return drivers_of(BROAD, values, design), BROAD.risk_of(design)


def some_values(seed, n):
    random = np.random.default_rng(seed)
    values = random.normal(0.5, 9.0, (n, len(NAMES_OF_ALL)))
    values[random.random(values.shape) < 0.2] = np.nan
    return values


@given(st.integers(0, 2**32))
def test_a_group_is_what_its_features_do_together(seed):
    values = some_values(seed, 1)
    (found,), (risk,) = drivers_at(values)
    parts = BROAD.contributions_of(
        BROAD.design_of(dict(zip(NAMES_OF_ALL, values.T, strict=True)), np.array([MONTH]))
    )[0]
    topics = {topic.name: topic for topic in topics_of(BROAD)}
    for group in found.groups:
        added = sum(parts[k] for k in topics[group.topic].positions)
        odds = np.log(risk / (1 - risk)) - added
        np.testing.assert_allclose(group.points, 100 * (risk - 1 / (1 + np.exp(-odds))), atol=1e-9)
    told = [name for group in found.groups for name in group.features]
    assert len(told) == len(set(told))
    assert set(told) <= {driver.feature for driver in found.features}


@given(st.integers(0, 2**32))
def test_the_first_feature_of_a_group_pushes_its_way_where_one_does(seed):
    (found,), _ = drivers_at(some_values(seed, 1))
    points = {driver.feature: driver.points for driver in found.features}
    for group in found.groups:
        same = [name for name in group.features if points[name] * group.points > 0]
        assert group.features[: len(same)] == tuple(same)
        assert [abs(points[n]) for n in same] == sorted([abs(points[n]) for n in same])[::-1]


@given(st.integers(0, 2**32), st.integers(2, 9))
def test_drivers_of_many_terms_are_the_same_alone_as_in_a_batch(seed, n):
    values = some_values(seed, n)
    together, _ = drivers_at(values)
    assert [drivers_at(row[None, :])[0][0] for row in values] == together
