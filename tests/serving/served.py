"""A small model and a patient that tests of the service share; the model was fitted to nobody."""

import copy
from dataclasses import replace

import numpy as np
from models import linear_model, term

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
