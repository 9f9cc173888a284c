"""How the simulated kidney answers: true proteinuria and eGFR over time, and what is measured.

Assumes that ln UPCR bends from its level at a course's start towards a plateau, that a part of the
lost eGFR comes back as proteinuria falls, and that the rest declines faster under proteinuria.
"""

import numpy as np

from ...features.days import Days
from .draws import Draws
from .patients import Flags, Numbers, Parameters, Patients, per_site

__all__ = ["bend", "creatinine_error", "fluctuation", "log_egfr_of", "upcr_error"]

YEAR, MONTH = 365.25, 30
FADING = np.array([0.70, 0.55, 0.455])  # squares add up to 1


def bend(
    parameters: Parameters,
    level: Numbers,
    plateau: Numbers,
    weeks: Numbers,
    days: Days,
    flaring_days: Days,
) -> Numbers:
    """Return true ln UPCR some days after a course's start, and after a flare began in it."""
    response = parameters["response"]
    bent = plateau + (level - plateau) * np.exp(-days / (7.0 * weeks))
    flaring = np.clip(flaring_days, 0, None) / (7.0 * response["flare_weeks"])
    bent = bent + response["flare_rise"] * (1.0 - np.exp(-flaring))
    return np.clip(bent, np.log(0.04), np.log(22.0))


def fluctuation(draws: Draws, parameters: Parameters, row: Days, day: Days) -> Numbers:
    """Return by how much true ln UPCR is above its course on some days: months differ.

    Each month brings a shock that fades over three, so that a day knows of no later month.
    """
    month = np.floor_divide(day, MONTH)
    shocks = sum(
        weight * draws.normal("month", row, month - age, (month - age) * MONTH)
        for age, weight in enumerate(FADING)
    )
    return parameters["response"]["fluctuation"] * shocks


def log_egfr_of(
    parameters: Parameters,
    patients: Patients,
    person: Days,
    day: Days,
    log_upcr: Numbers,
    decline: Numbers,
    cni: Flags,
) -> Numbers:
    """Return true ln eGFR of some patients on some days, given ln UPCR then."""
    course = parameters["kidney_course"]
    acute = course["acute_part"] + course["acute_per_activity"] * patients.activity[person]
    healed = np.clip((patients.log_upcr[person] - log_upcr) / 1.5, -1.0, 1.0)
    speed = 0.4 + 1.2 / (1.0 + np.exp(-log_upcr))
    years = np.maximum(day, 0) / YEAR
    value = patients.log_egfr[person] + acute * healed - decline * speed * years
    highest = np.log(patients.highest_egfr[person])
    return np.clip(value + course["cni_effect"] * cni, np.log(5.0), highest)


def upcr_deviation(parameters: Parameters, site: Days, log_upcr: Numbers) -> Numbers:
    """Return the coefficient of variation of UPCR in one person; larger for low spot values."""
    measurement = parameters["measurement"]
    power = (np.exp(log_upcr) / 2.0) ** measurement["spot_cv_power"]
    spot = np.clip(measurement["spot_cv_at_2"] * power, 0.15, 0.75)
    first_void = per_site(parameters, "urine", site) == "first_void"
    return np.where(first_void, measurement["first_void_cv"], spot)


def upcr_error(
    draws: Draws, parameters: Parameters, site: Days, row: Days, day: Days, log_upcr: Numbers
) -> Numbers:
    """Return the error of ln UPCR as measured on a day; a day has one, for chart and clinician."""
    deviation = upcr_deviation(parameters, site, log_upcr)
    return np.sqrt(np.log1p(deviation**2)) * draws.normal("upcr_error", row, day, day)


def creatinine_error(draws: Draws, parameters: Parameters, row: Days, day: Days) -> Numbers:
    """Return the error of ln creatinine as measured on a day."""
    deviation = parameters["measurement"]["creatinine_cv"]
    return deviation * draws.normal("creatinine_error", row, day, day)
