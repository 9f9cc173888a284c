"""What a simulated course is made of: its regimen, dose, intake, and the response it can reach.

Assumes that regimens differ in their mean effect only, that a patient's frailty acts on all of them
and that nonadherence is a state that lasts for a course.
"""

import numpy as np

from ...features.days import Days
from .draws import Draws
from .patients import (
    LOW_CHRONICITY,
    Flags,
    Names,
    Numbers,
    Parameters,
    Patients,
    by_name,
    per_site,
)

__all__ = ["MAINTENANCE_DAY", "WITH_MYCOPHENOLATE", "first_regimen", "next_regimen"]

FULL_SHARE = 0.85
WITH_MYCOPHENOLATE = ("MPA", "MPA_CNI", "MPA_BEL", "MPA_OBI", "RESCUE")
MAINTENANCE_DAY = {"CYC_LOW": 84, "CYC_HIGH": 166}


def first_regimen(draws: Draws, patients: Patients, parameters: Parameters) -> Names:
    """Draw first regimens by calendar date and centre."""
    regimens, calendar = parameters["regimens"], parameters["calendar"]
    first, last = (
        np.datetime64(calendar[name]).astype(np.int64) for name in ("first_index", "last_index")
    )
    late = ((patients.index_day - first) / (last - first))[:, None]
    names = list(regimens["first_line_at_first"])
    early_share = np.array([regimens["first_line_at_first"][name] for name in names])
    late_share = np.array([regimens["first_line_at_last"][name] for name in names])
    share = early_share * (1 - late) + late_share * late
    odds = per_site(parameters, "cyclophosphamide", patients.site)[:, None]
    share = share * np.where([name.startswith("CYC") for name in names], odds, 1.0)
    upto = np.cumsum(share, axis=1) / share.sum(axis=1, keepdims=True)
    drawn = draws.uniform("first_regimen")[:, None]
    return np.array(names, dtype="U24")[(drawn > upto[:, :-1]).sum(axis=1)]


def maintenance_start(draws: Draws, row: Days, number: int, regimen: Names, start: Days) -> Days:
    """Return when maintenance follows the infusions of cyclophosphamide."""
    begins = np.where(regimen == "CYC_LOW", MAINTENANCE_DAY["CYC_LOW"], MAINTENANCE_DAY["CYC_HIGH"])
    return draws.waiting_within("maintenance_start", row, number, start + begins, [0.0, 14.0])


def on_azathioprine(
    draws: Draws, row: Days, number: int, begins: Days, parameters: Parameters
) -> Flags:
    """Return whether maintenance is azathioprine, else mycophenolate."""
    share = parameters["regimens"]["given"]["maintenance_mycophenolate"]
    return draws.uniform("maintenance_drug", row, number, begins) > share


def next_regimen(
    draws: Draws,
    regimen: Names,
    number: int,
    decided_on: Days,
    azathioprine: Flags,
    parameters: Parameters,
) -> Names:
    """Draw what follows each regimen; never the drug of the maintenance that just failed."""
    following = np.empty(len(regimen), dtype="U24")
    for name, shares in parameters["regimens"]["next"].items():
        here = np.flatnonzero(regimen == name)
        following[here] = draws.choice("next_regimen", shares, here, number, decided_on[here])
    on_it_already = (following == "MPA") & (regimen == "CYC_LOW") & ~azathioprine
    following[on_it_already] = "MPA_CNI"
    return following


def target_dose(
    draws: Draws, regimen: Names, number: int, start: Days, parameters: Parameters
) -> Numbers:
    """Draw target doses of mycophenolate, mg per day."""
    given = parameters["regimens"]["given"]
    at = (None, number, start)
    alone = draws.choice("dose", given["mycophenolate_mg"], *at).astype(float)
    with_cni = draws.choice("dose", given["mycophenolate_mg_with_cni"], *at).astype(float)
    return np.where(regimen == "MPA_CNI", with_cni, alone)


def is_adequate(regimen: Names, mycophenolate_mg: Numbers) -> Flags:
    """Return whether the intended dose is adequate."""
    enough = mycophenolate_mg >= np.where(regimen == "MPA_CNI", 1000.0, 2000.0)
    return enough | np.isin(regimen, ("CYC_LOW", "CYC_HIGH"))


def first_state(draws: Draws, patients: Patients, parameters: Parameters) -> Flags:
    """Draw who is adherent in the first course; centres differ."""
    logit = np.log(parameters["adherence"]["nonadherent"] ** -1.0 - 1.0)
    logit = logit - per_site(parameters, "nonadherent", patients.site)
    return draws.uniform("adherent", number=0) < 1.0 / (1.0 + np.exp(-logit))


def later_state(
    draws: Draws, before: Flags, number: int, start: Days, parameters: Parameters
) -> Flags:
    """Draw who is adherent in a later course."""
    adherence = parameters["adherence"]
    changes = draws.uniform("adherence_changes", None, number, start) > adherence["keeps_state"]
    anew = draws.uniform("adherent", None, number, start) > adherence["nonadherent"]
    return np.where(changes, anew, before)


def share_taken(
    draws: Draws, adherent: Flags, number: int, start: Days, parameters: Parameters
) -> Numbers:
    """Draw shares of doses truly taken."""
    share = np.empty(len(adherent))
    for state, shapes in ((True, "share_adherent"), (False, "share_nonadherent")):
        row = np.flatnonzero(adherent == state)
        beta = parameters["adherence"][shapes]
        share[row] = draws.beta("share_taken", beta, row, number, start[row])
    return share


def draw_responsiveness(
    draws: Draws,
    patients: Patients,
    regimen: Names,
    number: int,
    start: Days,
    parameters: Parameters,
) -> Numbers:
    """Draw the fall of ln UPCR that a regimen reaches in the end, at full dose and intake."""
    response, person = parameters["response"], parameters["person"]
    shared = response["shared"]
    own = draws.normal("responsiveness", None, number, start)
    drawn = np.sqrt(shared) * patients.frailty + np.sqrt(1 - shared) * own
    excess = patients.log_upcr - np.log(parameters["kidney"]["upcr_median"])
    return (
        by_name(response["mean_fall"], regimen)
        + response["fall_sd"] * drawn
        + response["later_courses"] * (number > 0)
        + response["per_chronicity"] * (patients.chronicity - LOW_CHRONICITY)
        + response["relapsing"] * (patients.relapsing - person["relapsing"])
        + response["per_ln_upcr"] * excess
    )


def reached(
    responsiveness: Numbers,
    share: Numbers,
    adequate: Flags,
    level: Numbers,
    lowest: Numbers,
    parameters: Parameters,
) -> Numbers:
    """Return the plateau of ln UPCR, given dose and intake."""
    response = parameters["response"]
    missed = np.clip(FULL_SHARE - share, 0, None)
    fall = responsiveness - response["missed_intake"] * missed - response["underdosed"] * ~adequate
    fall = np.where(fall < 0, fall * response["worsening_damped"], fall)
    return np.maximum(level - fall, np.minimum(lowest, level))
