"""Texts: what is asked of the distinct ones is the answer for every row."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.texts import Texts, as_text

CELLS = st.lists(st.sampled_from(["", " ", "mg", " mg", "mg ", "g", "1", None]), max_size=12)


@given(CELLS)
def test_text_and_categories_are_the_same_texts(written):
    plain = pd.Series(written, dtype="str")
    for cells in (plain, plain.astype("category"), plain.astype("object")):
        texts = Texts.of(cells)
        assert [texts[row] for row in range(len(texts))] == as_text(plain).tolist()
        assert texts.distinct.tolist() == as_text(plain).unique().tolist()


def test_numbers_as_categories_are_text():
    texts = Texts.of(pd.Series([7, 5, 7, None]).astype("Int64").astype("category"))
    assert texts.distinct.tolist() == ["7", "5", ""]


@given(CELLS)
def test_a_question_to_each_distinct_text_is_answered_for_every_row(written):
    texts = Texts.of(pd.Series(written, dtype="str"))
    each = as_text(pd.Series(written, dtype="str"))
    assert texts.among(("mg", "")).tolist() == each.isin(["mg", ""]).tolist()
    assert texts.missing.tolist() == (each == "").tolist()
    assert texts.repeated.tolist() == each.duplicated().tolist()
    wanted = each.map({"g": 1000.0, "mg": 1.0}).to_numpy(dtype=float)
    np.testing.assert_array_equal(texts.numbers({"g": 1000.0, "mg": 1.0}), wanted)
    chosen = np.arange(len(texts)) % 2 == 0
    pd.testing.assert_series_equal(texts.series(chosen), each[chosen].reset_index(drop=True))
    pd.testing.assert_extension_array_equal(texts.categorical(), pd.Categorical(each))


@given(st.lists(st.sampled_from(["", " ", "mg", " mg", "g"]), max_size=12))
def test_a_list_has_the_texts_of_a_column(written):
    listed, column = Texts.listed(written), Texts.of(pd.Series(written, dtype="str"))
    assert listed.codes.tolist() == column.codes.tolist()
    assert listed.distinct.tolist() == column.distinct.tolist()
