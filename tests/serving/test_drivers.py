"""Drivers: what the risk would be with one feature at its mean."""

from dataclasses import replace

import numpy as np
from lnrisk.serving.drivers import drivers_of
from models import linear_model, term

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
    return found, model().risk_of(design)[0]


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
