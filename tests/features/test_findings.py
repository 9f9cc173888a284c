"""Findings in order, counted by kind, as lines."""

from lnrisk.features.findings import FINDING_COLUMNS, Findings
from lnrisk.features.said import said


def add(findings, *what):
    findings.add(*what, [said("number", text) for text in what[-1]])


def some():
    findings = Findings()
    add(findings, "note", "measured twice", "m.csv", [7], "date", ["d"], ["seven"])
    add(findings, "error", "unknown unit", "m.csv", [9, 3], "unit", ["x", "y"], ["nine", "three"])
    add(findings, "error", "before birth", "e.csv", [4], "date", ["d"], ["four"])
    add(findings, "warning", "implausible value", "m.csv", [5], "value", [90.0], ["five"])
    add(findings, "error", "unknown unit", "a.csv", [8], "unit", ["z"], ["eight"])
    return findings


def test_findings_come_by_severity_kind_file_and_row():
    table = some().table
    assert table.columns.tolist() == list(FINDING_COLUMNS)
    assert table["message"].tolist() == ["four", "eight", "three", "nine", "five", "seven"]
    assert [why.code for why in table["why"]] == ["number"] * 6
    assert table["value"].tolist() == ["d", "z", "y", "x", "90.0", "d"]


def test_findings_are_counted_by_severity():
    assert [some().count(s) for s in ("error", "warning", "note")] == [4, 1, 1]


def test_lines_stand_under_a_count_per_kind():
    assert some().text(("error", "note")).splitlines() == [
        "error: before birth (1)",
        "  four",
        "error: unknown unit (3)",
        "  eight",
        "  three",
        "  nine",
        "note: measured twice (1)",
        "  seven",
    ]


def test_what_is_not_shown_is_counted():
    assert some().text(("error",), most=1).splitlines() == [
        "error: before birth (1)",
        "  four",
        "error: unknown unit (3)",
        "  eight",
        "  ... and 2 more",
    ]


def test_shortened_findings_count_and_print_as_all_do():
    short = some().shortened(1)
    assert len(short.table) == 4
    assert [short.count(s) for s in ("error", "warning", "note")] == [4, 1, 1]
    assert short.text(("error",), most=1) == some().text(("error",), most=1)


def test_findings_of_parts_are_those_of_the_whole():
    parts = [Findings([frame]) for frame in some().parts]
    assert Findings.of_parts(parts).table.equals(some().table)
    short = Findings.of_parts(part.shortened(1) for part in parts).shortened(1)
    assert short.text(("error",), most=1) == some().text(("error",), most=1)


def test_without_findings_there_is_an_empty_table_and_no_text():
    findings = Findings()
    add(findings, "error", "unknown unit", "m.csv", [], "unit", [], [])
    assert findings.table.columns.tolist() == list(FINDING_COLUMNS)
    assert len(findings.table) == 0
    assert findings.text(("error", "warning", "note")) == ""
