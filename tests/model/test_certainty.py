"""How certain a label is: nothing varies, at a threshold, far from it, against a closed form."""

from dataclasses import replace

import generated
import numpy as np
import pandas as pd
import pytest
from generated import Patient
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.model.certainty import label_certainty, outcome_certainty
from lnrisk.model.definition import load_definition, presets
from lnrisk.model.label import VERDICTS, label
from lnrisk.model.outcome import outcome_by_rule
from lnrisk.model.variation import Variation
from scipy.stats import norm

DRAWS = 4000
PROBABILITIES = [f"probability_{verdict}" for verdict in VERDICTS]


def varying(upcr=0.2, egfr=0.06):
    def kind(coefficient):
        return {"levels": (1.0,), "coefficients": (coefficient,), "source": "a test"}

    return Variation(upcr=kind(upcr), protein_24h=kind(upcr), egfr=kind(egfr))


STILL = varying(0.0, 0.0)


def person(upcr, egfr=(90, 90, 90), treatments=None):
    """Two courses, the second from day 190, with values on days -3, 185 and 340; adherent."""
    mycophenolate = ("mycophenolate_mofetil", 0, 189, "3000", "mg/d", "")
    tacrolimus = ("tacrolimus", 190, None, "4", "mg/d", "")
    values = [
        (day, analyte, str(value), unit)
        for analyte, series, unit in (
            ("upcr", upcr, "g/g"),
            ("egfr", egfr, "mL/min/{1.73_m2}"),
        )
        for day, value in zip((-3, 185, 340), series, strict=False)
        if value is not None
    ]
    return Patient(
        birth=-9000,
        sex="female",
        treatments=treatments or [mycophenolate, tacrolimus],
        measurements=values,
        adherence=[(0, 189, "pdc", "0.95", ""), (190, 340, "pdc", "0.95", "")],
        events=[(760, "last_contact")],
    )


def certainty(*patients, definition="arora-2022", variation=None, draws=DRAWS):
    rule = load_definition(definition)
    return label_certainty(label(generated.registry(patients), rule), rule, variation, draws)


def failed(upcr, egfr=(90, 90, 90), **more):
    """Return the row of a patient's first course."""
    return certainty(person(upcr, egfr), **more).courses.iloc[0]


@settings(deadline=None, max_examples=40)
@given(generated.cohorts, st.sampled_from(presets()))
def test_without_variation_the_answers_are_those_of_the_rule(patients, preset):
    rule = load_definition(preset)
    labels = label(generated.registry(patients), rule)
    found = label_certainty(labels, rule, STILL, draws=2)
    answer = labels.courses["failed"]
    assert (found.courses["probability_failed"] == (answer == "yes")).all()
    assert (found.courses["probability_not_failed"] == (answer == "no")).all()
    for verdict in VERDICTS:
        given_here = labels.labels["verdict"] == verdict
        assert (found.verdicts[f"probability_{verdict}"] == given_here).all()


@settings(deadline=None, max_examples=25)
@given(generated.cohorts, st.sampled_from(presets()))
def test_probabilities_add_up_and_unknown_stays_unknown(patients, preset):
    rule = load_definition(preset)
    labels = label(generated.registry(patients), rule)
    found = label_certainty(labels, rule, varying(), draws=20)
    np.testing.assert_allclose(found.verdicts[PROBABILITIES].sum(axis=1), 1)
    unknown = found.courses["failed"] == "unknown"
    assert found.courses["failed_right"].isna().equals(unknown)
    unclear = found.verdicts["verdict"] == "indeterminate"
    assert found.verdicts["verdict_right"].isna().equals(unclear)
    unmeasured = labels.courses[["upcr_assessed", "egfr_assessed"]].isna().all(axis=1)
    never_short = ~labels.courses["reasons"].str.contains("too_short")
    nothing = found.courses.loc[unmeasured & never_short, "probability_failed"]
    assert (nothing == 0).all()


def test_at_the_threshold_it_is_one_half():
    assert failed((4.0, 3.0), variation=varying(egfr=0.0))["failed_right"] == 0.5
    assert failed((3.0, 0.01), (100, 80), variation=varying())["failed_right"] == 0.5


def test_far_from_the_threshold_it_is_certain():
    for series in ((3.0, 9.0), (6.0, 0.1)):
        assert failed(series, variation=varying())["failed_right"] == pytest.approx(1, abs=0.01)


