"""Results with every section filled, simulated from a known risk: plausible, and nobody's."""

from functools import cache

import numpy as np
from lnrisk.training.curves import calibration_curve, grouped_calibration, roc_curve
from lnrisk.training.metrics import (
    auroc,
    brier,
    calibration_intercept,
    calibration_slope,
    observed_expected,
    scaled_brier,
)
from lnrisk.training.report.page import render_report

PATIENTS, HORIZON = 1_412, 548
LANDMARKS = (0, 28, 56, 84, 112, 140, 182)
CENTRES = ("Aachen", "Basel", "Cork", "Dakar", "Evora", "Ghent", "Hanoi", "Izmir", "Jena")
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
FUNCTIONS = {
    "auroc": auroc,
    "brier": brier,
    "scaled_brier": scaled_brier,
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
    "observed_expected": observed_expected,
}
HALF_WIDTH = {
    "auroc": 0.026,
    "brier": 0.006,
    "scaled_brier": 0.035,
    "calibration_intercept": 0.17,
    "calibration_slope": 0.14,
    "observed_expected": 0.13,
    "ici": 0.006,
    "e50": 0.005,
    "e90": 0.012,
}


class World:
    """Patients with a known risk, their outcomes, and a model that nearly knows the risk."""

    def __init__(self, seed, patients=PATIENTS, knows=0.93):
        draw = np.random.default_rng(seed)
        self.draw = draw
        self.signal = draw.normal(size=patients)
        self.centre = draw.choice(
            len(CENTRES), patients, p=np.array([9, 8, 7, 6, 5, 4, 3, 2, 1]) / 45
        )
        shift = draw.normal(0, 0.25, len(CENTRES))[self.centre]
        self.true = 1 / (1 + np.exp(3.0 - 1.35 * self.signal - shift))
        self.y = (draw.random(patients) < self.true).astype(float)
        noisy = knows * self.signal + np.sqrt(1 - knows**2) * draw.normal(size=patients)
        self.risk = 1 / (1 + np.exp(2.83 - 1.25 * noisy))
        self.weight = draw.choice([1.0, 1.15, 1.4, 2.2], patients, p=[0.6, 0.2, 0.15, 0.05])
        self.female = draw.random(patients) < 0.84
        self.age = draw.gamma(9, 3.6, patients)

    def figures(self, chosen=None):
        rows = slice(None) if chosen is None else chosen
        y, risk, weight = self.y[rows], self.risk[rows], self.weight[rows]
        found = {name: float(f(y, risk, weight)) for name, f in FUNCTIONS.items()}
        curve = calibration_curve(y, risk, weight)
        error = np.abs(np.interp(risk, curve["predicted"], curve["observed"]) - risk)
        return found | {
            "ici": float(np.average(error, weights=weight)),
            "e50": float(np.quantile(error, 0.5)),
            "e90": float(np.quantile(error, 0.9)),
        }


def interval(name, value, width=1.0):
    half = HALF_WIDTH[name] * width
    low = 0.0 if name in {"brier", "ici", "e50", "e90", "observed_expected"} else -np.inf
    high = 1.0 if name == "auroc" else np.inf
    return {
        "estimate": value,
        "lower": float(max(low, value - half)),
        "upper": float(min(high, value + half)),
    }


def subsets(world):
    era = world.draw.random(len(world.y))
    kind = world.draw.random(len(world.y))
    return [
        ("sex", "female", world.female),
        ("sex", "male", ~world.female),
        ("age", "under 25", world.age < 25),
        ("age", "25 to 39", (world.age >= 25) & (world.age < 40)),
        ("age", "40 and over", world.age >= 40),
        ("ancestry", "African", kind < 0.22),
        ("ancestry", "East Asian", (kind >= 0.22) & (kind < 0.45)),
        ("ancestry", "European", (kind >= 0.45) & (kind < 0.85)),
        ("ancestry", "Indigenous American", kind >= 0.995),
        ("class", "III", era < 0.3),
        ("class", "IV", (era >= 0.3) & (era < 0.78)),
        ("class", "V alone", era >= 0.9),
        ("era", "before 2015", kind < 0.5),
        ("era", "from 2015", kind >= 0.5),
    ]


