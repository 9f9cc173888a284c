"""Bootstrap optimism: by hand, and against fresh patients."""

import numpy as np
import pytest
from lnrisk.training.metrics import auroc
from lnrisk.training.validation.figures import point_figures
from lnrisk.training.validation.optimism import optimism
from scipy.special import expit
from sklearn.linear_model import LogisticRegression


def overfitted(n=120, columns=12, refits=60, seed=0):
    """A weak signal and many useless columns, fitted without a penalty."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    y = (rng.uniform(size=n) < expit(0.7 * x[:, 0])).astype(float)

    def fit(weight):
        model = LogisticRegression(C=1e4, max_iter=1000).fit(x, y, sample_weight=weight)
        return model, model.predict_proba(x)[:, 1]

    times = rng.multinomial(n, np.full(n, 1 / n), size=refits).astype(float)
    model, risk = fit(np.ones(n))
    return y, model, risk, np.array([fit(drawn)[1] for drawn in times]), times


def test_by_hand():
    y, _, risk, refitted, times = overfitted(refits=3)
    weight = np.ones(len(y))
    table = optimism(y, weight, risk, refitted, times).set_index("measure")
    assert list(table.index) == list(point_figures(y, risk, weight))
    excess = np.mean(
        [auroc(y, one, drawn) - auroc(y, one) for one, drawn in zip(refitted, times, strict=True)]
    )
    assert table.loc["auroc", "optimism"] == pytest.approx(excess)
    assert table.loc["auroc", "corrected"] == pytest.approx(auroc(y, risk) - excess)
    assert table.loc["auroc", "resamples"] == 3


def test_corrected_is_nearer_to_fresh_patients_than_apparent():
    y, model, risk, refitted, times = overfitted()
    rng = np.random.default_rng(99)
    x = rng.normal(size=(40_000, 12))
    fresh = (rng.uniform(size=len(x)) < expit(0.7 * x[:, 0])).astype(float)
    truth = point_figures(fresh, model.predict_proba(x)[:, 1])
    table = optimism(y, np.ones(len(y)), risk, refitted, times).set_index("measure")
    for measure in ("auroc", "calibration_slope"):
        row = table.loc[measure]
        assert abs(row["corrected"] - truth[measure]) < abs(row["apparent"] - truth[measure])
        assert row["lower"] < row["corrected"] < row["upper"]
    assert table.loc["auroc", "optimism"] > 0.02


def test_a_refit_that_saw_one_outcome_only_is_not_counted():
    y, _, risk, refitted, times = overfitted(refits=4)
    times[0] = times[0] * (y == 1)
    table = optimism(y, np.ones(len(y)), risk, refitted, times)
    assert (table["resamples"] == 3).all()
