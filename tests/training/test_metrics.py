import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.model.calibration import LogisticCalibration
from lnrisk.training import metrics
from lnrisk.training.curves import (
    calibration_curve,
    calibration_error,
    grouped_calibration,
    roc_curve,
)
from lnrisk.training.metrics import (
    auroc,
    bootstrap_intervals,
    brier,
    calibration_intercept,
    calibration_slope,
    observed_expected,
    performance,
    scaled_brier,
)
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, roc_auc_score

MEASURES = [
    auroc,
    brier,
    scaled_brier,
    calibration_intercept,
    calibration_slope,
    observed_expected,
]


def simulated(n=500, repeats=None, seed=0, digits=2):
    """Outcomes, risks that are too extreme and often tied, and weights."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.5, 1, size=n)
    y = (rng.uniform(size=n) < expit(truth)).astype(int)
    shape = n if repeats is None else (repeats, n)
    risk = (
        expit(0.3 + 1.4 * truth + rng.normal(0, 0.4, size=shape)).T.clip(0.01, 0.99).round(digits)
    )
    return y, risk, rng.uniform(0.2, 4, size=n)


@st.composite
def weighted_rows(draw):
    n = draw(st.integers(4, 30))
    risk = draw(st.lists(st.integers(1, 19), min_size=n, max_size=n))
    weight = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    y[:2], weight[:2] = [0, 1], [1, 1]
    return np.array(y), np.array(risk) / 20, np.array(weight)


@pytest.mark.parametrize("weighted", [False, True])
def test_agree_with_scikit_learn(weighted):
    y, risk, weight = simulated()
    weight = weight if weighted else None
    prevalence = np.full(len(y), np.average(y, weights=weight))
    error, reference = (
        brier_score_loss(y, values, sample_weight=weight) for values in (risk, prevalence)
    )
    assert auroc(y, risk, weight) == pytest.approx(roc_auc_score(y, risk, sample_weight=weight))
    assert brier(y, risk, weight) == pytest.approx(error)
    assert scaled_brier(y, risk, weight) == pytest.approx(1 - error / reference)
    assert observed_expected(y, risk, weight) == pytest.approx(
        np.average(y, weights=weight) / np.average(risk, weights=weight)
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_calibration_agrees_with_statsmodels(weighted):
    y, risk, weight = simulated()
    weight = weight if weighted else np.ones(len(y))
    given_ = {"family": sm.families.Binomial(), "freq_weights": weight}
    slope = sm.GLM(y, sm.add_constant(logit(risk)), **given_).fit(tol=1e-14).params[1]
    offset = sm.GLM(y, np.ones(len(y)), offset=logit(risk), **given_).fit(tol=1e-14).params[0]
    assert calibration_slope(y, risk, weight) == pytest.approx(slope, abs=1e-7)
    assert calibration_intercept(y, risk, weight) == pytest.approx(offset, abs=1e-9)


@given(weighted_rows(), st.randoms())
def test_weights_are_repeated_rows_in_any_order(rows, random):
    y, risk, weight = rows
    repeated = [row for row, times in enumerate(weight) for _ in range(times)]
    random.shuffle(repeated)
    by_weight = performance(y, risk, weight)
    by_row = performance(y[repeated], risk[repeated])
    for name, value in by_weight.items():
        assert by_row[name] == pytest.approx(value, rel=1e-6, abs=1e-9, nan_ok=True), name


@given(weighted_rows(), st.randoms())
def test_curves_take_weights_as_repeated_rows(rows, random):
    y, risk, weight = rows
    repeated = [row for row, times in enumerate(weight) for _ in range(times)]
    random.shuffle(repeated)
    for curve in (roc_curve, grouped_calibration):
        by_weight, by_row = curve(y, risk, weight), curve(y[repeated], risk[repeated])
        np.testing.assert_allclose(
            by_weight.drop(columns="rows", errors="ignore"),
            by_row.drop(columns="rows", errors="ignore"),
            atol=1e-12,
        )


def test_smooth_curve_takes_weights_as_repeated_rows():
    y, risk, _ = simulated()
    weight = np.random.default_rng(3).integers(0, 4, size=len(y))
    rows = np.random.default_rng(4).permutation(np.repeat(np.arange(len(y)), weight))
    by_weight = calibration_curve(y, risk, weight)
    np.testing.assert_allclose(by_weight, calibration_curve(y[rows], risk[rows]), atol=1e-7)
    error = calibration_error(y, risk, weight)
    assert error == pytest.approx(calibration_error(y[rows], risk[rows]), abs=1e-7)


@pytest.mark.parametrize("measure", MEASURES)
def test_leading_axes_of_the_weights_are_data_sets(measure):
    y, risk, _ = simulated(60)
    weights = np.random.default_rng(0).integers(0, 3, size=(2, 5, 60))
    values = measure(y, risk, weights)
    assert values.shape == (2, 5)
    assert values[1, 3] == pytest.approx(measure(y, risk, weights[1, 3]))
    assert np.ndim(measure(y, risk)) == 0


def test_performance_is_the_mean_over_repeats():
    y, risk, weight = simulated(repeats=3)
    every = [performance(y, risk[:, repeat], weight) for repeat in range(3)]
    for name, value in performance(y, risk, weight).items():
        assert value == pytest.approx(np.mean([one[name] for one in every]))
    assert list(every[0]) == [measure.__name__ for measure in MEASURES]


def test_recalibration_brings_slope_to_1_and_the_curve_to_the_diagonal():
    y, risk, _ = simulated(40_000, digits=9)
    fitted, new = slice(0, 20_000), slice(20_000, None)
    assert calibration_slope(y[new], risk[new]) < 0.7
    calibration = LogisticCalibration().fit(logit(risk[fitted]), y[fitted])
    recalibrated = calibration.predict(logit(risk[new]))
    found = performance(y[new], recalibrated)
    assert found["calibration_slope"] == pytest.approx(1, abs=0.05)
    assert found["calibration_intercept"] == pytest.approx(0, abs=0.05)
    assert found["observed_expected"] == pytest.approx(1, abs=0.03)
    assert calibration_error(y[new], recalibrated)["ici"] < 0.01
    assert calibration_error(y[new], risk[new])["ici"] > 0.03


def test_smooth_curve_finds_a_bend():
    rng = np.random.default_rng(0)
    risk = rng.uniform(0.02, 0.98, size=50_000)
    share = expit(logit(risk) + 1.5 * np.sin(logit(risk)))
    curve = calibration_curve(rng.uniform(size=50_000) < share, risk)
    truth = np.interp(curve["predicted"], np.sort(risk), share[np.argsort(risk)])
    middle = curve["predicted"].between(0.05, 0.95)
    assert np.abs(curve["observed"] - truth)[middle].mean() < 0.03


def test_groups_hold_equal_weight():
    y, risk, weight = simulated(2000, digits=9)
    table = grouped_calibration(y, risk, weight)
    assert len(table) == 10
    np.testing.assert_allclose(table["weight"], weight.sum() / 10, rtol=0.02)
    assert table["rows"].sum() == 2000
    assert table["predicted"].is_monotonic_increasing
    assert (table["predicted"] * table["weight"]).sum() == pytest.approx(weight @ risk)
    assert (table["observed"] * table["weight"]).sum() == pytest.approx(weight @ y)


def test_equal_risks_make_one_group():
    y = [0, 1, 0, 0]
    assert grouped_calibration(y, [0.2] * 4).to_dict("records") == [
        {"predicted": pytest.approx(0.2), "observed": 0.25, "weight": 4, "rows": 4}
    ]
    np.testing.assert_allclose(calibration_curve(y, [0.2] * 4)["observed"], 0.25, atol=1e-4)
    assert np.isnan(calibration_slope(y, [0.2] * 4))
    assert auroc(y, [0.2] * 4) == 0.5


def test_area_under_the_roc_curve_is_the_auroc():
    y, risk, weight = simulated()
    curve = roc_curve(y, risk, weight)
    area = np.trapezoid(curve["sensitivity"], 1 - curve["specificity"])
    assert area == pytest.approx(auroc(y, risk, weight))


def test_one_class_leaves_undefined_what_needs_two():
    y, risk = np.zeros(10), np.linspace(0.1, 0.9, 10)
    found = performance(y, risk)
    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert undefined == {"auroc", "scaled_brier", "calibration_intercept", "calibration_slope"}
    assert found["observed_expected"] == 0
    assert np.isnan(list(calibration_error(y, risk).values())).all()
    with pytest.raises(ValueError, match="needs both classes, found only y = 0"):
        roc_curve(y, risk)


def test_risks_of_0_and_1_are_measured():
    found = performance([0, 0, 1, 1, 0], [0, 0.5, 1, 0.5, 1])
    assert np.isfinite(list(found.values())).all()


def test_rows_without_weight_may_have_no_outcome():
    y, risk, weight = simulated()
    expected = performance(y, risk, weight)
    y, risk, weight = np.append(y.astype(float), np.nan), np.append(risk, 0.99), [*weight, 0]
    assert performance(y, risk, weight) == pytest.approx(expected)
    table = bootstrap_intervals(y, risk, weight, resamples=5)
    assert table["estimate"].to_dict() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1, 2], [0.1, 0.2, 0.3]), r"`y` must be 0 or 1, found"),
        (([0, 1, np.nan], [0.1, 0.2, 0.3]), r"`y` must be 0 or 1, found"),
        (([0, 1], [0.1, 1.3]), r"`risk` must lie in 0 to 1, found 0.1 to 1.3"),
        (([0, 1], [0.1, np.nan]), "NaN"),
        (([0, 1, 1], [0.1, 0.2]), r"lists of one length, found \(3,\) and \(2,\)"),
        (([0, 1], [0.1, 0.2], [1, -1]), r"not negative, found -1"),
        (([0, 1], [0.1, 0.2], [1, 1, 1]), r"must end in 2 rows, found shape \(3,\)"),
        (([0, 1], [0.1, 0.2], [0, 0]), "0 for every row"),
    ],
)
def test_refuse_what_is_not_a_prediction(arguments, message):
    with pytest.raises(ValueError, match=message):
        performance(*arguments)


def test_bootstrap_draws_whole_patients():
    """Five copies of each patient must not make the intervals narrower."""
    y, risk, weight = simulated(300)
    once = bootstrap_intervals(y, risk, weight, resamples=50)
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(300), 5))
    grouped = bootstrap_intervals(y[rows], risk[rows], weight[rows], rows, resamples=50)
    apart = bootstrap_intervals(y[rows], risk[rows], weight[rows], resamples=50)
    np.testing.assert_allclose(once, grouped, rtol=1e-6)
    width = (grouped["upper"] - grouped["lower"]) / (apart["upper"] - apart["lower"])
    assert (width > 1.5).all()


def test_weight_2_is_a_row_twice_in_the_bootstrap():
    y, risk, _ = simulated(200)
    weight = 1 + (np.arange(200) % 3 == 0)
    rows = np.repeat(np.arange(200), weight)
    weighted = bootstrap_intervals(y, risk, weight, np.arange(200), resamples=40)
    repeated = bootstrap_intervals(y[rows], risk[rows], None, rows, resamples=40)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6)


def test_bootstrap_in_blocks_is_the_bootstrap_in_one(monkeypatch):
    y, risk, weight = simulated(100)
    whole = bootstrap_intervals(y, risk, weight, resamples=30)
    monkeypatch.setattr(metrics, "BLOCK", 700)
    np.testing.assert_allclose(bootstrap_intervals(y, risk, weight, resamples=30), whole)


def test_bootstrap_skips_and_counts_degenerate_samples():
    y, risk = [0] * 9 + [1], np.linspace(0.1, 0.9, 10)
    table = bootstrap_intervals(y, risk, resamples=400)
    share = table.loc["auroc", "resamples"] / 400
    assert share == pytest.approx(1 - 0.9**10, abs=0.1)
    assert table.loc["brier", "resamples"] == 400
    assert (table["lower"] <= table["upper"]).all()
    none = bootstrap_intervals([0] * 10, risk, resamples=20)
    assert none.loc["auroc", "resamples"] == 0
    assert np.isnan(none.loc["auroc", ["lower", "upper"]]).all()


def test_bootstrap_interval_covers_the_estimate_and_grows_with_its_level():
    y, risk, weight = simulated(400, repeats=2)
    wide = bootstrap_intervals(y, risk, weight, resamples=200)
    narrow = bootstrap_intervals(y, risk, weight, resamples=200, level=0.5)
    assert wide["estimate"].between(wide["lower"], wide["upper"]).all()
    assert (wide["upper"] - wide["lower"] > narrow["upper"] - narrow["lower"]).all()


def test_bootstrap_standard_error_is_that_of_theory():
    y = np.repeat([0, 1], [800, 200])
    table = bootstrap_intervals(y, np.full(1000, 0.2), resamples=1000, level=0.95)
    width = table.loc["observed_expected", "upper"] - table.loc["observed_expected", "lower"]
    theory = 2 * 1.96 * np.sqrt(0.2 * 0.8 / 1000) / 0.2
    assert width == pytest.approx(theory, rel=0.1)


@pytest.mark.parametrize(
    "parameter", [{"resamples": 0}, {"level": 1.0}, {"random_state": "x"}], ids=str
)
def test_bootstrap_parameters_out_of_range(parameter):
    with pytest.raises(ValueError, match=f"The '{next(iter(parameter))}' parameter"):
        bootstrap_intervals([0, 1], [0.1, 0.2], **parameter)
