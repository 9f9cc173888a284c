"""The sections of example results that say whether figures hold elsewhere."""

import numpy as np
from example_world import CENTRES, PATIENTS, by_subset, interval
from lnrisk.training.curves import calibration_curve


def robustness_sections(world):
    figures = world.figures()
    return {
        "centres": centres(world),
        "instability": instability(world),
        "spread": [spread(day, risk) for day in (0, 84, 182) for risk in (0.05, 0.2)],
        "learning_curve": learning_curve(world, figures),
        "subgroups": [
            {"group": group, "level": level, **row}
            for group, level, chosen in subsets(world)
            for row in by_subset(world, chosen, ("auroc", "observed_expected"))
        ],
        "sensitivity": sensitivity(world, figures),
        "label_certainty": label_certainty(world),
        "agreement": agreement(),
        "kappa": 0.82,
    }


def spread(day, risk):
    ends = {"lower": risk / 3, "upper": 2.5 * risk}
    told = {"landmark_days": day, "later_day": 365, "level": 0.9, "share_between_patients": 0.4}
    return {**told, "risk": risk, **ends}


def centres(world):
    rows = centre_rows(world)
    return {
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
    }


def instability(world):
    quantiles = np.linspace(0.02, 0.98, 25)
    at = np.quantile(world.risk, quantiles)
    return {
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
    }


def learning_curve(world, figures):
    return [
        {
            "patients": n,
            "events": round(n * world.event_rate),
            "measure": measure,
            **interval(measure, value, 1.6),
        }
        for n in (300, 600, 900, 1_200, 1_412)
        for measure, value in (
            ("auroc", figures["auroc"] - 12 / n),
            ("calibration_slope", 1 - 90 / n),
        )
    ]


def sensitivity(world, figures):
    events = world.events
    return [
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
            (
                "definition",
                "arora-2022 (as trained)",
                PATIENTS,
                world.events,
                figures["auroc"],
                None,
            ),
            ("definition", "arora-2022-and", PATIENTS, 71, 0.842, "both arms must fail"),
            ("definition", "arora-2022-strict", PATIENTS, 188, 0.797, None),
            ("adherence", "unknown counts as adherent", PATIENTS + 90, 171, 0.801, None),
            ("adherence", "proof asked of everyone", PATIENTS - 120, 102, 0.822, None),
            ("label certainty", "weighted by certainty", PATIENTS, events, 0.836, None),
            ("weights", "Cox on baseline and centre", PATIENTS, events, 0.815, None),
        )
        for measure, value in (("auroc", auroc_), ("observed_expected", 0.97))
    ]


def label_certainty(world):
    return {
        "assumptions": ["UPCR varies within a person by 30% (spot) or 18% (24-hour urine)."],
        "mean_probability_of_failed": 0.88,
        "verdicts": [
            {"verdict": "refractory", "patients": world.events, "mean_probability_right": 0.81},
            {"verdict": "not_refractory", "patients": 1_180, "mean_probability_right": 0.96},
            {"verdict": "pseudo_refractory", "patients": 164, "mean_probability_right": 0.72},
            {"verdict": "indeterminate", "patients": 149, "mean_probability_right": None},
        ],
    }


def agreement():
    return [
        {"rule": rule, "registry": other, "patients": patients}
        for rule, other, patients in (
            ("refractory", "yes", 98),
            ("refractory", "no", 22),
            ("not_refractory", "yes", 17),
            ("not_refractory", "no", 1_160),
        )
    ]


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
