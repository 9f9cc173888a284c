"""What to beware of is there as data, one for each warning, and says what the warning says."""

from lnrisk.serving.answers import assess_request, assess_requests
from lnrisk.serving.cautions import SIMULATED, TOO_FEW, OddValue
from lnrisk.serving.rows import PatientTables
from served import patient, small_model, upcr

MODEL = small_model()
ODD = [*patient()["measurements"], upcr("2015-09-20", 90)]


def answered(model=MODEL, **changes):
    return assess_request(model, PatientTables.model_validate(patient(**changes)))


def test_each_warning_has_its_caution_in_the_same_order():
    for answer in (answered(), answered(measurements=ODD), answered(as_of="2015-06-20")):
        assert answer.warnings == tuple(caution.text for caution in answer.cautions)
        assert answer.cautions[-1].code == "simulated"
        assert answer.warnings[-1] == SIMULATED


def test_what_is_not_used_and_what_is_missing_are_told_with_their_values():
    later, missing, _ = answered().cautions
    assert (later.code, later.day, later.days) == ("later_unused", 84, 69)
    assert later.text == "rests on day 84; 69 later days are not used"
    assert missing.code == "missing"
    names = [each.feature for each in missing.features]
    assert "egfr_change" in names
    assert missing.text == f"missing: {', '.join(lack.text for lack in missing.lacks)}"
    assert sorted(names) == sorted(name for lack in missing.lacks for name in lack.features)


def test_an_odd_value_is_told_with_its_place_and_what_is_plausible():
    caution = answered(measurements=ODD).cautions[0]
    assert caution.code == "odd_value"
    assert caution.text.startswith("measurements, row 5, value '90")
    sent = {"sent": "90.0", "sent_unit": "g/g"}
    found = {"analyte": "upcr", "value": "90", "unit": "g/g", "lowest": "0", "highest": "30"}
    assert caution.odd == OddValue("measurements", 5, "value", **sent, **found)


def test_a_batch_says_what_one_alone_says():
    requests = [PatientTables.model_validate(patient(measurements=rows))
                for rows in (ODD, patient()["measurements"])]  # fmt: skip
    together = assess_requests(MODEL, requests)
    assert [each.cautions for each in together] == [
        assess_request(MODEL, request).cautions for request in requests
    ]


def test_a_model_of_real_patients_has_nothing_to_say_of_simulation():
    real = small_model(training={**MODEL.training, "synthetic": False})
    assert all(caution.code != "simulated" for caution in answered(real).cautions)


def test_a_model_of_too_few_patients_says_so_in_every_answer():
    few = small_model(training={**MODEL.training, "too_few": ["TOO FEW PATIENTS: 60 with 12."]})
    for answer in (answered(few), answered(few, as_of="2015-06-20")):
        assert [caution.code for caution in answer.cautions[-2:]] == ["too_few", "simulated"]
        assert TOO_FEW in answer.warnings
    assert all(caution.code != "too_few" for caution in answered().cautions)


def test_where_there_is_no_risk_there_is_no_caution_about_it():
    assert [caution.code for caution in answered(as_of="2015-06-20").cautions] == ["simulated"]
