"""Which features enter the model: few, named before anyone looks at the outcome.

Assumes that a patient's course is told by level and slope, and the rest by damage, activity,
treatment and adherence; a feature that matters and is not named here is missed until a
configuration names it.
"""

from collections.abc import Mapping
from typing import Literal

from ..features.laboratory import series_name
from ..features.vocabulary import Scale

__all__ = ["Course", "model_terms"]

Course = Literal["shrunken", "least_squares", "last"]
"""How the course of an analyte is told: empirical-Bayes level and slope, last value with plain
change and slope, or last value alone."""

_OF_ANALYTE: dict[Course, tuple[str, ...]] = {
    "shrunken": ("level", "slope", "shrunken_change"),
    "least_squares": ("last", "change", "least_squares_slope"),
    "last": ("last",),
}
_FALLS = ("upcr_fall_below_25", "upcr_fall_below_50")
_BESIDE = (
    "chronicity_index_shrunken",
    "activity_index",
    "class_proliferative",
    "class_membranous",
    "started_with_mpa",
    "started_with_cyc",
    "started_with_cni",
    "started_with_bel",
    "started_with_obi",
    "regimen_changed",
    "mpa_share_of_target",
    "cyc_share_of_schedule",
    "prednisone_mg_per_day",
    "hydroxychloroquine_share_of_days",
    "raas_inhibitor_share_of_days",
    "sglt2_inhibitor_share_of_days",
    "adherence_probability",
    "adherence_evidence",
    "age",
    "female",
)


def model_terms(scales: Mapping[str, Scale], course: Course) -> tuple[str, ...]:
    """Return the names of the features that enter the model.

    Parameters
    ----------
    scales : mapping of str to {"log", "identity"}
        Analytes, and the scale on which each is taken.
    course : {"shrunken", "least_squares", "last"}

    Examples
    --------
    >>> model_terms({"upcr": "log"}, "shrunken")[:4]
    ('log_upcr_level', 'log_upcr_slope', 'log_upcr_shrunken_change', 'upcr_fall_below_25')
    """
    series = [series_name(analyte, scale) for analyte, scale in scales.items()]
    terms = [f"{name}_{part}" for name in series for part in _OF_ANALYTE[course]]
    falls = _FALLS if course == "shrunken" and "log_upcr" in series else ()
    return (*terms, *falls, *_BESIDE)
