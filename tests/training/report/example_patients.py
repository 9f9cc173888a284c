"""The sections of example results that say who the patients are."""

import numpy as np
from example_world import HORIZON, LANDMARKS, PATIENTS

COMPETING, CENSORED, INDETERMINATE = 31, 118, 149
AT_RISK = PATIENTS + CENSORED + INDETERMINATE


def patient_sections(world):
    return {
        "data": {"name": "simulated example", "sha256": "e" * 64, "patients": 2_000},
        "task": {
            "outcome": "rule",
            "definition": "arora-2022",
            "definition_version": "1.0.0",
            "landmarks": list(LANDMARKS),
            "primary_landmark": 84,
            "horizon_days": HORIZON,
        },
        "attrition": attrition(),
        "cohort": cohort(world),
        "weights": {
            "censoring": "kaplan-meier",
            "smallest_probability": 0.043,
            "share_below_tenth": 0.011,
            "remarks": ["Nobody from Jena was followed to the horizon."],
        },
        "sample_size": sample_size(world),
        "baseline": baseline(world),
    }


def attrition():
    return [
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
            "left_out": 1_755 - AT_RISK,
            "remaining": AT_RISK,
        },
    ]


def cohort(world):
    counts = {
        "patients": AT_RISK,
        "events": world.events,
        "competing": COMPETING,
        "event_free": PATIENTS - world.events - COMPETING,
        "censored": CENSORED,
        "indeterminate": INDETERMINATE,
        "pseudo_refractory": 164,
        "weighted_event_rate": world.event_rate,
        "truncated_weights": 7,
    }
    landmarks = [
        counts
        | {
            "landmark_days": day,
            "patients": AT_RISK + 45 - 15 * i,
            "events": world.events + 12 - 4 * i,
        }
        for i, day in enumerate(LANDMARKS)
    ]
    return counts | {"landmarks": landmarks}


def sample_size(world):
    return {
        "patients": PATIENTS,
        "events": world.events,
        "event_rate": world.event_rate,
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
    }


def baseline(world):
    groups = {"all": world.y >= 0, "event": world.y == 1, "event_free": world.y == 0}
    return [*baseline_numbers(world, groups), *baseline_shares(groups)]


def baseline_numbers(world, groups):
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
    return rows


def baseline_shares(groups):
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
    return [
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
