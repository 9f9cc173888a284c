"""The rows of one patient's tables as JSON: what each field means, its unit, what it may hold.

Assumes the bundle format of docs/registry.md without ``patient_id``. A field that is not listed is
refused, because a misspelt one would pass for a value that was never recorded.
"""

import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..features.vocabulary import analytes, drugs

__all__ = ["AsOf", "PatientTables"]

EXAMPLE: dict[str, Any] = {
    "as_of": "2024-08-26",
    "patients": [{"sex": "female", "birth_date": "1991-04-12"}],
    "measurements": [
        {"date": "2024-02-26", "analyte": "upcr", "value": 3.4, "unit": "g/g"},
        {"date": "2024-04-02", "analyte": "upcr", "value": 310, "unit": "mg/mmol"},
        {"date": "2024-05-21", "analyte": "upcr", "value": 2.9, "unit": "g/g"},
        {"date": "2024-08-12", "analyte": "upcr", "value": 2.8, "unit": "g/g"},
        {"date": "2024-02-26", "analyte": "creatinine", "value": 0.9, "unit": "mg/dL"},
        {"date": "2024-05-21", "analyte": "creatinine", "value": 88, "unit": "umol/L"},
        {"date": "2024-08-12", "analyte": "creatinine", "value": 1.1, "unit": "mg/dL"},
        {"date": "2024-05-21", "analyte": "c3", "value": 0.62, "unit": "g/L"},
    ],
    "treatments": [
        {
            "drug": "mycophenolate_mofetil",
            "start_date": "2024-03-01",
            "dose": 2000,
            "dose_unit": "mg/d",
        },
        {"drug": "prednisone", "start_date": "2024-03-01", "dose": 20, "dose_unit": "mg/d"},
        {
            "drug": "hydroxychloroquine",
            "start_date": "2020-06-15",
            "dose": 300,
            "dose_unit": "mg/d",
        },
    ],
    "biopsies": [
        {"date": "2024-02-20", "isn_rps_class": "IV", "activity_index": 11, "chronicity_index": 3}
    ],
    "adherence": [
        {"start_date": "2024-03-01", "end_date": "2024-08-12", "measure": "pdc", "value": 0.92}
    ],
    "events": [{"date": "2024-08-26", "event": "last_contact"}],
}
"""A made-up patient, shown in the API's description."""

_UNITS = "; ".join(f"{name}: {', '.join(each.units)}" for name, each in analytes().items())
_DRUGS = ", ".join(drugs())


def _real(text: str) -> str:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("expected a date YYYY-MM-DD that exists") from error
    if not 1900 <= day.year < 2200:
        raise ValueError("expected a date from 1900 to 2199")
    return text


def _birth(text: str) -> str:
    return _real(f"{text}-07-01") and text if len(text) == len("YYYY") else _real(text)


Date = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"}),
    AfterValidator(_real),
]


def _date(description: str) -> Any:
    return Field(description=f"{description} ISO 8601, YYYY-MM-DD, from 1900 to 2199.")


def _flag(description: str, most: int) -> Any:
    return Field(ge=0, le=most, strict=True, description=description)


def _score(description: str, highest: float) -> Any:
    return Field(ge=0, le=highest, strict=True, description=f"{description}, 0-{highest:g}.")


AsOf = Annotated[
    Date,
    _date("The day of the question: what is dated later is not looked at."),
]
RecordedOn = Annotated[
    Date | None,
    _date("When the row was entered, if later than its own date; unknown before that day."),
]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PatientRow(_Row):
    """Who the patient is."""

    sex: Annotated[Literal["female", "male"], Field(description="Sex, for eGFR and as a feature.")]
    birth_date: Annotated[
        str,
        Field(
            pattern=r"^\d{4}(-\d{2}-\d{2})?$",
            description="YYYY-MM-DD, or a year alone, read as 1 July.",
        ),
        AfterValidator(_birth),
    ]
    apol1_risk_alleles: Annotated[int | None, _flag("Number of APOL1 risk alleles.", 2)] = None
    sle_onset_date: Annotated[Date | None, _date("Onset of lupus.")] = None
    site: Annotated[Text | None, Field(description="Kept as it is; not used.")] = None
    ancestry: Annotated[
        Text | None, Field(description="Kept as it is; no rule and no model uses it.")
    ] = None


class MeasurementRow(_Row):
    """One laboratory value."""

    date: Annotated[Date, _date("Day of the sample.")]
    analyte: Annotated[
        Text, Field(description=f"Name: {', '.join(analytes())}; any other is kept, without use.")
    ]
    value: Annotated[float, Field(ge=0, strict=True, description="In `unit`.")]
    unit: Annotated[Text, Field(description=f"UCUM. Accepted: {_UNITS}.")]
    comparator: Annotated[
        Literal["<", ">"] | None, Field(description="Where `value` is a detection limit.")
    ] = None
    recorded_on: RecordedOn = None


