"""Tables of an OMOP CDM become rows, or are named with the reason why not."""

import zipfile
from pathlib import Path

import pytest
from lnrisk.features.errors import RegistryError
from lnrisk.features.registry import check_registry
from lnrisk.features.sources.codes import load_codes
from lnrisk.features.sources.omop import read_omop
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label

SYNTHEA = Path(__file__).parents[4] / "shared" / "data" / "omop-synthea27nj"
CODES = load_codes()
ANNA = {
    "person": (
        "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,gender_source_value\n"
        "1,8532,1990,5,4,F\n"
    ),
    "observation_period": (
        "observation_period_id,person_id,observation_period_start_date,observation_period_end_date\n"
        "1,1,2020-01-01,2022-03-01\n"
    ),
    "measurement": (
        "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,"
        "unit_concept_id,unit_source_value,operator_concept_id\n"
        "1,1,3001582,2021-02-26,339.3,44777612,,0\n"
        "2,1,3001582,2021-08-20,2900,8723,mg/g,0\n"
        "3,1,3016723,2021-02-26,71,8749,,0\n"
        "4,1,3016723,2021-08-20,0.8,8840,,0\n"
    ),
    "drug_exposure": (
        "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,"
        "drug_exposure_end_date,quantity,days_supply,route_concept_id,stop_reason\n"
        "1,1,900,2021-03-01,2021-08-27,1080,180,4132161,\n"
    ),
    "drug_strength": (
        "drug_concept_id,ingredient_concept_id,amount_value,amount_unit_concept_id,"
        "numerator_value,numerator_unit_concept_id,denominator_value,denominator_unit_concept_id\n"
        "900,19003999,500,8576,,,,\n"
        "901,1310317,,,20,8576,1,8587\n"
    ),
}


def write(folder, **changed):
    folder.mkdir(exist_ok=True)
    for name, text in {**ANNA, **changed}.items():
        if text is not None:
            (folder / f"{name.upper()}.csv").write_text(text)
    return folder


def read(folder, **changed):
    return read_omop(write(folder, **changed), CODES)


def more(table, *lines):
    return {table: ANNA[table] + "".join(f"{line}\n" for line in lines)}


def why(imported, what=""):
    return {entry.why for entry in imported.report.not_used if what in entry.what}


def assumed(imported):
    return " ".join(entry.why for entry in imported.report.assumed)


def test_a_cdm_becomes_the_bundle_of_the_registry_page(tmp_path):
    imported = read(tmp_path / "cdm")
    assert imported.tables["measurements"][["analyte", "value", "unit"]].to_numpy().tolist() == [
        ["upcr", "339.3", "mg/mmol"],
        ["upcr", "2900", "mg/g"],
        ["creatinine", "71", "umol/L"],
        ["creatinine", "0.8", "mg/dL"],
    ]
    (treatment,) = imported.tables["treatments"].to_dict("records")
    assert (treatment["drug"], treatment["dose"], treatment["dose_unit"]) == (
        "mycophenolate_mofetil",
        "3000",
        "mg/d",
    )
    result = label(imported.registry(), load_definition())
    assert result.courses["proteinuria"].tolist() == ["unchanged"]
    assert result.courses["adequate"].tolist() == ["yes"]
    assert imported.report.not_used == {}


def test_what_is_written_passes_the_check(tmp_path):
    imported = read(tmp_path / "cdm")
    imported.write(tmp_path / "bundle")
    reading = check_registry(tmp_path / "bundle")
    assert reading.findings.count("error") == 0
    assert reading.registry.source.synthetic is False
    with pytest.raises(RegistryError, match="not an empty folder"):
        imported.write(tmp_path / "bundle")


def test_a_unit_comes_from_the_source_only_where_the_concept_is_empty(tmp_path):
    imported = read(
        tmp_path / "cdm",
        **more(
            "measurement",
            "5,1,3001582,2021-03-05,2,0,g/g,0",
            "6,1,3001582,2021-03-06,2,8840,g/g,0",
            "7,1,3001582,2021-03-07,2,999999,g/g,0",
            "8,1,3001582,2021-03-08,2,,,0",
            "9,1,3001582,2021-03-09,,8723,,0",
        ),
    )
    table = imported.tables["measurements"]
    assert table["date"].tolist()[4:] == ["2021-03-05"]
    assert "unit_concept_id is empty; unit_source_value 'g/g' is used" in assumed(imported)
    assert {reason.split(";")[0] for reason in why(imported, "upcr")} == {
        "unit 'mg/dL' is not known",
        "no unit that is known",
        "value_as_number is empty",
    }


def test_operators_sex_and_birth(tmp_path):
    imported = read(
        tmp_path / "cdm",
        person=ANNA["person"] + "2,0,1980,,,M\n3,8507,1980,7,,M\n4,0,1980,,,X\n",
        **more("measurement", "5,1,3016723,2021-03-05,0.1,8840,,4171756"),
    )
    people = imported.tables["patients"].set_index("patient_id")
    assert people["sex"].to_dict() == {"1": "female", "2": "male", "3": "male"}
    assert people["birth_date"].to_dict() == {"1": "1990-05-04", "2": "1980", "3": "1980-07-15"}
    assert imported.tables["measurements"]["comparator"].tolist()[-1] == "<"
    assert "eGFR needs female or male" in why(imported)
    assert "no observation period" in assumed(imported)


