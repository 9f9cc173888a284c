"""docs/operations.md: every command on it is run, every metric and option on it exists."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from lnrisk.commands.serve import serve
from lnrisk.model.artifact import MODEL_FILE
from lnrisk.serving.metrics import Metrics
from process import Service
from served import patient, small_model

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def of(kind):
    return [text for name, text in BLOCKS if name == kind]


@pytest.mark.slow
def test_the_commands_in_their_order(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / MODEL_FILE).write_text(small_model().to_json())
    (tmp_path / "key").write_text("ab" * 32)
    (tmp_path / "key").chmod(0o600)
    bearer = {}
    for line in "".join(of("lnrisk")).splitlines():
        line, _, target = line.partition(" > ")
        _, command, *arguments = shlex.split(line)
        if command == "serve":
            ask(tmp_path, arguments, bearer)
            continue
        run = subprocess.run(
            [sys.executable, "-m", "lnrisk", command, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{line}\n{run.stderr}"
        if target:
            (tmp_path / target).write_text(run.stdout)
            (tmp_path / target).chmod(0o600)
        if command == "token":
            token = run.stderr.split()[-1]
            bearer = {"authorization": f"Bearer {token}", "host": "risk.example.org"}
        if command == "replay" and "--entry" not in arguments:
            assert "2 equal, 0 not equal, 0 cannot be replayed" in run.stderr
    assert "lnrisk in use" in (tmp_path / "monitor.html").read_text()


def ask(folder, arguments, headers):
    """Start the service on this machine's own address, and ask it once."""
    model, *options = arguments
    for name in ("--host", "--port"):
        if name in options:
            at = options.index(name)
            del options[at : at + 2]
    service = Service(model, *options, cwd=folder)
    address = f"{service.address}/v1/risk"
    answer = httpx.post(address, json=patient(), headers=headers, timeout=60)
    service.stop()
    assert answer.status_code == 200


def test_the_alerts_are_about_metrics_that_exist():
    (text,) = of("yaml")
    known = set(re.findall(r"^# TYPE (\w+)", Metrics(small_model()).text().decode(), re.MULTILINE))
    (group,) = yaml.safe_load(text)["groups"]
    for rule in group["rules"]:
        names = set(re.findall(r"lnrisk_\w+", rule["expr"]))
        assert names
        for name in names:
            assert {name, name.removesuffix("_bucket")} & known, name


def test_the_unit_starts_with_options_that_exist():
    (text,) = of("ini")
    unit = configparser.ConfigParser(strict=True)
    unit.optionxform = str
    unit.read_string(text)
    _, _, *arguments = shlex.split(unit["Service"]["ExecStart"])
    options = {name for parameter in serve.params for name in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_every_option_on_the_page_exists():
    """Of any command; a word in code that begins with two dashes is an option."""
    from lnrisk.__main__ import main

    commands = list(main.commands.values())
    commands += [each for group in commands for each in getattr(group, "commands", {}).values()]
    options = {name for command in commands for part in command.params for name in part.opts}
    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) <= options


def test_every_option_of_the_service_is_on_the_page():
    given = {name for parameter in serve.params for name in parameter.opts if name != "--verbose"}
    for name in given - {"model", "-v", "--tracking-uri"}:
        assert name in PAGE, name
