"""The classifier chosen anew wherever a fit is repeated, by the patients who are fitted alone."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lnrisk.model.definition import load_definition
from lnrisk.training.challengers.candidates import candidates, how_often_chosen
from lnrisk.training.choice import Fold, choose_anew, fit_all, fit_and_predict, fit_one
from lnrisk.training.cohort import build_cohort
from lnrisk.training.config import TrainingConfig, Validation
from lnrisk.training.pieces import Pieces
from lnrisk.training.refits import refit
from lnrisk.training.selection import Candidate, choose
from lnrisk.training.train import train
from lnrisk.training.validation import sensitivity as module
from lnrisk.training.validation.centres import across_centres
from lnrisk.training.validation.cross_validation import cross_validate, folds_of, out_of_fold
from lnrisk.training.validation.learning_curve import learning_curve
from lnrisk.training.validation.sensitivity import sensitivity
from people import PLAN, people
from registries import quietly, simulated
from scipy.special import expit, logit

SIMPLER, RICHER = "logistic", "elastic net"
CONFIG = TrainingConfig(
    landmark_days=84,
    allow_small=True,
    refits=3,
    validation=Validation(
        folds=2, repeats=1, resamples=50, learning_sizes=(), centres=False, sensitivity=False
    ),
)


def rivals(patients=160, telling="b", seed=0):
    """Return people whose outcome follows one column; the simpler contender sees the first alone.

    The richer one is what would be served, so that the order is not that of the cohort.
    """
    cohort = people(patients, seed)
    if telling == "b":
        cohort = replace(cohort, features=cohort.features[["b", "a"]].set_axis(["a", "b"], axis=1))
    simpler = replace(cohort, features=cohort.features[["a"]])
    return replace(cohort, classifier=RICHER, rivals=(simpler,))


def alone(cohort, name):
    """Return the cohort as it is where the classifier was named."""
    return replace(next(c for c in cohort.contenders if c.classifier == name), rivals=())


@pytest.mark.usefixtures("fits")
@pytest.mark.parametrize(("telling", "right"), [("a", SIMPLER), ("b", RICHER)])
def test_folds_and_refits_take_the_classifier_that_is_right(telling, right):
    cohort = rivals(telling=telling)
    found, made = cross_validate(cohort, PLAN, quietly), refit(cohort, {}, PLAN, quietly)
    assert len(found.classifiers) == 8
    assert len(made.classifiers) == PLAN.refits
    assert found.classifiers.count(right) >= 7
    assert made.classifiers.count(right) >= 7


@pytest.mark.usefixtures("fits")
def test_a_risk_is_that_of_the_classifier_chosen_in_the_fold():
    cohort = rivals(patients=100, telling="a", seed=3)
    found = out_of_fold(cohort, PLAN, 2, quietly)
    own = {name: out_of_fold(alone(cohort, name), PLAN, 2, quietly) for name in (SIMPLER, RICHER)}
    assert set(found.classifiers) == {SIMPLER, RICHER}
    taken = iter(found.classifiers)
    for repeat in range(2):
        for fold in folds_of(cohort, 4, PLAN.seed + repeat):
            risk = own[next(taken)].risk[fold.test, repeat]
            np.testing.assert_array_equal(found.risk[fold.test, repeat], risk)


@pytest.mark.usefixtures("fits")
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_whoever_is_not_fitted_has_no_say(seed):
    cohort = rivals(patients=60, seed=seed % 7)
    fold = folds_of(cohort, 4, 0)[0]
    random, others = np.random.default_rng(seed), ~fold.train
    before = fit_and_predict(cohort, 0, fold)
    y, weight = cohort.y.copy(), cohort.weights.weight.copy()
    y[others] = random.integers(0, 2, others.sum())
    weight[others] = random.uniform(size=others.sum())
    changes = {"y": y, "weights": SimpleNamespace(weight=weight)}
    changed = replace(
        cohort, **changes, rivals=tuple(replace(one, **changes) for one in cohort.rivals)
    )
    after = fit_and_predict(changed, 0, fold)
    assert after["classifier"] == before["classifier"]
    np.testing.assert_array_equal(after["risk"], before["risk"])


@given(seed=st.integers(0, 2**31), gain=st.floats(0, 0.3))
def test_a_patient_who_was_drawn_twice_is_two_and_who_weighs_nothing_none(seed, gain):
    random = np.random.default_rng(seed)
    cohort, times = people(60), np.repeat(random.integers(0, 4, 60), 2).astype(float)
    train = cohort.has_outcome & (times > 0)
    y = cohort.y[train]
    odds = {
        SIMPLER: random.normal(size=len(y)),
        RICHER: random.normal(size=len(y)) + gain * (2 * y - 1),
    }
    weight = cohort.weights.weight.copy()
    weight[np.flatnonzero(train)[:4]] = 0
    made = {
        name: {"log_odds": np.where(weight[train] > 0, one, np.nan), "risk": one, "remarks": one}
        for name, one in odds.items()
    }
    given_weights = replace(cohort, weights=SimpleNamespace(weight=weight))
    found = choose_anew(given_weights, train, made, times)
    rows = [
        (at, f"{cohort.patient_id[train][at]} again {copy}")
        for at in range(len(y))
        for copy in range(int(times[train][at]))
        if weight[train][at] > 0
    ]
    at = np.array([row for row, _ in rows])
    expected = choose(
        [Candidate(name, "", expit(one[at])) for name, one in odds.items()],
        y[at],
        weight[train][at],
        [who for _, who in rows],
    )
    (taken,) = [row["name"] for row in expected if row["chosen"]]
    assert found["classifier"] == taken
    np.testing.assert_array_equal(found["risk"], odds[taken])


def test_a_classifier_that_was_named_is_not_asked_about(fits):
    cohort = alone(rivals(), SIMPLER)
    found, made = cross_validate(cohort, PLAN, quietly), refit(cohort, {}, PLAN, quietly)
    assert set(found.classifiers) == set(made.classifiers) == {SIMPLER}
    assert len(fits) == 8 + PLAN.refits
    fold = folds_of(cohort, 4, PLAN.seed)[0]
    once = fit_one(cohort, PLAN.seed, fold)["risk"]
    np.testing.assert_array_equal(fit_and_predict(cohort, PLAN.seed, fold)["risk"], once)


def test_the_choice_costs_no_fit_beyond_those_of_the_comparison(fits, tmp_path):
    cohort, pieces = rivals(), Pieces(tmp_path)
    for name in (SIMPLER, RICHER):
        out_of_fold(alone(cohort, name), PLAN, 2, quietly, pieces)
    assert len(fits) == 16
    found = cross_validate(cohort, PLAN, quietly, pieces)
    assert len(fits) == 16
    np.testing.assert_array_equal(found.risk, cross_validate(cohort, PLAN, quietly).risk)


@pytest.mark.usefixtures("fits")
def test_finished_pieces_of_a_named_classifier_are_not_taken_for_those_of_the_best(tmp_path):
    cohort, pieces = rivals(), Pieces(tmp_path)
    for one in (alone(cohort, SIMPLER), cohort, alone(cohort, RICHER), cohort):
        np.testing.assert_array_equal(
            refit(one, {}, PLAN, quietly, pieces).risk, refit(one, {}, PLAN, quietly).risk
        )


def test_interrupted_refits_are_taken_up_with_their_choice(fits, tmp_path):
    cohort, pieces = rivals(telling="a", seed=3), Pieces(tmp_path)
    expected = refit(cohort, {}, PLAN, quietly)
    fits.clear()

    def stop(_, done, __):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refit(cohort, {}, PLAN, stop, pieces)
    again = refit(cohort, {}, PLAN, quietly, pieces)
    assert len(fits) == 2 * PLAN.refits
    assert again.classifiers == expected.classifiers
    np.testing.assert_array_equal(again.risk, expected.risk)


def test_centres_and_the_learning_curve_let_both_compete(fits):
    cohort = rivals(patients=240)
    centre = np.array(["east", "west"])[cohort.position % 2]
    across_centres(cohort, centre, PLAN, quietly)
    assert len(fits) == 2 * 2
    validated = cross_validate(cohort, PLAN, quietly)
    fits.clear()
    curve = learning_curve(cohort, validated, PLAN, quietly)
    assert len(fits) == 2 * 4 * 2
    auroc = curve[curve["measure"] == "auroc"].set_index("patients")["estimate"]
    assert (auroc > 0.7).all()


def test_other_definitions_let_both_compete(fits, monkeypatch):
    built = []

    def build(registry, rule, config):
        built.append(config.classifier)
        return alone(rivals(patients=100, seed=len(built)), SIMPLER)

    monkeypatch.setattr(module, "build_cohort", build)
    monkeypatch.setattr(module, "with_every_feature", lambda *_: alone(rivals(100), RICHER))
    monkeypatch.setattr(module, "outcome_certainty", lambda *_: np.full(160, 0.9))
    cohort, config = rivals(), PLAN.changed(classifier=RICHER)
    validated = cross_validate(cohort, config, quietly)
    fits.clear()
    sensitivity(None, load_definition(), cohort, {}, validated, config, quietly)
    assert set(built) == {SIMPLER}
    assert len(fits) == 2 * 4 * len(built)


def test_a_refit_is_near_the_setting_of_its_own_kind(monkeypatch):
    asked = []

    def fit(cohort, chosen, seed, times=None, near=None):
        asked.append((cohort.classifier, near))
        risk = np.full((len(cohort.y), 2), 0.5)
        found = SimpleNamespace(
            predict_proba=lambda X: risk[: len(X)],
            out_of_fold_linear_predictor_=logit(risk[chosen, 1]),
        )
        return found, []

    monkeypatch.setattr("lnrisk.training.choice.fit_classifier", fit)
    cohort = rivals()
    whole = fit_all(cohort, 0)
    assert list(whole) == [SIMPLER, RICHER]
    asked.clear()
    rows = cohort.has_outcome
    found = fit_and_predict(cohort, 0, Fold(rows, rows), {RICHER: "its own"}, np.ones(len(rows)))
    assert asked == [(SIMPLER, None), (RICHER, "its own")]
    assert found["classifier"] == SIMPLER


def test_how_often_each_was_chosen_is_told_of_contenders_alone():
    rows = [{"name": name} for name in (SIMPLER, RICHER, "boosting")]
    told = how_often_chosen(rows, rivals(), (RICHER, RICHER, SIMPLER), (RICHER,))
    assert told == [
        {"name": SIMPLER, "chosen_in_folds": 1, "chosen_in_refits": 0},
        {"name": RICHER, "chosen_in_folds": 2, "chosen_in_refits": 1},
        {"name": "boosting"},
    ]
    assert how_often_chosen(rows, alone(rivals(), RICHER), (RICHER,), ()) == rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("telling", "right"),
    [("chronicity_index_shrunken", SIMPLER), ("age", RICHER)],
)
def test_on_a_registry_the_right_classifier_is_chosen_anew(telling, right):
    found = candidates(build_cohort(simulated(), load_definition(), CONFIG), CONFIG)
    assert telling in found[right].terms
    assert (telling in found[SIMPLER].terms) == (right == SIMPLER)
    values = found[SIMPLER].features[telling].rank(pct=True).fillna(0.5).to_numpy() * 8 - 4
    known = found[SIMPLER].has_outcome
    drawn = np.random.default_rng(0).uniform(size=len(known)) < expit(values - 0.5)
    y = np.where(known, drawn, np.nan)
    nothing = np.full((len(y), 2), np.nan)
    own, other = (replace(found[name], y=y, steps=nothing) for name in (SIMPLER, RICHER))
    cohort = replace(own, rivals=(other,))
    assert set(cross_validate(cohort, CONFIG, quietly).classifiers) == {right}
    near = fit_all(cohort, 0)
    assert refit(cohort, near, CONFIG, quietly).classifiers.count(right) >= 2


@pytest.mark.slow
def test_a_training_run_says_how_often_each_was_chosen():
    results = train(simulated(), load_definition(), CONFIG, quietly, "0.0.0").results
    by = {row["name"]: row for row in results["candidates"]}
    assert sum(by[name]["chosen_in_folds"] for name in (SIMPLER, RICHER)) == 2
    assert sum(by[name]["chosen_in_refits"] for name in (SIMPLER, RICHER)) == 3
    assert "chosen_in_folds" not in by["boosting"]
