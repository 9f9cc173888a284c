"""Which models are served, and what is said of the others."""

import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner
from lnrisk.__main__ import main
from lnrisk.commands.operation import without_arrow
from lnrisk.features.errors import ModelError
from lnrisk.model.artifact import MODEL_FILE, SCHEMA
from lnrisk.model.definition import Definition, load_definition
from lnrisk.serving.admission import admitted, exported
from served import small_model


def written(folder, text):
    (folder / MODEL_FILE).write_text(text)
    return folder


def changed(**parts):
    content = load_definition().model_dump(exclude_none=True)
    for name, value in parts.items():
        content[name] = {**content[name], **value} if isinstance(value, dict) else value
    return Definition.model_validate(content)


def test_a_model_as_it_was_written_is_served(tmp_path):
    folder = written(tmp_path, small_model().to_json())
    assert admitted(folder) == small_model()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("age", "agf", 1), "does not match its hash"),
        (lambda text: text.replace(SCHEMA, "lnrisk.model/99"), "schema 'lnrisk.model/99' is not"),
        (lambda text: text[:-50], "not a readable model file"),
    ],
)
def test_another_model_is_refused_at_start_with_the_reason(tmp_path, change, why):
    folder = written(tmp_path, change(small_model().to_json()))
    result = CliRunner().invoke(main, ["serve", str(folder)])
    assert result.exit_code == 1
    assert why in result.stderr


def test_a_definition_that_borrows_a_name_is_refused(tmp_path):
    foreign = small_model(definition=changed(window={"first_day": 100}))
    with pytest.raises(ModelError, match=r"is not that preset .* differs in window.first_day"):
        admitted(written(tmp_path, foreign.to_json()))


@pytest.mark.parametrize(
    "parts",
    [
        {"name": "our-own", "window": {"first_day": 100}},
        {"adherent": {"when_adherence_unknown": "assume_adherent"}},
    ],
)
def test_a_definition_of_ones_own_is_served(tmp_path, parts):
    own = small_model(definition=changed(**parts))
    assert admitted(written(tmp_path, own.to_json())).definition == own.definition


def test_a_folder_is_its_own_export(tmp_path):
    assert exported(str(tmp_path), None) == tmp_path


def test_without_the_model_the_reason_is_said(tmp_path):
    tracking = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with pytest.raises(ModelError, match="MLflow has no such model"):
        exported("models:/nothing@champion", tracking, tmp_path)


def test_the_service_imports_neither_mlflow_nor_scikit_learn_nor_arrow(tmp_path):
    written(tmp_path, small_model().to_json())
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from lnrisk.commands.operation import without_arrow\n"
        "with without_arrow():\n  from lnrisk.serving.admission import admitted\n"
        "  from lnrisk.serving.app import create_app\n"
        "  from lnrisk.serving.settings import Settings\n"
        f"  create_app(admitted(Path({str(tmp_path)!r})), Settings())\n"
        "print(*{m.split('.')[0] for m in sys.modules})\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(run.stdout.split()) & {"mlflow", "sklearn", "matplotlib", "numba", "pyarrow"}


def test_what_comes_after_the_service_has_the_strings_that_it_had_before():
    before, arrow = pd.get_option("mode.string_storage"), sys.modules.get("pyarrow")
    with without_arrow():
        assert pd.get_option("mode.string_storage") == "python"
    assert pd.get_option("mode.string_storage") == before
    assert sys.modules.get("pyarrow") is arrow
