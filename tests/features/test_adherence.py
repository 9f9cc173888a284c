"""Signals of adherence from the index date to the landmark, by hand and by counting day by day."""

import math
import tomllib
from pathlib import Path

import bundles
import generated
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.features import adherence as module
from lnrisk.features.adherence import adherence
from lnrisk.features.adherence_probability import adherence_model, adherence_probability
from lnrisk.features.days import day_of
from lnrisk.features.feature import landmark_view
from lnrisk.features.gaps import covered_and_gap

INDEX = day_of(np.datetime64("2020-01-01").item())
DAY_0 = day_of(generated.DAY_0)
LANDMARK = 84
NAN = np.nan
HEADER = {name: text.partition("\n")[0] for name, text in bundles.GOOD.items()}
FILE = tomllib.loads(Path(module.__file__).with_name("adherence.toml").read_text(encoding="utf-8"))


def found_in(landmark=LANDMARK, **tables):
    registry = bundles.registry(
        **{name: "\n".join([HEADER[name], *rows]) + "\n" for name, rows in tables.items()}
    )
    features = adherence(landmark_view(registry, np.array([INDEX, INDEX]), landmark))
    return {feature.name: values for feature, values in features.items()}


def of_treatments(*cases, measurements=()):
    people = [
        generated.Patient(-9000, "female", treatments=rows, measurements=list(measurements))
        for rows in cases
    ]
    view = landmark_view(generated.registry(people), np.full(len(people), DAY_0), LANDMARK)
    return {feature.name: values for feature, values in adherence(view).items()}


def mmf(start, end=None, dose="2000", reason=""):
    return "mycophenolate_mofetil", start, end, dose, "mg/d", reason


def infusions(drug, *days):
    return [(drug, day, day, "500", "mg", "") for day in days]


@pytest.fixture(scope="module")
def found():
    return found_in(
        adherence=(
            "anna,2019-12-02,2020-01-10,pdc,0.5,",
            "anna,2020-01-11,2020-02-09,mpr,0.9,mycophenolic_acid",
            "anna,2020-01-01,2020-03-25,pdc,0.1,prednisone",
            "anna,2020-02-10,2020-03-26,pdc,0,",
            "anna,2019-11-01,2019-12-31,pdc,0,",
            "anna,2020-01-01,2020-01-31,missed_infusions,1,",
            "anna,2020-02-01,2020-02-29,missed_infusions,2,",
            "anna,2020-02-15,2020-03-05,missed_infusions,0,",
            "anna,2020-01-01,2020-01-01,clinician,1,",
            "anna,2020-02-01,2020-02-03,clinician,0,",
            "bert,2020-01-01,2020-03-25,missed_visits,0,",
        ),
        measurements=(
            "anna,2019-12-31,hcq_blood,9,ng/mL,",
            "anna,2020-01-01,hcq_blood,1,umol/L,",
            "anna,2020-02-01,hcq_blood,100,ng/mL,",
            "anna,2020-03-25,hcq_blood,200,ng/mL,",
            "anna,2020-03-26,hcq_blood,9,ng/mL,",
            "anna,2020-01-20,tacrolimus_trough,4,ng/mL,",
            "anna,2020-01-30,tacrolimus_trough,6,ng/mL,",
            "anna,2020-02-20,tacrolimus_trough,8,ng/mL,",
            "anna,2020-01-30,mpa_trough,2,mg/L,",
            "bert,2020-01-01,hcq_serum,150,ng/mL,",
            "bert,2020-01-02,hcq_serum,250,ng/mL,",
            "bert,2020-01-20,tacrolimus_trough,4,ng/mL,",
            "bert,2020-01-30,tacrolimus_trough,6,ng/mL,",
        ),
    )


