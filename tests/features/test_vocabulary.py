"""Every accepted unit against UCUM, and what each drug is to the definition."""

import math

import bundles
import pandas as pd
import pytest
from lnrisk.features.vocabulary import ANCHOR_CLASSES, analytes, drugs, drugs_with_role
from ucumvert import PintUcumRegistry

UCUM = PintUcumRegistry()
ACCEPTED = {
    "upcr": ["g/g", "mg/mg", "mg/g", "mg/mmol", "g/mol"],
    "protein_24h": ["g/d", "g/(24.h)", "mg/d", "mg/(24.h)"],
    "creatinine": ["mg/dL", "umol/L"],
    "egfr": ["mL/min/{1.73_m2}"],
    "albumin": ["g/dL", "g/L"],
    "c3": ["mg/dL", "g/L"],
    "c4": ["mg/dL", "g/L"],
    "anti_dsdna": ["[IU]/mL"],
    "hemoglobin": ["g/dL", "g/L"],
    "urine_rbc": ["/[HPF]"],
    "hcq_blood": ["ng/mL", "ug/L", "mg/L", "umol/L"],
    "hcq_serum": ["ng/mL", "ug/L", "mg/L", "umol/L"],
    "mpa_trough": ["mg/L", "ug/mL"],
    "tacrolimus_trough": ["ng/mL", "ug/L"],
    "height": ["cm", "m"],
    "weight": ["kg"],
}
UNITS = [(name, unit) for name, units in ACCEPTED.items() for unit in units]
GRAMS_PER_MOLE = {
    "upcr": 113.1 * UCUM.from_ucum("g/mol"),
    "creatinine": UCUM.from_ucum("mg/dL") / (88.42 * UCUM.from_ucum("umol/L")),
    "hcq_blood": 335.87 * UCUM.from_ucum("g/mol"),
    "hcq_serum": 335.87 * UCUM.from_ucum("g/mol"),
}


def by_ucum(analyte, unit):
    quantity, canonical = UCUM.from_ucum(unit), UCUM.from_ucum(ACCEPTED[analyte][0])
    if quantity.is_compatible_with(canonical):
        return (1 * quantity).to(canonical.units).magnitude
    mass = GRAMS_PER_MOLE[analyte]
    amount_below = quantity.dimensionality["[substance]"] < 0
    converted = quantity / mass if amount_below else quantity * mass
    return converted.to(canonical.units).magnitude


def test_the_accepted_units_are_those_of_the_bundle_format():
    assert {name: list(analyte.units) for name, analyte in analytes().items()} == ACCEPTED
    assert {name: analyte.unit for name, analyte in analytes().items()} == {
        name: units[0] for name, units in ACCEPTED.items()
    }


@pytest.mark.parametrize(("analyte", "unit"), UNITS)
def test_every_factor_is_that_of_ucum(analyte, unit):
    assert analytes()[analyte].units[unit] == pytest.approx(by_ucum(analyte, unit), rel=1e-12)


def test_values_in_every_unit_come_out_canonical():
    days = pd.date_range("2020-01-01", periods=len(UNITS)).strftime("%Y-%m-%d")
    header = bundles.GOOD["measurements"].partition("\n")[0]
    rows = [f"anna,{day},{name},2.5,{unit}," for day, (name, unit) in zip(days, UNITS, strict=True)]
    table = bundles.registry(measurements="\n".join([header, *rows]) + "\n").measurements
    table = table.sort_values("date")
    assert table["analyte"].tolist() == [name for name, _ in UNITS]
    assert table["unit"].tolist() == [ACCEPTED[name][0] for name, _ in UNITS]
    expected = [2.5 * by_ucum(name, unit) for name, unit in UNITS]
    assert table["value"].tolist() == pytest.approx(expected, rel=1e-12)


