"""The simplest candidate within one standard error of the best, on the same patients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.training.selection import Candidate, choose
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

N = 600


def world(seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=N)
    y = (random.uniform(size=N) < expit(-1.5 + 1.5 * x)).astype(int)
    return x, y, random.uniform(0.3, 3, N), random


X, Y, WEIGHT, RANDOM = world()
TRUE = expit(-1.5 + 1.5 * X)
SHARE = np.full(N, np.average(Y, weights=WEIGHT))


def candidate(name, risk):
    return Candidate(name, f"{name} in words", risk)


def chosen(*candidates, y=Y, weight=WEIGHT, groups=range(N)):
    rows = choose(candidates, y, weight, groups)
    (taken,) = [row["name"] for row in rows if row["chosen"]]
    return taken


def test_a_clear_winner_is_taken():
    assert chosen(candidate("share", SHARE), candidate("model", TRUE)) == "model"


def test_of_two_that_differ_by_chance_the_simpler_is_taken():
    noisy = expit(-1.5 + 1.5 * X + RANDOM.normal(0, 0.02, N))
    for better, worse in ((TRUE, noisy), (noisy, TRUE)):
        assert chosen(candidate("simple", worse), candidate("complex", better)) == "simple"


def test_a_tie_goes_to_the_simpler():
    assert chosen(candidate("simple", TRUE), candidate("complex", TRUE)) == "simple"


def test_figures_are_those_of_scikit_learn():
    (row,) = choose([candidate("model", TRUE)], Y, WEIGHT, range(N))
    assert row["log_loss"] == pytest.approx(log_loss(Y, TRUE, sample_weight=WEIGHT))
    assert row["auroc"] == pytest.approx(roc_auc_score(Y, TRUE, sample_weight=WEIGHT))
    loss = -(Y * np.log(TRUE) + (1 - Y) * np.log(1 - TRUE))
    plain = choose([candidate("model", TRUE)], Y, np.ones(N), range(N))[0]
    assert plain["standard_error"] == pytest.approx(loss.std(ddof=1) / np.sqrt(N))


def test_rows_of_a_patient_are_one_patient():
    patients = np.tile(np.arange(N), 4)
    rows = [candidate("share", np.tile(SHARE, 4)), candidate("model", np.tile(TRUE, 4))]
    stacked = choose(rows, np.tile(Y, 4), np.tile(WEIGHT, 4), patients)
    single = choose([candidate("share", SHARE), candidate("model", TRUE)], Y, WEIGHT, range(N))
    for one, other in zip(stacked, single, strict=True):
        assert one["standard_error"] == pytest.approx(other["standard_error"])
        assert one["difference_error"] == pytest.approx(other["difference_error"])


@given(st.integers(1, 5), st.integers(0, 100))
def test_weight_scale_and_empty_rows_do_not_matter(scale, seed):
    risks = [SHARE, expit(-1.5 + X + np.random.default_rng(seed).normal(0, 0.3, N))]
    candidates = [candidate(str(k), risk) for k, risk in enumerate(risks)]
    before = choose(candidates, Y, WEIGHT, range(N))
    more = [candidate(str(k), np.append(risk, 0.5)) for k, risk in enumerate(risks)]
    after = choose(more, np.append(Y, 1), np.append(WEIGHT * scale, 0), range(N + 1))
    for one, other in zip(before, after, strict=True):
        assert one["log_loss"] == pytest.approx(other["log_loss"])
        assert one["standard_error"] == pytest.approx(other["standard_error"])
        assert one["chosen"] == other["chosen"]


def test_loss_is_the_mean_over_repeats():
    both = np.column_stack([TRUE, SHARE])
    (row,) = choose([candidate("model", both)], Y, WEIGHT, range(N))
    each = [log_loss(Y, risk, sample_weight=WEIGHT) for risk in (TRUE, SHARE)]
    assert row["log_loss"] == pytest.approx(np.mean(each))


def test_why_is_said_for_each():
    slightly = expit(-1.5 + 1.5 * X + RANDOM.normal(0, 0.02, N))
    rows = choose(
        [candidate("share", SHARE), candidate("a", slightly), candidate("b", TRUE)],
        Y,
        WEIGHT,
        range(N),
    )
    assert "more than one" in rows[0]["why"]
    assert rows[1]["why"].startswith("taken")
    assert "a is simpler" in rows[2]["why"] or rows[1]["difference"] == 0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="no candidate"):
        choose([], Y, WEIGHT, range(N))
    with pytest.raises(ValueError, match="'model' has no risk for some rows"):
        choose([candidate("model", np.where(X > 0, TRUE, np.nan))], Y, WEIGHT, range(N))