class TreatmentRow(_Row):
    """A period of constant dose, or one administration."""

    drug: Annotated[Text, Field(description=f"Name: {_DRUGS}; any other is kept, without use.")]
    start_date: Annotated[Date, _date("First day.")]
    end_date: Annotated[
        Date | None,
        _date("Last day; null while it is taken; equal to `start_date` for an administration."),
    ] = None
    dose: Annotated[
        float | None,
        Field(ge=0, strict=True, description="In `dose_unit`: total per day, or of the infusion."),
    ] = None
    dose_unit: Annotated[
        Text | None,
        Field(description="mg/d or g/d by mouth; mg, g, mg/m2 or mg/kg for an administration."),
    ] = None
    stop_reason: (
        Literal["inefficacy", "intolerance", "completed", "nonadherence", "pregnancy", "other"]
        | None
    ) = None
    recorded_on: RecordedOn = None


class BiopsyRow(_Row):
    """A kidney biopsy."""

    date: Annotated[Date, _date("Day of the biopsy.")]
    isn_rps_class: Annotated[
        Literal["II", "III", "IV", "V", "III+V", "IV+V", "VI"] | None,
        Field(description="ISN/RPS class."),
    ] = None
    activity_index: Annotated[float | None, _score("NIH activity index", 24)] = None
    chronicity_index: Annotated[float | None, _score("NIH chronicity index", 12)] = None
    glomerulosclerosis: Annotated[float | None, _score("Part of the chronicity index", 3)] = None
    fibrous_crescents: Annotated[float | None, _score("Part of the chronicity index", 3)] = None
    tubular_atrophy: Annotated[float | None, _score("Part of the chronicity index", 3)] = None
    interstitial_fibrosis: Annotated[float | None, _score("Part of the chronicity index", 3)] = None
    tma: Annotated[int | None, _flag("Thrombotic microangiopathy: 1 yes, 0 no.", 1)] = None
    recorded_on: RecordedOn = None


class AdherenceRow(_Row):
    """A measure of adherence over a period."""

    start_date: Annotated[Date, _date("First day of the period.")]
    end_date: Annotated[Date, _date("Last day of the period; the row is known from then on.")]
    measure: Annotated[
        Literal["pdc", "mpr", "self_report", "clinician", "missed_infusions", "missed_visits"],
        Field(
            description="Proportion of days covered, medication possession ratio, share of doses "
            "reported, clinician's judgement, counts of missed infusions or visits."
        ),
    ]
    value: Annotated[
        float,
        Field(
            ge=0,
            strict=True,
            description="pdc, mpr, self_report: share from 0 to 1; clinician: 1 adherent, 0 not; "
            "missed_infusions, missed_visits: count.",
        ),
    ]
    drug: Annotated[Text | None, Field(description="null where it is about all drugs.")] = None
    recorded_on: RecordedOn = None


class EventRow(_Row):
    """Last contact, death or kidney failure."""

    date: Annotated[Date, _date("Day of the event.")]
    event: Literal["last_contact", "death", "kidney_failure"]
    recorded_on: RecordedOn = None


class OutcomeRow(_Row):
    """A registry's own index date and outcome, for models that learned one."""

    index_date: Annotated[Date, _date("The registry's index date.")]
    date: Annotated[Date, _date("Day of the status; for a patient under way, the day asked for.")]
    status: Literal["event", "competing", "censored"]
    recorded_on: RecordedOn = None


class PatientTables(_Row):
    """One patient: the tables of a registry bundle as lists of rows, and the day to answer for."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    as_of: AsOf
    identifier: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=128,
            description="How the caller calls the patient. It is in no answer, and in the audit "
            "log only as a keyed hash, where the site has a key.",
        ),
    ] = None
    patients: Annotated[
        list[PatientRow], Field(min_length=1, max_length=1, description="The patient's one row.")
    ]
    measurements: list[MeasurementRow] = []
    treatments: list[TreatmentRow] = []
    biopsies: list[BiopsyRow] = []
    adherence: list[AdherenceRow] = []
    events: list[EventRow] = []
    outcomes: Annotated[list[OutcomeRow], Field(max_length=1)] = []

    @property
    def rows(self) -> int:
        """Number of rows, all tables together."""
        return sum(len(rows) for _, rows in self if isinstance(rows, list))

    @property
    def day(self) -> datetime.date:
        """The day to answer for."""
        return datetime.date.fromisoformat(self.as_of)

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows by table."""
        content = self.model_dump()
        return {name: rows for name, rows in content.items() if isinstance(rows, list)}
