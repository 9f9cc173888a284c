"""The sections of example results that say how well the risk predicts."""

import numpy as np
from example_world import LANDMARKS, PATIENTS, World, interval
from lnrisk.training.curves import calibration_curve, grouped_calibration, roc_curve

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)


def measure_sections(world, seed):
    figures = world.figures()
    late = [World(seed + 10 + i, 900, 0.5 + 0.07 * i) for i, _ in enumerate(LANDMARKS)]
    return {
        "performance": performance(figures),
        "performance_by_landmark": performance_by_landmark(late),
        "auroc_in_time": auroc_in_time(world),
        "optimism": optimism(figures),
        "validation": {"folds": 5, "repeats": 5, "resamples": 500, "level": 0.95},
        "calibration_curve": smooth_calibration(world),
        "calibration_groups": calibration_groups(world),
        "calibration_by_landmark": calibration_by_landmark(late),
        "roc_curve": roc_points(world),
        "risk_distribution": risk_distribution(world),
        "flagged": flagged(world),
        "net_benefit": net_benefit(world),
        "comparators": comparators(figures),
        "candidates": candidates(figures),
    }


def performance(figures):
    return [
        {"measure": name, **interval(name, value), "resamples": 500}
        for name, value in figures.items()
    ]


def performance_by_landmark(late):
    return [
        {
            "landmark_days": day,
            "patients": 900,
            "events": int(other.y.sum()),
            "measure": measure,
            **interval(measure, other.figures()[measure], 1.3),
        }
        for day, other in zip(LANDMARKS, late, strict=True)
        for measure in ("auroc", "calibration_slope", "observed_expected")
    ]


def auroc_in_time(world):
    return [
        {
            "days": day,
            "auroc": 0.84 - 0.00012 * day,
            "lower": 0.80 - 0.00014 * day,
            "upper": 0.88 - 0.00010 * day,
            "events": int(world.events * (day - 84) / 464),
        }
        for day in (240, 300, 365, 426, 487, 548)
    ]


def optimism(figures):
    return [
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
    ]


def smooth_calibration(world):
    curve = calibration_curve(world.y, world.risk, world.weight)
    half = 0.012 + 0.25 * curve["predicted"] * (1 - curve["predicted"])
    return [
        {
            "predicted": float(p),
            "observed": float(o),
            "lower": float(max(0, o - h)),
            "upper": float(min(1, o + h)),
        }
        for p, o, h in zip(curve["predicted"], curve["observed"], half, strict=True)
    ]


def calibration_groups(world):
    return [
        {str(k): float(v) for k, v in row.items()}
        for row in grouped_calibration(world.y, world.risk, world.weight).to_dict("records")
    ]


def calibration_by_landmark(late):
    return [
        {"landmark_days": day, "predicted": float(p), "observed": float(o)}
        for day, other in zip(LANDMARKS, late, strict=True)
        for p, o in calibration_curve(other.y, other.risk, other.weight)[
            ["predicted", "observed"]
        ].to_numpy()[::4]
    ]


def roc_points(world):
    roc = roc_curve(world.y, world.risk, world.weight)
    return [
        {
            "specificity": float(1 - x),
            "sensitivity": float(np.interp(x, 1 - roc["specificity"], roc["sensitivity"])),
        }
        for x in np.linspace(0, 1, 101)
    ]


def risk_distribution(world):
    edges = np.linspace(0, 1, 21)
    return {
        "edges": edges.tolist(),
        "with_event": np.histogram(
            world.risk[world.y == 1], edges, weights=world.weight[world.y == 1]
        )[0].tolist(),
        "without_event": np.histogram(
            world.risk[world.y == 0], edges, weights=world.weight[world.y == 0]
        )[0].tolist(),
    }


def candidates(figures):
    return [
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
            "chosen_in_folds": folds,
            "chosen_in_refits": refits,
        }
        for name, meaning, loss, gain, parameters, why, folds, refits in (
            (
                "penalised logistic",
                "Few named terms, splines, ridge penalty",
                0.2215,
                0.0,
                22,
                "the simplest within one standard error of the best",
                19,
                131,
            ),
            ("elastic net", "All features", 0.2231, -0.004, 61, "no better, less simple", 6, 69),
            (
                "gradient boosting",
                "Trees, monotone where medicine is sure",
                0.2204,
                0.003,
                340,
                "best by 0.0011, less than a standard error",
                None,
                None,
            ),
        )
    ]


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
