"""The sections of example results that say what the model is made of."""

import numpy as np
from example_world import LANDMARKS


def explanation_sections():
    return {
        "overlap": overlap(),
        "effects": effects(),
        "worked_patients": worked(),
        "features": features(),
        "features_left_out": [{"name": "urinary_cd163", "why": "fewer than 5% have a value"}],
        "warnings": [
            "The sample is smaller than the criteria ask for 22 parameters.",
            "The patients are simulated: no figure is evidence about real people.",
        ],
        "model": model(),
    }


def overlap():
    return [
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
    ]


def features():
    return [
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
    ]


def model():
    return {
        "C": 0.1,
        "calibration": "logistic",
        "calibration_intercept": -0.04,
        "calibration_slope": 1.08,
        "sha256": "a" * 64,
        "landmarks": list(LANDMARKS),
    }


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
