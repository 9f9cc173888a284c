"""Simulated biopsies: near the index date, some before, some repeated; every one read with error.

Assumes that a reader's habit belongs to the centre, that scores are missing at random, and that the
kidney of those who do not respond is biopsied again more often.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import Days, as_dates
from .draws import Draws
from .patients import Flags, Parameters, Patients, per_site

__all__ = ["biopsies_table"]

ITEMS = ("glomerulosclerosis", "fibrous_crescents", "tubular_atrophy", "interstitial_fibrosis")
DRIFT = np.array([0.0, 0.9, -0.9])  # chronicity at a repeated and at a former biopsy, assumption
CALMED = np.array([1.0, 0.45, 1.0])


def _when(
    draws: Draws, patients: Patients, unresponsive: Flags, parameters: Parameters
) -> tuple[Days, Days, Days]:
    """Return who is biopsied, which of the three biopsies it is, and the day."""
    kidney = parameters["kidney"]
    again_share = kidney["biopsy_repeated"] * np.where(unresponsive, 2.0, 0.7)
    room = patients.index_day - patients.onset_day > 400
    who, kind, day = [], [], []
    for number, (chosen, first, width) in enumerate(
        (
            (draws.uniform("biopsied") < kidney["biopsied"], -28, 29),
            (draws.uniform("biopsied_again") < again_share, 170, 630),
            (
                (draws.uniform("biopsied_before") < kidney["former_biopsy"])
                & patients.relapsing
                & room,
                -389,
                190,
            ),
        )
    ):
        row = np.flatnonzero(chosen)
        who.append(row)
        kind.append(np.full(len(row), number))
        day.append(first + np.floor(draws.uniform("biopsy_day", row, number) * width))
    return np.concatenate(who), np.concatenate(kind), np.concatenate(day).astype(np.int64)


def _items(draws: Draws, row: Days, kind: Days, index: Days) -> npt.NDArray[np.int64]:
    """Split chronicity indices 0-12 into four items 0-3 at random, shape (n, 4)."""
    point = kind[:, None] * 12 + np.arange(12)
    order = draws.uniform("chronicity_items", row[:, None], point)
    rank = order.argsort(axis=1).argsort(axis=1)
    return (rank < index[:, None]).reshape(-1, 4, 3).sum(axis=2)


def read_chronicity(
    draws: Draws, patients: Patients, row: Days, kind: Days, parameters: Parameters
) -> Days:
    """Return the chronicity index as a centre's reader scores it."""
    reader = per_site(parameters, "reader", patients.site)[row]
    noise = parameters["kidney"]["reader_noise"] * draws.normal("chronicity_read", row, kind)
    read = patients.chronicity[row] + DRIFT[kind] + reader + noise
    return np.clip(read.round(), 0, 12).astype(np.int64)


def biopsies_table(
    draws: Draws,
    patients: Patients,
    last_day: Days,
    unresponsive: Flags,
    parameters: Parameters,
) -> pd.DataFrame:
    """Return the table ``biopsies``.

    Parameters
    ----------
    draws : Draws
    patients : Patients
    last_day : ndarray of int, shape (n_patients,)
        Last contact, days from the index date.
    unresponsive : ndarray of bool, shape (n_patients,)
    parameters : mapping
    """
    kidney = parameters["kidney"]
    row, kind, day = _when(draws, patients, unresponsive, parameters)
    index = read_chronicity(draws, patients, row, kind, parameters)
    reader = per_site(parameters, "reader", patients.site)[row]
    noise = kidney["activity_reader_noise"] * draws.normal("activity_read", row, kind)
    activity = (patients.activity[row] * CALMED[kind] + reader + noise).round()
    unscored = draws.uniform("not_scored", row, kind) < kidney["not_scored"]
    items = _items(draws, row, kind, index)
    tma = draws.uniform("tma", row, kind) < kidney["thrombotic_microangiopathy"]
    table = pd.DataFrame(
        {
            "patient_id": patients.identifiers[row],
            "date": as_dates(patients.index_day[row] + day),
            "isn_rps_class": patients.isn_rps_class[row],
            "activity_index": _scores(np.clip(activity, 0, 24), unscored),
            "chronicity_index": _scores(index, unscored),
            **{name: _scores(items[:, i], unscored) for i, name in enumerate(ITEMS)},
            "tma": _scores(tma, unscored),
        }
    )
    kept = table[day <= last_day[row]]
    return kept.sort_values(["patient_id", "date"]).reset_index(drop=True)


def _scores(values: npt.NDArray[np.generic], missing: Flags) -> pd.api.extensions.ExtensionArray:
    return pd.array(np.where(missing, np.nan, values.astype(float)), dtype="Int64")
