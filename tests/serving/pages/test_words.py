"""All words stand in one file, each is used, and no template has words of its own."""

import ast
import re
import string
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from lnrisk.features.laboratory import series_name
from lnrisk.features.pipeline import features_at, index_days
from lnrisk.features.tables import TABLES
from lnrisk.features.trajectories import shrunken_dictionary
from lnrisk.features.vocabulary import analytes, drugs
from lnrisk.model.judgement import COURSE_REASONS
from lnrisk.model.label import CONSIDER, VERDICTS
from lnrisk.serving.criteria import MEASURES
from lnrisk.serving.pages import words as module
from lnrisk.serving.pages.named import amount_said, feature_said, topic_said
from lnrisk.serving.pages.words import load_words
from lnrisk.serving.patient_input import check_patient
from lnrisk.serving.refusals import CODES
from lnrisk.serving.topics import topics_of
from markupsafe import Markup
from models import term
from served import PATIENT, broad_model

HERE = Path(module.__file__).parent
PACKAGE = HERE.parents[1]
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
SAID = re.compile(r"""say\(\s*["']([a-z_]+\.[a-z0-9_]+)["']""")
TEXTS = re.compile(r"""texts\[["']([a-z_]+\.[a-z0-9_]+)["']\]""")
BY_DATA = ("unit.", "drug.", "choice.", "analyte.", "class.", "read_as.", "column.", "table.",
           "feature.", "statistic.", "topic.", "sentence.", "kind.", "criterion.")  # fmt: skip
"""Groups whose members are data; that none of the last six is left over is tested by group."""
SAID_IN = [
    *(PACKAGE / "features").glob("*.py"),
    *(PACKAGE / "features" / "sources").glob("fhir*.py"),
    PACKAGE / "features" / "sources" / "imported.py",
    PACKAGE / "serving" / "from_fhir.py",
]
NEVER_SHOWN = {"no_role", "measured_twice", "no_last_contact"}
"""Notes of the checks, and a warning that is beside the point for one patient."""
NO_ERRORS = {"implausible_value", "no_last_contact", "drug_without_a_role", "measured_twice"}
SCALES = [{name: scale for name in (*analytes(), "il6")} for scale in ("log", "identity")]


def sources():
    return {path: path.read_text(encoding="utf-8") for path in [*TEMPLATES, *HERE.glob("*.py")]}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_words_of_its_own(path):
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", " ", text)
    assert re.findall(r"[A-Za-z]{2,}", text) == []


def test_the_script_says_only_what_the_page_gave_it():
    script = (HERE / "page.js").read_text(encoding="utf-8")
    shown = re.findall(r"(?:textContent|innerText|innerHTML|title) = (.*);", script)
    shown += re.findall(r'setAttribute\("aria-label", (.*)\);', script)
    assert len(shown) == 4
    assert all(re.match(r"`?\$?\{?[a-z]+\.dataset\.", said) for said in shown)


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
    needed += [f"drug.{name}" for name in drugs()]
    needed += [f"column.{column.name}" for columns in TABLES.values() for column in columns]
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


def dictionary(scales):
    """Every feature that the software can make of some analytes."""
    registry = check_patient(PATIENT).registry
    table = features_at(registry, index_days(registry), 84, scales)
    series = [series_name(*pair) for pair in scales.items()]
    return [*table.dictionary, *shrunken_dictionary([*series, "egfr"])]


def test_every_feature_has_a_name_and_every_name_a_feature():
    words, used = load_words(), set()
    for feature in (each for scales in SCALES for each in dictionary(scales)):
        said = feature_said(feature.name, feature.meaning, words)
        own = "il6_" in feature.name
        assert isinstance(said, Markup) == own, feature.name
        if not own:
            whole = f"feature.{feature.name}"
            used.add(whole if whole in words.texts else f"statistic.{_statistic(feature.name)}")
    named = {key for key in words.texts if key.startswith(("feature.", "statistic."))}
    assert named == used


def test_every_topic_has_a_name_and_every_name_a_topic():
    words, topics = load_words(), topics_of(broad_model())
    foreign = [t.name for t in topics if isinstance(topic_said(t.name, t.meaning, words), Markup)]
    assert foreign == ["il6"]
    named = {key.removeprefix("topic.") for key in words.texts if key.startswith("topic.")}
    assert named <= {topic.name for topic in topics}


def _statistic(name):
    analyte = max((a for a in analytes() if name.startswith((f"{a}_", f"log_{a}_"))), key=len)
    return name.removeprefix("log_").removeprefix(f"{analyte}_")


def test_the_unit_of_every_feature_is_said():
    words = load_words()
    for feature in (each for scales in SCALES for each in dictionary(scales)):
        shown = replace(term(feature.name), unit=feature.unit)
        said = amount_said(shown.shown(1.5), words)
        assert "1.73 m2" not in said
        assert "/mo" not in said
        assert amount_said(shown.shown(float("nan")), words) == words.texts["amount.missing"]


def said_in(path):
    """Yield code and template of every call of `said`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "said":
            first, template = node.args
            codes = [c.value for c in ast.walk(first) if isinstance(c, ast.Constant)]
            yield from ((code, template) for code in codes if isinstance(code, str))


def test_every_sentence_of_the_checks_and_of_a_record_is_there_with_its_values():
    texts = load_words().texts
    found = {code: template for path in SAID_IN for code, template in said_in(path)}
    listed = tomllib.loads((PACKAGE / "features/sources/codes.toml").read_text(encoding="utf-8"))
    entries = [*listed["refused"], *listed["analytes"].values()]
    known = {*found, *(entry["said"] for entry in entries if "said" in entry), "patient_rows"}
    sentences = {k.removeprefix("sentence.") for k in texts if k.startswith("sentence.")}
    assert sentences == known - NEVER_SHOWN
    assert all("said" in entry for entry in entries if "why" in entry or "assumed" in entry)
    for code, template in found.items():
        if code in sentences and isinstance(template, ast.Constant) and code != "implausible":
            assert fields(texts[f"sentence.{code}"]) <= fields(template.value), code


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_kind_of_finding_has_a_name():
    files = [PACKAGE / "features" / f"{name}.py" for name in ("checks", "table_check")]
    calls = [node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    flags = [c for c in calls if isinstance(c, ast.Call) and getattr(c.func, "attr", "") == "flag"]
    wanted = {flag.args[1].value.replace(" ", "_") for flag in flags}
    texts = {key.removeprefix("kind.") for key in load_words().texts if key.startswith("kind.")}
    assert texts == wanted - NO_ERRORS - {"unknown_unit"}


def test_every_measure_of_a_criterion_has_a_name():
    texts = {k.removeprefix("criterion.") for k in load_words().texts if k.startswith("criterion.")}
    assert texts == {*MEASURES, "compared", "compared_both"}


def test_a_missing_text_is_an_error():
    with pytest.raises(KeyError):
        load_words().say("risk.nothing_of_the_kind")
