"""Rows of features know the landmark that their risk rests on, where the model has one there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.laboratory import DAYS_PER_MONTH, LANDMARK_MONTH
from lnrisk.model.artifact import ROWS_TOGETHER
from lnrisk.serving.column_scoring import landmarks_of, score_columns
from served import broad_model, small_model

MODEL = small_model(landmarks=(28, 84, 182))


@given(st.lists(st.integers(-50, 400)))
def test_the_landmark_is_the_day_within_those_of_the_model(days):
    found = landmarks_of(MODEL, np.array(days, dtype=np.float64) / DAYS_PER_MONTH)
    assert found == [day if 28 <= day <= 182 else None for day in days]


def test_an_unknown_time_has_no_landmark():
    assert landmarks_of(MODEL, np.array([np.nan])) == [None]


def test_many_terms_are_scored_the_same_alone_as_among_many_rows():
    model, random = broad_model(), np.random.default_rng(3)
    n = 2 * ROWS_TOGETHER + 7
    columns = {name: random.uniform(0, 3, n) for name in model.input_names}
    columns[LANDMARK_MONTH] = np.full(n, 84 / DAYS_PER_MONTH)
    for name in model.input_names:
        if ":" in name:
            columns[name] = np.zeros(n)
    for name in ("c3_change", "tma", "il6_last", "mpa_share_of_target"):
        columns[name][random.random(n) < 0.5] = np.nan
    together = score_columns(model, columns)
    assert (together.status == "ok").all()
    for row in (0, ROWS_TOGETHER - 1, ROWS_TOGETHER, n - 1):
        alone = score_columns(model, {name: v[row : row + 1] for name, v in columns.items()})
        for name in ("risk", "risk_lower", "risk_upper"):
            assert getattr(alone, name)[0] == getattr(together, name)[row]
