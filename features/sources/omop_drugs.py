"""Drug exposures of an OMOP CDM as treatments: which drug, from when to when, how much.

Assumes that a fill is taken evenly over the days it covers: its dose is quantity x strength over
these days. What is infused counts on its first day. A dose that cannot be computed is left empty.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..tables import TABLES
from ..vocabulary import drugs
from .codes import Codes, strength_mg
from .mapping import NO_PLACE, MappingReport
from .omop_tables import CdmTables
from .omop_vocabulary import Vocabulary, dates, firsts, named

__all__ = ["DrugExposures"]

_STOP_REASONS = next(c.choices for c in TABLES["treatments"] if c.name == "stop_reason")
_UNIT_MG = {"mg": 1.0, "g": 1000.0, "ug": 0.001}


class DrugExposures:
    """The table drug_exposure, with what the vocabulary says of its drugs.

    Parameters
    ----------
    cdm : CdmTables
    codes : Codes
    vocabulary : Vocabulary
    report : MappingReport
    """

    def __init__(
        self, cdm: CdmTables, codes: Codes, vocabulary: Vocabulary, report: MappingReport
    ) -> None:
        self.cdm, self.codes, self.vocabulary, self.report = cdm, codes, vocabulary, report

    def treatments(self) -> pd.DataFrame:
        """Return the rows with drug, start_date, end_date, dose, dose_unit, stop_reason."""
        table = "drug_exposure"
        required = ("drug_exposure_id", "person_id", "drug_concept_id", "drug_exposure_start_date")
        optional = (
            "drug_exposure_end_date",
            "stop_reason",
            "quantity",
            "days_supply",
            "route_concept_id",
        )
        rows = self.cdm.whole(table, required, optional)
        found = self._drug_names(rows)
        rows = rows.assign(drug=named(rows["drug_concept_id"], found))
        rows = rows[rows["drug"] != ""]
        rows = rows.assign(
            start_date=dates(rows["drug_exposure_start_date"]),
            end_date=dates(rows["drug_exposure_end_date"]),
            stop_reason=rows["stop_reason"].where(rows["stop_reason"].isin(_STOP_REASONS), ""),
        )
        return self._dosed(rows)

    def _drug_names(self, rows: pd.DataFrame) -> dict[str, str]:
        """Return the bundle's drug of each drug concept, and report the concepts without one."""
        counts = rows["drug_concept_id"].value_counts()
        parents = self._ingredients(set(counts.index))
        first_rows = firsts(rows, "drug_concept_id")
        found = {}
        for concept, count in counts.items():
            concept, label = str(concept), self.vocabulary.label(str(concept))
            example, name = f"drug_exposure/{first_rows[concept]}", self.vocabulary.name(concept)
            meaning = self.vocabulary.find(("drug",), concept)
            drug = meaning.name if meaning and meaning.kind == "drug" else parents.get(concept)
            by_name = self.codes.drug_named(name) if drug is None and name else None
            if (drug or by_name) and self.codes.is_local(name):
                why = "not taken for the whole body"
                self.report.leave_out("drug_exposure", label, why, example, int(count))
            elif drug is not None:
                found[concept] = drug
            elif by_name is not None:
                why = f"no ingredient in the vocabulary; read by its name as {by_name}"
                self.report.assume("drug_exposure", label, why, example, int(count))
                found[concept] = by_name
            else:
                why = meaning.name if meaning else NO_PLACE
                self.report.leave_out("drug_exposure", label, why, example, int(count))
        return found

    def _ingredients(self, used: set[str]) -> dict[str, str]:
        """Return the drug of each concept that descends from an ingredient of codes.toml."""
        drugs_by_concept = {
            concept: meaning.name
            for concept in {*self.codes.codes_of("drug", "omop"), *self.vocabulary.concepts}
            if (meaning := self.vocabulary.find(("drug",), concept)) and meaning.kind == "drug"
        }
        pairs = []
        columns = ("ancestor_concept_id", "descendant_concept_id")
        for piece in self.cdm.pieces("concept_ancestor", columns):
            pairs.append(piece.set_axis(["above", "below", "row"], axis=1))
        strength = ("drug_concept_id", "ingredient_concept_id")
        for piece in self.cdm.pieces("drug_strength", strength):
            pairs.append(piece.set_axis(["below", "above", "row"], axis=1))
        found: dict[str, set[str]] = {}
        for piece in pairs:
            kept = piece[piece["below"].isin(used) & piece["above"].isin(drugs_by_concept)]
            for below, above in zip(kept["below"], kept["above"], strict=True):
                found.setdefault(below, set()).add(drugs_by_concept[above])
        return {concept: names.pop() for concept, names in found.items() if len(names) == 1}

    def _dosed(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with dose and dose_unit: mg a day, or mg on one day for an infusion."""
        if not len(rows):
            return rows.assign(dose="", dose_unit="")
        strength = rows["drug_concept_id"].map(self._strengths(set(rows["drug_concept_id"])))
        quantity = pd.to_numeric(rows["quantity"], errors="coerce")
        amount = quantity * strength
        start, end = (pd.to_datetime(rows[n], errors="coerce") for n in ("start_date", "end_date"))
        supply = pd.to_numeric(rows["days_supply"], errors="coerce")
        days = supply.where(supply > 0, (end - start).dt.days + 1)
        route = rows["drug"].map({name: drug.route for name, drug in drugs().items()})
        routes = rows["route_concept_id"].unique()
        veins = [each for each in routes if self.codes.listed("intravenous", "omop", each)]
        vein = rows["route_concept_id"].isin(veins)
        once = (route == "infusion") | ((route != "oral") & (vein | (days <= 1)))
        dose = amount.where(once, amount / days.where(days > 0))
        known = np.isfinite(dose) & (dose > 0)
        self._say_unknown_doses(rows[~known])
        text = dose.map("{:.10g}".format).astype("str").where(known, "")
        unit = pd.Series(np.where(once, "mg", "mg/d"), index=rows.index).where(known, "")
        ends = rows["end_date"].where(~once, rows["start_date"])
        return rows.assign(dose=text, dose_unit=unit, end_date=ends)

    def _say_unknown_doses(self, rows: pd.DataFrame) -> None:
        for drug, group in rows.groupby("drug"):
            self.report.assume(
                "drug_exposure",
                str(drug),
                "dose left empty: quantity, days or strength is not known",
                f"drug_exposure/{group['row'].iloc[0]}",
                len(group),
            )

    def _strengths(self, used: set[str]) -> dict[str, float]:
        """Return mg in one unit of quantity (a piece, or a millilitre) by drug concept."""
        found: dict[str, list[float]] = {}
        required = ("drug_concept_id", "ingredient_concept_id")
        amount = ("amount_value", "amount_unit_concept_id")
        ratio = ("numerator_value", "numerator_unit_concept_id")
        per = ("denominator_value", "denominator_unit_concept_id")
        for piece in self.cdm.pieces("drug_strength", required, (*amount, *ratio, *per)):
            kept = piece[piece["drug_concept_id"].isin(used)]
            for row in kept.to_dict("records"):
                mg = _mg(row, amount, self.vocabulary.unit)
                if mg is None and self.vocabulary.unit(row[per[1]]) == "mL":
                    above = _mg(row, ratio, self.vocabulary.unit)
                    volume = float(row[per[0]] or 1)
                    mg = above / volume if above is not None and volume > 0 else None
                if mg is not None:
                    found.setdefault(row["drug_concept_id"], []).append(mg)
        known = {concept: mgs[0] for concept, mgs in found.items() if len(mgs) == 1}
        for concept in used - set(found):
            stated = strength_mg(self.vocabulary.name(concept))
            if stated is not None:
                known[concept] = stated
        return known


def _mg(
    row: dict[object, str], names: tuple[str, str], unit_of: Callable[[str], str]
) -> float | None:
    value, unit = row[names[0]], unit_of(row[names[1]])
    try:
        return float(value) * _UNIT_MG[unit]
    except (ValueError, KeyError):
        return None
