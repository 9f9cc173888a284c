"""Which terms were missing together, against a plain search through the training rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lnrisk.model.gaps import as_flags, missing_together, never_together

TERMS = 5
gaps = st.integers(1, 12).flatmap(lambda rows: arrays(bool, (rows, TERMS)))


def values(missing):
    return np.where(missing, np.nan, 1.0)


@given(gaps, gaps)
def test_whoever_lacks_no_more_than_some_training_row_is_like_it(training, asked):
    seen = as_flags(missing_together(values(training)), TERMS)
    expected = [not any((row <= one).all() for one in training) for row in asked]
    assert never_together(values(asked), seen).tolist() == [
        one and bool(row.any()) for one, row in zip(expected, asked, strict=True)
    ]


@given(gaps)
def test_no_pattern_lies_inside_another_and_every_training_row_inside_one(training):
    patterns = missing_together(values(training))
    flags = as_flags(patterns, TERMS)
    assert len(set(patterns)) == len(patterns)
    for number, one in enumerate(flags):
        others = np.delete(flags, number, axis=0)
        assert not (one <= others).all(axis=1).any()
    assert not never_together(values(training), flags).any()


@pytest.mark.parametrize("terms", [0, 3])
def test_a_model_without_gaps_takes_whoever_lacks_nothing(terms):
    whole = np.ones((2, terms))
    seen = as_flags(missing_together(whole), terms)
    assert never_together(whole, seen).tolist() == [False, False]


def test_without_any_pattern_nobody_may_lack_anything():
    assert never_together(values([[False], [True]]), as_flags((), 1)).tolist() == [False, True]


@given(st.integers(0, 2**32), st.integers(1, 140))
def test_the_number_of_terms_does_not_matter(seed, terms):
    random = np.random.default_rng(seed)
    training, asked = random.random((6, terms)) < 0.5, random.random((9, terms)) < 0.5
    asked[:6] &= training
    seen = as_flags(missing_together(values(training)), terms)
    expected = [not any((row <= one).all() for one in training) for row in asked]
    assert never_together(values(asked), seen).tolist() == expected
