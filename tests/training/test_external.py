"""A model at another site: aggregates only, pooled over sites, updated within what it carries."""

import datetime
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.errors import LnriskError
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label
from lnrisk.model.recalibrated import recalibrated
from lnrisk.training.external import (
    SMALLEST_CELL,
    external_validation,
    safe_groups,
    site_config,
    site_rows,
    withheld,
)
from lnrisk.training.pooled_sites import pool_sites, pooled_table, read_site
from lnrisk.training.update import update
from registries import quietly, simulated, trained

TODAY = datetime.date(2026, 11, 25)
COUNTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 60), min_size=1)


@cache
def tried(seed=2, patients=700):
    registry = simulated(patients, seed)
    return external_validation(trained().model, registry, f"site {seed}", TODAY, quietly)


@given(COUNTS)
def test_no_small_count_is_given_nor_can_one_be_reckoned(counts):
    shown = withheld(counts)
    given_out = [count for count in shown.values() if count is not None]
    assert all(count == 0 or count >= SMALLEST_CELL for count in given_out)
    hidden = [counts[name] for name, count in shown.items() if count is None]
    everything = len(hidden) == sum(count > 0 for count in counts.values())
    if hidden and not everything:
        assert len(hidden) >= 2
        assert sum(hidden) >= SMALLEST_CELL


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 2**32 - 1), st.booleans())
def test_no_group_of_calibration_tells_of_a_few_patients(with_it, without, seed, tied):
    rng = np.random.default_rng(seed)
    y = np.repeat([1.0, 0.0], [with_it, without])
    risk = rng.beta(1 + y, 3)
    risk = risk.round(1) if tied else risk
    possible = rng.uniform(size=len(y)) < 0.1
    groups = safe_groups(y, risk, np.ones(len(y)), possible)
    known = {v: int((~possible & (y == v)).sum()) for v in (0, 1)}
    assert bool(groups) == (min(known.values()) >= SMALLEST_CELL)
    assert len(groups) <= 10
    assert sum(group["share"] for group in groups) == pytest.approx(1.0 if groups else 0.0)
    assert [g["predicted"] for g in groups] == sorted(g["predicted"] for g in groups)
    for group in groups:
        people = group["share"] * len(y)
        assert people * group["observed"] >= SMALLEST_CELL - 1e-6
        assert people * (1 - group["observed"]) >= SMALLEST_CELL - 1e-6


def test_groups_of_calibration_do_not_tell_how_many_patients_there_are():
    for landmark in tried()["landmarks"]:
        for group in landmark["calibration_groups"]:
            assert set(group) == {"predicted", "observed", "share"}


def everything(content):
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from everything(value)
    elif isinstance(content, list):
        for value in content:
            yield from everything(value)
    else:
        yield content


def test_no_row_of_a_patient_leaves_the_site():
    registry = simulated(700, 2)
    found = tried()
    text = json.dumps(found)
    assert not [name for name in registry.patient_ids if str(name) in text]
    for table in ("measurements", "treatments", "events"):
        column = "start_date" if table == "treatments" else "date"
        dates = registry.table(table)[column].dropna().dt.strftime("%Y-%m-%d").unique()
        assert not [date for date in dates if date != TODAY.isoformat() and date in text]
    for landmark in found["landmarks"]:
        assert len(landmark["calibration_groups"]) <= 10
        counts = [count for count in landmark["counts"].values() if count is not None]
        assert all(count == 0 or count >= SMALLEST_CELL for count in counts)
        assert "risk" not in set(everything(landmark))


def test_the_figures_are_close_to_those_at_home_where_the_site_is_like_home():
    primary = next(one for one in tried()["landmarks"] if one["landmark_days"] == 84)
    measures = {one["measure"]: one for one in primary["measures"]}
    assert 0.6 < measures["auroc"]["estimate"] < 0.95
    assert measures["auroc"]["standard_error"] > 0
    assert 0.4 < measures["observed_expected"]["estimate"] < 2.5
    assert tried()["synthetic"] is True


def test_a_site_that_lacks_an_arm_of_the_definition_says_so_and_so_does_the_pool():
    registry = simulated(700, 4)
    table = registry.measurements
    without = {**registry.tables, "measurements": table[table["analyte"] != "creatinine"]}
    lacking = replace(registry, tables=without)
    found = external_validation(trained().model, lacking, "south", TODAY, quietly)
    (remark,) = found["remarks"]
    assert "asks about eGFR, which the registry has of nobody" in remark
    assert tried()["remarks"] == []
    before = {key: value for key, value in tried().items() if key != "remarks"}
    assert f"note: south: {remark}" in pooled_table(pool_sites([before, found]))


def test_a_site_too_small_gives_no_figure():
    found = external_validation(trained().model, simulated(60, 3), "small", TODAY, quietly)
    assert all(one["withheld"] and not one["measures"] for one in found["landmarks"])


def test_sites_are_pooled_with_what_a_new_site_may_expect():
    found = pool_sites([tried(2), tried(4), tried(5)])
    rows = {(r["landmark_days"], r["measure"]): r for r in found["pooled"]}
    auroc = rows[84, "auroc"]
    own = [r["estimate"] for r in found["rows"] if r["measure"] == "auroc"]
    assert min(own) <= auroc["estimate"] <= max(own)
    assert auroc["prediction_lower"] <= auroc["lower"] <= auroc["estimate"] <= auroc["upper"]
    text = pooled_table(found)
    assert "SIMULATED" in text
    assert "week 12" in text


def test_only_trials_of_one_model_are_pooled():
    other = {**tried(4), "model": {**tried(4)["model"], "sha256": "0" * 64}}
    with pytest.raises(LnriskError, match=r"site 4: sha256 is '0000.*only trials of one model"):
        pool_sites([tried(2), other])
    with pytest.raises(LnriskError, match="two sites or more"):
        pool_sites([tried(2), tried(2)])


