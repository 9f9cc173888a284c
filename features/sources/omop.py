"""An OMOP CDM 5.4 read into the tables of a registry bundle.

Assumes standard concepts. What a concept is comes from codes.toml, or from the instance's own
vocabulary (CONCEPT, CONCEPT_ANCESTOR, DRUG_STRENGTH) where it ships one; a unit comes from
unit_concept_id, and from unit_source_value only where that is empty. The dose of a fill is quantity
x strength over the days it covers.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import RegistryError
from ..tables import TABLES
from ..vocabulary import drugs
from .codes import Codes, Meaning, strength_mg
from .imported import Collector, Imported
from .mapping import NO_PLACE
from .omop_tables import CdmTables

__all__ = ["read_omop"]

MALE, FEMALE = "8507", "8532"
_SEX_WORDS = {"f": "female", "female": "female", "m": "male", "male": "male"}
_NONE = ("", "0")
_STOP_REASONS = next(c.choices for c in TABLES["treatments"] if c.name == "stop_reason")
_UNIT_MG = {"mg": 1.0, "g": 1000.0, "ug": 0.001}


def read_omop(path: Path, codes: Codes) -> Imported:
    """Read a CDM.

    Parameters
    ----------
    path : Path
        A folder or a zip archive of CSV files.
    codes : Codes

    Raises
    ------
    RegistryError
        When ``person`` is missing, a required column is, or a file cannot be read.
    """
    cdm = CdmTables(path)
    if "person" not in cdm:
        raise RegistryError(f"{cdm.name}: no person.csv; an OMOP CDM has one.")
    about = cdm.whole("cdm_source", ("cdm_source_name",), ("cdm_version", "source_description"))
    said = about.iloc[0].to_dict() if len(about) else {}
    out = Collector(
        {
            "source": cdm.name,
            "format": f"OMOP CDM {said.get('cdm_version', '')}".strip(),
            "cdm_source_name": said.get("cdm_source_name", ""),
        }
    )
    out.synthetic = "synthetic" in said.get("source_description", "").casefold()
    _Reader(cdm, codes, out).read()
    return out.finish()


class _Vocabulary:
    """What concepts are, as far as codes.toml and the instance's own vocabulary say."""

    def __init__(self, cdm: CdmTables, codes: Codes, used: set[str]) -> None:
        self.codes = codes
        self.concepts: dict[str, tuple[str, str, str]] = {}
        known = {
            code.casefold()
            for system in ("rxnorm", "atc")
            for code in codes.codes_of("drug", system)
        }
        columns = ("concept_id", "concept_name", "vocabulary_id", "concept_code")
        for piece in cdm.pieces("concept", columns):
            ingredient = piece["vocabulary_id"].isin(("RxNorm", "ATC"))
            ingredient &= piece["concept_code"].str.casefold().isin(known)
            kept = piece[piece["concept_id"].isin(used) | ingredient]
            for concept, name, vocabulary, code in kept[list(columns)].itertuples(index=False):
                self.concepts[concept] = (name, vocabulary, code)

    def name(self, concept: str) -> str:
        """Return a concept's name, or nothing."""
        return self.concepts.get(concept, ("", "", ""))[0]

    def label(self, concept: str) -> str:
        """Return a concept as a report names it."""
        return f"concept {concept} {self.name(concept)}".strip()

    def find(self, kinds: Iterable[str], concept: str) -> Meaning | None:
        """Return what a concept means, by its id or by its code in its own vocabulary."""
        _, vocabulary, code = self.concepts.get(concept, ("", "", ""))
        refused = None
        for kind in kinds:
            for system, written in (("omop", concept), (vocabulary, code)):
                found = self.codes.find(kind, system, written)
                if found is not None and found.kind != "refused":
                    return found
                refused = refused or found
        return refused

    def unit(self, concept: str) -> str:
        """Return the unit of a unit concept; empty where it is not known."""
        code = self.codes.content["omop_units"].get(concept)
        if code is None:
            _, vocabulary, written = self.concepts.get(concept, ("", "", ""))
            code = written if vocabulary == "UCUM" else ""
        return self.codes.unit(code)


