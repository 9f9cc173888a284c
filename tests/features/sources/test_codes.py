"""The codes are well formed, say what the bundle knows, and can be added to."""

import pytest
from lnrisk.features.errors import RegistryError
from lnrisk.features.sources.codes import load_codes
from lnrisk.features.vocabulary import analytes, drugs

CODES = load_codes()
WITHOUT_CODES = {"ivig", "plasma_exchange", "asct", "car_t"}


def mod_10(code):
    """Return the check digit of a LOINC code."""
    digits = code.split("-")[0]
    odd = str(int(digits[::-1][::2][::-1]) * 2)
    even = digits[::-1][1::2][::-1]
    return -sum(int(d) for d in even + odd) % 10


VERHOEFF_D = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
VERHOEFF_P = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
]


def verhoeff(code):
    check = 0
    for position, digit in enumerate(reversed(code)):
        check = VERHOEFF_D[check][VERHOEFF_P[position % 8][int(digit)]]
    return check


def written(system):
    return {code for _, known, code in CODES._exact if known == system}


@pytest.mark.parametrize("code", sorted(written("loinc")))
def test_a_loinc_code_has_its_check_digit(code):
    assert mod_10(code) == int(code[-1])


@pytest.mark.parametrize("code", sorted(written("snomed")))
def test_a_snomed_code_has_its_check_digit(code):
    assert verhoeff(code) == 0


def test_no_code_means_two_things():
    listed = [(m.kind, system, code) for system, code, m in CODES._meanings()]
    assert len(listed) == len(set(listed))
    kinds = {}
    for kind, system, code in listed:
        kinds.setdefault((system, code), set()).add(kind)
    assert all("refused" not in found or len(found) == 1 for found in kinds.values())


def test_what_is_named_is_what_the_bundle_knows():
    assert set(CODES.content["analytes"]) == set(analytes())
    assert set(CODES.content["drugs"]) == set(drugs()) - WITHOUT_CODES


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        ("mg/g{creat}", "mg/g"),
        ("mg/mg{creat}", "mg/mg"),
        ("{RBC}/[HPF]", "/[HPF]"),
        ("[iU]/mL", "[IU]/mL"),
        ("mL/min/{1.73_m2}", "mL/min/{1.73_m2}"),
        ("mL/min/1.73.m2", "mL/min/{1.73_m2}"),
        ("mg/{24h}", "mg/(24.h)"),
        ("mg/24.h", "mg/24.h"),
        (" g/dL ", "g/dL"),
        ("mmol/L", "mmol/L"),
        (None, ""),
    ],
)
def test_units_are_spelt_as_in_the_bundle(given, spelt):
    assert CODES.unit(given) == spelt


def test_every_other_spelling_leads_to_a_unit_that_is_accepted():
    accepted = {unit for analyte in analytes().values() for unit in analyte.units}
    assert set(CODES.content["units"].values()) <= accepted


@pytest.mark.parametrize(
    ("name", "drug"),
    [
        ("methylPREDNISolone 1000 MG Injection", "methylprednisolone"),
        ("cycloSPORINE modified 100 MG Oral Capsule", "cyclosporine"),
        ("voclosporin 7.9 MG Oral Capsule [Lupkynis]", "voclosporin"),
        ("azathioprine / prednisone", None),
        ("prednisolonum", None),
    ],
)
def test_a_name_says_one_drug_or_none(name, drug):
    assert CODES.drug_named(name) == drug


def test_albumin_to_creatinine_is_refused_with_the_reason():
    found = CODES.find("analyte", "http://loinc.org", "14959-1")
    assert (found.kind, found.name) == ("refused", "albumin/creatinine is not protein/creatinine")


LOCAL = """
[systems]
local = ["https://laboratory.example/codes"]
[analytes.upcr]
local = ["PCR-U"]
[analytes.egfr]
loinc = ["62238-1"]
[biopsy_scores.chronicity_index]
local = ["BX-CI"]
[isn_rps_classes."III+V"]
local = ["BX-35"]
[units]
"mg Prot/mmol Krea" = "mg/mmol"
"""


def test_a_site_can_add_its_own_codes(tmp_path):
    (tmp_path / "codes.toml").write_text(LOCAL)
    codes = load_codes(tmp_path / "codes.toml")
    assert codes.find("analyte", "https://laboratory.example/codes", "PCR-U").name == "upcr"
    assert codes.find("analyte", "http://loinc.org", "2890-2").name == "upcr"
    assert codes.find("analyte", "http://loinc.org", "62238-1").kind == "analyte"
    assert codes.unit("mg Prot/mmol Krea") == "mg/mmol"
    assert CODES.find("analyte", "https://laboratory.example/codes", "PCR-U") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[analyte.upcr]\nloinc = ['1-8']", "unknown table [analyte]; accepted are analytes"),
        ("[biopsy_scores.ci]\nloinc = ['1-8']", "[biopsy_scores.ci] is not one of activity_index"),
        ("[analytes.upcr]\nlocal = ['x']", "names the system 'local', which [systems] does not"),
        ("[analytes.upcr]\nloinc = 'x'", "loinc must be a list of codes"),
        ("[analytes.upcr", "codes.toml: cannot be read"),
    ],
)
def test_a_wrong_file_of_codes_is_refused(tmp_path, text, message):
    (tmp_path / "codes.toml").write_text(text)
    with pytest.raises(RegistryError) as refused:
        load_codes(tmp_path / "codes.toml")
    assert message in str(refused.value)
