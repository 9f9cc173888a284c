"""What a model says of itself where it was trained on too few."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from lnrisk.training.too_few import too_few
from registries import trained


def cohort(known_events, known_others, possible=0, *, too_small=False):
    """Patients at one landmark; of the possible, half are expected to have the outcome."""
    y = [1.0] * known_events + [0.0] * known_others + [1.0, 0.0] * possible
    unsure = np.repeat([False, True], [known_events + known_others, 2 * possible])
    patients = known_events + known_others + possible
    size = SimpleNamespace(
        patients=patients,
        events=known_events + possible / 2,
        too_small=too_small,
        affordable_parameters=2,
        parameters=7,
    )
    return SimpleNamespace(
        y=np.array(y),
        possible=unsure,
        primary=np.ones(len(y), dtype=bool),
        has_outcome=np.ones(len(y), dtype=bool),
        sample_size=size,
    )


def test_enough_of_all_says_nothing():
    assert too_few(cohort(10, 10)) == []


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ((4, 60, 40), "FEW KNOWN EVENTS: of 24 only 4 are known"),
        ((60, 4, 40), "FEW KNOWN NON-EVENTS: of 24 only 4 are known"),
    ],
)
def test_few_known_of_either_are_told_beside_how_many_there_should_be(known, said):
    (found,) = too_few(cohort(*known))
    assert found.startswith(said)


def test_more_parameters_than_the_patients_carry_are_told():
    (found,) = too_few(cohort(30, 90, too_small=True))
    assert found.startswith("TOO FEW PATIENTS: 120 with 30 events carry 2 parameters, the model")


def test_the_model_file_holds_it_and_one_without_it_has_nothing_to_say():
    model, cohort_ = trained().model, trained().cohort
    assert model.too_few == tuple(too_few(cohort_)) != ()
    silent = {name: value for name, value in model.training.items() if name != "too_few"}
    assert replace(model, training=silent).too_few == ()
