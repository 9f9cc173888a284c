"""Which test to order next: ranges that hold what measuring would give, the widest first."""

import datetime
from dataclasses import replace

import numpy as np
from lnrisk.features.laboratory import DAYS_PER_MONTH, knot_months
from lnrisk.features.posterior import posterior
from lnrisk.features.trajectories import Trajectory
from lnrisk.serving.answers import assess_request, assess_requests
from lnrisk.serving.missing import _one_value, missing_of
from lnrisk.serving.patient_input import check_patient
from lnrisk.serving.rows import PatientTables
from lnrisk.serving.scoring import scored
from models import linear_model, term
from served import broad_model, patient

DAY = "2015-08-24"

MONTH = 84 / 30.4375
C3 = Trajectory("c3", ("started_with_mpa",), ((80.0, 4.0, 0.0), (0.0, 1.0, 0.0)),
                (400.0, 0.0, 4.0), 100.0, None, 50, 200)  # fmt: skip


def model():
    terms = [
        replace(term("c3_level", mean=90.0, scale=20.0, lowest=20, highest=180), unit="mg/dL"),
        replace(term("class_membranous", lowest=0.0, highest=1.0), table="biopsies"),
        replace(term("cyc_share_of_schedule", lowest=0.0, highest=1.0), table="treatments"),
        replace(term("chronicity_index", lowest=0.0, highest=12.0), table="biopsies"),
    ]
    return linear_model(terms, [-0.8, 0.05, 0.5, 0.4], trajectories=(C3,))


def inputs(n=1, **known):
    columns = {name: np.zeros(n) for name in model().input_names}
    columns["landmark_month"] = np.full(n, MONTH)
    columns["started_with_mpa"] = np.ones(n)
    for name in ("class_membranous", "cyc_share_of_schedule", "chronicity_index"):
        columns[name] = np.full(n, np.nan)
    return {**columns, **{name: np.array(values) for name, values in known.items()}}


def asked(columns):
    terms = np.column_stack(list(model().terms_of(columns).values()))
    return missing_of(model(), columns, terms)


def risk(columns):
    made = model().terms_of(columns)
    return model().risk_of(model().design_of(made, columns["landmark_month"]))


def test_the_widest_range_comes_first_and_drugs_not_given_are_not_missing():
    (found,) = asked(inputs())
    assert {each.name for each in found} == {"chronicity_index", "c3"}
    widths = [each.risk_highest - each.risk_lowest for each in found]
    assert widths == sorted(widths, reverse=True)


def test_a_feature_is_tried_over_its_range_in_training():
    (found,) = asked(inputs())
    each = next(each for each in found if each.name == "chronicity_index")
    ends = [risk(inputs(chronicity_index=[value]))[0] for value in (0.0, 12.0)]
    assert [each.risk_lowest, each.risk_highest] == sorted(ends)
    assert (each.lowest, each.highest) == ("0", "12")


def test_a_test_that_tells_several_things_is_asked_for_once():
    (found,) = asked(inputs())
    biopsy = next(each.lack for each in found if each.name == "chronicity_index")
    assert (biopsy.topic, biopsy.whole) == ("biopsy", True)
    assert biopsy.features == ("class_membranous", "chronicity_index")


def test_yes_or_no_is_said_so():
    (found,) = asked(inputs(chronicity_index=[3.0]))
    each = next(each for each in found if each.name == "class_membranous")
    assert (each.lowest, each.highest) == ("no", "yes")


