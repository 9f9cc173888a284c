"""Files are written whole or not at all."""

import os
import stat

import pandas as pd
import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.features.files import table_as_csv, write_files

TABLE = pd.DataFrame(
    {
        "patient_id": ["a", "b"],
        "met_on": pd.to_datetime(["2020-01-05", None]),
        "risk": [0.1 + 0.2, float("nan")],
        "n": [1, 2],
    }
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_csv_has_iso_dates_exact_numbers_and_empty_cells():
    assert table_as_csv(TABLE) == (
        "patient_id,met_on,risk,n\na,2020-01-05,0.30000000000000004,1\nb,,,2\n"
    )


def test_the_ending_names_the_format(tmp_path):
    write_files(
        {tmp_path / "t.csv": TABLE, tmp_path / "t.parquet": TABLE, tmp_path / "t.json": "{µ}"}
    )
    assert names(tmp_path) == ["t.csv", "t.json", "t.parquet"]
    assert (tmp_path / "t.csv").read_bytes() == table_as_csv(TABLE).encode()
    assert (tmp_path / "t.json").read_text(encoding="utf-8") == "{µ}"
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), TABLE)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_in_stretches_is_the_same_file(tmp_path, ending):
    stretches = (TABLE[at : at + 1].reset_index(drop=True) for at in range(2))
    write_files({tmp_path / f"a.{ending}": stretches, tmp_path / f"b.{ending}": TABLE})
    if ending == "csv":
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    else:
        found, wanted = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in "ab")
        pd.testing.assert_frame_equal(found, wanted)


def test_a_table_that_breaks_off_leaves_nothing_behind(tmp_path):
    def broken():
        yield TABLE
        raise OSError("disk full")

    for ending in ("csv", "parquet"):
        with pytest.raises(LnriskError, match="disk full"):
            write_files({tmp_path / f"t.{ending}": broken()})
    assert names(tmp_path) == []


def test_a_file_that_exists_is_replaced(tmp_path):
    (tmp_path / "t.csv").write_text("old and longer than the new one" * 10)
    write_files({tmp_path / "t.csv": "new"})
    assert (tmp_path / "t.csv").read_text() == "new"


def test_files_have_the_rights_that_any_new_file_has(tmp_path):
    (tmp_path / "plain").write_text("")
    write_files({tmp_path / "t.csv": TABLE})
    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "t.csv")]
    assert rights[0] == rights[1]


class Broken:
    def __str__(self):
        raise OSError("disk full")


def test_a_failure_half_way_leaves_old_files_as_they_were_and_no_new_ones(tmp_path):
    (tmp_path / "old.csv").write_text("old")
    broken = pd.DataFrame({"x": [Broken()]})
    with pytest.raises(LnriskError, match="disk full"):
        write_files({tmp_path / "old.csv": TABLE, tmp_path / "b.csv": broken})
    assert names(tmp_path) == ["old.csv"]
    assert (tmp_path / "old.csv").read_text() == "old"


def test_an_error_of_another_kind_leaves_nothing_behind_either(tmp_path):
    mixed = pd.DataFrame({"x": ["a", 1]}, dtype=object)
    with pytest.raises(Exception, match="x"):
        write_files({tmp_path / "a.csv": TABLE, tmp_path / "b.parquet": mixed})
    assert names(tmp_path) == []


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(LnriskError, match=r"\.csv or \.parquet, not '\.xlsx'"):
        write_files({tmp_path / "a.csv": TABLE, tmp_path / "t.xlsx": TABLE})
    assert names(tmp_path) == []


def test_a_folder_that_does_not_exist_is_said_so(tmp_path):
    with pytest.raises(LnriskError, match=r"nowhere.*cannot be written"):
        write_files({tmp_path / "a.csv": TABLE, tmp_path / "nowhere" / "t.csv": TABLE})
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LnriskError, match="cannot be written"):
        write_files({tmp_path / "a.csv": TABLE, tmp_path / "file" / "t.csv": TABLE})
    assert names(tmp_path) == ["file"]


def test_a_folder_without_the_right_to_write_is_said_so(tmp_path, monkeypatch):
    def refuse(*arguments, dir, **options):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(LnriskError, match=r"cannot be written: .*Permission denied"):
        write_files({tmp_path / "t.csv": TABLE})
    assert names(tmp_path) == []


def test_a_folder_in_the_place_of_a_file_stops_the_files_before_it_too(tmp_path):
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(LnriskError, match=r"b\.csv: cannot be written"):
        write_files({tmp_path / "a.csv": TABLE, tmp_path / "b.csv": TABLE})
    assert names(tmp_path) == ["b.csv"]


def test_nothing_to_write_is_no_error(tmp_path):
    before = os.listdir(tmp_path)
    write_files({})
    assert os.listdir(tmp_path) == before
