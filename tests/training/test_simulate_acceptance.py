"""One simulated registry shows what published cohorts show.

The ranges bracket figures of published cohorts, see docs/simulator.md; they are about simulated
patients and say nothing about real ones.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from lnrisk.features.days import as_days
from lnrisk.features.egfr import egfr_history
from lnrisk.features.history import history_of
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label
from lnrisk.model.outcome import outcome_by_rule
from lnrisk.training.simulate import load_parameters, simulate
from lnrisk.training.simulator.biopsies import read_chronicity
from lnrisk.training.simulator.draws import Draws
from lnrisk.training.simulator.kidney import creatinine_error, upcr_error
from lnrisk.training.simulator.patients import draw_patients
from registries import simulated
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PATIENTS, SEED = 6000, 11
HORIZON = 548
CONVENTIONAL = ("MPA", "CYC_LOW", "CYC_HIGH")


@cache
def truth():
    return simulate(PATIENTS, SEED).truth


@cache
def outcome():
    return outcome_by_rule(simulated(PATIENTS, SEED), load_definition(), HORIZON)


@cache
def verdict():
    return label(simulated(PATIENTS, SEED), load_definition()).labels["verdict"]


def index():
    return as_days(truth()["index_date"])


def histories():
    registry = simulated(PATIENTS, SEED)
    upcr = history_of(registry, "upcr")
    return {"upcr": upcr, "egfr": egfr_history(registry)}


@cache
def value(name, first, last):
    """The latest value in a window of days from the index date; nan where there is none."""
    everyone = np.arange(PATIENTS)
    if name not in ("upcr", "egfr"):
        history = history_of(simulated(PATIENTS, SEED), name)
    else:
        history = histories()[name]
    return history.latest(everyone, index() + first, index() + last)[0]


def baseline(name="upcr"):
    return value(name, -90, 7)


def month(number, name="upcr"):
    """The latest value in the eight weeks around a month."""
    day = round(number * 365.25 / 12)
    return value(name, day - 28, day + 28)


def share(condition, *needed):
    known = ~np.isnan(np.sum(needed, axis=0))
    return np.mean(condition[known])


def fall(number, regimens, least):
    """The share of measured UPCR pairs that fall by a share."""
    chosen = truth()["regimen_1"].isin(regimens).to_numpy()
    ratio = month(number)[chosen] / baseline()[chosen]
    return share(ratio <= 1 - least, ratio)


def complete(number):
    kidney = month(number, "egfr") >= 0.85 * baseline("egfr")
    return (month(number) <= 0.5) & kidney


def complete_share(number, chosen=None):
    chosen = np.ones(PATIENTS, bool) if chosen is None else chosen
    needed = month(number), baseline(), month(number, "egfr"), baseline("egfr")
    return share(complete(number)[chosen], *(values[chosen] for values in needed))


def no_response(number):
    partial = (month(number) <= 0.5 * baseline()) & (month(number) < 3)
    return share(~complete(number) & ~partial, month(number), baseline())


def relapsed_to_new():
    relapsed = as_days(truth()["index_date"]) - as_days(
        simulated(PATIENTS, SEED).patients["sle_onset_date"]
    )
    relapsed = relapsed > 1.5 * 365
    return complete_share(12, relapsed) / complete_share(12, ~relapsed)


def icc_of_readings():
    """Single-reader reliability of the chronicity index: another centre's reader each time."""
    settings = load_parameters()
    draws = Draws.of_registry(SEED, PATIENTS)
    people = draw_patients(draws, settings)
    row, rng = np.arange(PATIENTS), np.random.default_rng(1)
    readings = []
    for seed in (1, 2, 3):
        reader = Draws(seed, rng.permutation(PATIENTS), np.zeros(PATIENTS, dtype=int))
        swapped = people.take(row)
        object.__setattr__(swapped, "site", rng.permutation(people.site))
        read = read_chronicity(reader, swapped, row, np.zeros(PATIENTS, dtype=int), settings)
        readings.append(read)
    between = np.mean([np.cov(readings[i], readings[j])[0, 1] for i, j in ((0, 1), (0, 2), (1, 2))])
    return between / np.mean([np.var(read, ddof=1) for read in readings])


