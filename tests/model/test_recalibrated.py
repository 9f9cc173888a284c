"""A recalibrated model: every risk moved along one line, whatever the calibration."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.laboratory import LANDMARK_MONTH
from lnrisk.model.calibration_map import (
    BetaMap,
    CeilingMap,
    IsotonicMap,
    LogisticMap,
    VennAbersMap,
)
from lnrisk.model.recalibrated import recalibrated
from models import linear_model, term

PAIR = VennAbersMap((-1.0,), (0.01, 0.2), (0.1, 0.9))
MAPS = [
    LogisticMap(0.2, 0.9),
    BetaMap(0.1, 0.8, 1.2),
    CeilingMap(0.1, 0.8, 0.6),
    IsotonicMap((-2.0, 0.0, 1.0), (0.05, 0.2, 0.6)),
    PAIR,
]
FEATURES = pd.DataFrame({"a": [-4.0, 0.0, 3.0], LANDMARK_MONTH: 2.76})
REFITS = ((-1.0, 0.4, 0.1), (-1.4, 0.6, 0.0))


def model(calibration):
    return linear_model([term("a")], [0.5], calibration=calibration, venn_abers=PAIR, refits=REFITS)


def moved(risk, intercept, slope):
    log_odds = intercept + slope * (np.log(risk) - np.log1p(-risk))
    return 1 / (1 + np.exp(-log_odds))


@pytest.mark.parametrize("calibration", MAPS[:3])
@given(intercept=st.floats(-2, 2), slope=st.floats(0.2, 3))
def test_every_risk_moves_along_the_line(calibration, intercept, slope):
    before, after = model(calibration), recalibrated(model(calibration), intercept, slope, {})
    np.testing.assert_allclose(
        after.predict(FEATURES), moved(before.predict(FEATURES), intercept, slope), rtol=1e-9
    )
    for one, other in zip(after.interval(FEATURES), before.interval(FEATURES), strict=True):
        np.testing.assert_allclose(one, moved(other, intercept, slope), rtol=1e-9)


@pytest.mark.parametrize("calibration", MAPS)
def test_tables_move_at_their_knots_and_the_pair_with_them(calibration):
    after = recalibrated(model(calibration), 0.3, 0.8, {})
    for one, other in zip(after.pair(FEATURES), model(calibration).pair(FEATURES), strict=True):
        np.testing.assert_allclose(one, moved(other, 0.3, 0.8), rtol=1e-9)
    assert (np.diff(after.predict(FEATURES)) >= 0).all()


def test_it_is_another_model_that_knows_where_it_comes_from():
    before = model(MAPS[0])
    after = recalibrated(before, 0.3, 0.8, {"site": "north"})
    assert after.sha256 != before.sha256
    (step,) = after.training["recalibrations"]
    assert step == {"intercept": 0.3, "slope": 0.8, "from": before.sha256, "site": "north"}
    twice = recalibrated(after, 0.1, 1.0, {"site": "south"})
    assert [one["site"] for one in twice.training["recalibrations"]] == ["north", "south"]


def test_a_slope_that_turns_the_ranking_round_is_refused():
    with pytest.raises(ValueError, match="turn the ranking round"):
        recalibrated(model(MAPS[0]), 0.0, -0.5, {})
