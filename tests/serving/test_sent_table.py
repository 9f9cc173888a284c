"""Rows as they were sent are checked as the same rows of a file are."""

import datetime

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.features.checks import check_bundle
from lnrisk.features.reading import RawTable
from lnrisk.features.tables import TABLES
from lnrisk.serving.sent_table import SentTable

PEOPLE = [{"sex": "female", "birth_date": "1985"}, {"sex": "male", "birth_date": "1990-02-03"}]
DATES = st.sampled_from(["2015-05-27", "2015-02-30", "1700-01-01", "", None])
ROWS = st.fixed_dictionaries(
    {
        "date": DATES | st.just(datetime.date(2015, 6, 1)),
        "analyte": st.sampled_from(["upcr", " upcr ", "creatinine", "ferritin", "", None]),
        "value": st.sampled_from([2.5, 0, -1, 900, "3.1", "much", "", None]),
        "unit": st.sampled_from(["g/g", " mg/dL", "furlong", "", None]),
    },
    optional={"comparator": st.sampled_from(["<", "~", "", None]), "recorded_on": DATES},
)


def as_written(name, rows, owner):
    """The rows as a file has them: all text."""
    cells = {"patient_id": pd.Series(owner.astype(str), dtype="str")}
    for column in TABLES[name][1:]:
        texts = ["" if row.get(column.name) is None else str(row[column.name]) for row in rows]
        cells[column.name] = pd.Series(texts, dtype="str")
    return RawTable(name, name, pd.DataFrame(cells), 1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, min_size=1, max_size=6))
def test_rows_are_checked_as_those_of_a_file(rows):
    sent = {"patients": (PEOPLE, np.arange(2)), "measurements": (rows, np.arange(len(rows)) % 3)}
    found, findings, _ = check_bundle({n: SentTable(n, *of) for n, of in sent.items()})
    same, expected, _ = check_bundle({n: as_written(n, *of) for n, of in sent.items()})
    for name, table in same.items():
        pd.testing.assert_frame_equal(found[name], table)
    kinds = ["severity", "kind", "file", "row", "column"]
    assert findings.table[kinds].to_dict("records") == expected.table[kinds].to_dict("records")


def test_a_message_shows_what_was_sent():
    row = {"date": "2015-05-27", "analyte": "upcr", "value": 2.5, "unit": " furlong "}
    tables = {
        "patients": SentTable("patients", PEOPLE[:1], np.zeros(1, dtype=int)),
        "measurements": SentTable("measurements", [row], np.zeros(1, dtype=int)),
    }
    _, findings, rejected = check_bundle(tables)
    (message,) = findings.table.query("severity == 'error'")["message"]
    assert message.startswith("measurements, row 1, unit ' furlong ': upcr is accepted in ")
    assert '"unit": " furlong "' in rejected["record"].item()


def test_a_message_shows_days_and_numbers_as_they_were_sent():
    row = {"date": datetime.date(2015, 5, 27), "analyte": "upcr", "value": -3, "unit": "g/g"}
    tables = {
        "patients": SentTable("patients", PEOPLE[:1], np.zeros(1, dtype=int)),
        "measurements": SentTable("measurements", [row], np.zeros(1, dtype=int)),
        "events": SentTable(
            "events", [{"date": "2015-05-01", "event": "last_contact"}], np.zeros(1, dtype=int)
        ),
    }
    _, findings, _ = check_bundle(tables)
    said = " ".join(findings.table.query("severity == 'error'")["message"])
    assert "date '2015-05-27'" in said
    assert "value '-3'" in said
