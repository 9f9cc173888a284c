"""Small registries drawn by hypothesis: few patients, every kind of record, days that collide."""

import datetime
from dataclasses import dataclass, field

import pandas as pd
from hypothesis import strategies as st
from lnrisk.features.checks import check_bundle
from lnrisk.features.reading import RawTable
from lnrisk.features.registry import Registry
from lnrisk.features.tables import TABLES

DAY_0 = datetime.date(2015, 6, 1)
FOLLOWED = 760
DRUGS = (
    "mycophenolate_mofetil",
    "mycophenolic_acid",
    "cyclophosphamide",
    "tacrolimus",
    "voclosporin",
    "belimumab",
    "obinutuzumab",
    "rituximab",
    "azathioprine",
    "prednisone",
)
DAYS = st.one_of(
    st.sampled_from((-90, 0, 7, 28, 29, 90, 112, 140, 168, 196, 224, 252, 336, 364)),
    st.integers(-100, 520),
)


@dataclass(frozen=True)
class Patient:
    """Records of one patient; days count from `DAY_0`."""

    birth: int
    sex: str
    treatments: list = field(default_factory=list)
    measurements: list = field(default_factory=list)
    adherence: list = field(default_factory=list)
    biopsies: list = field(default_factory=list)
    events: list = field(default_factory=list)


@st.composite
def treatment(draw):
    drug = draw(st.sampled_from(DRUGS))
    start = draw(st.one_of(st.sampled_from((0, 14, 28, 29, 112, 180, 200)), st.integers(0, 450)))
    reason = draw(st.sampled_from(("", "", "inefficacy", "completed", "intolerance")))
    infused = drug in ("cyclophosphamide", "belimumab", "obinutuzumab", "rituximab")
    if infused and draw(st.booleans()):
        dose = draw(st.sampled_from(("", "500", "1000", "3000")))
        return drug, start, start, dose, "mg", reason
    length = draw(st.one_of(st.none(), st.integers(0, 300)))
    dose = draw(st.sampled_from(("", "60", "1000", "1440", "2000", "3000")))
    return drug, start, None if length is None else start + length, dose, "mg/d", reason


@st.composite
def measurement(draw):
    analyte, values, unit = draw(
        st.sampled_from(
            (
                ("upcr", ("0.3", "0.5", "0.75", "1", "2.25", "3", "3.75", "5"), "g/g"),
                ("upcr", ("0.3", "0.5", "0.75", "1", "2.25", "3", "3.75", "5"), "g/g"),
                ("protein_24h", ("0.4", "2", "3"), "g/d"),
                ("creatinine", ("0.6", "0.8", "1.0", "1.2", "1.6"), "mg/dL"),
                ("egfr", ("50", "60", "90"), "mL/min/{1.73_m2}"),
                ("hcq_blood", ("100", "300", "800"), "ng/mL"),
                ("tacrolimus_trough", ("2", "4", "6"), "ng/mL"),
                ("weight", ("50", "80"), "kg"),
            )
        )
    )
    return draw(DAYS), analyte, draw(st.sampled_from(values)), unit


@st.composite
def adherence_row(draw):
    measure, values = draw(
        st.sampled_from(
            (
                ("pdc", ("0.5", "0.8", "1")),
                ("self_report", ("0.5", "0.9")),
                ("clinician", ("0", "1")),
                ("missed_infusions", ("0", "1", "2")),
            )
        )
    )
    start = draw(st.integers(0, 400))
    drug = draw(st.sampled_from(("", "", "mycophenolate_mofetil", "prednisone")))
    return start, start + draw(st.integers(0, 200)), measure, draw(st.sampled_from(values)), drug


@st.composite
def patient(draw):
    last = draw(st.sampled_from((FOLLOWED, FOLLOWED + 100)))
    events = [(last, "last_contact")]
    ending = draw(st.sampled_from(("", "", "", "death", "kidney_failure")))
    if ending:
        events.append((draw(st.integers(0, last)), ending))
    biopsy = st.tuples(DAYS, st.sampled_from(("", "2", "4", "8")), st.sampled_from(("", "1", "2")))
    return Patient(
        birth=-365 * draw(st.integers(19, 60)),
        sex=draw(st.sampled_from(("female", "male"))),
        treatments=draw(st.lists(treatment(), max_size=7)),
        measurements=draw(st.lists(measurement(), max_size=14)),
        adherence=draw(st.lists(adherence_row(), max_size=4)),
        biopsies=draw(st.lists(biopsy, max_size=2)),
        events=events,
    )


cohorts = st.lists(patient(), min_size=1, max_size=8)


def bundle(patients, *, names=None, shift=0, order=None):
    """Return the tables as they would be written, as rows of text."""

    def date(day):
        return "" if day is None else (DAY_0 + datetime.timedelta(days=day + shift)).isoformat()

    rows = {name: [] for name in TABLES}
    for number, person in enumerate(patients):
        key = names[number] if names else f"p{number}"
        rows["patients"].append((key, person.sex, date(person.birth), "", "", "", ""))
        for drug, start, end, dose, unit, reason in person.treatments:
            rows["treatments"].append((key, drug, date(start), date(end), dose, unit, reason))
        for day, analyte, value, unit in person.measurements:
            rows["measurements"].append((key, date(day), analyte, value, unit, ""))
        for start, end, measure, value, drug in person.adherence:
            rows["adherence"].append((key, date(start), date(end), measure, value, drug))
        for day, index, part in person.biopsies:
            rows["biopsies"].append((key, date(day), "IV", "5", index, "", "", part, "", ""))
        for day, event in person.events:
            rows["events"].append((key, date(day), event))
    tables = {}
    for name, columns in TABLES.items():
        written = [column.name for column in columns if column.kind != "entry_date"]
        frame = pd.DataFrame(rows[name], columns=written, dtype="str")
        if order is not None and name != "patients":
            frame = frame.sample(frac=1, random_state=order).reset_index(drop=True)
        tables[name] = frame
    return tables


def registry(patients, **how):
    """Return the checked registry of generated patients."""
    raw = {
        name: RawTable(name, f"{name}.csv", frame, 2)
        for name, frame in bundle(patients, **how).items()
    }
    tables, findings, _ = check_bundle(raw)
    assert findings.count("error") == 0, findings.text(("error",))
    return Registry(tables)