def spot_cv(upcr):
    settings = load_parameters()
    draws = Draws.of_registry(SEED, PATIENTS)
    row, day = np.arange(PATIENTS), np.full(PATIENTS, 100)
    spot = next(i for i, site in enumerate(settings["site"]) if site["urine"] == "spot")
    level = np.full(PATIENTS, np.log(upcr))
    error = upcr_error(draws, settings, np.full(PATIENTS, spot), row, day, level)
    return np.std(np.exp(error)) / np.mean(np.exp(error))


def creatinine_cv():
    draws = Draws.of_registry(SEED, PATIENTS)
    row = np.arange(PATIENTS)
    error = creatinine_error(draws, load_parameters(), row, np.full(PATIENTS, 100))
    return np.std(np.exp(error)) / np.mean(np.exp(error))


def status_share(status):
    return np.mean(outcome().status == status)


def refractory_among_failed():
    """Would be refractory, among all whose first course truly fails."""
    failed = truth()["fall_1"] < 0.25
    return truth()["would_be_refractory"][failed].mean()


ACCEPTED = {
    "upcr0_median": (2.0, 3.5, lambda: np.nanmedian(baseline())),
    "upcr0_sigma_ln": (0.60, 1.0, lambda: np.nanstd(np.log(baseline()))),
    "share_upcr_ge3": (0.35, 0.60, lambda: share(baseline() >= 3, baseline())),
    "egfr_ge60": (0.63, 0.85, lambda: share(baseline("egfr") >= 60, baseline("egfr"))),
    "female": (0.78, 0.93, lambda: (simulated(PATIENTS, SEED).patients["sex"] == "female").mean()),
    "age_mean": (29, 36, lambda: age().mean()),
    "ai_median": (5, 10, lambda: np.nanmedian(biopsy()["activity_index"])),
    "ci_median": (2, 4, lambda: np.nanmedian(biopsy()["chronicity_index"])),
    "ci_reader_icc": (0.45, 0.65, icc_of_readings),
    "fall25_3mo_MMF": (0.60, 0.80, lambda: fall(3, ["MPA"], 0.25)),
    "fall25_3mo_CYC": (0.55, 0.75, lambda: fall(3, ["CYC_LOW", "CYC_HIGH"], 0.25)),
    "fall25_3mo_CNI": (0.75, 0.92, lambda: fall(3, ["MPA_CNI"], 0.25)),
    "fall50_6mo_MMF_or_CYC": (0.50, 0.65, lambda: fall(6, CONVENTIONAL, 0.50)),
    "cr_6mo": (0.17, 0.52, lambda: complete_share(6)),
    "cr_12mo": (0.20, 0.50, lambda: complete_share(12)),
    "nr_6mo": (0.20, 0.45, lambda: no_response(6)),
    "relapsed_vs_new_cr_ratio": (0.45, 0.75, relapsed_to_new),
    "spot_upcr_cv_at_0_2": (0.45, 0.65, lambda: spot_cv(0.2)),
    "spot_upcr_cv_at_2": (0.15, 0.35, lambda: spot_cv(2.0)),
    "creatinine_cv": (0.04, 0.07, creatinine_cv),
    "nonadherent_any": (
        0.20,
        0.45,
        lambda: (~(truth()["adherent_1"] & truth()["adherent_2"])).mean(),
    ),
    "refractory_all_episodes": (0.03, 0.20, lambda: truth()["would_be_refractory"].mean()),
    "refractory_by_rule": (0.03, 0.20, lambda: np.nanmean(outcome().y)),
    "lost_before_label_resolved": (0.10, 0.30, lambda: status_share("censored")),
    "label_indeterminate": (0.10, 0.35, lambda: (verdict() == "indeterminate").mean()),
    "refractory_among_failed": (0.15, 0.40, refractory_among_failed),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_figure_lies_where_cohorts_have_it(name):
    low, high, figure = ACCEPTED[name]
    assert low <= figure() <= high


def test_levels_of_hydroxychloroquine_have_two_humps():
    level = np.log(history_of(simulated(PATIENTS, SEED), "hcq_blood").value)
    low, middle, high = (
        ((level >= np.log(edge)) & (level < np.log(2 * edge))).mean() for edge in (120, 300, 800)
    )
    assert middle < low
    assert middle < high


def age():
    born = as_days(simulated(PATIENTS, SEED).patients["birth_date"])
    return (index() - born) / 365.25


@cache
def biopsy():
    """The biopsy near the index date, one row per patient."""
    registry = simulated(PATIENTS, SEED)
    table = registry.biopsies
    person = registry.positions("biopsies")
    near = (as_days(table["date"]) - index()[person] >= -90) & (
        as_days(table["date"]) <= index()[person] + 7
    )
    table = table[near].set_index(person[near])
    return table[~table.index.duplicated(keep="last")].reindex(range(PATIENTS))


def clinical():
    female = simulated(PATIENTS, SEED).patients["sex"] == "female"
    onset = as_days(simulated(PATIENTS, SEED).patients["sle_onset_date"])
    return {
        "age": age(),
        "female": female.to_numpy(dtype=float),
        "years": (index() - onset) / 365.25,
        "upcr": np.log(baseline()),
        "egfr": baseline("egfr"),
        "albumin": baseline("albumin"),
        "c3": baseline("c3"),
        "hemoglobin": baseline("hemoglobin"),
    }


def histology():
    classes = biopsy()["isn_rps_class"].astype("str")
    return clinical() | {
        "ai": biopsy()["activity_index"].to_numpy(),
        "ci": biopsy()["chronicity_index"].to_numpy(),
        "pure_v": np.where(classes == "V", 1.0, 0.0),
        "proliferative": np.where(classes.str.contains("IV", na=False), 1.0, 0.0),
    }


def month_3():
    day = 91
    return histology() | {
        "upcr_3": np.log(value("upcr", 42, day)),
        "change_3": np.log(value("upcr", 42, day)) - np.log(baseline()),
        "egfr_change_3": np.log(value("egfr", 42, day) / baseline("egfr")),
    }


def month_6():
    day = 182
    return month_3() | {
        "upcr_6": np.log(value("upcr", 112, day)),
        "change_6": np.log(value("upcr", 112, day)) - np.log(baseline()),
        "egfr_change_6": np.log(value("egfr", 112, day) / baseline("egfr")),
    }


BANDS = {
    "clinical": (0.55, 0.66, clinical),
    "histology": (0.65, 0.76, histology),
    "month_3": (0.74, 0.83, month_3),
    "month_6": (0.80, 0.88, month_6),
}


def auroc(features):
    y = outcome().y
    resolved = ~np.isnan(y)
    x = pd.DataFrame(features())[resolved]
    model = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=1000),
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    risk = cross_val_predict(model, x, y[resolved], cv=folds, method="predict_proba")[:, 1]
    return roc_auc_score(y[resolved], risk)


@pytest.mark.slow
@pytest.mark.parametrize("name", BANDS)
def test_a_plain_model_can_tell_as_much_as_published_ones_and_no_more(name):
    low, high, features = BANDS[name]
    assert low <= auroc(features) <= high


def figures():
    """Every figure beside its range, for docs/simulator.md."""
    rows = [(n, low, high, float(f())) for n, (low, high, f) in ACCEPTED.items()]
    rows += [(f"auroc_{n}", low, high, float(auroc(f))) for n, (low, high, f) in BANDS.items()]
    return rows


if __name__ == "__main__":
    for name, low, high, got in figures():
        print(f"{name:28} {low:6.2f} {high:6.2f} {got:8.3f} {'' if low <= got <= high else '<<<<'}")
