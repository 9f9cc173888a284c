"""Every feature is about something that a clinician would name, and adds to that alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.vocabulary import analytes
from lnrisk.serving.topics import MEANINGS, added_up, lacking, leading, silent, topics_of
from served import broad_model

MODEL = broad_model()
TOPICS = topics_of(MODEL)
N = len(MODEL.terms)


def named(topic):
    return [MODEL.feature_names[k] for k in topic.positions]


def test_every_term_belongs_to_one_topic():
    assert sorted(k for topic in TOPICS for k in topic.positions) == list(range(N))
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    known = {*MEANINGS, *analytes(), "il6", "age", "female"}
    assert {topic.name for topic in TOPICS} <= known


def test_what_a_clinician_would_say_together_is_together():
    topics = {topic.name: named(topic) for topic in TOPICS}
    assert {"log_upcr_last", "log_upcr_slope", "upcr_fall_below_50"} <= set(topics["upcr"])
    assert {"activity_index", "egfr_deficit_unexplained", "tma"} <= set(topics["biopsy"])
    assert {"refill_share", "adherence_probability", "longest_gap"} <= set(topics["adherence"])
    assert {"cyc_mg", "started_with_mpa", "regimen_changed"} <= set(topics["induction"])
    assert {"prednisone_mg", "pulse_methylprednisolone"} == set(topics["glucocorticoids"]) - {
        "prednisone_mg_per_day", "prednisone_mg_per_day_at_landmark"}  # fmt: skip
    assert set(topics["tacrolimus_trough"]) == {"tacrolimus_trough", "tacrolimus_variation"}


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_topics_add_up_to_all_terms_the_same_alone_as_in_a_batch(seed, n):
    parts = np.random.default_rng(seed).normal(size=(n, N))
    together = added_up(parts, TOPICS)
    np.testing.assert_allclose(together.sum(axis=1), parts.sum(axis=1), atol=1e-9)
    alone = np.vstack([added_up(row[None, :], TOPICS) for row in parts])
    assert (alone == together).all()
    leads = leading(parts, together, TOPICS)
    for at, topic in enumerate(TOPICS):
        assert set(leads[:, at].tolist()) <= set(topic.positions)


@given(st.sets(st.integers(0, N - 1)))
def test_what_is_lacking_is_told_once_and_never_what_is_known(gaps):
    values = np.ones(N)
    values[list(gaps)] = np.nan
    lacks = lacking(MODEL, TOPICS, np.isnan(values), silent(MODEL, values))
    told = [name for lack in lacks for name in lack.features]
    assert len(told) == len(set(told))
    assert set(told) <= {MODEL.feature_names[k] for k in gaps}
    assert bool(told) == bool(gaps)
    assert len({lack.topic for lack in lacks}) == len(lacks)


def lack_of(topic, **values):
    row = np.ones(N)
    for name, value in values.items():
        row[MODEL.feature_names.index(name)] = value
    found = lacking(MODEL, TOPICS, np.isnan(row), silent(MODEL, row))
    return next(lack for lack in found if lack.topic == topic)


def test_a_test_that_was_never_done_is_not_known_at_all():
    nothing = {name: np.nan for topic in TOPICS if topic.name == "c3" for name in named(topic)}
    assert lack_of("c3", **{**nothing, "c3_count": 0.0}).text == "C3"
    assert lack_of("c3", **{**nothing, "c3_last": 80.0}).text == "C3 (in part)"
    assert lack_of("c3", c3_change=np.nan).text == "C3: change from baseline"


def test_a_fall_that_was_not_seen_is_not_asked_for():
    row = np.ones(N)
    for name in ("log_upcr_days_to_fall", "c3_change"):
        row[MODEL.feature_names.index(name)] = np.nan
    found = lacking(MODEL, TOPICS, np.isnan(row), silent(MODEL, row))
    assert [lack.features for lack in found] == [("c3_change",)]