def test_an_analyte_is_tried_over_what_is_expected_of_such_a_patient():
    (found,) = asked(inputs())
    each = next(each for each in found if each.name == "c3")
    mean = 80.0 + 5.0 * MONTH
    spread = 1.6448536 * np.sqrt(400.0 + 4.0 * MONTH**2 + 100.0)
    assert (each.lowest, each.highest) == (
        f"{mean - spread:.3g} mg/dL",
        f"{mean + spread:.3g} mg/dL",
    )
    sums = np.zeros((1, 18))
    y = mean + spread
    sums[0, :10] = [1, MONTH, 0, MONTH**2, 0, 0, y, MONTH * y, 0, y * y]
    level = posterior(C3, sums, np.ones((1, 1)), np.array([MONTH])).level[0]
    measured = inputs() | {
        f"c3:{name}": np.array([value])
        for name, value in zip(
            ["n", "t", "k", "tt", "tk", "kk", "y", "ty", "ky", "yy"], sums[0, :10], strict=True
        )
    }
    np.testing.assert_allclose(model().terms_of(measured)["c3_level"], level)
    np.testing.assert_allclose(each.risk_lowest, risk(measured)[0], rtol=1e-6)


def test_what_was_measured_is_not_asked_for():
    measured = {f"c3:{name}": [1.0] for name in ("n", "y", "yy")}
    (found,) = asked(inputs(chronicity_index=[3.0], class_membranous=[0.0], **measured))
    assert found == ()


def test_a_patient_is_asked_the_same_beside_others():
    both = inputs(2, chronicity_index=[np.nan, 4.0], class_membranous=[1.0, np.nan])
    together = asked(both)
    for row in range(2):
        alone = {name: values[row : row + 1] for name, values in both.items()}
        assert asked(alone) == [together[row]]


BROAD = broad_model()


def assessed(**changes):
    return assess_request(BROAD, PatientTables.model_validate(patient(as_of=DAY, **changes)))


def lab(analyte, value, unit, date="2015-08-24"):
    return {"date": date, "analyte": analyte, "value": value, "unit": unit}


def test_of_many_terms_each_test_is_asked_for_once():
    answer = assessed()
    assert answer.status == "ok"
    lacks = [each.lack for each in answer.missing]
    assert len({lack.topic for lack in lacks}) == len(lacks)
    assert {"c3", "biopsy", "egfr"} <= {lack.topic for lack in lacks}
    assert sum(len(lack.features) for lack in lacks) > 2 * len(lacks)
    (caution,) = (each for each in answer.cautions if each.code == "missing")
    assert len(caution.text) < 400
    assert {lack.topic for lack in lacks} <= {lack.topic for lack in caution.lacks}


def test_of_many_terms_a_batch_says_what_one_alone_says():
    measured = [*patient()["measurements"], lab("c3", 70, "mg/dL")]
    requests = [PatientTables.model_validate(patient(as_of=DAY, measurements=rows))
                for rows in (patient()["measurements"], measured)]  # fmt: skip
    alone = [assess_request(BROAD, request) for request in requests]
    assert assess_requests(BROAD, requests) == alone
    assert alone[0].missing != alone[1].missing


def test_what_one_value_would_tell_is_what_the_features_tell_of_it():
    tables = patient(as_of=DAY)
    tables["measurements"].append(lab("c3", 70, "mg/dL"))
    features = scored(BROAD, check_patient(tables).registry, datetime.date(2015, 8, 24)).features
    month = 84 / DAYS_PER_MONTH
    tried = _one_value("c3", month, month - knot_months("c3"), 70.0, features)
    assert {name for name in tried if ":" not in name} >= {"c3_last", "c3_count", "c3_mean"}
    for name, value in tried.items():
        np.testing.assert_allclose(value, features[name][0], rtol=1e-9, atol=1e-9, err_msg=name)


def test_a_feature_is_tried_between_the_deciles_of_training_where_they_are_told():
    edges = [2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 6.5, 7.0, 8.0]
    bins = {name: {"edges": []} for name in model().feature_names}
    support = {"84": {"terms": {**bins, "chronicity_index": {"edges": edges}}}}
    told = replace(model(), training={**model().training, "support": support})
    columns = inputs(class_membranous=[0.0])
    terms = np.column_stack(list(told.terms_of(columns).values()))
    (found,) = missing_of(told, columns, terms)
    each = next(each for each in found if each.name == "chronicity_index")
    assert (each.lowest, each.highest) == ("2", "8")