@pytest.mark.parametrize(
    ("name", "anna", "bert"),
    [
        ("refill_share", (10 * 0.5 + 30 * 0.9) / 40, NAN),
        ("refill_coverage", 40 / 85, 0),
        ("self_reported_share", NAN, NAN),
        ("self_report_coverage", 0, 0),
        ("clinician_says_adherent", 1 / 4, NAN),
        ("clinician_coverage", 4 / 85, 0),
        ("missed_infusions", 3, NAN),
        ("missed_infusions_coverage", 65 / 85, 0),
        ("missed_visits", NAN, 0),
        ("missed_visits_coverage", 0, 1),
        ("hcq_blood", 200, NAN),
        ("hcq_serum", NAN, 200),
        ("mpa_trough", 2, NAN),
        ("tacrolimus_trough", 6, 5),
        ("tacrolimus_variation", 2 / 6, NAN),
        ("adherence_evidence", 6, 4),
        ("nonadherence_shown", 1, 0),
    ],
)
def test_each_measure_speaks_for_its_days_and_silence_is_unknown(found, name, anna, bert):
    assert found[name].tolist() == pytest.approx([anna, bert], nan_ok=True)


def test_one_probability_from_all_that_speaks(found):
    anna = 3 * 3 * 0.8 * 1.3 * 1.3 * 0.15 * 0.4  # refills, blood, troughs, missed, clinician
    bert = 3 * 1 * 1.3 * 1.2 * 4  # serum, trough, visits, infused only
    assert found["adherence_probability"].tolist() == pytest.approx(
        [anna / (1 + anna), bert / (1 + bert)]
    )


def test_without_evidence_the_probability_is_the_prior_and_says_so():
    features = of_treatments([mmf(0)], [])
    assert features["adherence_probability"].tolist() == pytest.approx([0.75, 0.75])
    assert features["adherence_evidence"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("adherence", "measurements", "shown"),
    [
        ((), (), 0),
        (("anna,2020-01-02,2020-03-01,pdc,0.8,",), (), 0),
        (("anna,2020-01-02,2020-03-01,pdc,0.79,",), (), 1),
        (("anna,2020-01-02,2020-03-01,mpr,0.1,prednisone",), (), 0),
        (("anna,2019-10-02,2019-12-01,pdc,0.1,",), (), 0),
        (("anna,2020-04-02,2020-05-01,pdc,0.1,",), (), 0),
        (("anna,2020-01-02,2020-03-01,missed_infusions,1,",), (), 0),
        (("anna,2020-01-02,2020-03-01,missed_infusions,2,",), (), 1),
        (("anna,2020-01-02,2020-03-01,self_report,0.1,",), (), 0),
        (("anna,2020-01-02,2020-03-01,clinician,0,",), (), 0),
        ((), ("anna,2020-02-01,hcq_blood,199,ng/mL,",), 1),
        ((), ("anna,2020-02-01,hcq_blood,200,ng/mL,",), 0),
        ((), ("anna,2020-02-01,hcq_serum,105,ng/mL,",), 1),
        ((), ("anna,2020-02-01,mpa_trough,0,mg/L,",), 0),
    ],
)
def test_only_objective_evidence_up_to_the_landmark_shows_nonadherence(
    adherence, measurements, shown
):
    features = found_in(adherence=adherence, measurements=measurements)
    assert features["nonadherence_shown"].tolist() == [shown, 0]


GAPS = [
    ([mmf(0)], 0, 0),
    ([mmf(0, 20), mmf(31, 60)], 24, 34),
    ([mmf(0, 50), mmf(10, 20), mmf(60)], 9, 9),
    ([mmf(0, 50), mmf(51, None, "0")], 34, 34),
    ([mmf(5, 84)], 5, 5),
    ([mmf(0, 20), ("tacrolimus", 30, 49, "4", "mg/d", ""), mmf(60)], 10, 19),
    ([mmf(0, 27), *infusions("cyclophosphamide", 28, 56)], 1, 1),
    ([mmf(0, 27), *infusions("belimumab", 28, 56)], 57, 57),
    ([("cyclophosphamide", 0, 70, "100", "mg/d", "")], 14, 14),
    (infusions("cyclophosphamide", 0, 28, 56), NAN, NAN),
    ([*infusions("cyclophosphamide", 0, 14), mmf(29)], NAN, NAN),
    ([*infusions("cyclophosphamide", 0, 14), mmf(28, 40)], 43, 43),
    ([], NAN, NAN),
]


