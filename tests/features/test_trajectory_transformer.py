import numpy as np
import pandas as pd
import pytest
from lnrisk.features.laboratory import LANDMARK_MONTH
from lnrisk.features.summaries import STATISTICS, trajectory_statistics
from lnrisk.features.trajectories import shrunken_dictionary
from lnrisk.features.trajectory_transformer import TrajectoryFeatures
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

SERIES, GROUPS = ("log_upcr", "egfr"), ("started_with_cni",)
MADE = [feature.name for feature in shrunken_dictionary(SERIES)]


@parametrize_with_checks([TrajectoryFeatures()])
def test_scikit_learn_checks(estimator, check):
    """On arrays without names it passes columns through; series need names, so tables."""
    check(estimator)


def table(patients=120, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"age": rng.uniform(20, 60, patients), "started_with_cni": np.arange(patients) % 2.0}
    columns[LANDMARK_MONTH] = np.full(patients, 2.76)
    for name, scale in (("log_upcr", 0.5), ("egfr", 20.0)):
        patient = np.repeat(np.arange(patients), rng.integers(0, 5, patients))
        times = rng.uniform(0, 2.7, len(patient))
        own = rng.normal(0, scale, (patients, 2))[patient]
        values = own[:, 0] + own[:, 1] * times / 3 + rng.normal(0, scale / 2, len(patient))
        zero = np.zeros(len(patient), dtype=int)
        sums = trajectory_statistics(
            patient, zero, times, values, zero, np.array([np.inf]), patients, 1
        )[:, 0]
        columns |= {f"{name}:{part}": sums[:, i] for i, part in enumerate(STATISTICS)}
    return pd.DataFrame(columns)


def transformer(**how):
    return TrajectoryFeatures(SERIES, GROUPS, **how)


def test_statistics_become_levels_and_slopes_and_the_rest_passes_through():
    X = table()
    made = transformer().set_output(transform="pandas").fit_transform(X)
    assert list(made) == ["age", "started_with_cni", *MADE]
    pd.testing.assert_series_equal(made["age"], X["age"])
    never = X["log_upcr:n"] == 0
    assert made["log_upcr_level"][never].isna().all()
    assert made["log_upcr_level"][~never].notna().all()


def test_names_are_those_of_the_columns():
    fitted = transformer().fit(table())
    assert list(fitted.get_feature_names_out()) == ["age", "started_with_cni", *MADE]
    assert fitted.transform(table()).shape[1] == len(fitted.get_feature_names_out())


def test_keep_chooses_and_orders():
    kept = ("egfr_slope", "age", "log_upcr_level")
    made = transformer(keep=kept).set_output(transform="pandas").fit_transform(table())
    assert tuple(made) == kept
    every = transformer().set_output(transform="pandas").fit_transform(table())
    pd.testing.assert_frame_equal(made, every[list(kept)])


def test_a_clone_is_unfitted_and_fits_the_same():
    X = table()
    one = transformer().fit(X)
    other = clone(one)
    assert not hasattr(other, "trajectories_")
    assert other.fit(X).trajectories_ == one.trajectories_


def test_only_the_rows_of_the_fit_shape_what_others_are_shrunken_towards():
    X = table()
    train, test = X.iloc[:80], X.iloc[80:]
    fitted = transformer().fit(train)
    changed = test.assign(**{"egfr:y": test["egfr:y"] + 500.0})
    before = fitted.trajectories_
    fitted.transform(changed)
    assert fitted.trajectories_ == before
    assert fitted.trajectories_[0].patients == (train["log_upcr:n"] > 0).sum()


def test_rows_without_weight_have_no_influence():
    X = table()
    weight = np.r_[np.ones(80), np.zeros(40)]
    weighted = transformer().fit(X, sample_weight=weight)
    assert weighted.trajectories_ == transformer().fit(X.iloc[:80]).trajectories_


def test_a_row_depends_on_that_row_alone():
    X = table()
    fitted = transformer().fit(X)
    together = fitted.transform(X)
    for row in range(0, len(X), 7):
        np.testing.assert_array_equal(fitted.transform(X.iloc[[row]])[0], together[row])


def test_a_series_without_values_is_left_out_and_its_kept_columns_are_missing():
    X = table().assign(**{f"egfr:{part}": 0.0 for part in STATISTICS})
    fitted = transformer(keep=("log_upcr_level", "egfr_level")).fit(X)
    assert [model.name for model in fitted.trajectories_] == ["log_upcr"]
    assert np.isnan(fitted.transform(X)[:, 1]).all()


@pytest.mark.parametrize("absent", ["log_upcr:n", LANDMARK_MONTH, "started_with_cni"])
def test_an_absent_column_is_named(absent):
    with pytest.raises(ValueError, match=f"needs column '{absent}'"):
        transformer().fit(table().drop(columns=absent))


def test_series_need_column_names():
    with pytest.raises(ValueError, match="data frame with column names"):
        transformer().fit(table().to_numpy())