def test_every_other_unit_is_refused_with_those_that_are_accepted():
    header = bundles.GOOD["measurements"].partition("\n")[0]
    rows = [f"anna,2020-01-01,{name},1,{ACCEPTED[name][0]}x," for name in ACCEPTED]
    _, findings, _ = bundles.check(measurements="\n".join([header, *rows]) + "\n")
    errors = findings.table.query("severity == 'error'")
    assert set(errors["kind"]) == {"unknown unit"}
    assert errors["row"].tolist() == list(range(2, 2 + len(ACCEPTED)))
    for message, (name, units) in zip(errors["message"], ACCEPTED.items(), strict=True):
        assert message.endswith(f"{name} is accepted in {', '.join(units)}.")


def test_the_constants_are_those_of_the_bundle_format():
    units = {name: analyte.units for name, analyte in analytes().items()}
    assert 1000 * units["upcr"]["mg/g"] == pytest.approx(1.0, rel=1e-15)
    assert 113.1 * units["upcr"]["mg/mmol"] == pytest.approx(1.0, rel=1e-15)
    assert 88.42 * units["creatinine"]["umol/L"] == pytest.approx(1.0, rel=1e-15)
    assert units["hcq_blood"]["umol/L"] == units["hcq_serum"]["umol/L"] == 335.87


ROLES = {
    "anchor": {
        *("mycophenolate_mofetil", "mycophenolic_acid", "cyclophosphamide", "tacrolimus"),
        *("voclosporin", "cyclosporine", "belimumab", "obinutuzumab"),
    },
    "rescue": {
        *("rituximab", "daratumumab", "leflunomide", "ivig", "plasma_exchange", "asct", "car_t"),
        *("eculizumab", "aldesleukin", "bortezomib", "anifrolumab"),
    },
    "maintenance": {"azathioprine"},
    "background": {
        *("hydroxychloroquine", "prednisone", "prednisolone", "methylprednisolone"),
        *("raas_inhibitor", "sglt2_inhibitor"),
    },
}


@pytest.mark.parametrize("role", ROLES)
def test_every_drug_has_the_role_of_the_definition(role):
    assert drugs_with_role(role) == ROLES[role]


def test_no_drug_is_listed_beyond_the_bundle_format():
    assert set(drugs()) == set().union(*ROLES.values())


def test_anchors_alone_have_a_class():
    classes = {"MPA": set(), "CYC": set(), "CNI": set(), "BEL": set(), "OBI": set(), "": set()}
    for drug in drugs().values():
        classes[drug.anchor_class].add(drug.name)
    assert set(ANCHOR_CLASSES) == classes.keys() - {""}
    assert classes["MPA"] == {"mycophenolate_mofetil", "mycophenolic_acid"}
    assert classes["CYC"] == {"cyclophosphamide"}
    assert classes["CNI"] == {"tacrolimus", "voclosporin", "cyclosporine"}
    assert classes["BEL"] == {"belimumab"}
    assert classes["OBI"] == {"obinutuzumab"}


def test_1440_mg_of_mycophenolic_acid_stand_for_2000_mg_of_mycophenolate():
    acid = drugs()["mycophenolic_acid"].mycophenolate_mofetil_equivalent
    assert 1440 * acid == pytest.approx(2000, rel=1e-15)


def test_4_mg_of_methylprednisolone_stand_for_5_mg_of_prednisone():
    assert 4 * drugs()["methylprednisolone"].prednisone_equivalent == 5.0
    assert drugs()["prednisolone"].prednisone_equivalent == 1.0


@pytest.mark.parametrize(
    ("attribute", "names"),
    [
        ("mycophenolate_mofetil_equivalent", {"mycophenolate_mofetil", "mycophenolic_acid"}),
        ("prednisone_equivalent", {"prednisone", "prednisolone", "methylprednisolone"}),
    ],
)
def test_no_other_drug_has_an_equivalent(attribute, names):
    known = {d.name for d in drugs().values() if not math.isnan(getattr(d, attribute))}
    assert known == names
