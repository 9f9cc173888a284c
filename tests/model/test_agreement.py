"""Agreement with the registry's own outcome, kappa against scikit-learn."""

import generated
import numpy as np
import pandas as pd
import pytest
from generated import Patient
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.model.agreement import Agreement, agreement, agreement_text
from sklearn.metrics import cohen_kappa_score

counted = st.lists(st.integers(0, 40), min_size=4, max_size=4)


@given(counted.filter(lambda c: sum(c[:2]) and sum(c[2:]) and c[0] + c[2] and c[1] + c[3]))
def test_kappa_is_that_of_scikit_learn(cells):
    counts = np.array(cells).reshape(2, 2)
    rule, own = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices((2, 2)))
    assert Agreement(counts, 0).kappa == pytest.approx(cohen_kappa_score(rule, own))


@pytest.mark.parametrize("counts", [[[0, 0], [0, 0]], [[7, 0], [0, 0]], [[0, 0], [0, 3]]])
def test_kappa_is_not_defined_where_chance_agrees_fully(counts):
    assert np.isnan(Agreement(np.array(counts), 0).kappa)


def test_agreement_by_chance_alone_is_0_and_full_agreement_1():
    assert Agreement(np.array([[4, 4], [4, 4]]), 0).kappa == 0
    assert Agreement(np.array([[5, 0], [0, 2]]), 0).kappa == 1


CASES = [
    ("refractory", "event"),
    ("refractory", "event"),
    ("refractory", "event_free"),
    ("not_refractory", "event"),
    ("pseudo_refractory", "competing"),
    ("not_refractory", "event_free"),
    ("not_refractory", "event_free"),
    ("indeterminate", "event"),
    ("refractory", "censored"),
    ("indeterminate", "censored"),
]


def compared(cases=CASES):
    people = [Patient(birth=-9000, sex="female") for _ in cases]
    registry = generated.registry(people)
    identifiers = pd.Categorical(registry.patient_ids, categories=registry.patients["patient_id"])
    date = pd.Timestamp("2020-01-01")
    outcomes = pd.DataFrame(
        {
            "patient_id": identifiers,
            "index_date": date,
            "date": date,
            "status": [own for _, own in cases],
            "row": 1,
        }
    )
    labels = pd.DataFrame(
        {"patient_id": registry.patient_ids, "verdict": [rule for rule, _ in cases]}
    )
    return registry.with_tables(outcomes=outcomes[::-1].reset_index(drop=True)), labels


def test_patients_are_counted_once_and_those_without_an_answer_left_out():
    found = agreement(*compared())
    assert found.counts.tolist() == [[3, 1], [1, 2]]
    assert found.left_out == 3


def test_the_text_says_counts_kappa_and_who_was_left_out():
    lines = agreement_text(*compared()).splitlines()
    assert lines[2].split()[-2:] == ["2", "1"]
    assert lines[3].split()[-2:] == ["1", "3"]
    kappa = cohen_kappa_score([1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0])
    assert lines[4] == f"  kappa {kappa:.2f}; 3 indeterminate or censored left out"


def test_the_text_says_when_kappa_is_not_defined():
    assert "kappa not defined; 0 " in agreement_text(*compared([("not_refractory", "competing")]))
