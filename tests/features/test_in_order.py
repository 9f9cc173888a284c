"""Parts put back in order, a stretch at a time."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.in_order import in_order, write_part


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 9), st.integers(0, 1 << 45))
def test_rows_come_by_their_keys_whatever_their_part(tmp_path_factory, owner, rows, start):
    folder = tmp_path_factory.mktemp("parts")
    keys = start + 7 * np.arange(len(owner))
    whole = pd.DataFrame({"key": keys, "text": [f"row {key}" for key in keys]})
    paths = [folder / f"{part}.arrow" for part in range(4)]
    for part, path in enumerate(paths):
        mine = np.array(owner, dtype=int) == part
        write_part(path, whole[mine].reset_index(drop=True), keys[mine])
    stretches = list(in_order(paths, rows))
    assert len(stretches) == max(1, -(-len(owner) // rows))
    assert all(len(stretch) <= rows for stretch in stretches)
    found = pd.concat(stretches, ignore_index=True)
    pd.testing.assert_frame_equal(found, whole.astype(found.dtypes))
