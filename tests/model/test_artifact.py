"""The model file: the same numbers as the classifier, and refused when it was changed."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features.errors import ModelError
from lnrisk.features.laboratory import LANDMARK_MONTH
from lnrisk.model.artifact import MODEL_FILE, Term
from lnrisk.model.loading import load_model
from models import linear_model


def term(name):
    return Term(name, f"{name} in words", "1", "m", "all", "as recorded", 1.0, 2.0, -5, 5)


def model(**changes):
    content = {
        "analytes": {"upcr": "log"},
        "intercept": -2.0,
        "refits": ((-2.1, 0.4, -1.0, 0.2, 0.1, 0.1, 0.0), (-1.8, 0.6, -1.5, 0.0, 0.2, 0.0, 0.0)),
    }
    terms = (term("a"), term("b"), term("c"))
    return linear_model(terms, (0.5, -1.25, 0.1), 0.3, **{**content, **changes})


def at(**values):
    """A table of features at the landmark."""
    return pd.DataFrame({**values, LANDMARK_MONTH: 2.76})


values = st.one_of(st.floats(-1e3, 1e3), st.just(float("nan")))
tables = st.lists(st.tuples(values, values, values), min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(tables, st.randoms(use_true_random=False))
def test_a_row_is_the_same_alone_in_a_batch_in_any_order_and_twice(rows, random):
    ours = model()
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(**{LANDMARK_MONTH: 2.76})
    together = ours.predict(frame)
    lower, upper = ours.interval(frame)
    np.testing.assert_array_equal(together, ours.predict(frame))
    order = list(range(len(rows)))
    random.shuffle(order)
    np.testing.assert_array_equal(ours.predict(frame.iloc[order]), together[order])
    for row in range(len(rows)):
        alone = frame.iloc[[row]]
        assert ours.predict(alone)[0] == together[row]
        assert [bound[0] for bound in ours.interval(alone)] == [lower[row], upper[row]]


def test_risk_is_written_out_by_hand():
    frame = at(a=[3.0], b=[np.nan], c=[1.0])
    log_odds = -2.0 + 0.5 * (3 - 1) / 2 + 0.3
    assert model().predict(frame)[0] == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-15)
    added = model().contributions_of(model().design(frame))
    np.testing.assert_allclose(added, [[0.5, 0.3, 0.0]])


def test_columns_are_found_by_name_and_others_ignored():
    frame = at(a=[3.0], b=[1.0], c=[1.0])
    other = frame[[LANDMARK_MONTH, "c", "a", "b"]].assign(d=7.0)
    assert model().predict(other)[0] == model().predict(frame)[0]


def test_an_absent_column_is_named():
    with pytest.raises(ModelError, match="features lack b"):
        model().predict(at(a=[1.0], c=[1.0]))


def test_saved_and_read_again_it_is_the_same(tmp_path):
    (tmp_path / MODEL_FILE).write_text(model().to_json(), encoding="utf-8")
    assert load_model(tmp_path) == model()
    assert load_model(tmp_path / MODEL_FILE).version == model().sha256[:12]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c | {"intercept": -1.0}, "does not match its hash"),
        (lambda c: c | {"schema": "lnrisk.model/99"}, "schema 'lnrisk.model/99'"),
        (lambda c: {k: v for k, v in c.items() if k != "terms"}, "not a model of schema"),
        (lambda c: c | {"more": 1}, "not a model of schema"),
        (lambda c: [c], "schema None"),
    ],
)
def test_a_changed_file_is_refused(tmp_path, change, said):
    content = change(json.loads(model().to_json()))
    (tmp_path / MODEL_FILE).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match=said):
        load_model(tmp_path)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / MODEL_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="not a readable model file"):
        load_model(tmp_path)


def test_the_range_of_patients_alike_holds_the_risk_and_its_refits():
    frame = at(a=[1.0, -2.0], b=[1.0, 0.5], c=[1.0, np.nan])
    ours, months = model(), np.full(2, 3.0)
    risk, steady = ours.predict(frame), ours.interval(frame)
    lower, upper = ours.range_of(risk, months, steady)
    assert (lower <= np.minimum(risk, steady[0])).all()
    assert (upper >= np.maximum(risk, steady[1])).all()
    narrow, wide = ours.spread.range_of(risk, months)
    assert (lower <= narrow).all()
    assert (upper >= wide).all()


def test_a_model_that_does_not_know_its_spread_gives_no_range():
    frame = at(a=[1.0], b=[1.0], c=[1.0])
    unknowing = model(spread=None)
    risk = unknowing.predict(frame)
    lower, upper = unknowing.range_of(risk, np.array([3.0]), unknowing.interval(frame))
    assert np.isnan([lower, upper]).all()


def test_without_refits_there_is_no_interval():
    lower, upper = model(refits=()).interval(at(a=[1.0], b=[1.0], c=[1.0]))
    assert np.isnan([lower[0], upper[0]]).all()


def test_values_are_shown_as_a_clinician_reads_them():
    logged = Term("log_upcr_last", "upcr", "ln(g/g)", "m", "all", "", 0, 1, 0, 1)
    assert logged.shown(np.log(3.2)) == "3.2 g/g"
    assert logged.shown(np.nan) == "missing"
    assert term("a").shown(1.0) == "1"


def test_a_small_margin_beyond_the_training_range_is_still_inside():
    frame = at(a=[5.4, 5.6, -5.6, np.nan], b=[0.0] * 4, c=[0.0] * 4)
    assert model().outside_range(frame)[:, 0].tolist() == [False, True, True, False]


def test_what_was_never_missing_together_is_known():
    seen_only = model(missing_patterns=("000", "010"))
    frame = at(a=[1.0, 1.0, np.nan], b=[1.0, np.nan, np.nan], c=[1.0, 1.0, 1.0])
    assert seen_only.unseen_missing(frame).tolist() == [False, False, True]


def test_the_pair_is_around_the_risk_and_read_from_its_table():
    lower, upper = model().pair(at(a=[1.0, 20.0], b=[1.0, -20.0], c=[1.0, 1.0]))
    np.testing.assert_array_equal(lower, [0.0, 0.2])
    np.testing.assert_array_equal(upper, [0.1, 1.0])