def by_subset(world, chosen, measures):
    patients, events = int(chosen.sum()), int(world.y[chosen].sum())
    hidden = patients < 10 or events < 10
    figures = {} if hidden else world.figures(chosen)
    width = np.sqrt(len(world.y) / max(patients, 1))
    empty = {"estimate": None, "lower": None, "upper": None}
    return [
        {
            "patients": None if patients < 10 else patients,
            "events": None if events < 10 else events,
            "measure": measure,
            **(empty if hidden else interval(measure, figures[measure], width)),
            "suppressed": bool(hidden),
        }
        for measure in measures
    ]


def centre_rows(world):
    rows = []
    for number, name in enumerate(CENTRES):
        for row in by_subset(
            world, world.centre == number, ("auroc", "observed_expected", "calibration_slope")
        ):
            known = row["estimate"] is not None
            error = (row["upper"] - row["lower"]) / 3.92 if known else None
            rows.append({"centre": name, "standard_error": error, **row})
    return rows


def pooled(rows):
    found = []
    for measure, tau in (
        ("auroc", 0.0006),
        ("observed_expected", 0.03),
        ("calibration_slope", 0.01),
    ):
        values = [
            r["estimate"] for r in rows if r["measure"] == measure and r["estimate"] is not None
        ]
        middle, spread = float(np.mean(values)), float(np.std(values) / np.sqrt(len(values)))
        reach = 2.2 * np.sqrt(tau + spread**2)
        found.append(
            {
                "measure": measure,
                "estimate": middle,
                "lower": middle - 1.96 * spread,
                "upper": middle + 1.96 * spread,
                "prediction_lower": middle - reach,
                "prediction_upper": min(1.0, middle + reach)
                if measure == "auroc"
                else middle + reach,
                "tau_squared": tau,
                "centres": len(values),
            }
        )
    return found


def net_benefit(world):
    rate = np.average(world.y, weights=world.weight)
    early = (world.signal + world.draw.normal(0, 1.1, len(world.y)) > 0.7).astype(float)
    rows = []
    for threshold in np.round(np.arange(0.02, 0.505, 0.02), 2):
        odds = threshold / (1 - threshold)
        for name, above in (
            ("model", world.risk >= threshold),
            ("fall < 25 % at week 12", early > 0),
        ):
            true = np.average(above * world.y, weights=world.weight)
            false = np.average(above * (1 - world.y), weights=world.weight)
            value = float(true - odds * false)
            half = 0.011 if name == "model" else None
            rows.append(
                {
                    "strategy": name,
                    "threshold": float(threshold),
                    "net_benefit": value,
                    "lower": value - half if half else None,
                    "upper": value + half if half else None,
                }
            )
        for name, value in (("treat_all", rate - (1 - rate) * odds), ("treat_none", 0.0)):
            rows.append(
                {
                    "strategy": name,
                    "threshold": float(threshold),
                    "net_benefit": float(value),
                    "lower": None,
                    "upper": None,
                }
            )
    return rows


def flagged(world):
    rows = []
    for threshold in THRESHOLDS:
        above, y, w = world.risk >= threshold, world.y, world.weight
        rows.append(
            {
                "threshold": threshold,
                "share": float(np.average(above, weights=w)),
                "sensitivity": float(np.average(above[y == 1], weights=w[y == 1])),
                "specificity": float(np.average(~above[y == 0], weights=w[y == 0])),
                "positive_predictive_value": float(np.average(y[above], weights=w[above])),
                "negative_predictive_value": float(np.average(1 - y[~above], weights=w[~above])),
            }
        )
    return rows


