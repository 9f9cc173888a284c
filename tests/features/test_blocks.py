"""What holds for every block: no order, nobody else, nothing later, no rescue, and a dictionary."""

from dataclasses import replace

import generated
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lnrisk.features.adherence import adherence
from lnrisk.features.checks import check_bundle
from lnrisk.features.chronicity import chronicity
from lnrisk.features.days import NEVER, day_of
from lnrisk.features.egfr import first_anchor_day
from lnrisk.features.exposure import exposure
from lnrisk.features.feature import landmark_view
from lnrisk.features.reading import RawTable
from lnrisk.features.registry import Registry
from lnrisk.features.vocabulary import drugs_with_role

BLOCKS = (chronicity, adherence, exposure)
DAY_0 = day_of(generated.DAY_0)
few = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)

BESIDE = ("hydroxychloroquine", "methylprednisolone", "raas_inhibitor", "sglt2_inhibitor")
LEVELS = (("hcq_serum", "ng/mL"), ("mpa_trough", "mg/L"), ("tacrolimus_trough", "ng/mL"))


@st.composite
def more(draw):
    """Draw a patient with co-treatment, levels and visits beside the generated records."""
    person = draw(generated.patient())
    start = st.integers(-200, 200)
    days = st.one_of(st.none(), st.integers(0, 300))
    drug = st.tuples(st.sampled_from(BESIDE), start, days, st.sampled_from(("", "5", "400")))
    given_ = [
        (name, day, None if length is None else day + length, dose, "mg/d", "")
        for name, day, length, dose in draw(st.lists(drug, max_size=4))
    ]
    value = st.sampled_from(("0.1", "3", "150", "7"))
    level = st.tuples(generated.DAYS, st.sampled_from(LEVELS), value)
    levels = [(day, name, v, unit) for day, (name, unit), v in draw(st.lists(level, max_size=6))]
    visits = draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=2))
    missed = [(day, day + length, "missed_visits", "1", "") for day, length in visits]
    return replace(
        person,
        treatments=[*person.treatments, *given_],
        measurements=[*person.measurements, *levels],
        adherence=[*person.adherence, *missed],
    )


cohorts = st.lists(more(), min_size=1, max_size=6)
landmarks = st.sampled_from((0, 27, 28, 84, 180, 400))


def values(registry, landmark, index=None):
    """Return patients in rows, features of all blocks in columns; nan without an index date."""
    index = first_anchor_day(registry) if index is None else index
    view = landmark_view(registry, index, landmark)
    columns = [value for block in BLOCKS for value in block(view).values()]
    return np.where(view.indexed[:, None], np.column_stack(columns), np.nan)


def same(found, wanted):
    return found.tobytes() == wanted.tobytes()


@few
@given(cohorts, landmarks, st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(cohort, landmark, order):
    wanted = values(generated.registry(cohort), landmark)
    assert same(values(generated.registry(cohort, order=order), landmark), wanted)


@few
@given(cohorts, landmarks)
def test_a_patient_is_the_same_alone_and_in_company(cohort, landmark):
    registry = generated.registry(cohort)
    together = values(registry, landmark)
    for position in range(len(cohort)):
        alone = values(registry.select(np.arange(len(cohort)) == position), landmark)
        assert same(alone[0], together[position])


@few
@given(cohorts, cohorts, landmarks)
def test_nothing_after_the_landmark_changes_a_bit(cohort, others, landmark):
    registry = generated.registry(cohort)
    index = first_anchor_day(registry)
    cuts = np.where(index < NEVER, index - DAY_0, 0) + landmark

    def later(rows, day, cut):
        return [row for row in rows if row[day] > cut]

    grown = [
        replace(
            person,
            treatments=person.treatments + later(other.treatments, 1, cut),
            measurements=person.measurements + later(other.measurements, 0, cut),
            adherence=person.adherence + later(other.adherence, 1, cut),
            biopsies=person.biopsies + later(other.biopsies, 0, cut),
        )
        for person, other, cut in zip(cohort, others * len(cohort), cuts, strict=False)
    ]
    found = values(generated.registry(grown), landmark, index)
    assert same(found, values(registry, landmark, index))


@few
@given(cohorts, landmarks)
def test_an_end_after_the_landmark_is_not_known(cohort, landmark):
    registry = generated.registry(cohort)
    index = first_anchor_day(registry)

    def ongoing(row, cut):
        drug, start, end, dose, unit, _ = row
        later = end is not None and end > cut and unit == "mg/d"
        return (drug, start, None, dose, unit, "") if later else row

    seen = [
        replace(person, treatments=[ongoing(r, i + landmark) for r in person.treatments])
        for person, i in zip(cohort, index - DAY_0, strict=True)
    ]
    assert same(
        values(generated.registry(seen), landmark, index), values(registry, landmark, index)
    )


@few
@given(cohorts, landmarks, st.sampled_from(sorted(drugs_with_role("rescue"))), st.integers(0, 300))
def test_rescue_is_never_a_feature(cohort, landmark, drug, day):
    rows = [
        (drug, day, day, "1000", "mg", "inefficacy"),
        (drug, day, None, "20", "mg/d", ""),
        (drug, max(day - 30, 0), day, "", "mg/d", "nonadherence"),
    ]
    rescued = [replace(person, treatments=[*person.treatments, *rows]) for person in cohort]
    wanted = values(generated.registry(cohort), landmark)
    assert same(values(generated.registry(rescued), landmark), wanted)


@few
@given(cohorts, landmarks)
def test_values_are_in_their_range(cohort, landmark):
    registry = generated.registry(cohort)
    view = landmark_view(registry, first_anchor_day(registry), landmark)
    for block in BLOCKS:
        for feature, value in block(view).items():
            seen = value[view.indexed & ~np.isnan(value)]
            assert np.isfinite(seen).all(), feature.name
            assert (seen >= 0).all() or feature.name == "chronicity_index_shrunken", feature.name
            if feature.name.endswith(("share_of_days", "coverage", "probability")):
                assert (seen <= 1).all(), feature.name


def test_an_empty_registry_of_one_patient_has_every_feature():
    person = generated.Patient(birth=-9000, sex="female")
    assert values(generated.registry([person]), 84, np.array([DAY_0])).shape[0] == 1


def test_without_optional_tables_the_blocks_run():
    raw = {
        name: RawTable(name, f"{name}.csv", frame, 2)
        for name, frame in generated.bundle(
            [generated.Patient(-9000, "male", treatments=[("tacrolimus", 0, None, "", "", "")])]
        ).items()
        if name not in ("biopsies", "adherence")
    }
    tables, _, _ = check_bundle(raw)
    assert values(Registry(tables), 84).shape[0] == 1


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_every_feature_has_an_entry(block):
    registry = generated.registry([generated.Patient(birth=-9000, sex="female")])
    features = list(block(landmark_view(registry, np.array([DAY_0]), 84)))
    names = [feature.name for feature in features]
    assert len(set(names)) == len(names)
    for feature in features:
        assert feature.meaning, feature.name
        assert feature.unit, feature.name
        assert feature.table, feature.name
        assert feature.look_back, feature.name
        assert feature.formula, feature.name
        assert "[R]" not in feature.citation
        assert len(feature.meaning) <= 80, feature.name
