"""Definition files: presets, files that build on them, and errors that name the field."""

import tomllib

import pytest
from lnrisk.features.errors import DefinitionError
from lnrisk.model import definition as module
from lnrisk.model.definition import Condition, Definition, Rule, load_definition, presets


def written(tmp_path, text, name="mine.toml"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def based(tmp_path, text=""):
    head = 'based_on = "arora-2022"\nname = "mine"\nversion = "1"\n'
    return written(tmp_path, head + text)


def said(path):
    with pytest.raises(DefinitionError) as error:
        load_definition(path)
    return str(error.value)


def test_the_presets_are_those_of_the_contract():
    assert presets() == (
        "arora-2022",
        "arora-2022-and",
        "arora-2022-strict",
        "eular-2025",
        "kdigo-2024",
        "upcr-1",
    )


@pytest.mark.parametrize("name", presets())
def test_every_preset_loads_and_says_its_name_and_version(name):
    found = load_definition(name)
    assert found.name == name
    assert found.version
    assert found.source


def test_without_a_name_it_is_arora():
    assert load_definition() == load_definition("arora-2022")


@pytest.mark.parametrize("name", presets())
def test_beyond_window_and_rule_presets_are_as_arora(name):
    own = {"name", "version", "source", "window", "failed"}
    found, base = load_definition(name).model_dump(), load_definition().model_dump()
    assert {k: v for k, v in found.items() if k not in own} == {
        k: v for k, v in base.items() if k not in own
    }


def test_windows_are_those_of_the_contract():
    days = {
        name: (load_definition(name).window.first_day, load_definition(name).window.last_day)
        for name in presets()
    }
    assert days.pop("kdigo-2024") == (183, 365)
    assert days.pop("eular-2025") == (168, 196)
    assert set(days.values()) == {(112, 196)}


def test_a_file_may_hold_only_what_differs(tmp_path):
    found = load_definition(based(tmp_path, "[window]\nlast_day = 210\n"))
    base = load_definition()
    assert found.window == base.window.model_copy(update={"last_day": 210})
    assert (found.name, found.version, found.source) == ("mine", "1", base.source)
    assert found.failed == base.failed


def test_a_rule_replaces_the_rule_of_its_base_whole(tmp_path):
    rule = '[failed]\nall = [{ measure = "egfr", below = 15 }]\n'
    join, parts = load_definition(based(tmp_path, rule)).failed.join
    assert join == "all"
    assert [part.comparison for part in parts] == [("below", 15)]


def test_a_file_may_be_based_on_a_preset_that_is_based_on_another(tmp_path):
    text = 'based_on = "kdigo-2024"\nname = "mine"\nversion = "1"\n[window]\nlast_day = 400\n'
    found, base = load_definition(written(tmp_path, text)), load_definition("kdigo-2024")
    assert (found.window.first_day, found.window.last_day) == (183, 400)
    assert found.failed == base.failed
    assert found.adequate == base.adequate


def test_a_file_without_a_base_holds_everything(tmp_path):
    text = module._preset_text("arora-2022")
    assert load_definition(written(tmp_path, text)) == load_definition()


def test_a_path_may_be_text(tmp_path):
    assert load_definition(str(based(tmp_path))).name == "mine"


@pytest.mark.parametrize("section", ["regimen", "window", "proteinuria", "failed", "verdict"])
def test_a_section_that_is_left_out_is_named(tmp_path, section):
    lines = module._preset_text("arora-2022").split("\n[")
    kept = [part for part in lines if not part.startswith(f"{section}]")]
    message = said(written(tmp_path, "\n[".join(kept)))
    assert message == f"mine.toml: not a definition.\n  {section}: Field required"


@pytest.mark.parametrize(
    ("text", "field", "accepted"),
    [
        ("[window]\nfirst_day = 0", "window.first_day", "greater than 0"),
        ("[window]\nfirst_day = 200", "window", "a window ends on or after the day it begins"),
        ("[window]\nbaseline_last_day = -91", "window", "ends on or after the day it begins"),
        ('[window]\nlast_day = "late"', "window.last_day", "valid integer"),
        ("[window]\nlast_day = 196.5", "window.last_day", "valid integer"),
        ("[regimen]\njoins_within_days = -1", "regimen.joins_within_days", "equal to 0"),
        ("[regimen]\nstill_taken_on_day = -1", "regimen.still_taken_on_day", "equal to 0"),
        ("[regimen]\nmaintenance_within_days = -1", "regimen.maintenance_within_days", "to 0"),
        ("[proteinuria]\nat_target = -0.1", "proteinuria.at_target", "equal to 0"),
        ("[proteinuria]\nimproved_at_most = 0", "proteinuria.improved_at_most", "than 0"),
        ("[proteinuria]\nworsened_from = nan", "proteinuria.worsened_from", "finite"),
        ("[proteinuria]\nworsened_from = inf", "proteinuria.worsened_from", "finite"),
        ("[egfr]\nworsened_at_most = 0", "egfr.worsened_at_most", "greater than 0"),
        ("[egfr]\nimproved_from = -1", "egfr.improved_from", "greater than 0"),
        ("[adequate]\nmpa_counted_from_day = -1", "adequate.mpa_counted_from_day", "to 0"),
        ("[adequate]\nmpa_mg_per_day = 0", "adequate.mpa_mg_per_day", "greater than 0"),
        ("[adequate]\ncyc_cumulative_mg = 0", "adequate.cyc_cumulative_mg", "than 0"),
        ("[adequate]\ncni_share_of_days = 80", "adequate.cni_share_of_days", "equal to 1"),
        ("[adequate]\ntacrolimus_trough_ng_per_ml = -4", "adequate.tacrolimus_trough", "to 0"),
        ("[adherent]\nshare = 1.1", "adherent.share", "less than or equal to 1"),
        ("[adherent]\nmissed_infusions_no_from = 0", "adherent.missed_infusions_no", "to 1"),
        (
            '[adherent]\nwhen_adherence_unknown = "yes"',
            "adherent.when_adherence_unknown",
            "'unknown' or 'assume_adherent'",
        ),
        ("[verdict]\ndifferent_regimens = 0", "verdict.different_regimens", "equal to 1"),
        ("[verdict]\nhorizon_days = 0", "verdict.horizon_days", "greater than 0"),
        ("[verdict]\nifta_from = -1", "verdict.ifta_from", "equal to 0"),
        ("[window]\nlastday = 3", "window.lastday", "not permitted"),
        ("[windows]\nlast_day = 3", "windows", "not permitted"),
        ("[failed]\nany = []", "failed", "exactly one of all, any, none, with at least one"),
        ("[failed]", "failed", "exactly one of all, any, none"),
        (
            '[failed]\nany = [{ measure = "weight", above = 1 }]',
            "measure",
            "'proteinuria', 'proteinuria_ratio', 'proteinuria_baseline', 'egfr', 'egfr_ratio'",
        ),
        (
            '[failed]\nany = [{ measure = "egfr", above = 1, below = 2 }]',
            "failed.any.0",
            "give exactly one of above, at_least, below, at_most",
        ),
        (
            '[failed]\nany = [{ measure = "egfr" }]',
            "failed.any.0",
            "give exactly one of above, at_least, below, at_most",
        ),
    ],
)
def test_an_error_names_the_field_and_what_is_accepted(tmp_path, text, field, accepted):
    first, *lines = said(based(tmp_path, text + "\n")).splitlines()
    assert first == "mine.toml: not a definition."
    assert any(line.startswith("  ") and field in line and accepted in line for line in lines)


def test_every_error_is_told_at_once(tmp_path):
    message = said(based(tmp_path, "[window]\nfirst_day = 0\n[adherent]\nshare = 2\n"))
    assert "window.first_day" in message
    assert "adherent.share" in message


@pytest.mark.parametrize("name", ["", "my definition", "-x", "a/b"])
def test_a_name_that_is_no_name_is_refused(tmp_path, name):
    text = f'based_on = "arora-2022"\nname = "{name}"\nversion = "1"\n'
    assert "  name: String should match pattern" in said(written(tmp_path, text))


def test_a_name_that_is_neither_preset_nor_file_is_said_with_the_presets():
    assert said("arora-2023") == (
        f"'arora-2023' is neither a preset ({', '.join(presets())}) nor a file that exists."
    )


def test_a_folder_is_no_definition(tmp_path):
    assert "nor a file that exists" in said(tmp_path)


@pytest.mark.parametrize("base", ["mine.toml", "arora", "mine"])
def test_a_base_that_is_no_preset_is_refused_with_those_that_are(tmp_path, base):
    message = said(written(tmp_path, f'based_on = "{base}"\n'))
    assert message == (
        f"mine.toml: based_on '{base}' is no preset; accepted are {', '.join(presets())}."
    )


def test_a_base_that_leads_back_to_itself_is_refused(monkeypatch):
    texts = {"upcr-1": 'based_on = "eular-2025"', "eular-2025": 'based_on = "upcr-1"'}
    monkeypatch.setattr(module, "_preset_text", texts.__getitem__)
    assert "based_on 'eular-2025' is no preset" in said("upcr-1")


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    assert said(written(tmp_path, "[window")).startswith("mine.toml: not a TOML file: ")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    assert said(tmp_path / "mine.toml").startswith("mine.toml: the file cannot be read: ")


def test_another_reading_of_unknown_adherence_changes_nothing_else():
    base = load_definition()
    assert base.adherent.when_adherence_unknown == "unknown"
    found = base.with_adherence_unknown("assume_adherent")
    assert found.adherent.when_adherence_unknown == "assume_adherent"
    assert found.with_adherence_unknown("unknown") == base


def test_a_reading_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'unknown' or 'assume_adherent'"):
        load_definition().with_adherence_unknown("no")


def test_a_definition_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_definition().window.first_day = 1


@pytest.mark.parametrize("name", presets())
def test_a_definition_survives_being_written(name):
    found = load_definition(name)
    assert Definition.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("comparison", ["above", "at_least", "below", "at_most"])
def test_a_condition_knows_its_arm_and_comparison(comparison):
    for measure, arm in (("egfr_ratio", "egfr"), ("proteinuria_baseline", "proteinuria")):
        condition = Condition(measure=measure, **{comparison: 0})
        assert (condition.arm, condition.comparison) == (arm, (comparison, 0))


def test_rules_nest():
    text = 'none = [{ all = [{ measure = "egfr", below = 15 }] }, { measure = "egfr", above = 9 }]'
    join, (inner, condition) = Rule.model_validate(tomllib.loads(text)).join
    assert join == "none"
    assert inner.join[0] == "all"
    assert isinstance(condition, Condition)