def test_a_file_that_no_site_sent_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"schema": "other"}')
    with pytest.raises(LnriskError, match=r"a\.json: schema 'other' is not"):
        read_site(tmp_path / "a.json")


def test_a_site_without_figures_is_named_in_order_and_counted_as_it_is():
    nothing = {**tried(4), "landmarks": [], "site": "small"}
    first = {**tried(2), "landmarks": tried(2)["landmarks"][::-1]}
    found = pool_sites([first, nothing])
    days = [row["landmark_days"] for row in found["pooled"]]
    assert days == sorted(days)
    assert "(1 site)" in pooled_table(found)


def test_a_file_that_lost_a_part_is_refused_by_its_field(tmp_path):
    for gone, said in (("site", "site"), ("landmarks", "landmarks"), ("model", "model")):
        content = {key: value for key, value in tried().items() if key != gone}
        (tmp_path / "a.json").write_text(json.dumps(content))
        with pytest.raises(LnriskError, match=rf"(?s)a\.json: not as .* {said}"):
            read_site(tmp_path / "a.json")


def biased(shift, slope=1.0):
    return recalibrated(trained().model, shift, slope, {})


def updated(model, patients=700, seed=2, method=None):
    return update(model, simulated(patients, seed), "north", TODAY, quietly, method)


def test_risks_that_are_too_high_are_shifted_back():
    found = updated(biased(1.5), 1500)
    assert found.method == "intercept"
    (note,) = found.model.training["recalibrations"][1:]
    assert note["site"] == "north"
    assert note["intercept"] == pytest.approx(-1.5, abs=0.9)
    assert note["slope"] == 1.0


def test_what_the_site_cannot_carry_is_not_done_and_said():
    found = updated(biased(1.5, 3.0))
    steps = {step["method"]: step for step in found.steps}
    assert not steps["intercept and slope"]["supported"]
    assert "needs 100 with and without the outcome" in steps["intercept and slope"]["why"]
    with pytest.raises(LnriskError, match="intercept and slope cannot be had"):
        updated(trained().model, method="intercept and slope")
    with pytest.raises(LnriskError, match="refit cannot be had"):
        updated(trained().model, method="refit")


def elastic_net(**trained_on):
    model = trained().model
    config = {**model.training["config"], "classifier": "elastic net"}
    return replace(model, training={**model.training, "config": config, **trained_on})


@pytest.fixture
def refitted_with(monkeypatch):
    """The configurations with which a refit was asked for, none of which is run."""
    asked = []

    def fit_model(registry, definition, config, step):
        asked.append(config)
        return trained().model

    monkeypatch.setattr("lnrisk.training.update.fit_model", fit_model)
    return asked


def test_an_elastic_net_is_refitted_as_one_where_the_site_is_as_large(refitted_with):
    at_home = {"patients": 560, "events": 20, "expected_events": 47.0}
    found = updated(elastic_net(**at_home), 1500, method="refit")
    (config,) = refitted_with
    assert (config.classifier, config.terms) == ("elastic net", None)
    assert found.model.training["site"] == "north"
    with pytest.raises(LnriskError, match=r"the site carries \d parameters, a refit has \d\d"):
        updated(elastic_net(patients=5000, events=200, expected_events=410.0), method="refit")


def test_a_regression_is_refitted_with_its_own_terms(refitted_with):
    updated(trained().model, 4000, method="refit")
    (config,) = refitted_with
    assert (config.classifier, config.terms) == ("best", tuple(trained().model.feature_names))


def test_a_model_that_fits_is_left_as_it_is():
    model = trained().model
    line = updated(biased(0.0), 60, 3)
    assert line.method == "unchanged"
    assert updated(model, 60, 3).model is model


def test_updated_risks_are_those_moved():
    found = updated(biased(1.5), 1500)
    features = trained().cohort.features.head(40)
    before, after = biased(1.5).predict(features), found.model.predict(features)
    gap = np.log(after / (1 - after)) - np.log(before / (1 - before))
    np.testing.assert_allclose(gap, gap[0])
    assert abs(gap[0]) > 0.3


def nobody():
    registry = simulated(60, 3)
    return registry.select(np.zeros(len(registry), dtype=bool))


@pytest.mark.parametrize("method", [None, "intercept"])
def test_a_registry_of_nobody_is_refused(method):
    with pytest.raises(LnriskError, match="nobody is at risk at any landmark"):
        update(trained().model, nobody(), "north", TODAY, quietly, method)
    with pytest.raises(LnriskError, match="nobody is at risk at any landmark"):
        external_validation(trained().model, nobody(), "north", TODAY, quietly)


def test_patients_of_one_outcome_alone_leave_the_model_as_it_is():
    registry = simulated(60, 3)
    fine = registry.select(np.isin(registry.patient_ids, without_events(registry)))
    found = update(trained().model, fine, "north", TODAY, quietly)
    assert found.method == "unchanged"
    assert "nan" not in found.summary()


def without_events(registry):
    verdicts = label(registry, load_definition()).labels
    return verdicts.loc[verdicts["verdict"] == "not_refractory", "patient_id"].to_numpy()


def test_a_site_weights_as_the_model_was_trained():
    model = trained().model
    own = {**model.training["config"], "indeterminate": "weight", "censoring": "cox"}
    other = replace(model, training={**model.training, "config": own})
    assert (site_config(other).indeterminate, site_config(other).censoring) == ("weight", "cox")
    assert site_config(replace(model, training={})).indeterminate == "chance"
    assert site_rows(model, simulated(60, 3)).possible.any()
    assert not site_rows(other, simulated(60, 3)).possible.any()
