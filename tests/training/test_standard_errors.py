"""Standard errors against statsmodels, DeLong's formula, and the bootstrap."""

import numpy as np
import pytest
import statsmodels.api as sm
from lnrisk.training.metrics import (
    auroc,
    calibration_slope,
    drawn_counts,
    observed_expected,
)
from lnrisk.training.standard_errors import (
    auroc_error,
    log_observed_expected_error,
    slope_error,
)
from scipy.special import expit, logit

ERRORS = pytest.mark.parametrize(
    ("error", "figure"),
    [
        (auroc_error, auroc),
        (log_observed_expected_error, lambda *rows: np.log(observed_expected(*rows))),
        (slope_error, calibration_slope),
    ],
)


def simulated(n=800, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(-1.5, 1.2, size=n)
    y = (rng.uniform(size=n) < expit(x)).astype(float)
    return y, np.round(expit(0.8 * x - 0.1), 3), rng.uniform(0.3, 3, size=n)


def test_auroc_error_is_delongs():
    y, risk, _ = simulated(200)
    case, control = risk[y == 1], risk[y == 0]
    wins = (case[:, None] > control) + 0.5 * (case[:, None] == control)
    variance = wins.mean(axis=1).var(ddof=1) / len(case)
    variance += wins.mean(axis=0).var(ddof=1) / len(control)
    assert auroc_error(y, risk) == pytest.approx(np.sqrt(variance), rel=1e-10)


def test_slope_error_is_the_sandwich_of_statsmodels():
    y, risk, _ = simulated()
    patient = np.arange(len(y)) // 3
    glm = sm.GLM(y, sm.add_constant(logit(risk)), family=sm.families.Binomial())
    assert slope_error(y, risk) == pytest.approx(glm.fit(cov_type="HC0").bse[1], rel=1e-5)
    clustered = glm.fit(
        cov_type="cluster", cov_kwds={"groups": patient, "use_correction": False}
    ).bse[1]
    assert slope_error(y, risk, groups=patient) == pytest.approx(clustered, rel=1e-5)


def test_observed_expected_error_by_hand():
    y, risk = np.repeat([1.0, 0.0], [20, 80]), np.full(100, 0.2)
    assert log_observed_expected_error(y, risk) == pytest.approx(np.sqrt(0.8 / 20))


@ERRORS
def test_agrees_with_the_bootstrap_of_patients(error, figure):
    y, risk, weight = simulated(600)
    rows = np.repeat(np.arange(600), 2)
    counts = next(drawn_counts(rows, 600, 0))
    drawn = figure(y[rows], risk[rows], counts * weight[rows])
    assert error(y[rows], risk[rows], weight[rows], rows) == pytest.approx(drawn.std(), rel=0.12)


@ERRORS
def test_scale_of_the_weights_and_rows_without_do_not_matter(error, figure):
    y, risk, weight = simulated(100)
    patient = np.arange(100) // 2
    expected = error(y, risk, weight, patient)
    more = error([*y, np.nan], [*risk, 0.9], [*(7 * weight), 0], [*patient, 999])
    assert more == pytest.approx(expected, rel=1e-9)


@ERRORS
def test_undefined_where_the_figure_is(error, figure):
    assert np.isnan(error(np.zeros(10), np.linspace(0.1, 0.9, 10)))
    assert np.isnan(auroc_error([0, 0, 1], [0.1, 0.2, 0.3]))
    assert np.isnan(slope_error([0, 0, 1], [0.2, 0.2, 0.2]))
