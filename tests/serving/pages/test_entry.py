"""What was typed comes back as it was typed; blank rows are no rows."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.serving.pages.entry import SHOWN, Entry, from_fields

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(SHOWN["treatments"]), CELLS.map(str.strip).filter(bool)),
    max_size=5,
)


@given(ROWS, st.integers(1, 7))
def test_rows_come_back_in_their_order_whatever_their_numbers(rows, step):
    fields = [
        (f"treatments.{number * step}.{column}", text)
        for number, row in enumerate(rows)
        for column, text in row.items()
    ]
    kept = [row for row in rows if set(row) - {"dose_unit"}]
    assert list(from_fields(fields).rows("treatments")) == kept


def test_a_row_that_holds_only_what_was_preselected_is_none():
    entry = from_fields(
        [
            ("measurements.0.analyte", "upcr"),
            ("measurements.0.unit", "mg/g"),
            ("measurements.0.value", " "),
            ("measurements.1.analyte", "upcr"),
            ("measurements.1.value", "<0.1"),
        ]
    )
    (row,) = entry.rows("measurements")
    assert row == {"analyte": "upcr", "value": "0.1", "comparator": "<"}


@pytest.mark.parametrize("name", ["patients.0.ancestry", "patients.0.patient_id", "x.0.y", "do"])
def test_what_is_not_needed_is_not_kept(name):
    assert from_fields([(name, "something")]).empty


def test_the_day_is_the_one_asked_for_or_that_of_the_latest_result():
    rows = ({"date": "2024-03-01"}, {"date": "2024-05-02"}, {"date": "soon"})
    assert Entry("", {"measurements": rows}).day() == datetime.date(2024, 5, 2)
    assert Entry("2024-04-01", {"measurements": rows}).day() == datetime.date(2024, 4, 1)
    assert Entry("", {"treatments": ({"start_date": "2024-01-01"},)}).day().month == 1
    assert Entry().day() is None
    with pytest.raises(ValueError, match="soon"):
        Entry("soon").day()


def test_adherence_without_dates_covers_all_induction():
    entry = Entry(
        "",
        {
            "treatments": (
                {"drug": "prednisone", "start_date": "2024-01-01"},
                {"drug": "tacrolimus", "start_date": "2024-02-01"},
            ),
            "adherence": ({"value": "1"}, {"value": "0", "end_date": "2024-02-20"}),
        },
    )
    first, second = entry.with_adherence_dates(datetime.date(2024, 3, 1)).rows("adherence")
    assert first == {"value": "1", "start_date": "2024-02-01", "end_date": "2024-03-01"}
    assert second == {"value": "0", "end_date": "2024-02-20"}
