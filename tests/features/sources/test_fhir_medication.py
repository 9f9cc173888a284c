"""Medication of FHIR: orders, infusions and statements become periods with doses, or are named."""

import pytest
from fhir_reading import CYC, assumptions, read, reasons, treatments
from records import MMF, RXNORM, coded, dosage, given, order, person


def test_doses_a_day_come_from_the_timing():
    by_code = dosage(1000)
    by_code["timing"] = {"code": {"coding": [{"code": "BID"}]}}
    tablets = dosage(2, "{tbl}")
    assert treatments(order("2021-03-01", by_code))[0][3:] == ["2000", "mg/d"]
    assert treatments(order("2021-03-01", dosage(1, "g", 3)))[0][3:] == ["3000", "mg/d"]
    assert treatments(order("2021-03-01", dosage(500, "mg", 1, period=12, periodUnit="h")))[0][
        3:
    ] == ["1000", "mg/d"]
    named = coded(RXNORM, "68149", "mycophenolate mofetil 500 MG Oral Tablet")
    assert treatments(order("2021-03-01", tablets, medication=named))[0][3:] == ["2000", "mg/d"]
    assert treatments(order("2021-03-01", dosage(500), dosage(1000, "mg", 1)))[0][3] == "2000"


@pytest.mark.parametrize(
    "change",
    [
        {"asNeededBoolean": True},
        {"timing": {}},
        {"doseAndRate": []},
        {"doseAndRate": [{"doseQuantity": {"value": 2, "code": "{tbl}"}}]},
        {"timing": {"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}}},
    ],
)
def test_a_dose_that_is_not_stated_is_left_empty(change):
    assert treatments(order("2021-03-01", {**dosage(500), **change}))[0][3:] == ["", ""]


def test_a_later_order_ends_an_earlier_one():
    said = treatments(
        order("2021-03-01", dosage(500)), order("2021-04-01", dosage(1000), status="active")
    )
    assert said == [
        ["mycophenolate_mofetil", "2021-03-01", "2021-03-31", "1000", "mg/d"],
        ["mycophenolate_mofetil", "2021-04-01", "", "2000", "mg/d"],
    ]


def test_an_order_that_is_over_needs_an_end():
    imported = read(person(), order("2021-03-01", dosage(500), status="stopped"))
    assert not len(imported.tables["treatments"])
    assert reasons(imported) == {"it is over, and since when is not stated"}
    supply = {"expectedSupplyDuration": {"value": 30, "code": "d"}, "numberOfRepeatsAllowed": 2}
    ended = order("2021-03-01", dosage(500), status="completed", dispenseRequest=supply)
    assert treatments(ended)[0][2] == "2021-05-29"


def test_steps_of_a_taper_are_periods():
    steps = [
        {**dosage(20, "mg", 1, boundsPeriod={"start": a, "end": b}), "sequence": n}
        for n, (a, b) in enumerate([("2021-03-01", "2021-03-14"), ("2021-03-15", "2021-04-30")])
    ]
    said = treatments(order("2021-03-01", *steps, medication=coded(RXNORM, "8640")))
    assert [row[1:3] for row in said] == [
        ["2021-03-01", "2021-03-14"],
        ["2021-03-15", "2021-04-30"],
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "draft"}, "status 'draft' does not say that it was taken"),
        ({"status": "entered-in-error"}, "status 'entered-in-error' does not say"),
        ({"intent": "plan"}, "intent 'plan' is no order"),
        ({"doNotPerform": True}, "an order not to give it"),
        ({"authoredOn": None}, "its start is not stated"),
    ],
)
def test_an_order_that_was_none_is_no_treatment(change, why):
    imported = read(person(), {**order("2021-03-01", dosage(500)), **change})
    assert not len(imported.tables["treatments"])
    assert {reason[: len(why)] for reason in reasons(imported)} == {why}


def test_eye_drops_are_no_calcineurin_inhibitor():
    drops = coded(RXNORM, "3008", "cyclosporine 0.5 MG/ML Ophthalmic Suspension")
    cream = {**dosage(1), "route": coded("http://snomed.info/sct", "6064005")}
    imported = read(
        person(),
        order("2021-03-01", medication=drops),
        order("2021-03-02", cream, medication=coded(RXNORM, "42316")),
    )
    assert not len(imported.tables["treatments"])
    assert reasons(imported) == {"not taken for the whole body"}


def test_infusions_that_were_given_go_before_their_order():
    vein = {
        **dosage(500, count=6, period=2, periodUnit="wk"),
        "route": coded("http://snomed.info/sct", "47625008"),
    }
    ordered = order("2021-03-01", vein, medication=CYC)
    assert treatments(ordered) == [["cyclophosphamide", "2021-03-01", "2021-03-01", "", ""]]
    doses = [given(date, CYC, 500) for date in ("2021-03-01", "2021-03-15")]
    assert treatments(ordered, *doses) == [
        ["cyclophosphamide", date, date, "500", "mg"] for date in ("2021-03-01", "2021-03-15")
    ]


def test_a_statement_beside_an_order_is_not_taken_twice():
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s",
        "status": "active",
        "medicationReference": {"reference": "#m"},
        "contained": [{"resourceType": "Medication", "id": "m", "code": MMF}],
        "subject": {"reference": "Patient/anna"},
        "effectivePeriod": {"start": "2021-03-01"},
        "dosage": [dosage(500)],
    }
    assert treatments(statement)[0][3] == "1000"
    assert len(treatments(statement, order("2021-03-01", dosage(1000)))) == 1


def test_a_product_without_a_known_code_is_read_by_its_name_and_said_to_be():
    product = coded(RXNORM, "200060", "mycophenolate mofetil 500 MG Oral Tablet")
    imported = read(person(), order("2021-03-01", dosage(500), medication=product))
    assert imported.tables["treatments"]["drug"].tolist() == ["mycophenolate_mofetil"]
    assert "no known code; read by its name as mycophenolate_mofetil" in assumptions(imported)
    either = coded("http://www.whocc.no/atc", "L04AA06", "mycophenolate")
    (why,) = reasons(read(person(), order("2021-03-01", medication=either)))
    assert why.startswith("one ATC code for mycophenolate mofetil and mycophenolic acid")
