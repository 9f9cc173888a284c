"""Figures as files: each is whole without the page that it comes from."""

from xml.etree import ElementTree

from lnrisk.training.report.figure_files import figure_files
from registries import trained


def test_every_figure_stands_alone():
    files = figure_files(trained().results)
    assert files.pop("validation.png").startswith(b"\x89PNG")
    assert {"calibration.svg", "roc.svg", "decision.svg"} <= set(files)
    for name, content in files.items():
        root = ElementTree.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg", name
        assert root.get("aria-label"), name
        assert b"var(" not in content, name
