"""The columns of the bundle format."""

from lnrisk.features.tables import REQUIRED_TABLES, TABLES

FORMAT = {
    "patients": ("PATIENT_ID SEX BIRTH_DATE site ancestry apol1_risk_alleles sle_onset_date"),
    "events": "PATIENT_ID DATE EVENT",
    "measurements": "PATIENT_ID DATE ANALYTE VALUE UNIT comparator",
    "treatments": "PATIENT_ID DRUG START_DATE end_date dose dose_unit stop_reason",
    "biopsies": (
        "PATIENT_ID DATE isn_rps_class activity_index chronicity_index glomerulosclerosis "
        "fibrous_crescents tubular_atrophy interstitial_fibrosis tma"
    ),
    "adherence": "PATIENT_ID START_DATE END_DATE MEASURE VALUE drug",
    "outcomes": "PATIENT_ID INDEX_DATE DATE STATUS",
}
"""Required columns in capitals, as docs/registry.md has them in bold."""


def test_columns_are_those_of_the_bundle_format():
    written = {
        name: " ".join(
            c.name.upper() if c.required else c.name for c in columns if c.name != "recorded_on"
        )
        for name, columns in TABLES.items()
    }
    assert written == FORMAT


def test_every_dated_table_may_say_when_a_row_was_recorded():
    for name, columns in TABLES.items():
        assert ("recorded_on" in [c.name for c in columns]) == (name != "patients")


def test_four_tables_are_required():
    assert set(REQUIRED_TABLES) == {"patients", "measurements", "treatments", "events"}


def test_choices_are_those_of_the_bundle_format():
    choices = {
        f"{name}.{c.name}": set(c.choices)
        for name, columns in TABLES.items()
        for c in columns
        if c.choices
    }
    assert choices == {
        "patients.sex": {"female", "male"},
        "events.event": {"last_contact", "death", "kidney_failure"},
        "measurements.comparator": {"<", ">"},
        "treatments.stop_reason": {
            *("inefficacy", "intolerance", "completed", "nonadherence", "pregnancy", "other"),
        },
        "biopsies.isn_rps_class": {"II", "III", "IV", "V", "III+V", "IV+V", "VI"},
        "adherence.measure": {
            *("pdc", "mpr", "self_report", "clinician", "missed_infusions", "missed_visits"),
        },
        "outcomes.status": {"event", "competing", "censored"},
    }