def baseline(world):
    groups = {"all": world.y >= 0, "event": world.y == 1, "event_free": world.y == 0}
    numbers = (
        ("age", "Age at the start", "years", lambda w: w.age),
        ("upcr_baseline", "UPCR before treatment", "g/g", lambda w: np.exp(0.9 + 0.25 * w.signal)),
        ("egfr_baseline", "eGFR before treatment", "mL/min/1.73 m²", lambda w: 82 - 9 * w.signal),
        ("albumin_baseline", "Albumin before treatment", "g/L", lambda w: 29 - 1.6 * w.signal),
        ("chronicity", "Chronicity index", None, lambda w: np.clip(3 + 1.1 * w.signal, 0, 12)),
    )
    rows = []
    for name, meaning, unit, values in numbers:
        for group, chosen in groups.items():
            low, middle, high = np.quantile(values(world)[chosen], [0.25, 0.5, 0.75])
            rows.append(
                {
                    "variable": name,
                    "meaning": meaning,
                    "unit": unit,
                    "level": None,
                    "group": group,
                    "patients": int(chosen.sum()),
                    "known": int(0.94 * chosen.sum()),
                    "median": float(middle),
                    "lower_quartile": float(low),
                    "upper_quartile": float(high),
                    "share": None,
                }
            )
    shares = (
        ("sex", "Sex", "female", {"all": 0.84, "event": 0.8, "event_free": 0.845}),
        ("class", "ISN/RPS class", "III", {"all": 0.31, "event": 0.22, "event_free": 0.32}),
        ("class", "ISN/RPS class", "IV", {"all": 0.51, "event": 0.6, "event_free": 0.5}),
        ("class", "ISN/RPS class", "V alone", {"all": 0.18, "event": 0.18, "event_free": 0.18}),
        (
            "regimen",
            "First regimen",
            "mycophenolate",
            {"all": 0.58, "event": 0.55, "event_free": 0.58},
        ),
        (
            "regimen",
            "First regimen",
            "cyclophosphamide",
            {"all": 0.3, "event": 0.36, "event_free": 0.3},
        ),
    )
    rows += [
        {
            "variable": name,
            "meaning": meaning,
            "unit": None,
            "level": level,
            "group": group,
            "patients": int(groups[group].sum()),
            "known": int(groups[group].sum()),
            "median": None,
            "lower_quartile": None,
            "upper_quartile": None,
            "share": share,
        }
        for name, meaning, level, parts in shares
        for group, share in parts.items()
    ]
    return rows


def comparators(figures):
    known = (
        (
            "fall < 25 % at week 12",
            "rule",
            "UPCR fell by less than a quarter by week 12",
            "Invented for this example",
            ["upcr"],
            0.86,
            (None, 0.66),
        ),
        (
            "fall < 50 % at month 6",
            "rule",
            "UPCR fell by less than half by month 6; at week 12 it is not yet known for anyone",
            "Invented for this example",
            ["upcr"],
            0.0,
            (None, None),
        ),
        ("last UPCR", "value", "The last UPCR alone", None, ["upcr"], 0.99, (0.71, 0.71)),
        (
            "a published model",
            "published",
            "Creatinine, hypertension, sclerosis, fibrous crescents; made for kidney failure",
            "Invented for this example",
            ["creatinine", "hypertension", "glomerulosclerosis", "fibrous crescents"],
            0.61,
            (0.58, 0.62),
        ),
    )
    rows = []
    for name, kind, meaning, source, needs, share, (raw, again) in known:
        rows.append(
            {
                "name": name,
                "kind": kind,
                "meaning": meaning,
                "source": source,
                "needs": needs,
                "computable_share": share,
                "measure": "auroc" if again else None,
                "raw": raw,
                "recalibrated": again,
                "model": figures["auroc"] + 0.01 if again else None,
                "unverified": "everything: it is invented" if kind == "published" else None,
                "absent": ["fibrous crescents"] if kind == "published" else [],
                "patients": round(share * PATIENTS),
                "lower": again - 0.034 if again else None,
                "upper": again + 0.034 if again else None,
            }
        )
    worse = figures["brier"] + 0.006
    rows.append(
        {**rows[2], "measure": "brier", "raw": None}
        | {"recalibrated": worse, "lower": worse - 0.006, "upper": worse + 0.006}
        | {"model": figures["brier"]}
    )
    return rows


