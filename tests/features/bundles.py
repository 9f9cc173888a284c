"""A small bundle without a fault, and the ways to change it, check it and write it."""

import io

import pandas as pd
from lnrisk.features.checks import check_bundle
from lnrisk.features.reading import RawTable
from lnrisk.features.registry import Registry

GOOD = {
    "patients": (
        "patient_id,sex,birth_date,ancestry,apol1_risk_alleles,sle_onset_date\n"
        "anna,female,1980-05-04,west african,2,2010-03-01\n"
        "bert,male,1975,,,\n"
    ),
    "measurements": (
        "patient_id,date,analyte,value,unit,comparator\n"
        "anna,2020-01-01,upcr,2,g/g,\n"
        "anna,2020-02-01,upcr,0.05,g/g,<\n"
        "bert,2020-01-01,creatinine,1.1,mg/dL,\n"
    ),
    "treatments": (
        "patient_id,drug,start_date,end_date,dose,dose_unit,stop_reason\n"
        "anna,mycophenolate_mofetil,2020-01-01,2020-06-30,2000,mg/d,inefficacy\n"
        "bert,cyclophosphamide,2020-01-01,2020-01-01,500,mg,\n"
    ),
    "events": (
        "patient_id,date,event\nanna,2021-01-01,last_contact\nbert,2021-01-01,last_contact\n"
    ),
    "biopsies": (
        "patient_id,date,isn_rps_class,activity_index,chronicity_index,glomerulosclerosis,"
        "fibrous_crescents,tubular_atrophy,interstitial_fibrosis,tma\n"
        "anna,2019-12-20,III+V,9,2,1,0,1,1,0\n"
    ),
    "adherence": (
        "patient_id,start_date,end_date,measure,value,drug\nanna,2020-01-01,2020-04-01,pdc,1,\n"
    ),
    "outcomes": (
        "patient_id,index_date,date,status\n"
        "anna,2020-01-01,2020-09-01,event\n"
        "bert,2020-01-01,2021-01-01,censored\n"
    ),
}
REQUIRED = ("patients", "measurements", "treatments", "events")


def with_row(table, row):
    """Return a good table with one more row, which is its last."""
    return GOOD[table] + row + "\n"


def last_row(table):
    """Return the row number of the row that `with_row` adds."""
    return GOOD[table].count("\n") + 1


def cells(text):
    """Return CSV text as cells of text."""
    return pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)


def check(**changed):
    """Check the good bundle with some tables changed: tables, findings, rejected rows."""
    texts = {name: text for name, text in {**GOOD, **changed}.items() if text is not None}
    return check_bundle(
        {name: RawTable(name, f"{name}.csv", cells(text), 2) for name, text in texts.items()}
    )


def registry(**changed):
    """Return the registry of the good bundle with some tables changed."""
    tables, findings, _ = check(**changed)
    assert findings.count("error") == 0, findings.text(("error",))
    return Registry(tables)


def found(findings, severity="error"):
    """Return file, row, column and kind of every finding."""
    table = findings.table
    table = table[table["severity"] == severity]
    return list(zip(table["file"], table["row"], table["column"], table["kind"], strict=True))


def write(folder, **changed):
    """Write the good bundle with some tables changed; bytes are written as they are."""
    folder.mkdir(exist_ok=True)
    for name, content in {**GOOD, **changed}.items():
        if isinstance(content, str):
            content = content.encode()
        if content is not None:
            (folder / f"{name}.csv").write_bytes(content)
    return folder


def write_parquet(folder, **tables):
    """Write tables as Parquet."""
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    return folder
