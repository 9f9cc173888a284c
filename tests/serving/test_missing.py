"""Which test to order next: ranges that hold what measuring would give, the widest first."""

from dataclasses import replace

import numpy as np
from lnrisk.features.posterior import posterior
from lnrisk.features.trajectories import Trajectory
from lnrisk.serving.missing import missing_of
from models import linear_model, term

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
    assert {each.name for each in found} == {"chronicity_index", "c3", "class_membranous"}
    widths = [each.risk_highest - each.risk_lowest for each in found]
    assert widths == sorted(widths, reverse=True)


def test_a_feature_is_tried_over_its_range_in_training():
    (found,) = asked(inputs())
    each = next(each for each in found if each.name == "chronicity_index")
    ends = [risk(inputs(chronicity_index=[value]))[0] for value in (0.0, 12.0)]
    assert [each.risk_lowest, each.risk_highest] == sorted(ends)
    assert (each.lowest, each.highest) == ("0", "12")


def test_yes_or_no_is_said_so():
    (found,) = asked(inputs())
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