class _Reader:
    """The tables of one CDM while they become rows."""

    def __init__(self, cdm: CdmTables, codes: Codes, out: Collector) -> None:
        self.cdm, self.codes, self.out, self.report = cdm, codes, out, out.report
        self.vocabulary = _Vocabulary(cdm, codes, self._used())
        self.last: dict[str, str] = {}

    def _used(self) -> set[str]:
        columns = {
            "measurement": ("measurement_concept_id", "unit_concept_id"),
            "drug_exposure": ("drug_concept_id",),
            "condition_occurrence": ("condition_concept_id",),
            "procedure_occurrence": ("procedure_concept_id",),
        }
        return {
            str(concept)
            for table, names in columns.items()
            for piece in self.cdm.pieces(table, names)
            for name in names
            for concept in piece[name].unique()
        } - set(_NONE)

    def read(self) -> None:
        """Read every table."""
        self._measurements()
        self._drugs()
        onset = self._conditions()
        self._procedures()
        self._deaths()
        self._people(onset)

    def _seen(self, people: "pd.Series[str]", dates: "pd.Series[str]") -> None:
        latest = dates.groupby(people).max()
        for person, date in latest.items():
            self.last[str(person)] = max(str(date), self.last.get(str(person), ""))

    def _meanings(
        self, table: str, kinds: tuple[str, ...], rows: pd.DataFrame, column: str
    ) -> "pd.Series[str]":
        """Return the bundle's name of each row's concept; report the concepts without one."""
        counts = rows[column].value_counts()
        firsts = _firsts(rows, column)
        names = {}
        for each, count in counts.items():
            concept = str(each)
            meaning = self.vocabulary.find(kinds, concept)
            label = self.vocabulary.label(concept)
            first = f"{table}/{firsts[concept]}"
            if meaning is None or meaning.kind == "refused":
                reason = meaning.name if meaning else NO_PLACE
                self.report.leave_out(table, label, reason, first, int(count))
            else:
                names[concept] = meaning.name
                if meaning.assumed:
                    self.report.assume(table, label, meaning.assumed, first, int(count))
        return _named(rows[column], names)

    def _keep(
        self, table: str, rows: pd.DataFrame, good: "pd.Series[bool]", what: str, why: str
    ) -> pd.DataFrame:
        """Return the good rows and report the others."""
        bad = rows[~good]
        for name, group in bad.groupby(what, sort=True):
            self.report.leave_out(
                table, str(name), why, f"{table}/{group['row'].iloc[0]}", len(group)
            )
        return rows[good]

    def _measurements(self) -> None:
        table = "measurement"
        required = ("measurement_id", "person_id", "measurement_concept_id", "measurement_date")
        optional = (
            "value_as_number",
            "unit_concept_id",
            "unit_source_value",
            "operator_concept_id",
        )
        for piece in self.cdm.pieces(table, required, optional):
            rows = piece.assign(
                analyte=self._meanings(table, ("analyte",), piece, "measurement_concept_id")
            )
            rows = rows[rows["analyte"] != ""]
            rows = self._keep(
                table, rows, rows["value_as_number"] != "", "analyte", "value_as_number is empty"
            )
            rows = rows.assign(unit=self._units(rows))
            rows = self._keep(table, rows, rows["unit"] != "", "analyte", "no unit that is known")
            operators = self.codes.content["omop_operators"]
            rows = rows.assign(
                date=_dates(rows["measurement_date"]),
                comparator=_named(rows["operator_concept_id"], operators),
            )
            self._seen(rows["person_id"], rows["date"])
            self._add("measurements", table, rows.rename(columns={"value_as_number": "value"}))

    def _units(self, rows: pd.DataFrame) -> "pd.Series[str]":
        concepts = {c: self.vocabulary.unit(c) for c in rows["unit_concept_id"].unique()}
        units = rows["unit_concept_id"].map(concepts)
        empty = rows["unit_concept_id"].isin(_NONE)
        fallen = empty & (rows["unit_source_value"] != "")
        words = {w: self.codes.unit(w) for w in rows.loc[fallen, "unit_source_value"].unique()}
        for (analyte, word), group in rows[fallen].groupby(["analyte", "unit_source_value"]):
            self.report.assume(
                "measurement",
                str(analyte),
                f"unit_concept_id is empty; unit_source_value {word!r} is used",
                f"measurement/{group['row'].iloc[0]}",
                len(group),
            )
        return units.where(~fallen, _named(rows["unit_source_value"], words)).astype("str")

    def _add(self, bundle_table: str, table: str, rows: pd.DataFrame) -> None:
        columns = [column.name for column in TABLES[bundle_table] if column.name in rows]
        source = table + "/" + rows["row"].astype("str")
        kept = rows[columns].drop(columns="patient_id", errors="ignore")
        self.out.add_table(bundle_table, kept.assign(patient_id=rows["person_id"], source=source))

    def _drugs(self) -> None:
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
        if not len(rows):
            return
        named = self._drug_names(rows)
        rows = rows.assign(drug=_named(rows["drug_concept_id"], named))
        rows = rows[rows["drug"] != ""]
        rows = rows.assign(
            start_date=_dates(rows["drug_exposure_start_date"]),
            end_date=_dates(rows["drug_exposure_end_date"]),
            stop_reason=rows["stop_reason"].where(rows["stop_reason"].isin(_STOP_REASONS), ""),
        )
        rows = self._dosed(rows)
        self._seen(rows["person_id"], rows["start_date"])
        self._add("treatments", table, rows)

    def _drug_names(self, rows: pd.DataFrame) -> dict[str, str]:
        """Return the bundle's drug of each drug concept, and report the concepts without one."""
        counts = rows["drug_concept_id"].value_counts()
        parents = self._ingredients(set(counts.index))
        firsts = _firsts(rows, "drug_concept_id")
        found = {}
        for concept, count in counts.items():
            concept, label = str(concept), self.vocabulary.label(str(concept))
            example, name = f"drug_exposure/{firsts[concept]}", self.vocabulary.name(concept)
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
        strength = rows["drug_concept_id"].map(self._strengths(set(rows["drug_concept_id"])))
        quantity = pd.to_numeric(rows["quantity"], errors="coerce")
        amount = quantity * strength
        start, end = (pd.to_datetime(rows[n], errors="coerce") for n in ("start_date", "end_date"))
        supply = pd.to_numeric(rows["days_supply"], errors="coerce")
        days = supply.where(supply > 0, (end - start).dt.days + 1)
        route = rows["drug"].map({name: drug.route for name, drug in drugs().items()})
        vein = rows["route_concept_id"].map(
            {r: self.codes.listed("intravenous", "omop", r) for r in rows["route_concept_id"]}
        )
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

    def _conditions(self) -> dict[str, str]:
        table = "condition_occurrence"
        required = (
            "condition_occurrence_id",
            "person_id",
            "condition_concept_id",
            "condition_start_date",
        )
        onset: dict[str, str] = {}
        failed: dict[str, tuple[str, str]] = {}
        for piece in self.cdm.pieces(table, required):
            names = self._meanings(table, ("condition",), piece, "condition_concept_id")
            rows = piece.assign(name=names, date=_dates(piece["condition_start_date"]))
            rows = rows[(rows["name"] != "") & (rows["date"] != "")]
            for row in rows.to_dict("records"):
                person, date = row["person_id"], row["date"]
                if row["name"] == "kidney_failure":
                    first = failed.get(person, (date, row["row"]))
                    failed[person] = min(first, (date, row["row"]))
                else:
                    onset[person] = min(date, onset.get(person, date))
        for person, (date, row_id) in failed.items():
            self._event(person, date, "kidney_failure", f"{table}/{row_id}")
        return onset

    def _event(self, person: str, date: str, event: str, source: str) -> None:
        self.out.add("events", source, patient_id=person, date=date, event=event)
        self.last[person] = max(date, self.last.get(person, ""))

    def _procedures(self) -> None:
        table = "procedure_occurrence"
        required = (
            "procedure_occurrence_id",
            "person_id",
            "procedure_concept_id",
            "procedure_date",
        )
        for piece in self.cdm.pieces(table, required):
            names = self._meanings(table, ("procedure",), piece, "procedure_concept_id")
            rows = piece.assign(name=names, date=_dates(piece["procedure_date"]))
            for row in rows[rows["name"] != ""].to_dict("records"):
                source = f"{table}/{row['row']}"
                if row["name"] == "kidney_transplant":
                    self._event(row["person_id"], row["date"], "kidney_failure", source)
                else:
                    cells = {"patient_id": row["person_id"], "date": row["date"]}
                    self.out.add("biopsies", source, **cells)

    def _deaths(self) -> None:
        for piece in self.cdm.pieces("death", ("person_id", "death_date")):
            for person, date in zip(piece["person_id"], _dates(piece["death_date"]), strict=True):
                self._event(person, date, "death", f"death/{person}")

    def _people(self, onset: dict[str, str]) -> None:
        required = ("person_id", "gender_concept_id", "year_of_birth")
        optional = ("month_of_birth", "day_of_birth", "gender_source_value", "care_site_id")
        followed = self._observation_periods()
        for row in self.cdm.whole("person", required, optional).to_dict("records"):
            person = row["person_id"]
            sex = self._sex(row)
            if not sex:
                self.report.leave_out(
                    "person", "gender", "eGFR needs female or male", f"person/{person}"
                )
            if person not in followed:
                self.report.assume(
                    "person",
                    "last contact",
                    "no observation period; the last row that is used stands for it",
                    f"person/{person}",
                )
            self.out.add(
                "patients",
                f"person/{person}",
                patient_id=person,
                sex=sex,
                birth_date=self._birth(row),
                site=row["care_site_id"],
                sle_onset_date=onset.get(person, ""),
            )
            last = max(followed.get(person, ""), self.last.get(person, ""))
            if last:
                self._event(person, last, "last_contact", f"observation_period/{person}")

    def _observation_periods(self) -> dict[str, str]:
        columns = ("observation_period_id", "person_id", "observation_period_end_date")
        periods = self.cdm.whole("observation_period", columns)
        ends = _dates(periods["observation_period_end_date"]).groupby(periods["person_id"]).max()
        return {str(person): str(end) for person, end in ends.items()}

    def _sex(self, row: dict[object, str]) -> str:
        concept, words = row["gender_concept_id"], row["gender_source_value"].casefold()
        if concept in (MALE, FEMALE):
            return "male" if concept == MALE else "female"
        if concept in _NONE and words in _SEX_WORDS:
            why = f"gender_concept_id is empty; gender_source_value {words!r} is used"
            self.report.assume("person", "gender", why, f"person/{row['person_id']}")
            return _SEX_WORDS[words]
        return ""

    def _birth(self, row: dict[object, str]) -> str:
        year, month, day = (
            row[name].split(".")[0] for name in ("year_of_birth", "month_of_birth", "day_of_birth")
        )
        if not month:
            return year
        if not day:
            why = "a month of birth alone, read as its 15th"
            self.report.assume("person", "birth_date", why, f"person/{row['person_id']}")
        return f"{year}-{int(month):02d}-{int(day or 15):02d}" if month.isdigit() else year


def _named(cells: "pd.Series[str]", names: Mapping[str, str]) -> "pd.Series[str]":
    """Return what each cell is named; empty where it is not."""
    return cells.map(lambda cell: names.get(cell, "")).astype("str")


def _firsts(rows: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return the first row's identifier for each value of a column."""
    firsts: pd.Series[str] = rows.drop_duplicates(column).set_index(column)["row"]
    return firsts


def _dates(cells: "pd.Series[str]") -> "pd.Series[str]":
    return cells.str.slice(0, 10)


def _mg(
    row: dict[object, str], names: tuple[str, str], unit_of: Callable[[str], str]
) -> float | None:
    value, unit = row[names[0]], unit_of(row[names[1]])
    try:
        return float(value) * _UNIT_MG[unit]
    except (ValueError, KeyError):
        return None