def test_gaps_count_where_the_regimen_is_oral():
    """Each case: rows, the longest gap, days without."""
    features = of_treatments(*(rows for rows, _, _ in GAPS))
    assert features["longest_gap"].tolist() == pytest.approx([g for _, g, _ in GAPS], nan_ok=True)
    assert (features["gap_share_of_days"] * 85).tolist() == pytest.approx(
        [days for _, _, days in GAPS], nan_ok=True
    )


TAKEN = [
    ([], True),
    ([("hydroxychloroquine", -50, None, "400", "mg/d", "")], True),
    ([("hydroxychloroquine", -49, None, "400", "mg/d", "")], False),
    ([("hydroxychloroquine", -300, 39, "400", "mg/d", "")], False),
    (
        [
            ("hydroxychloroquine", -300, -20, "400", "mg/d", ""),
            ("hydroxychloroquine", -19, None, "200", "mg/d", ""),
        ],
        True,
    ),
    (
        [
            ("hydroxychloroquine", -300, -20, "400", "mg/d", ""),
            ("hydroxychloroquine", 0, None, "200", "mg/d", ""),
        ],
        False,
    ),
]


def test_a_level_counts_after_ninety_days_of_hydroxychloroquine():
    """Each case: rows of hydroxychloroquine, whether the level on day 40 counts."""
    level = [(40, "hcq_blood", "100", "ng/mL")]
    features = of_treatments(*([mmf(0), *rows] for rows, _ in TAKEN), measurements=level)
    counts = np.array([each for _, each in TAKEN])
    wanted = np.where(counts, 100, NAN)
    assert features["hcq_blood"].tolist() == pytest.approx(wanted.tolist(), nan_ok=True)
    assert features["adherence_evidence"].tolist() == counts.astype(float).tolist()
    assert features["adherence_probability"] == pytest.approx(np.where(counts, 0.6 / 1.6, 0.75))


def test_a_trough_after_a_recorded_stop_does_not_count():
    trough = [(70, "mpa_trough", "0.1", "mg/L")]
    features = of_treatments([mmf(0)], [mmf(0, 60)], measurements=trough)
    assert features["mpa_trough"].tolist() == pytest.approx([0.1, NAN], nan_ok=True)
    assert features["adherence_probability"].tolist() == pytest.approx([0.3 / 1.3, 0.75])


def test_serum_speaks_only_where_blood_does_not():
    both = [(40, "hcq_blood", "600", "ng/mL"), (41, "hcq_serum", "50", "ng/mL")]
    features = of_treatments([mmf(0)], measurements=both)
    assert (features["hcq_blood"][0], features["hcq_serum"][0]) == (600, 50)
    assert features["adherence_probability"].tolist() == pytest.approx([0.9])
    assert features["adherence_evidence"].tolist() == [1]


TREATED = [
    (infusions("cyclophosphamide", 0, 14), 4),
    (infusions("belimumab", 0) + infusions("cyclophosphamide", 0), 4),
    ([*infusions("cyclophosphamide", 0, 14), mmf(84)], 1),
    ([("belimumab", 0, None, "30", "mg/d", "")], 1),
    ([mmf(0, 50, reason="nonadherence"), mmf(60)], 0.1),
    ([mmf(0, 85, reason="nonadherence")], 1),
    ([mmf(0), ("rituximab", 20, 30, "1000", "mg/d", "nonadherence")], 1),
]


