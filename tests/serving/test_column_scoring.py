"""Rows of features know the landmark that their risk rests on, where the model has one there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.laboratory import DAYS_PER_MONTH
from lnrisk.serving.column_scoring import landmarks_of
from served import small_model

MODEL = small_model(landmarks=(28, 84, 182))


@given(st.lists(st.integers(-50, 400)))
def test_the_landmark_is_the_day_within_those_of_the_model(days):
    found = landmarks_of(MODEL, np.array(days, dtype=np.float64) / DAYS_PER_MONTH)
    assert found == [day if 28 <= day <= 182 else None for day in days]


def test_an_unknown_time_has_no_landmark():
    assert landmarks_of(MODEL, np.array([np.nan])) == [None]
