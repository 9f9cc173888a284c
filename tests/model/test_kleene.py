"""Kleene's three-valued logic, against its truth tables and its laws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.model.kleene import NO, UNKNOWN, YES, all_of, answer, any_of, not_, words

answers = st.lists(st.sampled_from((NO, UNKNOWN, YES)), min_size=5, max_size=5).map(
    lambda values: np.array(values, dtype=np.int8)
)


def spoken(*values):
    return words(np.array(values, dtype=np.int8)).tolist()


AND = {
    ("yes", "yes"): "yes",
    ("yes", "unknown"): "unknown",
    ("yes", "no"): "no",
    ("unknown", "unknown"): "unknown",
    ("unknown", "no"): "no",
    ("no", "no"): "no",
}
OR = {
    ("yes", "yes"): "yes",
    ("yes", "unknown"): "yes",
    ("yes", "no"): "yes",
    ("unknown", "unknown"): "unknown",
    ("unknown", "no"): "unknown",
    ("no", "no"): "no",
}


@pytest.mark.parametrize(("join", "table"), [(all_of, AND), (any_of, OR)])
def test_and_and_or_follow_their_truth_tables(join, table):
    for left, right in product((NO, UNKNOWN, YES), repeat=2):
        (found,) = spoken(join(left, right))
        pair = tuple(spoken(left, right))
        assert found == (table.get(pair) or table[pair[::-1]])


def test_not_turns_yes_and_no_and_leaves_unknown():
    assert words(not_(np.array([NO, UNKNOWN, YES]))).tolist() == ["yes", "unknown", "no"]


def test_an_answer_is_unknown_where_it_is_not_known_whatever_the_truth():
    found = answer([True, False, True, False], known=[True, True, False, False])
    assert words(found).tolist() == ["yes", "no", "unknown", "unknown"]
    assert words(answer([True, False])).tolist() == ["yes", "no"]


def test_a_comparison_with_nothing_is_never_no():
    value = np.array([np.nan, 1.0])
    assert words(answer(value > 2, known=~np.isnan(value))).tolist() == ["unknown", "no"]


@given(answers, answers)
def test_de_morgan(left, right):
    np.testing.assert_array_equal(not_(all_of(left, right)), any_of(not_(left), not_(right)))
    np.testing.assert_array_equal(not_(any_of(left, right)), all_of(not_(left), not_(right)))


@given(answers, answers, answers)
def test_many_are_joined_as_pairs_in_any_order(one, two, three):
    for join in (all_of, any_of):
        np.testing.assert_array_equal(join(one, two, three), join(three, join(two, one)))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6))
def test_what_is_missing_could_be_either_and_the_join_is_unknown_only_if_that_matters(parts):
    truth, known = (np.array(column) for column in zip(*parts, strict=True))
    completions = list(product((False, True), repeat=int((~known).sum())))
    for join, plain in ((all_of, all), (any_of, any)):
        (found,) = spoken(join(*answer(truth, known)))
        possible = set()
        for filled in completions:
            whole = truth.copy()
            whole[~known] = filled
            possible.add(plain(whole.tolist()))
        expected = "unknown" if len(possible) == 2 else "yes" if possible == {True} else "no"
        assert found == expected


@given(answers)
def test_answers_stay_small_integers(values):
    for found in (all_of(values, values), any_of(values, values), not_(values)):
        assert found.dtype == np.int8
