"""Where a value came from: rows of a registry, found again by patient and day.

Assumes a registry as known on the day of the question, of few patients. Of repeats on one day,
which count with their mean, the first row stands for all.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from ..features.days import as_days
from ..features.registry import Registry, text_of
from ..features.treatment import Treatments, treatments_of

__all__ = ["Evidence", "Source"]

_OF_ARM = {"proteinuria": ("upcr", "protein_24h"), "egfr": ("creatinine", "egfr")}


@dataclass(frozen=True)
class Source:
    """One row of the patient's tables."""

    table: Annotated[str, Field(description="Name of the table.", examples=["measurements"])]
    row: Annotated[int, Field(description="Row of that table, from 1.", examples=[7])]


@dataclass(frozen=True)
class Evidence:
    """Rows of a registry as known on a day, to be found again by patient and day."""

    measurement: dict[tuple[int, str, int], tuple[int, float]]
    by_analyte: dict[tuple[int, str], list[tuple[int, int]]]
    adherence: list[tuple[int, str, int, int, int]]
    treatments: Treatments

    @classmethod
    def of(cls, known: Registry) -> "Evidence":
        """Read it from a registry."""
        table = known.measurements
        patients = known.positions("measurements").tolist()
        names = text_of(table["analyte"]).tolist()
        days, rows = as_days(table["date"]).tolist(), table["row"].tolist()
        measurement: dict[tuple[int, str, int], tuple[int, float]] = {}
        by_analyte: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for who, name, day, row, value in zip(
            patients, names, days, rows, table["value"].tolist(), strict=True
        ):
            measurement[who, name, day] = row, value
            by_analyte.setdefault((who, name), []).append((day, row))
        reports = known.adherence
        adherence = zip(
            known.positions("adherence").tolist(),
            text_of(reports["measure"]).tolist(),
            as_days(reports["start_date"]).tolist(),
            as_days(reports["end_date"]).tolist(),
            reports["row"].tolist(),
            strict=True,
        )
        return cls(measurement, by_analyte, list(adherence), treatments_of(known))

    def measured(self, patient: int, arm: str, day: int, value: float) -> tuple[str, int] | None:
        """Return analyte and row of an arm's value."""
        for analyte in _OF_ARM[arm]:
            row, found = self.measurement.get((patient, analyte, day), (0, np.nan))
            if row and (arm == "egfr" or found == value):
                return analyte, row
        return None

    def between(self, patient: int, analyte: str, first: int, last: int) -> tuple[Source, ...]:
        """Return the rows of an analyte in a closed span of days."""
        rows = self.by_analyte.get((patient, analyte), [])
        return tuple(Source("measurements", row) for day, row in rows if first <= day <= last)

    def reports(
        self, patient: int, measures: tuple[str, ...], first: int, last: int
    ) -> tuple[Source, ...]:
        """Return the rows of adherence measures that overlap a closed span of days."""
        return tuple(
            Source("adherence", row)
            for who, measure, start, end, row in self.adherence
            if who == patient and measure in measures and start <= last and end >= first
        )

    def doses(
        self, patient: int, names: frozenset[str], first: int, last: int
    ) -> tuple[Source, ...]:
        """Return the rows of drugs that overlap a closed span of days."""
        rows = self.treatments.of_drugs(names)
        _, at, _ = rows.overlaps(np.array([patient]), np.array([first]), np.array([last]))
        return tuple(Source("treatments", row) for row in rows.row[at].tolist())
