"""The regimen, its intensity and what is taken beside it, by hand."""

import generated
import numpy as np
import pytest
from lnrisk.features.days import day_of
from lnrisk.features.exposure import exposure
from lnrisk.features.feature import landmark_view
from lnrisk.features.vocabulary import drugs_with_role

DAY_0 = day_of(generated.DAY_0)
NAN = np.nan


def mmf(start, end, dose="2000", reason=""):
    return "mycophenolate_mofetil", start, end, dose, "mg/d", reason


def once(drug, *days, dose="500", unit="mg", reason=""):
    return [(drug, day, day, dose, unit, reason) for day in days]


def daily(drug, start, end=None, dose="10"):
    return drug, start, end, dose, "mg/d", ""


EURO_LUPUS = once("cyclophosphamide", 0, 14, 28, 42, 56, 70)
TACROLIMUS = daily("tacrolimus", 0, None, "4")
CASES = {
    "nothing": [],
    "mmf": [mmf(0, None)],
    "mpa": [("mycophenolic_acid", 0, None, "1440", "mg/d", "")],
    "ramp": [mmf(0, 6, "500"), mmf(7, 27, "1000"), mmf(28, None, "3000")],
    "gap": [mmf(0, 55)],
    "paused at 0 mg": [mmf(0, 55), mmf(56, None, "0")],
    "no dose": [mmf(0, None, "")],
    "no dose later": [mmf(0, 39), mmf(40, None, "")],
    "no dose first": [mmf(0, 9, ""), mmf(10, None)],
    "two rows add up": [mmf(0, None, "1000"), mmf(21, None, "1000")],
    "low": [mmf(0, None, "1500")],
    "multitarget": [mmf(0, None, "1000"), TACROLIMUS],
    "class on day 28": [mmf(0, None, "1000"), daily("tacrolimus", 28)],
    "class on day 29": [mmf(0, None, "1000"), daily("tacrolimus", 29)],
    "class on day 85": [mmf(0, None), daily("tacrolimus", 85)],
    "euro-lupus": [*EURO_LUPUS, mmf(77, None)],
    "completed": [*once("cyclophosphamide", 0, 30, reason="completed"), mmf(60, None)],
    "euro-lupus failed": [
        *EURO_LUPUS[:-1],
        *once("cyclophosphamide", 70, reason="inefficacy"),
        mmf(77, None),
    ],
    "cyc": once("cyclophosphamide", 0, 14, 84, 85),
    "cyc no dose": [*once("cyclophosphamide", 0), *once("cyclophosphamide", 14, dose="")],
    "cyc by mouth": [daily("cyclophosphamide", 0, 59, "100")],
    "cyc from day 50": [mmf(0, 49), *once("cyclophosphamide", 50, 64, dose="750")],
    "cni": [
        daily("tacrolimus", 0, 9, "4"),
        daily("voclosporin", 5, 16, "40"),
        *once("belimumab", 20, 34, 48, 76, 104, dose="600"),
    ],
    "belimumab weekly": [mmf(0, None), daily("belimumab", 10, 30)],
    "obi": [mmf(0, None), *once("obinutuzumab", -1, 0, 14, 168, dose="1000")],
    "steroids": [
        *once("methylprednisolone", 0, dose="400"),
        daily("prednisone", 1, 60, "20"),
        daily("prednisolone", 61, 77, "10"),
        daily("prednisone", 78, None, "7.5"),
    ],
    "pulse before": [mmf(0, None), *once("methylprednisolone", -14, dose="250")],
    "pulse long before": [mmf(0, None), *once("methylprednisolone", -15, dose="1000")],
    "pulse too small": [mmf(0, None), *once("methylprednisolone", 0, dose="125")],
    "pulse without dose": [mmf(0, None), *once("methylprednisolone", 0, dose="")],
    "pulse in the last days": [mmf(0, None), *once("methylprednisolone", 80, dose="500")],
    "steroid without dose": [mmf(0, None), daily("prednisone", 0, 40, ""), daily("prednisone", 41)],
    "beside": [
        daily("hydroxychloroquine", -300, None, "400"),
        daily("raas_inhibitor", -5, 9),
        daily("raas_inhibitor", 40, 49),
        daily("sglt2_inhibitor", 80),
    ],
    "beside later": [
        daily("hydroxychloroquine", 85),
        daily("raas_inhibitor", 1, 1),
        daily("sglt2_inhibitor", 0),
    ],
}


def found_in(cases, landmark=84):
    people = [generated.Patient(birth=-9000, sex="female", treatments=rows) for rows in cases]
    view = landmark_view(generated.registry(people), np.full(len(people), DAY_0), landmark)
    return {feature.name: values for feature, values in exposure(view).items()}


@pytest.fixture(scope="module")
def found():
    return found_in(CASES.values())