def effects():
    def curve(low, high, slope, points=15):
        at = np.linspace(low, high, points)
        middle = (low + high) / 2
        risk = 1 / (1 + np.exp(2.9 - slope * (at - middle) / (high - low) * 4))
        return [float(v) for v in at], [float(v) for v in risk]

    continuous = (
        ("upcr_level", "UPCR today, shrunken", "g/g", (0.2, 6.0, 0.8)),
        ("upcr_slope", "Change of UPCR per month", "%", (-40, 15, 0.75)),
        ("egfr_level", "eGFR today, shrunken", "mL/min/1.73 m²", (25, 120, -0.4)),
        ("chronicity", "Chronicity index, freed of reader noise", None, (0, 9, 0.45)),
        ("adherence", "Probability that the drugs were taken", None, (0.05, 0.98, 0.6)),
        ("albumin_level", "Albumin today, shrunken", "g/L", (20, 42, -0.3)),
    )
    rows = []
    for name, meaning, unit, (low, high, slope) in continuous:
        for landmark in (0, 84, 182):
            values, risks = curve(low, high, slope * (0.6 + landmark / 364))
            rows.append(
                {
                    "feature": name,
                    "meaning": meaning,
                    "unit": unit,
                    "values": values,
                    "risks": risks,
                    "at_landmark": landmark,
                    "coefficient": slope * (0.6 + landmark / 364),
                }
            )
    rows.append(
        {
            "feature": "class_v",
            "meaning": "ISN/RPS class V alone",
            "unit": None,
            "values": ["no", "yes"],
            "risks": [0.07, 0.061],
            "at_landmark": 84,
            "coefficient": -0.12,
        }
    )
    return rows


def worked():
    def patient(name, risk, lower, upper, upcr, fall, adherence, drivers):
        return {
            "name": name,
            "risk": risk,
            "lower": lower,
            "upper": upper,
            "text": [
                {"feature": "upcr_level", "meaning": "UPCR today, g/g", "value": upcr},
                {"feature": "upcr_fall", "meaning": "fall since the start, %", "value": fall},
                {
                    "feature": "adherence",
                    "meaning": "probability that drugs were taken",
                    "value": adherence,
                },
                {"feature": "class", "meaning": "ISN/RPS class", "value": "IV"},
            ],
            "drivers": drivers,
        }

    return [
        patient(
            "low",
            0.012,
            0.006,
            0.021,
            0.6,
            74,
            0.71,
            ["UPCR has fallen by three quarters (lowers)"],
        ),
        patient("typical", 0.054, 0.034, 0.083, 1.4, 42, 0.78, ["Fall of UPCR near the middle"]),
        patient(
            "high",
            0.31,
            0.19,
            0.44,
            3.2,
            8,
            0.9,
            [
                "UPCR has hardly fallen (raises)",
                "chronicity index 6 (raises)",
                "drugs were taken (raises)",
            ],
        ),
    ]


