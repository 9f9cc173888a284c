"""Treatments of a view, and the questions that features put to them.

Assumes that a drug without a row was not given and that a row of 0 mg is a pause; a row that stands
for a prescription never filled looks given here.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .days import NEVER, Days
from .feature import LandmarkView
from .history import Numbers
from .treatment import Doses, Treatments, treatments_of
from .vocabulary import ANCHOR_CLASSES

__all__ = ["Flags", "Given", "known", "thresholds"]

Flags = npt.NDArray[np.bool_]


@cache
def thresholds() -> dict[str, dict[str, Any]]:
    """Return the thresholds of ``exposure.toml`` by table."""
    return tomllib.loads((Path(__file__).parent / "exposure.toml").read_text(encoding="utf-8"))


def known(doses: Doses) -> Numbers:
    """Return mg per span; nan where a row has no dose."""
    return np.where(doses.missing, np.nan, doses.milligrams)


@dataclass(frozen=True)
class Given:
    """Treatments of a view and the span from the index date to the landmark.

    Parameters
    ----------
    view : LandmarkView
    rows : Treatments
        Without rows of 0 mg.
    """

    view: LandmarkView
    rows: Treatments

    @classmethod
    def of(cls, view: LandmarkView) -> "Given":
        """Read the treatments of a view."""
        rows = treatments_of(view.registry)
        return cls(view, rows.where(rows.dose != 0))

    @property
    def span(self) -> tuple[Days, Days, Days]:
        """Patient, index date and landmark, each of shape (n_patients,)."""
        return self.view.patient, self.view.index_day, self.view.landmark_day

    @property
    def days(self) -> Days:
        """Days from the index date to the landmark, both counted, shape (n_patients,)."""
        days: Days = self.view.landmark_day - self.view.index_day + 1
        return np.maximum(days, 1)

    def of_drugs(self, *names: str) -> Treatments:
        """Return the rows of some drugs."""
        return self.rows.of_drugs(frozenset(names))

    def ever(self, rows: Treatments, first: Days, last: Days) -> Flags:
        """Return whether any of the rows runs in closed spans, shape (n_patients,)."""
        return rows.days_covered(self.view.patient, first, last) > 0

    def who(self, rows: Treatments, chosen: Flags) -> Flags:
        """Return who has any of the chosen rows, shape (n_patients,)."""
        return np.bincount(rows.patient[chosen], minlength=len(self.view.registry)) > 0

    def first_day(self, rows: Treatments, chosen: Flags) -> Days:
        """Return the first day from the index date with any of the chosen rows; else `NEVER`."""
        index = self.view.index_day[rows.patient]
        chosen = chosen & (rows.end >= index)
        result = np.full(len(self.view.registry), NEVER)
        np.minimum.at(result, rows.patient[chosen], np.maximum(rows.start, index)[chosen])
        return result

    def share_of_days(self, rows: Treatments) -> Numbers:
        """Return on which share of the days any of the rows runs, shape (n_patients,)."""
        share: Numbers = rows.days_covered(*self.span) / self.days
        return share

    @property
    def first_regimen_until(self) -> Days:
        """Day 28 or, if that is earlier, the landmark, shape (n_patients,)."""
        day: Days = self.view.index_day + int(thresholds()["regimen"]["first_days"])
        return np.minimum(day, self.view.landmark_day)

    def first_regimen(self) -> dict[str, Flags]:
        """Return per anchor class who was given it by day 28."""
        first, until = self.view.index_day, self.first_regimen_until
        return {c: self.ever(self.rows.of_class(c), first, until) for c in ANCHOR_CLASSES}
