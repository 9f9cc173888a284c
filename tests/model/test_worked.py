"""Every worked patient comes out as the folder expects, verdict by verdict and course by course."""

import datetime
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lnrisk.features.registry import read_registry
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label

WORKED = Path(__file__).parents[1] / "worked"
CASES = sorted(folder.name for folder in WORKED.iterdir() if folder.is_dir())
NOT_COMPARED = "*"


def expected(folder, table):
    return pd.read_csv(folder / f"expected_{table}.csv", dtype="str", keep_default_na=False)


def compare(found, wanted):
    differences = []
    for column in wanted.columns:
        for row, (have, want) in enumerate(zip(found[column], wanted[column], strict=True)):
            if want == NOT_COMPARED:
                continue
            if isinstance(have, float) and want:
                same = np.isclose(have, float(want), rtol=0, atol=1e-3)
            elif isinstance(have, pd.Timestamp):
                same = have.strftime("%Y-%m-%d") == want
            else:
                same = ("" if pd.isna(have) else str(have)) == want
            if not same:
                differences.append(f"row {row}, {column}: found {have!r}, expected {want!r}")
    return differences


@pytest.mark.parametrize("case", CASES)
def test_worked_patient(case):
    folder = WORKED / case
    run = folder / "run.toml"
    options = tomllib.loads(run.read_text(encoding="utf-8")) if run.exists() else {}
    definition = load_definition(options.get("definition", "arora-2022"))
    if "when_adherence_unknown" in options:
        definition = definition.with_adherence_unknown(options["when_adherence_unknown"])
    as_of = options.get("as_of")
    day = datetime.date.fromisoformat(as_of) if as_of else None
    found = label(read_registry(folder), definition, day)
    wanted_courses = expected(folder, "courses")
    assert len(found.courses) == len(wanted_courses)
    assert compare(found.courses, wanted_courses) == []
    assert compare(found.labels, expected(folder, "labels")) == []


def test_the_table_of_sentences_names_every_folder_and_no_other():
    rows = [
        line
        for line in (WORKED / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    assert set(re.findall(r"`(\w+)`", "\n".join(rows))) == set(CASES)


VIGNETTES = Path(__file__).parents[3] / "shared" / "vignettes"


@pytest.mark.skipif(not VIGNETTES.is_dir(), reason="needs ../shared/vignettes, which is not here")
def test_the_twelve_vignettes():
    wanted = pd.read_csv(VIGNETTES / "expected.csv").set_index("patient_id")["verdict"]
    labels = label(read_registry(VIGNETTES), load_definition()).labels.set_index("patient_id")
    assert labels["verdict"].to_dict() == wanted.to_dict()
    assert len(wanted) == 12
