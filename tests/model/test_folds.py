import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.model.folds import PatientFolds
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score


def fold_of(patients, outcome, **parameters):
    """Return the fold of each patient, which must be one for all rows of the patient."""
    folds = {}
    for number, (_, test) in enumerate(
        PatientFolds(**parameters).split(outcome, outcome, patients)
    ):
        for row in test:
            assert folds.setdefault(patients[row], number) == number
    return folds


@st.composite
def cohorts(draw):
    patients = draw(st.lists(st.integers(0, 999), min_size=5, max_size=40, unique=True))
    outcome = draw(st.lists(st.integers(0, 1), min_size=len(patients), max_size=len(patients)))
    return patients, outcome


@given(cohorts(), st.integers(0, 5), st.data())
def test_order_and_number_of_rows_move_no_patient(cohort, random_state, data):
    patients, outcome = cohort
    expected = fold_of(patients, outcome, random_state=random_state)
    extra = data.draw(st.lists(st.integers(0, len(patients) - 1), max_size=20))
    rows = data.draw(st.permutations([*range(len(patients)), *extra]))
    found = fold_of(
        [patients[row] for row in rows], [outcome[row] for row in rows], random_state=random_state
    )
    assert found == expected


@given(cohorts())
def test_every_fold_has_its_share_of_patients_and_outcomes(cohort):
    patients, outcome = (np.array(values) for values in cohort)
    splits = list(PatientFolds().split(patients, outcome, patients))
    for counts in (
        [len(test) for _, test in splits],
        [outcome[test].sum() for _, test in splits],
        [(1 - outcome[test]).sum() for _, test in splits],
    ):
        assert max(counts) - min(counts) <= 1
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(patients)))
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(len(patients)))


def test_without_groups_every_row_is_a_patient():
    outcome = np.arange(20) % 3 == 0
    without = list(PatientFolds().split(outcome, outcome))
    numbered = list(PatientFolds().split(outcome, outcome, np.arange(20)))
    for (_, one), (_, other) in zip(without, numbered, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_patient_with_any_outcome_is_dealt_as_one_with_it():
    patients = [*range(20), *range(4)]
    outcome = [0] * 20 + [1] * 4
    once = fold_of(list(range(20)), [1] * 4 + [0] * 16)
    assert fold_of(patients, outcome) == once


def test_seed_changes_the_folds():
    patients, outcome = list(range(50)), [0, 1] * 25
    assert fold_of(patients, outcome, random_state=1) != fold_of(patients, outcome, random_state=2)


def test_identifiers_may_be_strings_in_pandas():
    names = [f"p{number:02}" for number in range(20)]
    outcome = pd.Series([0, 1] * 10, index=names)
    series = pd.Series(names, dtype="string", index=names)
    for (_, one), (_, other) in zip(
        PatientFolds().split(outcome, outcome, series),
        PatientFolds().split(outcome, outcome, np.arange(20)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_serves_scikit_learn_as_a_splitter():
    rng = np.random.default_rng(0)
    X, y, groups = rng.normal(size=(60, 2)), np.arange(60) % 2, np.arange(60) // 2
    folds = PatientFolds(n_splits=3)
    assert folds.get_n_splits() == 3
    assert len(cross_val_score(LogisticRegression(), X, y, groups=groups, cv=folds)) == 3
    assert repr(clone(folds, safe=False)) == "PatientFolds(n_splits=3, random_state=0)"
    assert folds.get_metadata_routing().split.requests == {"groups": True}


@pytest.mark.parametrize("parameters", [{"n_splits": 1}, {"random_state": -1}, {"n_splits": 2.0}])
def test_parameters_out_of_range(parameters):
    with pytest.raises(ValueError, match=f"The '{next(iter(parameters))}' parameter"):
        PatientFolds(**parameters)


def test_too_few_patients():
    with pytest.raises(ValueError, match="3 patients cannot fill n_splits=5 folds"):
        list(PatientFolds().split([0] * 6, [0, 1] * 3, [1, 2, 3] * 2))


def test_outcome_is_needed():
    with pytest.raises(ValueError, match="needs the outcome"):
        list(PatientFolds().split([0] * 6))
