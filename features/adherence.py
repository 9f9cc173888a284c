"""Signals of adherence between the index date and the landmark, each apart and as one probability.

Assumes that each measure speaks for the days it covers, and that a gap between rows was the
patient's; a pause that a physician ordered, or a row entered late, looks the same.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .adherence_probability import (
    adherence_model,
    adherence_probability,
    nonadherence_shown,
)
from .days import Days, as_days
from .drug_levels import levels_on_drug, variation
from .feature import Feature, LandmarkView
from .gaps import covered_and_gap
from .given import Flags, Given
from .history import Numbers
from .registry import is_among
from .treatment import Treatments
from .vocabulary import ANCHOR_CLASSES, drugs, drugs_with_role

__all__ = ["adherence"]

_MEASURES = {
    "refill": ("refill_share", "share of days covered by refills", ("pdc", "mpr"), True),
    "self_report": ("self_reported_share", "self-reported share of doses", ("self_report",), True),
    "clinician": (
        "clinician_says_adherent",
        "share of time the clinician says adherent",
        ("clinician",),
        True,
    ),
    "missed_infusions": ("missed_infusions", "missed infusions", ("missed_infusions",), False),
    "missed_visits": ("missed_visits", "missed visits", ("missed_visits",), False),
}
"""Prefix to feature, meaning, measures, and whether it is a share (else a count)."""

_CITED = {
    "refill": "below 0.80 nonadherent: Feldman 2018, doi 10.1016/j.semarthrit.2018.01.002",
    "self_report": "agrees poorly with levels, r < 0.25: ESSTIM, n = 158",
}
_LEVELS = {
    "hcq_blood": (
        "hydroxychloroquine in blood",
        "ng/mL",
        "below 200 severe nonadherence: Cunha 2018, doi 10.1093/ndt/gfx318",
    ),
    "hcq_serum": (
        "hydroxychloroquine in serum",
        "ng/mL",
        "below 106 nonadherent: Blanchet 2020, doi 10.1186/s13075-020-02291-z",
    ),
    "mpa_trough": (
        "mycophenolic acid trough",
        "mg/L",
        "from 3: doi 10.1093/ndt/gfu184; a low trough is not nonadherence",
    ),
    "tacrolimus_trough": ("tacrolimus trough", "ng/mL", "from 4: docs/definition.md"),
}
_SPAN = "index date to the landmark"


@dataclass(frozen=True)
class _Periods:
    """Rows of some adherence measures that overlap the span from the index date to the landmark."""

    n: int
    patient: Days
    first: Days
    last: Days
    value: Numbers

    def mean(self) -> Numbers:
        days = self.last - self.first + 1
        seen = np.bincount(self.patient, days, self.n)
        total = np.bincount(self.patient, self.value * days, self.n)
        return np.where(seen > 0, total / np.where(seen > 0, seen, 1), np.nan)

    def sum(self) -> Numbers:
        some = np.bincount(self.patient, minlength=self.n) > 0
        return np.where(some, np.bincount(self.patient, self.value, self.n), np.nan)


@dataclass(frozen=True)
class _Reports:
    """All rows of adherence, cut to the span from the index date to the landmark."""

    measure: "pd.Series[Any]"
    counts_as_refill: Flags
    periods: _Periods

    @classmethod
    def of(cls, view: LandmarkView) -> "_Reports":
        """Read them; a refill record that names a drug counts where that drug is an anchor."""
        table, patient = view.registry.tables["adherence"], view.registry.positions("adherence")
        periods = _Periods(
            len(view.registry),
            patient,
            np.maximum(as_days(table["start_date"]), view.index_day[patient]),
            np.minimum(as_days(table["end_date"]), view.landmark_day[patient]),
            table["value"].to_numpy(dtype=float),
        )
        drug = table["drug"].astype("str").fillna("")
        anchor = drug.isin(["", *drugs_with_role("anchor")]).to_numpy()
        return cls(table["measure"], anchor, periods)

    def where(self, measures: tuple[str, ...]) -> _Periods:
        """Return the periods of some measures."""
        every = self.periods
        chosen = (every.first <= every.last) & is_among(self.measure, measures)
        if "pdc" in measures:
            chosen &= self.counts_as_refill
        return _Periods(
            every.n,
            every.patient[chosen],
            every.first[chosen],
            every.last[chosen],
            every.value[chosen],
        )


def _measures(given: Given) -> dict[Feature, Numbers]:
    view = given.view
    reports = _Reports.of(view)
    features: dict[Feature, Numbers] = {}
    for prefix, (name, meaning, measures, share) in _MEASURES.items():
        periods = reports.where(measures)
        what = f"{', '.join(measures)} rows" + (
            " that name an anchor drug or none" if prefix == "refill" else ""
        )
        how = f"mean of {what}, weighted by days of overlap" if share else f"sum of {what}"
        cited = _CITED.get(prefix, "")
        entry = Feature(name, meaning, "1", "adherence", _SPAN, how, cited)
        features[entry] = periods.mean() if share else periods.sum()
        covered, _ = covered_and_gap(
            periods.patient, periods.first, periods.last, view.index_day, view.landmark_day
        )
        coverage = Feature(
            f"{prefix}_coverage",
            f"share of days that {name.replace('_', ' ')} speaks for",
            "1",
            "adherence",
            _SPAN,
            f"days with any of the {what} / days; 0 where there is none",
        )
        features[coverage] = covered / given.days
    return features


def _by_mouth(rows: Treatments, classes: frozenset[str]) -> Flags:
    """Return which rows are of some anchor classes and no single administration."""
    names = [drug.name for drug in drugs().values() if drug.anchor_class in classes]
    always = [name for name in names if drugs()[name].route == "oral"]
    period = rows.daily | (rows.end > rows.start)
    return np.isin(rows.drug, names) & (period | np.isin(rows.drug, always))


def _gaps(given: Given) -> dict[Feature, Numbers]:
    rows, stands_for = given.rows, adherence_model().infusion_days
    index, landmark = given.view.index_day, given.view.landmark_day
    tablets = _by_mouth(rows, frozenset({"MPA", "CNI", "CYC"}))
    infusion = (rows.drug == "cyclophosphamide") & ~tablets
    end = np.where(infusion, rows.start + stands_for - 1, rows.end)
    kept = replace(rows, end=end).where(tablets | infusion)
    covered, gap = covered_and_gap(kept.patient, kept.start, kept.end, index, landmark)
    oral = given.ever(rows.where(tablets), index, given.first_regimen_until)
    what = "any row of mycophenolate, a calcineurin inhibitor or oral cyclophosphamide"
    also = f"a cyclophosphamide infusion stands for {stands_for} days (our choice)"
    only = "missing where none of the first 28 days has one"

    def entry(name: str, meaning: str, unit: str, how: str) -> Feature:
        return Feature(name, meaning, unit, "treatments", _SPAN, f"{how} {what}; {also}; {only}")

    return {
        entry(
            "longest_gap", "longest gap in oral induction", "d", "longest run of days without"
        ): np.where(oral, gap, np.nan),
        entry(
            "gap_share_of_days",
            "share of days without oral induction",
            "1",
            "share of days without",
        ): np.where(oral, 1 - covered / given.days, np.nan),
    }


def _levels(given: Given) -> dict[str, tuple[Feature, Numbers]]:
    days_on = adherence_model().hydroxychloroquine_days
    mpa = frozenset(d.name for d in drugs().values() if d.anchor_class == "MPA")
    of = {
        "hcq_blood": (frozenset({"hydroxychloroquine"}), days_on),
        "hcq_serum": (frozenset({"hydroxychloroquine"}), days_on),
        "mpa_trough": (mpa, 0),
        "tacrolimus_trough": (frozenset({"tacrolimus"}), 0),
    }
    features: dict[str, tuple[Feature, Numbers]] = {}
    for analyte, (meaning, unit, cited) in _LEVELS.items():
        names, days = of[analyte]
        history = levels_on_drug(given, analyte, names, days)
        since = f" for {days} days" if days else ""
        counted = f"values on days when the drug had been taken{since}, or has no row"
        entry = Feature(
            analyte,
            f"{meaning}, median",
            unit,
            "measurements",
            _SPAN,
            f"median of {counted}",
            cited,
        )
        features[analyte] = entry, history.median(*given.span)
        if analyte == "tacrolimus_trough":
            varies = Feature(
                "tacrolimus_variation",
                "tacrolimus trough, variation",
                "1",
                "measurements",
                _SPAN,
                f"sample sd / mean of {counted}; missing below three values",
            )
            features["tacrolimus_variation"] = varies, variation(given, history)
    return features


def _infused_only(given: Given) -> Numbers:
    """Return 1 where all anchor rows from the index date on are administrations, else nan."""
    anchors = given.rows.of_drugs(drugs_with_role("anchor"))
    tablets = _by_mouth(anchors, frozenset(ANCHOR_CLASSES))
    first, last = given.view.index_day, given.view.landmark_day
    some = given.ever(anchors, first, last)
    by_mouth = given.ever(anchors.where(tablets), first, last)
    return np.where(some & ~by_mouth, 1.0, np.nan)


def _stopped(given: Given) -> Numbers:
    """Return 1 where an anchor was stopped for nonadherence since the index date, else nan."""
    anchors = given.rows.of_drugs(drugs_with_role("anchor"))
    since = anchors.end >= given.view.index_day[anchors.patient]
    stopped = given.who(anchors, since & (anchors.stop_reason == "nonadherence"))
    return np.where(stopped, 1.0, np.nan)


def _combined(evidence: dict[str, Numbers]) -> dict[Feature, Numbers]:
    probability, kinds = adherence_probability(evidence)
    tables = "adherence, measurements, treatments"
    return {
        Feature(
            "adherence_probability",
            "probability of adherence, all evidence",
            "1",
            tables,
            _SPAN,
            "log odds = logit(0.75) + sum of ln(likelihood ratio) per kind of evidence, "
            "ratios in features/adherence.toml; the prior where there is none",
            "naive Bayes; prior and most ratios are our choice, each said in the file",
        ): probability,
        Feature(
            "adherence_evidence",
            "kinds of evidence of adherence",
            "1",
            tables,
            _SPAN,
            "number of kinds that adherence_probability rests on; 0 where it is the prior",
        ): kinds.astype(np.float64),
        Feature(
            "nonadherence_shown",
            "refills, levels or missed infusions show nonadherence",
            "1",
            tables,
            _SPAN,
            "1 where refills cover less than 80 % of days, hydroxychloroquine is below 200 ng/mL "
            "in blood or 106 in serum, or two infusions were missed; else 0, with no record too",
            "docs/definition.md: objective evidence, for which the definition counts no failure",
        ): nonadherence_shown(evidence).astype(np.float64),
    }


def adherence(view: LandmarkView) -> dict[Feature, Numbers]:
    """Return measures with their coverage, gaps, drug levels, and one probability of adherence.

    Parameters
    ----------
    view : LandmarkView

    Returns
    -------
    dict of Feature to ndarray of float, shape (n_patients,)
        nan where a measure was not recorded; its coverage is then 0.
    """
    given = Given.of(view)
    measures, levels = _measures(given), _levels(given)
    value = {feature.name: values for feature, values in measures.items()}
    blood, serum = levels["hcq_blood"][1], levels["hcq_serum"][1]
    evidence = {
        "refills": value["refill_share"],
        "hydroxychloroquine_blood": blood,
        "hydroxychloroquine_serum": np.where(np.isnan(blood), serum, np.nan),
        "mycophenolate_trough": levels["mpa_trough"][1],
        "tacrolimus_trough": levels["tacrolimus_trough"][1],
        "missed_infusions": value["missed_infusions"],
        "infused_only": _infused_only(given),
        "stopped_for_nonadherence": _stopped(given),
        "missed_visits": value["missed_visits"],
        "self_report": value["self_reported_share"],
        "clinician": value["clinician_says_adherent"],
    }
    return measures | _gaps(given) | dict(levels.values()) | _combined(evidence)