def test_an_infusion_has_a_dose_and_a_day(tmp_path):
    imported = read(
        tmp_path / "cdm", **more("drug_exposure", "2,1,901,2021-03-01,2021-03-02,25,2,4171047,")
    )
    last = imported.tables["treatments"].iloc[-1]
    assert last[["drug", "start_date", "end_date", "dose", "dose_unit"]].tolist() == [
        "cyclophosphamide",
        "2021-03-01",
        "2021-03-01",
        "500",
        "mg",
    ]


def test_a_dose_that_cannot_be_computed_is_left_empty_and_said(tmp_path):
    imported = read(
        tmp_path / "cdm", **more("drug_exposure", "2,1,900,2021-09-01,2021-09-30,0,30,0,")
    )
    assert imported.tables["treatments"]["dose"].tolist() == ["3000", ""]
    assert "dose left empty" in assumed(imported)


def test_the_vocabulary_of_the_instance_is_used(tmp_path):
    imported = read(
        tmp_path / "cdm",
        drug_strength=None,
        concept=(
            "concept_id\tconcept_name\tvocabulary_id\tconcept_code\n"
            "900\tmycophenolate mofetil 500 MG Oral Tablet\tRxNorm\t200060\n"
            "77\tComplement C3\tLOINC\t4485-9\n"
            "78\tkidney biopsy\tSNOMED\t7246002\n"
            "79\tgram per litre\tUCUM\tg/L\n"
            "80\tmycophenolate mofetil\tRxNorm\t68149\n"
        ),
        concept_ancestor="ancestor_concept_id,descendant_concept_id\n80,900\n",
        procedure_occurrence=(
            "procedure_occurrence_id,person_id,procedure_concept_id,procedure_date\n"
            "1,1,78,2021-02-20\n"
        ),
        **more("measurement", "5,1,77,2021-03-05,0.9,79,,0"),
    )
    assert imported.tables["treatments"]["dose"].tolist() == ["3000"]
    assert imported.tables["biopsies"]["date"].tolist() == ["2021-02-20"]
    assert imported.tables["measurements"].iloc[-1][["analyte", "unit"]].tolist() == ["c3", "g/L"]
    assert "read by its name" not in assumed(imported)


def test_diagnoses_and_deaths(tmp_path):
    imported = read(
        tmp_path / "cdm",
        condition_occurrence=(
            "condition_occurrence_id,person_id,condition_concept_id,condition_start_date\n"
            "1,1,257628,2015-02-03\n2,1,193782,2022-02-01\n3,1,193782,2022-01-01\n4,1,5,2020-01-01\n"
        ),
        death="person_id,death_date\n1,2022-05-01\n",
    )
    assert imported.tables["patients"]["sle_onset_date"].tolist() == ["2015-02-03"]
    assert imported.tables["events"][["event", "date"]].to_numpy().tolist() == [
        ["kidney_failure", "2022-01-01"],
        ["death", "2022-05-01"],
        ["last_contact", "2022-05-01"],
    ]


def test_a_cdm_of_people_alone_is_one(tmp_path):
    imported = read(tmp_path / "cdm", **dict.fromkeys(set(ANNA) - {"person"}))
    assert imported.tables["patients"]["patient_id"].tolist() == ["1"]
    empty = {name: text.splitlines()[0] + "\n" for name, text in ANNA.items() if name != "person"}
    assert len(read(tmp_path / "empty", **empty).tables["patients"]) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"person": None}, "no person.csv"),
        ({"person": "person_id\n1\n"}, "person.csv: column 'gender_concept_id' is missing"),
        ({"measurement": "measurement_id\n1,2\n"}, "measurement.csv: column 'measurement_concept"),
        ({"death": "person_id,death_date\n1\n"}, "death.csv: cannot be read"),
    ],
)
def test_what_is_no_cdm_is_refused(tmp_path, changed, message):
    with pytest.raises(RegistryError) as refused:
        read(tmp_path / "cdm", **changed)
    assert message in str(refused.value)


def test_an_archive_gives_what_its_folder_gives(tmp_path):
    folder = write(tmp_path / "cdm")
    with zipfile.ZipFile(tmp_path / "cdm.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"inside/{file.name}")
        archive.writestr("__MACOSX/._PERSON.csv", "x")
    inside, outside = read_omop(tmp_path / "cdm.zip", CODES), read_omop(folder, CODES)
    for name, table in outside.tables.items():
        assert table.equals(inside.tables[name])
    (tmp_path / "no.zip").write_text("x")
    with pytest.raises(RegistryError, match="expected a folder or a zip archive"):
        read_omop(tmp_path / "no.zip", CODES)


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="needs ../shared/data/omop-synthea27nj")
def test_a_cdm_made_by_others_is_read():
    imported = read_omop(SYNTHEA / "Synthea27Nj_5.4.zip", CODES)
    used = imported.report.used
    assert len(imported.tables["patients"]) == 28
    assert used["measurements", "creatinine"] == 241
    assert used["measurements", "weight"] == 511
    assert used["treatments", "cyclosporine"] == 3
    assert imported.provenance["synthetic"] is True
    assert any("albumin/creatinine" in reason for reason in why(imported))