@cache
def full_results(seed=4):
    """Return results of the schema lnrisk.results/2 with every section filled."""
    world = World(seed)
    figures = world.figures()
    events = int(world.y.sum())
    competing, censored, indeterminate = 31, 118, 149
    at_risk = PATIENTS + censored + indeterminate
    curve = calibration_curve(world.y, world.risk, world.weight)
    half = 0.012 + 0.25 * curve["predicted"] * (1 - curve["predicted"])
    roc = roc_curve(world.y, world.risk, world.weight)
    even = np.linspace(0, 1, 101)
    edges = np.linspace(0, 1, 21)
    counts = {
        "patients": at_risk,
        "events": events,
        "competing": competing,
        "event_free": PATIENTS - events - competing,
        "censored": censored,
        "indeterminate": indeterminate,
        "pseudo_refractory": 164,
        "weighted_event_rate": float(np.average(world.y, weights=world.weight)),
        "truncated_weights": 7,
    }
    late = [World(seed + 10 + i, 900, 0.5 + 0.07 * i) for i, _ in enumerate(LANDMARKS)]
    rows = centre_rows(world)
    quantiles = np.linspace(0.02, 0.98, 25)
    at = np.quantile(world.risk, quantiles)
    plan = {"folds": 5, "repeats": 5, "resamples": 500, "level": 0.95}
    return {
        "schema": "lnrisk.results/2",
        "lnrisk_version": "0.2.0",
        "created_on": "2026-11-25",
        "synthetic": True,
        "data": {"name": "simulated example", "sha256": "e" * 64, "patients": 2_000},
        "task": {
            "outcome": "rule",
            "definition": "arora-2022",
            "definition_version": "1.0.0",
            "landmarks": list(LANDMARKS),
            "primary_landmark": 84,
            "horizon_days": HORIZON,
        },
        "attrition": [
            {
                "step": "index date",
                "why": "no induction on record",
                "left_out": 61,
                "remaining": 1_939,
            },
            {
                "step": "at risk",
                "why": "met, dead or kidney failed by day 84",
                "left_out": 96,
                "remaining": 1_843,
            },
            {
                "step": "followed",
                "why": "follow-up ended by day 84",
                "left_out": 88,
                "remaining": 1_755,
            },
            {
                "step": "proteinuria",
                "why": "no value by day 84",
                "left_out": 1_755 - at_risk,
                "remaining": at_risk,
            },
        ],
        "cohort": counts
        | {
            "landmarks": [
                counts
                | {
                    "landmark_days": day,
                    "patients": at_risk + 45 - 15 * i,
                    "events": events + 12 - 4 * i,
                }
                for i, day in enumerate(LANDMARKS)
            ]
        },
        "weights": {
            "censoring": "kaplan-meier",
            "smallest_probability": 0.043,
            "share_below_tenth": 0.011,
            "remarks": ["Nobody from Jena was followed to the horizon."],
        },
        "sample_size": {
            "patients": PATIENTS,
            "events": events,
            "event_rate": counts["weighted_event_rate"],
            "anticipated_auroc": 0.78,
            "parameters": 22,
            "affordable_parameters": 14,
            "criteria": [
                {
                    "criterion": "shrinkage of at least 0.9",
                    "needed_patients": 2_310,
                    "needed_events": 187,
                },
                {
                    "criterion": "optimism of R² at most 0.05",
                    "needed_patients": 1_120,
                    "needed_events": 91,
                },
                {
                    "criterion": "overall risk within 0.05",
                    "needed_patients": 114,
                    "needed_events": 9,
                },
            ],
            "too_small": True,
            "remarks": ["The formula asks for too little where the AUROC is high."],
        },
        "baseline": baseline(world),
        "performance": [
            {"measure": name, **interval(name, value), "resamples": 500}
            for name, value in figures.items()
        ],
        "performance_by_landmark": [
            {
                "landmark_days": day,
                "patients": 900,
                "events": int(other.y.sum()),
                "measure": measure,
                **interval(measure, other.figures()[measure], 1.3),
            }
            for day, other in zip(LANDMARKS, late, strict=True)
            for measure in ("auroc", "calibration_slope", "observed_expected")
        ],
        "auroc_in_time": [
            {
                "days": day,
                "auroc": 0.84 - 0.00012 * day,
                "lower": 0.80 - 0.00014 * day,
                "upper": 0.88 - 0.00010 * day,
                "events": int(events * (day - 84) / 464),
            }
            for day in (240, 300, 365, 426, 487, 548)
        ],
        "optimism": [
            {
                "measure": name,
                "apparent": value + gain,
                "optimism": gain,
                "corrected": value,
                "lower": interval(name, value)["lower"],
                "upper": interval(name, value)["upper"],
                "resamples": 200,
            }
            for name, value, gain in (
                ("auroc", figures["auroc"], 0.021),
                ("brier", figures["brier"], -0.002),
                ("calibration_slope", figures["calibration_slope"], 0.09),
                ("ici", figures["ici"], -0.003),
            )
        ],
        "validation": plan,
        "calibration_curve": [
            {
                "predicted": float(p),
                "observed": float(o),
                "lower": float(max(0, o - h)),
                "upper": float(min(1, o + h)),
            }
            for p, o, h in zip(curve["predicted"], curve["observed"], half, strict=True)
        ],
        "calibration_groups": [
            {str(k): float(v) for k, v in row.items()}
            for row in grouped_calibration(world.y, world.risk, world.weight).to_dict("records")
        ],
        "calibration_by_landmark": [
            {"landmark_days": day, "predicted": float(p), "observed": float(o)}
            for day, other in zip(LANDMARKS, late, strict=True)
            for p, o in calibration_curve(other.y, other.risk, other.weight)[
                ["predicted", "observed"]
            ].to_numpy()[::4]
        ],
        "roc_curve": [
            {
                "specificity": float(1 - x),
                "sensitivity": float(np.interp(x, 1 - roc["specificity"], roc["sensitivity"])),
            }
            for x in even
        ],
        "risk_distribution": {
            "edges": edges.tolist(),
            "with_event": np.histogram(
                world.risk[world.y == 1], edges, weights=world.weight[world.y == 1]
            )[0].tolist(),
            "without_event": np.histogram(
                world.risk[world.y == 0], edges, weights=world.weight[world.y == 0]
            )[0].tolist(),
        },
        "flagged": flagged(world),
        "net_benefit": net_benefit(world),
        "comparators": comparators(figures),
        "candidates": [
            {
                "name": name,
                "meaning": meaning,
                "log_loss": loss,
                "standard_error": 0.0062,
                "difference": loss - 0.2204,
                "difference_error": 0.0013 if loss > 0.2204 else 0.0,
                "auroc": figures["auroc"] + gain,
                "parameters": parameters,
                "chosen": name == "penalised logistic",
                "why": why,
            }
            for name, meaning, loss, gain, parameters, why in (
                (
                    "penalised logistic",
                    "Few named terms, splines, ridge penalty",
                    0.2215,
                    0.0,
                    22,
                    "the simplest within one standard error of the best",
                ),
                ("elastic net", "All features", 0.2231, -0.004, 61, "no better, less simple"),
                (
                    "gradient boosting",
                    "Trees, monotone where medicine is sure",
                    0.2204,
                    0.003,
                    340,
                    "best by 0.0011, less than a standard error",
                ),
            )
        ],
        "centres": {
            "rows": rows,
            "pooled": pooled(rows),
            "calibration_by_centre": [
                {"centre": name, "predicted": float(p), "observed": float(o)}
                for number, name in enumerate(CENTRES[:-1])
                for p, o in calibration_curve(
                    world.y[world.centre == number], world.risk[world.centre == number]
                )[["predicted", "observed"]].to_numpy()[::5]
            ],
            "remarks": ["Jena has too few events to be shown."],
        },
        "instability": {
            "refits": 200,
            "mean_absolute_error": 0.019,
            "points": [
                {
                    "risk": float(r),
                    "lower": float(max(0, r - 1.3 * np.sqrt(r * (1 - r)) * 0.11)),
                    "upper": float(r + 1.6 * np.sqrt(r * (1 - r)) * 0.12),
                    "quantile": float(q),
                }
                for r, q in zip(at, quantiles, strict=True)
            ],
            "changed_class": [
                {"threshold": 0.1, "share": 0.071},
                {"threshold": 0.2, "share": 0.043},
            ],
        },
        "learning_curve": [
            {
                "patients": n,
                "events": round(n * counts["weighted_event_rate"]),
                "measure": measure,
                **interval(measure, value, 1.6),
            }
            for n in (300, 600, 900, 1_200, 1_412)
            for measure, value in (
                ("auroc", figures["auroc"] - 12 / n),
                ("calibration_slope", 1 - 90 / n),
            )
        ],
        "subgroups": [
            {"group": group, "level": level, **row}
            for group, level, chosen in subsets(world)
            for row in by_subset(world, chosen, ("auroc", "observed_expected"))
        ],
        "sensitivity": [
            {
                "analysis": analysis,
                "setting": setting,
                "patients": patients,
                "events": happened,
                "measure": measure,
                **interval(measure, value),
                "note": note,
            }
            for analysis, setting, patients, happened, auroc_, note in (
                ("definition", "arora-2022 (as trained)", PATIENTS, events, figures["auroc"], None),
                ("definition", "arora-2022-and", PATIENTS, 71, 0.842, "both arms must fail"),
                ("definition", "arora-2022-strict", PATIENTS, 188, 0.797, None),
                ("adherence", "unknown counts as adherent", PATIENTS + 90, 171, 0.801, None),
                ("adherence", "proof asked of everyone", PATIENTS - 120, 102, 0.822, None),
                ("label certainty", "weighted by certainty", PATIENTS, events, 0.836, None),
                ("weights", "Cox on baseline and centre", PATIENTS, events, 0.815, None),
            )
            for measure, value in (("auroc", auroc_), ("observed_expected", 0.97))
        ],
        "label_certainty": {
            "assumptions": ["UPCR varies within a person by 30% (spot) or 18% (24-hour urine)."],
            "mean_probability_of_failed": 0.88,
            "verdicts": [
                {"verdict": "refractory", "patients": events, "mean_probability_right": 0.81},
                {"verdict": "not_refractory", "patients": 1_180, "mean_probability_right": 0.96},
                {"verdict": "pseudo_refractory", "patients": 164, "mean_probability_right": 0.72},
                {"verdict": "indeterminate", "patients": 149, "mean_probability_right": None},
            ],
        },
        "agreement": [
            {"rule": rule, "registry": other, "patients": patients}
            for rule, other, patients in (
                ("refractory", "yes", 98),
                ("refractory", "no", 22),
                ("not_refractory", "yes", 17),
                ("not_refractory", "no", 1_160),
            )
        ],
        "kappa": 0.82,
        "overlap": [
            {
                "feature": "upcr_level",
                "criterion": "proteinuria",
                "meaning": "UPCR at the end of the first regimen decides whether it failed",
            },
            {
                "feature": "egfr_level",
                "criterion": "egfr",
                "meaning": "eGFR at the end of the first regimen decides, too",
            },
            {
                "feature": "adherence",
                "criterion": "adherence",
                "meaning": "who did not take the drugs cannot meet the definition",
            },
        ],
        "effects": effects(),
        "worked_patients": worked(),
        "features": [
            {
                "name": row["feature"],
                "meaning": row["meaning"],
                "unit": row["unit"],
                "table": "labs",
                "look_back": "all",
                "formula": "empirical Bayes",
                "citation": None,
                "missing": 0.02 * i,
            }
            for i, row in enumerate(effects()[::3])
        ],
        "features_left_out": [{"name": "urinary_cd163", "why": "fewer than 5% have a value"}],
        "warnings": [
            "The sample is smaller than the criteria ask for 22 parameters.",
            "The patients are simulated: no figure is evidence about real people.",
        ],
        "model": {
            "C": 0.1,
            "calibration": "logistic",
            "calibration_intercept": -0.04,
            "calibration_slope": 1.08,
            "sha256": "a" * 64,
            "landmarks": list(LANDMARKS),
        },
    }


ONLY_WHAT_MUST_BE = ("schema", "lnrisk_version", "created_on", "synthetic", "data", "task")


def bare_results():
    """Return results in which every section that may be left out is."""
    return {name: full_results()[name] for name in ONLY_WHAT_MUST_BE}


@cache
def full_page():
    return render_report(full_results())


@cache
def bare_page():
    return render_report(bare_results())
