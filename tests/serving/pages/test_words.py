"""All words stand in one file, each is used, and no template has words of its own."""

import re
from pathlib import Path

import pytest
from lnrisk.features.tables import TABLES
from lnrisk.features.vocabulary import analytes
from lnrisk.model.label import CONSIDER, COURSE_REASONS, VERDICTS
from lnrisk.serving.pages import words as module
from lnrisk.serving.pages.entry import SHOWN
from lnrisk.serving.pages.words import load_words
from lnrisk.serving.refusals import CODES

HERE = Path(module.__file__).parent
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
SAID = re.compile(r"""say\(\s*["']([a-z_]+\.[a-z0-9_]+)["']""")
TEXTS = re.compile(r"""texts\[["']([a-z_]+\.[a-z0-9_]+)["']\]""")
BY_DATA = ("unit.", "drug.", "choice.", "analyte.", "class.", "read_as.", "column.", "table.")


def sources():
    return {path: path.read_text(encoding="utf-8") for path in [*TEMPLATES, *HERE.glob("*.py")]}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_words_of_its_own(path):
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", " ", text)
    assert re.findall(r"[A-Za-z]{2,}", text) == []


def test_every_text_that_is_asked_for_exists():
    texts = load_words().texts
    asked = {
        key for text in sources().values() for key in [*SAID.findall(text), *TEXTS.findall(text)]
    }
    assert len(asked) > 100
    assert asked - set(texts) == set()


def test_no_text_is_left_over():
    """A key is named whole, or by a group whose member is data: a reason, a verdict, a state."""
    everything = "\n".join(sources().values())
    by_member = set(re.findall(r"""["']([a-z_]+\.)(?:["'] ~|\{)""", everything))
    left = [
        key
        for key in load_words().texts
        if key not in everything and not key.startswith((*BY_DATA, *by_member))
    ]
    assert left == []


def test_what_data_may_bring_has_a_name():
    texts = load_words().texts
    needed = [f"analyte.{name}" for name in analytes()]
    needed += [f"column.{column}" for columns in SHOWN.values() for column in columns]
    needed += [f"table.{name}" for name in TABLES]
    needed += [f"reason.{name}" for name in COURSE_REASONS]
    needed += [f"rule.{name}" for name in VERDICTS]
    needed += [f"refused.{name}" for name in CODES]
    needed += [f"consider.{name}" for name in CONSIDER]
    needed += [
        f"choice.{choice}"
        for columns in TABLES.values()
        for column in columns
        for choice in column.choices
        if column.name not in ("isn_rps_class", "comparator")
    ]
    assert [key for key in needed if key not in texts] == []


def test_a_missing_text_is_an_error():
    with pytest.raises(KeyError):
        load_words().say("risk.nothing_of_the_kind")