def test_either_side_of_the_threshold_is_as_certain():
    steps = np.geomspace(1.01, 3, 12)
    people = [person((4.0, x, x)) for x in (*steps, *1 / steps)]
    found = certainty(*people, definition="upcr-1", variation=varying()).courses
    first = found[found["course"] == 1]
    above, below = (first["failed_right"].to_numpy()[half] for half in (slice(12), slice(12, 24)))
    assert first["failed"].tolist() == ["yes"] * 12 + ["no"] * 12
    np.testing.assert_allclose(above, below, atol=0.03)


@pytest.mark.parametrize("ratio", [0.4, 0.6, 0.7, 0.8, 0.95])
@pytest.mark.parametrize("egfr", [70.0, 78.0, 90.0])
def test_it_is_what_the_normal_distribution_says(ratio, egfr):
    """Proteinuria far from target, so that only the two ratios are near a threshold."""
    sd, egfr_sd = np.sqrt(np.log1p([0.2**2, 0.06**2]))
    higher = norm.cdf(np.log(ratio / 0.75) / (np.sqrt(2) * sd))
    worse = norm.cdf(np.log(0.8 / (egfr / 90)) / (np.sqrt(2) * egfr_sd))
    expected = 1 - (1 - higher) * (1 - worse)
    row = failed((20.0, 20 * ratio), (90, egfr), variation=varying())
    assert row["probability_failed"] == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(DRAWS))


def test_more_variation_is_less_certain():
    rights = [
        failed((4.0, 3.6), variation=varying(cv, 0.0))["failed_right"] for cv in (0.05, 0.2, 0.5)
    ]
    assert rights == sorted(rights, reverse=True)


def test_a_value_that_serves_twice_errs_alike_in_both_courses():
    """Too high a value on day 185 fails the first course and excuses the second."""
    row = certainty(person((3.0, 2.25, 1.69)), variation=varying(egfr=0.0))
    first, second = row.courses["probability_failed"]
    both = row.verdicts["probability_refractory"].iloc[0]
    assert first == pytest.approx(0.5, abs=0.03)
    assert second == pytest.approx(0.5, abs=0.03)
    # the correlation of the two changes is -1/2; the orthant of it is 1/4 + asin(-1/2) / 2 pi
    assert both == pytest.approx(0.25 + np.arcsin(-0.5) / (2 * np.pi), abs=0.03)


def test_a_failure_that_does_not_count_makes_nothing_refractory():
    nonadherent = replace(person((3, 3, 3)), adherence=[(0, 340, "pdc", "0.3", "")])
    row = certainty(nonadherent, variation=varying(0.1)).verdicts.iloc[0]
    assert row["verdict"] == "pseudo_refractory"
    assert row["probability_refractory"] == 0
    assert row["verdict_right"] == row["probability_pseudo_refractory"] > 0.9


def test_a_patient_is_as_certain_alone_as_among_others():
    people = [person((3, 2.4, 2.2)), person((5, 3.8, 1.0)), person((1.2, 0.55, 0.4))]
    rule = load_definition()
    whole = generated.registry(people)
    together = label_certainty(label(whole, rule), rule, varying(), 200)
    alone = whole.select(np.array([False, True, False]))
    by_itself = label_certainty(label(alone, rule), rule, varying(), 200)
    pd.testing.assert_frame_equal(
        by_itself.verdicts, together.verdicts.iloc[[1]].reset_index(drop=True)
    )


def test_no_induction_is_certain():
    nobody = replace(person((3, 3, 3)), treatments=[])
    assert certainty(nobody).verdicts["verdict_right"].tolist() == [1.0]


def test_table_has_the_courses_of_each_patient():
    nobody = replace(person((3, 3, 3)), treatments=[])
    table = certainty(person((4, 3, None)), nobody, variation=varying(egfr=0.0)).table
    assert table["failed"].tolist() == ["no;unknown", ""]
    assert table["failed_right"].tolist() == ["0.500;", ""]


def test_outcome_certainty_speaks_of_those_with_an_outcome():
    registry = generated.registry([person((3, 3, 3)), person((3, 0.2, 0.2)), person((3, 3, None))])
    rule = load_definition()
    met = outcome_certainty(registry, rule, 548, varying(0.1), DRAWS)
    assert outcome_by_rule(registry, rule, 548).y[:2].tolist() == [1, 0]
    assert met[0] > 0.9
    assert met[1] < 0.05
    assert np.isnan(met[2])


def test_summary_is_none_where_nothing_is_known():
    unmeasured = person((None, None, None), (None, None, None))
    summary = certainty(unmeasured).summary()
    assert summary["mean_probability_of_failed"] is None
    assert summary["verdicts"][0]["patients"] == 1
