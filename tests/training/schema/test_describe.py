"""The page about the schema is what the schema says."""

import json
from pathlib import Path

from full_results import full_results
from lnrisk.training.schema.describe import as_markdown, json_schema

PAGE = Path(__file__).parents[3] / "docs" / "results.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8").endswith(as_markdown())


def test_json_schema_names_every_section_and_what_must_be_there():
    schema = json.loads(json.dumps(json_schema()))
    assert set(full_results()) <= set(schema["properties"])
    assert set(schema["required"]) == {
        "schema",
        "lnrisk_version",
        "created_on",
        "synthetic",
        "data",
        "task",
    }
