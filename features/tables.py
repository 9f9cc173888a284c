"""The tables of a registry bundle: their columns, and what each cell may hold.

Assumes the bundle format of docs/registry.md; columns beyond these are kept on file and ignored.
"""

from dataclasses import dataclass

__all__ = ["REQUIRED_TABLES", "TABLES", "Column"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
    kind : {"id", "text", "date", "birth_date", "entry_date", "number", "choice"}
        An ``entry_date`` says when a row was entered, which may be after the last contact.
    required : bool, default=False
        Whether the column must exist and no cell may be empty.
    choices : tuple of str, default=()
        What a cell of kind ``choice`` may hold.
    lowest, highest : float
        The closed range of a cell of kind ``number``.
    whole : bool, default=False
        Whether only whole numbers are accepted.
    """

    name: str
    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()
    lowest: float = 0.0
    highest: float = float("inf")
    whole: bool = False


def _score(name: str, highest: float) -> Column:
    return Column(name, "number", highest=highest)


_PATIENT = Column("patient_id", "id", required=True)
_RECORDED = Column("recorded_on", "entry_date")
_DATE = Column("date", "date", required=True)

TABLES: dict[str, tuple[Column, ...]] = {
    "patients": (
        _PATIENT,
        Column("sex", "choice", required=True, choices=("female", "male")),
        Column("birth_date", "birth_date", required=True),
        Column("site", "text"),
        Column("ancestry", "text"),
        Column("apol1_risk_alleles", "number", highest=2, whole=True),
        Column("sle_onset_date", "date"),
    ),
    "events": (
        _PATIENT,
        _DATE,
        Column(
            "event",
            "choice",
            required=True,
            choices=("last_contact", "death", "kidney_failure"),
        ),
        _RECORDED,
    ),
    "measurements": (
        _PATIENT,
        _DATE,
        Column("analyte", "text", required=True),
        Column("value", "number", required=True),
        Column("unit", "text", required=True),
        Column("comparator", "choice", choices=("<", ">")),
        _RECORDED,
    ),
    "treatments": (
        _PATIENT,
        Column("drug", "text", required=True),
        Column("start_date", "date", required=True),
        Column("end_date", "date"),
        Column("dose", "number"),
        Column("dose_unit", "text"),
        Column(
            "stop_reason",
            "choice",
            choices=(
                "inefficacy",
                "intolerance",
                "completed",
                "nonadherence",
                "pregnancy",
                "other",
            ),
        ),
        _RECORDED,
    ),
    "biopsies": (
        _PATIENT,
        _DATE,
        Column("isn_rps_class", "choice", choices=("II", "III", "IV", "V", "III+V", "IV+V", "VI")),
        _score("activity_index", 24),
        _score("chronicity_index", 12),
        _score("glomerulosclerosis", 3),
        _score("fibrous_crescents", 3),
        _score("tubular_atrophy", 3),
        _score("interstitial_fibrosis", 3),
        Column("tma", "number", highest=1, whole=True),
        _RECORDED,
    ),
    "adherence": (
        _PATIENT,
        Column("start_date", "date", required=True),
        Column("end_date", "date", required=True),
        Column(
            "measure",
            "choice",
            required=True,
            choices=(
                "pdc",
                "mpr",
                "self_report",
                "clinician",
                "missed_infusions",
                "missed_visits",
            ),
        ),
        Column("value", "number", required=True),
        Column("drug", "text"),
        _RECORDED,
    ),
    "outcomes": (
        _PATIENT,
        Column("index_date", "date", required=True),
        _DATE,
        Column("status", "choice", required=True, choices=("event", "competing", "censored")),
        _RECORDED,
    ),
}

REQUIRED_TABLES = ("patients", "measurements", "treatments", "events")
