"""A split bundle: whole patients, every row once, in the order of the file, under its number."""

import bundles
import pandas as pd
import pytest
from lnrisk.features import table_files
from lnrisk.features.partitions import split_bundle
from lnrisk.features.reading import read_raw

PEOPLE = [f"p{number}" for number in range(40)]


@pytest.fixture
def folder(tmp_path):
    """Rows of one patient far apart, identifiers padded with blanks."""
    births = pd.DataFrame({"patient_id": PEOPLE, "sex": "female", "birth_date": "1980"})
    visits = pd.DataFrame({"patient_id": [*PEOPLE, *(f" {p} " for p in reversed(PEOPLE))]})
    visits = visits.assign(date="2020-01-01", analyte="crp", value=range(80), unit="mg/L")
    tables = {"patients": births, "measurements": visits}
    nothing = {"treatments": "patient_id,drug,start_date\n", "events": "patient_id,date,event\n"}
    texts = {name: table.to_csv(index=False) for name, table in tables.items()}
    return bundles.write(tmp_path / "site", **{**dict.fromkeys(bundles.GOOD), **texts, **nothing})


def test_parts_hold_whole_patients_and_every_row_under_its_number(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "PIECE_BYTES", 300)
    (tmp_path / "scratch").mkdir()
    bundle = split_bundle(folder, tmp_path / "scratch", patients=8)
    assert bundle.parts == 5
    whole = read_raw(folder, "measurements")
    seen, rows = {}, []
    for part in range(bundle.parts):
        raw = bundle.read(part)["measurements"]
        assert (raw.rows[1:] > raw.rows[:-1]).all()
        written = whole.cells.iloc[raw.rows - 2].reset_index(drop=True).astype("str")
        pd.testing.assert_frame_equal(raw.cells.astype("str"), written)
        for name in raw.cells["patient_id"].astype("str").str.strip():
            assert seen.setdefault(name, part) == part
        rows += raw.rows.tolist()
    assert sorted(rows) == whole.rows.tolist()
    assert set(seen) == set(PEOPLE)


def test_an_analyte_that_is_not_listed_has_the_first_unit_of_the_whole_file(folder, tmp_path):
    path = folder / "measurements.csv"
    path.write_text(path.read_text().replace("2020-01-01,crp,0,mg/L", "2020-01-01,crp,0,g/L"))
    (tmp_path / "scratch").mkdir()
    bundle = split_bundle(folder, tmp_path / "scratch", patients=1)
    units = {tuple(raw.own_units.items()) for raw in _measurements(bundle)}
    assert units == {(("crp", "g/L"),)}


def _measurements(bundle):
    return [bundle.read(part)["measurements"] for part in range(bundle.parts)]
