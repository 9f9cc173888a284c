"""What was taken, how much and for how long, in spans of days.

Assumes that a row of a drug taken by mouth gives the dose of each of its days and that an infusion
covers its own day only; a dose that was prescribed but not taken looks the same here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .days import NEVER, Days, as_days
from .history import Numbers, history_of, pairs
from .registry import Registry, text_of
from .vocabulary import drugs

__all__ = ["Doses", "Treatments", "starts_anew", "treatments_of"]

BODY_SURFACE_M2 = 1.7
BODY_WEIGHT_KG = 60.0


@dataclass(frozen=True)
class Doses:
    """What the rows of some drugs add up to in spans of days.

    Parameters
    ----------
    milligrams : ndarray of float, shape (n_spans,)
        Sum of the known doses; rows that overlap add up.
    missing : ndarray of bool, shape (n_spans,)
        Whether a row in the span has no dose.
    """

    milligrams: Numbers
    missing: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Treatments:
    """Rows of treatments sorted by patient and start.

    Parameters
    ----------
    patient, start, end : ndarray of int, shape (n_rows,)
        Positions in the registry's patients and day numbers; an ongoing row ends at `NEVER`.
    drug : ndarray of str, shape (n_rows,)
    dose : ndarray of float, shape (n_rows,)
        mg, or mg per day where `daily`; nan where not recorded.
    daily : ndarray of bool, shape (n_rows,)
    stop_reason : ndarray of str, shape (n_rows,)
        Empty where there is none.
    row : ndarray of int, shape (n_rows,)
        Row numbers of the file.
    """

    patient: Days
    start: Days
    end: Days
    drug: npt.NDArray[np.str_]
    dose: Numbers
    daily: npt.NDArray[np.bool_]
    stop_reason: npt.NDArray[np.str_]
    row: Days

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.patient)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Treatments":
        """Return the chosen rows."""
        at = np.flatnonzero(chosen)
        return Treatments(
            self.patient[at],
            self.start[at],
            self.end[at],
            self.drug[at],
            self.dose[at],
            self.daily[at],
            self.stop_reason[at],
            self.row[at],
        )

    def of_drugs(self, names: frozenset[str]) -> "Treatments":
        """Return the rows of some drugs."""
        chosen = np.zeros(len(self), dtype=bool)
        for name in names:
            chosen |= self.drug == name
        return self.where(chosen)

    def of_class(self, anchor_class: str) -> "Treatments":
        """Return the rows of one anchor class."""
        return self.of_drugs(
            frozenset(d.name for d in drugs().values() if d.anchor_class == anchor_class)
        )

    def overlaps(self, patient: Days, first_day: Days, last_day: Days) -> tuple[Days, Days, Days]:
        """Return which rows overlap which closed spans, and by how many days.

        Returns
        -------
        span, row, days : ndarray of int, shape (n_overlaps,)
        """
        span, row = pairs(patient, self.patient)
        days = (
            np.minimum(self.end[row], last_day[span])
            - np.maximum(self.start[row], first_day[span])
            + 1
        )
        some = days > 0
        return span[some], row[some], days[some]

    def doses(
        self, patient: Days, first_day: Days, last_day: Days, equivalent: Numbers | None = None
    ) -> Doses:
        """Return the cumulative dose in closed spans.

        Parameters
        ----------
        patient, first_day, last_day : ndarray of int, shape (n_spans,)
        equivalent : ndarray of float, shape (n_rows,), optional
            mg of a reference drug per mg.
        """
        span, row, days = self.overlaps(patient, first_day, last_day)
        dose = self.dose if equivalent is None else self.dose * equivalent
        amount = dose[row] * np.where(self.daily[row], days, 1)
        unknown = np.isnan(amount)
        return Doses(
            np.bincount(span, np.where(unknown, 0.0, amount), len(patient)).astype(np.float64),
            np.bincount(span, unknown, len(patient)) > 0,
        )

    def days_covered(self, patient: Days, first_day: Days, last_day: Days) -> Days:
        """Return on how many days of closed spans any row runs; days of overlap count once."""
        span, row, _ = self.overlaps(patient, first_day, last_day)
        begin = np.maximum(self.start[row], first_day[span])
        end = np.minimum(self.end[row], last_day[span])
        begin = np.maximum(begin, _latest_end_before(span, end) + 1)
        days = np.bincount(span, np.maximum(end - begin + 1, 0), len(patient))
        return days.astype(np.int64)

    def covers(self, patient: Days, day: Days) -> npt.NDArray[np.bool_]:
        """Return whether any row runs on a day, shape (n_queries,)."""
        return self.days_covered(patient, day, day) > 0

    def equivalents(self, attribute: str) -> Numbers:
        """Return mg of the reference drug that one mg of each row's drug stands for."""
        factors = {name: getattr(drug, attribute) for name, drug in drugs().items()}
        return np.array([factors.get(name, np.nan) for name in self.drug.tolist()], dtype=float)


def starts_anew(group: Days, start: Days, end: Days) -> npt.NDArray[np.bool_]:
    """Return which rows start anew: nothing of their group runs then or ran on the day before.

    A row that follows another without a day between is a change of dose, not a start.

    Parameters
    ----------
    group, start, end : ndarray of int, shape (n_rows,)
        In any order.

    Examples
    --------
    >>> group = np.zeros(3, dtype=int)
    >>> starts_anew(group, np.array([1, 11, 40]), np.array([10, 20, 50])).tolist()
    [True, False, True]
    """
    order = np.lexsort((start, group))
    new = np.zeros(len(group), dtype=bool)
    new[order] = start[order] > _latest_end_before(group[order], end[order]) + 1
    return new


def _latest_end_before(group: Days, end: Days) -> Days:
    """Return the latest end among earlier rows of the same ascending group; -NEVER if none."""
    if not len(group):
        return end
    stride = NEVER << 1
    running = np.maximum.accumulate(group * stride + end)
    before = np.concatenate([[-NEVER], running[:-1]]) - group * stride
    first = np.concatenate([[True], group[1:] != group[:-1]])
    return np.where(first, -NEVER, before)


def treatments_of(registry: Registry) -> Treatments:
    """Return a registry's treatments with doses in mg.

    mg/m2 is read with 1.7 m2; mg/kg with the latest weight up to that day, else the first one
    after it, else 60 kg.
    """
    table = registry.tables["treatments"]
    patient = registry.positions("treatments")
    start = as_days(table["start_date"])
    unit = text_of(table["dose_unit"])
    dose = table["dose"].to_numpy()
    per_area, per_weight = unit == "mg/m2", unit == "mg/kg"
    if per_weight.any():
        dose = np.where(per_weight, dose * _weight_at(registry, patient, start), dose)
    return Treatments(
        patient=patient,
        start=start,
        end=as_days(table["end_date"]),
        drug=text_of(table["drug"]),
        dose=np.where(per_area, dose * BODY_SURFACE_M2, dose),
        daily=unit == "mg/d",
        stop_reason=text_of(table["stop_reason"]),
        row=table["row"].to_numpy(),
    )


def _weight_at(registry: Registry, patient: Days, day: Days) -> Numbers:
    weights = history_of(registry, "weight")
    far = np.full(len(day), NEVER)
    before, _ = weights.latest(patient, -far, day)
    after, _ = weights.earliest(patient, day, far)
    known = np.where(np.isnan(before), after, before)
    return np.where(np.isnan(known), BODY_WEIGHT_KG, known)