def test_what_treatments_say_of_adherence():
    """Each case: rows, the likelihood ratio that they add up to."""
    features = of_treatments(*(rows for rows, _ in TREATED))
    odds = 3 * np.array([ratio for _, ratio in TREATED])
    assert features["adherence_probability"] == pytest.approx(odds / (1 + odds))
    assert features["adherence_evidence"].tolist() == [float(r != 1) for _, r in TREATED]


def band(kind, value):
    return [entry["ratio"] for entry in FILE["evidence"][kind]["bands"] if entry["from"] <= value][
        -1
    ]


@pytest.mark.parametrize(
    ("kind", "value", "ratio"),
    [
        ("refills", 0.49, 0.1),
        ("refills", 0.5, 0.4),
        ("refills", 0.1 + 0.7, 3.0),
        ("hydroxychloroquine_blood", 199.9, 0.2),
        ("hydroxychloroquine_blood", 200.0, 0.8),
        ("hydroxychloroquine_blood", 500.0, 3.0),
        ("hydroxychloroquine_serum", 105.9, 0.25),
        ("hydroxychloroquine_serum", 106.0, 1.0),
        ("hydroxychloroquine_serum", 230.0, 3.0),
        ("missed_infusions", 1.0, 0.8),
        ("missed_infusions", 9.0, 0.15),
        ("clinician", 0.99, 0.4),
    ],
)
def test_a_band_begins_at_its_lowest_value(kind, value, ratio):
    assert adherence_model().log_ratio(kind, np.array([value])) == pytest.approx(math.log(ratio))


VALUES = {
    "refills": st.floats(0, 1),
    "self_report": st.floats(0, 1),
    "clinician": st.sampled_from((0.0, 0.5, 1.0)),
    "hydroxychloroquine_blood": st.floats(0, 3000),
    "missed_infusions": st.integers(0, 5).map(float),
    "mycophenolate_trough": st.floats(0, 6),
    "infused_only": st.just(1.0),
}


@given(st.lists(st.fixed_dictionaries({}, optional=VALUES), min_size=1, max_size=5))
@settings(deadline=None)
def test_the_probability_is_the_product_of_odds_by_hand(patients):
    kinds = {k: np.array([p.get(k, NAN) for p in patients]) for k in VALUES}
    probability, count = adherence_probability(kinds)
    for position, patient in enumerate(patients):
        odds = FILE["prior"] / (1 - FILE["prior"])
        for kind, value in patient.items():
            odds *= band(kind, value + 1e-9)
        assert probability[position] == pytest.approx(odds / (1 + odds), rel=1e-12)
        assert count[position] == len(patient)
    assert ((probability > 0) & (probability < 1)).all()


INTERVALS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-10, 40), st.integers(0, 12)), max_size=9
)


@given(
    INTERVALS, st.lists(st.tuples(st.integers(-5, 20), st.integers(0, 25)), min_size=3, max_size=3)
)
@settings(deadline=None)
def test_coverage_and_gaps_are_those_counted_day_by_day(intervals, spans):
    patient, start, length = (
        np.array([entry[i] for entry in intervals], dtype=np.int64) for i in range(3)
    )
    first = np.array([span[0] for span in spans])
    last = first + np.array([span[1] for span in spans])
    covered, gap = covered_and_gap(patient, start, start + length, first, last)
    for person in range(3):
        taken = {
            day
            for owner, begin, more in intervals
            if owner == person
            for day in range(begin, begin + more + 1)
        }
        marks = "".join("x" if d in taken else "." for d in range(first[person], last[person] + 1))
        assert covered[person] == marks.count("x")
        assert gap[person] == max(len(run) for run in marks.split("x"))


def test_every_ratio_has_a_source_and_bands_ascend():
    assert 0 < FILE["prior"] < 1
    for kind, entry in FILE["evidence"].items():
        lowest = [each["from"] for each in entry["bands"]]
        assert lowest == sorted(set(lowest)), kind
        for each in entry["bands"]:
            assert each["ratio"] > 0
            assert each["source"].strip(), kind
    assert set(FILE["evidence"]) == set(adherence_model().bands)
