"""An OMOP CDM 5.4 read into the tables of a registry bundle.

Assumes standard concepts. What a concept is comes from codes.toml, or from the instance's own
vocabulary (CONCEPT, CONCEPT_ANCESTOR, DRUG_STRENGTH) where it ships one; a unit comes from
unit_concept_id, and from unit_source_value only where that is empty. The dose of a fill is quantity
x strength over the days it covers.
"""

from pathlib import Path

import pandas as pd

from ..errors import RegistryError
from ..tables import TABLES
from .codes import Codes
from .imported import Collector, Imported
from .mapping import NO_PLACE
from .omop_drugs import DrugExposures
from .omop_tables import CdmTables
from .omop_vocabulary import NONE, Vocabulary, dates, firsts, named

__all__ = ["read_omop"]

MALE, FEMALE = "8507", "8532"
_SEX_WORDS = {"f": "female", "female": "female", "m": "male", "male": "male"}


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


class _Reader:
    """The tables of one CDM while they become rows."""

    def __init__(self, cdm: CdmTables, codes: Codes, out: Collector) -> None:
        self.cdm, self.codes, self.out, self.report = cdm, codes, out, out.report
        self.vocabulary = Vocabulary(cdm, codes, self._used())
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
        } - set(NONE)

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
        first_rows = firsts(rows, column)
        names = {}
        for each, count in counts.items():
            concept = str(each)
            meaning = self.vocabulary.find(kinds, concept)
            label = self.vocabulary.label(concept)
            first = f"{table}/{first_rows[concept]}"
            if meaning is None or meaning.kind == "refused":
                reason = meaning.name if meaning else NO_PLACE
                self.report.leave_out(table, label, reason, first, int(count))
            else:
                names[concept] = meaning.name
                if meaning.assumed:
                    self.report.assume(table, label, meaning.assumed, first, int(count))
        return named(rows[column], names)

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
                date=dates(rows["measurement_date"]),
                comparator=named(rows["operator_concept_id"], operators),
            )
            self._seen(rows["person_id"], rows["date"])
            self._add("measurements", table, rows.rename(columns={"value_as_number": "value"}))

    def _units(self, rows: pd.DataFrame) -> "pd.Series[str]":
        concepts = {c: self.vocabulary.unit(c) for c in rows["unit_concept_id"].unique()}
        units = rows["unit_concept_id"].map(concepts)
        empty = rows["unit_concept_id"].isin(NONE)
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
        return units.where(~fallen, named(rows["unit_source_value"], words)).astype("str")

    def _add(self, bundle_table: str, table: str, rows: pd.DataFrame) -> None:
        columns = [column.name for column in TABLES[bundle_table] if column.name in rows]
        source = table + "/" + rows["row"].astype("str")
        kept = rows[columns].drop(columns="patient_id", errors="ignore")
        self.out.add_table(bundle_table, kept.assign(patient_id=rows["person_id"], source=source))

    def _drugs(self) -> None:
        rows = DrugExposures(self.cdm, self.codes, self.vocabulary, self.report).treatments()
        self._seen(rows["person_id"], rows["start_date"])
        self._add("treatments", "drug_exposure", rows)

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
            rows = piece.assign(name=names, date=dates(piece["condition_start_date"]))
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
            rows = piece.assign(name=names, date=dates(piece["procedure_date"]))
            for row in rows[rows["name"] != ""].to_dict("records"):
                source = f"{table}/{row['row']}"
                if row["name"] == "kidney_transplant":
                    self._event(row["person_id"], row["date"], "kidney_failure", source)
                else:
                    cells = {"patient_id": row["person_id"], "date": row["date"]}
                    self.out.add("biopsies", source, **cells)

    def _deaths(self) -> None:
        for piece in self.cdm.pieces("death", ("person_id", "death_date")):
            for person, date in zip(piece["person_id"], dates(piece["death_date"]), strict=True):
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
        ends = dates(periods["observation_period_end_date"]).groupby(periods["person_id"]).max()
        return {str(person): str(end) for person, end in ends.items()}

    def _sex(self, row: dict[object, str]) -> str:
        concept, words = row["gender_concept_id"], row["gender_source_value"].casefold()
        if concept in (MALE, FEMALE):
            return "male" if concept == MALE else "female"
        if concept in NONE and words in _SEX_WORDS:
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
