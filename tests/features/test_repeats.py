"""Measurements in order, and which of them repeat the one before."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.repeats import is_repeat, sort_measurements

ROW = st.tuples(
    st.sampled_from(["anna", "bert", "carl"]),
    st.sampled_from(["c3", "upcr"]),
    st.sampled_from(["1965-03-01", "2020-01-01", "2020-01-02"]),
    st.sampled_from([1.0, 2.0, 3.0]),
)


@given(st.lists(ROW, max_size=15))
def test_rows_are_by_patient_analyte_date_value_and_then_as_in_the_file(rows):
    frame = pd.DataFrame(rows, columns=["patient_id", "analyte", "date", "value"])
    frame = frame.astype({"patient_id": "category", "analyte": "category"}).assign(
        date=frame["date"].astype("datetime64[s]"), row=np.arange(len(rows))
    )
    found = sort_measurements(frame)
    order = sorted(range(len(rows)), key=lambda at: rows[at])
    assert found["row"].tolist() == order
    keys = [rows[at][:3] for at in order]
    again = [at > 0 and keys[at] == keys[at - 1] for at in range(len(keys))]
    assert is_repeat(found).tolist() == again
