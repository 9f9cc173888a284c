"""The risk at each landmark is the one that would have been given on that day."""

import datetime

from lnrisk.serving.assessment import assess
from lnrisk.serving.pages.landmarks import moves_of
from lnrisk.serving.pages.words import load_words
from lnrisk.serving.patient_input import check_patient
from served import patient, small_model


def moves(as_of, model):
    given = patient()
    registry = check_patient({k: v for k, v in given.items() if k != "as_of"}).registry
    (assessment,) = assess(model, registry, as_of)
    return registry, moves_of(model, registry, assessment, load_words())


def test_each_landmark_is_scored_as_of_its_own_day():
    model, index = small_model(), datetime.date(2015, 6, 1)
    registry, rows = moves(datetime.date(2015, 11, 1), model)
    assert [row.date for row in rows] == sorted(row.date for row in rows)
    for row in rows:
        if row.move.now or row.move.risk is None:
            continue
        assert (row.date - index).days == 7 * int(row.week)
        (then,) = assess(model, registry, row.date)
        assert row.move.risk == 100 * then.risk
        ends = (100 * then.interval.lower, 100 * then.interval.upper)
        assert row.range.replace("\xa0", " ") == "{:.0f} to {:.0f} %".format(*ends)
    assert sum(row.move.now for row in rows) == 1
    assert "Too early" in rows[0].move.said


def test_no_landmark_lies_after_the_day_asked_for():
    day = datetime.date(2015, 9, 20)
    _, rows = moves(day, small_model())
    assert max(row.date for row in rows) <= day


def test_before_induction_there_is_none():
    assert moves(datetime.date(2015, 5, 20), small_model())[1] == ()


def test_where_there_is_no_risk_now_the_earlier_ones_are_still_told():
    day = datetime.date(2017, 6, 1)
    _, rows = moves(day, small_model())
    assert rows[-1].move.now
    assert rows[-1].date == day
    assert rows[-1].move.risk is None
    assert "Too late" in rows[-1].move.said
    assert [row.week for row in rows[:-1]] == ["0", "4", "8", "12", "16", "20", "26"]
    assert any(row.move.risk is not None for row in rows)