@pytest.mark.parametrize(
    ("case", "name", "value"),
    [
        ("mmf", "started_with_mpa", 1),
        ("mmf", "started_with_cyc", 0),
        ("no dose", "started_with_mpa", 1),
        ("class on day 28", "started_with_cni", 1),
        ("class on day 28", "regimen_changed", 0),
        ("class on day 29", "started_with_cni", 0),
        ("class on day 29", "regimen_changed", 1),
        ("class on day 85", "regimen_changed", 0),
        ("cni", "started_with_bel", 1),
        ("obi", "started_with_obi", 1),
        ("ramp", "regimen_changed", 0),
        ("euro-lupus", "regimen_changed", 0),
        ("completed", "regimen_changed", 0),
        ("euro-lupus failed", "regimen_changed", 1),
        ("cyc from day 50", "regimen_changed", 1),
        ("mmf", "mpa_mg_per_day", 2000),
        ("mpa", "mpa_mg_per_day", 2000),
        ("ramp", "mpa_mg_per_day", 3000),
        ("gap", "mpa_mg_per_day", 2000 * 28 / 57),
        ("paused at 0 mg", "mpa_mg_per_day", 2000 * 28 / 57),
        ("no dose", "mpa_mg_per_day", NAN),
        ("no dose later", "mpa_mg_per_day", NAN),
        ("nothing", "mpa_mg_per_day", 0),
        ("mmf", "mpa_share_of_target", 1),
        ("low", "mpa_share_of_target", 0.75),
        ("multitarget", "mpa_share_of_target", 1),
        ("class on day 29", "mpa_share_of_target", 0.5),
        ("euro-lupus", "mpa_share_of_target", NAN),
        ("nothing", "mpa_share_of_target", NAN),
        ("mmf", "days_to_mpa_target", 0),
        ("mpa", "days_to_mpa_target", 0),
        ("ramp", "days_to_mpa_target", 28),
        ("low", "days_to_mpa_target", 85),
        ("multitarget", "days_to_mpa_target", 0),
        ("two rows add up", "days_to_mpa_target", 21),
        ("no dose", "days_to_mpa_target", NAN),
        ("no dose first", "days_to_mpa_target", NAN),
        ("no dose later", "days_to_mpa_target", 0),
        ("euro-lupus", "days_to_mpa_target", 77),
        ("nothing", "days_to_mpa_target", NAN),
        ("cyc", "cyc_mg", 1500),
        ("cyc no dose", "cyc_mg", NAN),
        ("cyc by mouth", "cyc_mg", 6000),
        ("nothing", "cyc_mg", 0),
        ("cyc", "cyc_share_of_schedule", 0.5),
        ("euro-lupus", "cyc_share_of_schedule", 1),
        ("cyc by mouth", "cyc_share_of_schedule", 2),
        ("cyc from day 50", "cyc_share_of_schedule", 1500 / 1500),
        ("cyc no dose", "cyc_share_of_schedule", NAN),
        ("nothing", "cyc_share_of_schedule", NAN),
        ("cni", "cni_share_of_days", 17 / 85),
        ("nothing", "cni_share_of_days", 0),
        ("cni", "belimumab_doses", 4),
        ("belimumab weekly", "belimumab_doses", 3),
        ("nothing", "belimumab_doses", 0),
        ("obi", "obinutuzumab_doses", 2),
        ("steroids", "prednisone_mg", 500 + 60 * 20 + 17 * 10 + 7 * 7.5),
        ("steroids", "prednisone_mg_per_day", (500 + 60 * 20 + 17 * 10 + 7 * 7.5) / 85),
        ("steroids", "prednisone_mg_per_day_at_landmark", (7 * 10 + 7 * 7.5) / 14),
        ("steroids", "pulse_methylprednisolone", 1),
        ("nothing", "prednisone_mg_per_day", 0),
        ("pulse before", "pulse_methylprednisolone", 1),
        ("pulse before", "prednisone_mg", 0),
        ("pulse long before", "pulse_methylprednisolone", 0),
        ("pulse too small", "pulse_methylprednisolone", 0),
        ("pulse without dose", "pulse_methylprednisolone", NAN),
        ("pulse without dose", "prednisone_mg", NAN),
        ("pulse without dose", "prednisone_mg_per_day_at_landmark", 0),
        ("pulse in the last days", "prednisone_mg_per_day_at_landmark", 0),
        ("pulse in the last days", "prednisone_mg", 625),
        ("steroid without dose", "prednisone_mg_per_day", NAN),
        ("steroid without dose", "prednisone_mg_per_day_at_landmark", 10),
        ("beside", "hydroxychloroquine_share_of_days", 1),
        ("beside", "raas_inhibitor_share_of_days", 20 / 85),
        ("beside", "sglt2_inhibitor_share_of_days", 5 / 85),
        ("beside", "started_raas_inhibitor", 0),
        ("beside", "started_sglt2_inhibitor", 1),
        ("beside later", "hydroxychloroquine_share_of_days", 0),
        ("beside later", "started_raas_inhibitor", 1),
        ("beside later", "started_sglt2_inhibitor", 0),
        ("nothing", "started_raas_inhibitor", 0),
    ],
)
def test_what_was_given_and_how_much(found, case, name, value):
    assert found[name][list(CASES).index(case)] == pytest.approx(value, nan_ok=True)


def test_before_day_28_the_mean_dose_is_unknown():
    for landmark, value in ((27, NAN), (28, 2000)):
        mean = found_in([CASES["mmf"]], landmark)["mpa_mg_per_day"]
        assert mean.tolist() == pytest.approx([value], nan_ok=True)


def test_on_the_index_date_nothing_has_changed_or_begun():
    features = found_in([CASES["mmf"], CASES["beside later"]], 0)
    assert features["started_with_mpa"].tolist() == [1, 0]
    assert not features["regimen_changed"].any()
    assert not features["started_sglt2_inhibitor"].any()
    assert features["prednisone_mg_per_day_at_landmark"].tolist() == [0, 0]


def test_rescue_is_never_a_feature(found):
    rows = [
        row
        for drug in sorted(drugs_with_role("rescue"))
        for row in (*once(drug, 10, dose="1000"), daily(drug, 20), daily(drug, 40, 50, ""))
    ]
    with_rescue = found_in([[*case, *rows] for case in CASES.values()])
    for name, values in found.items():
        assert with_rescue[name].tobytes() == values.tobytes()
