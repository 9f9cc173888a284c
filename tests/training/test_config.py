"""The training configuration: defaults, a file, and errors that name the field."""

import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.training.config import TrainingConfig, Validation, load_config


def load(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    return load_config(tmp_path / "mine.toml")


def said(tmp_path, text):
    with pytest.raises(LnriskError) as error:
        load(tmp_path, text)
    return str(error.value)


def test_without_a_file_and_with_an_empty_one_there_are_the_defaults(tmp_path):
    assert load_config(None) == load(tmp_path, "") == TrainingConfig()


def test_the_defaults_are_those_of_the_method():
    config = TrainingConfig()
    assert (config.outcome, config.definition) == ("rule", "arora-2022")
    assert config.landmark_days == (0, 28, 56, 84, 112, 140, 182)
    assert (config.primary_landmark, config.horizon_days) == (84, 548)
    assert next(iter(config.analytes.items())) == ("upcr", "log")
    assert config.validation == Validation(folds=10, repeats=3, resamples=500, level=0.95)


def test_a_file_changes_what_it_names(tmp_path):
    text = 'landmark_days = 56\n[analytes]\nupcr = "identity"\n[validation]\nfolds = 4\n'
    expected = TrainingConfig(
        landmark_days=56, analytes={"upcr": "identity"}, validation=Validation(folds=4)
    )
    assert load(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "field", "accepted"),
    [
        ('outcome = "guess"', "outcome", "'rule' or 'registry'"),
        ("landmark_days = -1", "landmark_days.0", "greater than or equal to 0"),
        ("landmark_days = 1.5", "landmark_days.0", "valid integer"),
        ("horizon_days = 0", "horizon_days", "greater than 0"),
        ("horizon_days = 182", "file", "horizon_days must be after landmark_days"),
        ("refits = -1", "refits", "greater than or equal to 0"),
        ("seed = -1", "seed", "greater than or equal to 0"),
        ('[analytes]\nupcr = "root"', "analytes.upcr", "'log' or 'identity'"),
        ("[validation]\nfolds = 1", "validation.folds", "greater than or equal to 2"),
        ("[validation]\nrepeats = 0", "validation.repeats", "greater than or equal to 1"),
        ("[validation]\nresamples = 49", "validation.resamples", "greater than or equal to 50"),
        ("[validation]\nlevel = 1", "validation.level", "less than 1"),
        ("[validation]\nfold = 3", "validation.fold", "not permitted"),
        ("horizon = 3", "horizon", "not permitted"),
    ],
)
def test_an_error_names_the_field_and_what_is_accepted(tmp_path, text, field, accepted):
    first, line = said(tmp_path, text).splitlines()
    assert first == "mine.toml: not a training configuration."
    assert line.startswith(f"  {field}: ")
    assert accepted in line


def test_every_error_is_told_at_once(tmp_path):
    assert len(said(tmp_path, "seed = -1\nrefits = -1\n").splitlines()) == 3


def test_what_cannot_be_read_is_named(tmp_path):
    assert said(tmp_path, "seed = ").startswith("mine.toml: not a readable TOML file: ")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name in ("bytes.toml", "absent.toml"):
        with pytest.raises(LnriskError, match=f"^{name}: not a readable TOML file: "):
            load_config(tmp_path / name)


def test_a_change_is_validated_and_leaves_the_original():
    config = TrainingConfig()
    assert config.changed(seed=3).seed == 3
    assert config.seed == 0
    with pytest.raises(ValueError, match="horizon_days must be after landmark_days"):
        config.changed(landmark_days=600)
