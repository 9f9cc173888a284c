"""A small model and a patient that tests of the service share; the model was fitted to nobody."""

import copy
from dataclasses import replace

import numpy as np
from lnrisk.features.pipeline import features_at, index_days
from lnrisk.features.trajectories import Trajectory, shrunken_dictionary
from lnrisk.model.artifact import Term
from lnrisk.serving.patient_input import check_patient
from models import linear_model, term

SCALES = {"upcr": "log", "egfr": "identity", "c3": "identity", "il6": "identity"}

COEFFICIENTS = {
    "log_upcr_last": 0.7,
    "log_upcr_least_squares_slope": 0.9,
    "egfr_change": -0.03,
    "chronicity_index": 0.2,
    "prednisone_mg_per_day": 0.01,
    "refill_share": -1.5,
    "age": -0.02,
}

RANGES = dict.fromkeys(COEFFICIENTS, (-3, 3)) | {
    "egfr_change": (-90, 90),
    "chronicity_index": (0, 12),
    "prednisone_mg_per_day": (0, 60),
    "age": (10, 90),
}


def small_model(**changes):
    random = np.random.default_rng(0)
    refits = tuple(tuple(row) for row in random.normal(0, 0.3, (20, 15)).tolist())
    simulated = {"synthetic": True, "patients": 9, "events": 3, "data": "x", "sha256": ""}
    terms = [
        replace(term(n, (low + high) / 2, lowest=low, highest=high), table="measurements")
        for n, (low, high) in RANGES.items()
    ]
    content = {"refits": refits, "training": simulated}
    return linear_model(terms, COEFFICIENTS.values(), **{**content, **changes})


def broad_model(**changes):
    """A model on every feature that the software makes of some analytes, as an elastic net is."""
    registry = check_patient(PATIENT).registry
    made = features_at(registry, index_days(registry), 84, SCALES).dictionary
    made = [*made, *shrunken_dictionary(["log_upcr", "c3"])]
    terms = [
        Term(**_entry(each), mean=0.5, scale=_scale(each), lowest=-_far(each), highest=_far(each))
        for each in made
    ]
    random = np.random.default_rng(0)
    n = len(terms)
    content = {
        "analytes": SCALES,
        "trajectories": (_trajectory("log_upcr", 1.0, 0.3), _trajectory("c3", 80.0, 20.0)),
        "refits": tuple(map(tuple, random.normal(0, 0.01, (30, 2 * n + 1)).tolist())),
        "missing_patterns": ("1" * n,),
        "required_feature": "log_upcr_last",
        "landmarks": (0, 84),
        "training": {"synthetic": True, "patients": 9, "events": 3, "data": "x", "sha256": ""},
    }
    return linear_model(terms, random.normal(0, 0.1, n), **{**content, **changes})


def _far(feature):
    return 500.0 if feature.unit.startswith("ln(") else 1e6


def _scale(feature):
    return 900.0 if feature.unit in ("mg", "mg/d") else 9.0


def _entry(feature):
    told = ("name", "meaning", "unit", "table", "look_back", "formula")
    return {name: getattr(feature, name) for name in told}


def _trajectory(name, level, spread):
    variance = (spread**2, 0.0, (spread / 10) ** 2)
    mean = ((level, 0.0, 0.0), (0.0, 0.0, 0.0))
    return Trajectory(name, ("started_with_mpa",), mean, variance, spread**2 / 4, None, 9, 9)


def upcr(date, value, unit="g/g"):
    return {"date": date, "analyte": "upcr", "value": value, "unit": unit}


PATIENT = {
    "as_of": "2015-11-01",
    "patients": [{"sex": "female", "birth_date": "1985"}],
    "treatments": [
        {
            "drug": "mycophenolate_mofetil",
            "start_date": "2015-06-01",
            "dose": 2000,
            "dose_unit": "mg/d",
        }
    ],
    "measurements": [
        upcr("2015-05-27", 3),
        upcr("2015-07-10", 2.25),
        upcr("2015-08-20", 2),
        upcr("2015-10-20", 2.9),
    ],
    "events": [{"date": "2017-06-30", "event": "last_contact"}],
}


def patient(**changes):
    return {**copy.deepcopy(PATIENT), **changes}
