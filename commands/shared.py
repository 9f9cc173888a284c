"""What commands share: arguments, reading a registry, messages, exit codes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    import datetime

    import pandas as pd

    from ..features.findings import Findings
    from ..features.registry import Reading, Registry
    from ..model.artifact import RiskModel
    from ..model.definition import Definition

__all__ = [
    "FILE",
    "FINDINGS_SHOWN",
    "FOLDER",
    "Command",
    "Date",
    "Group",
    "TablePath",
    "check_new_folder",
    "definition_named",
    "definition_option",
    "good",
    "misuse",
    "read_registry",
    "registry_argument",
    "rejected_beside",
    "say",
    "say_findings",
    "say_of",
    "skip_option",
]

FINDINGS_SHOWN = 20

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
registry_argument = click.argument("registry", type=FOLDER)
skip_option = click.option(
    "--skip-bad-rows",
    is_flag=True,
    help="Leave rows with errors out and write them to rejected.csv beside the output.",
)
definition_option = click.option(
    "--definition",
    default="arora-2022",
    show_default=True,
    metavar="NAME|FILE",
    help="A preset, or a TOML file of parameters.",
)


class Date(click.ParamType["datetime.date"]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> "datetime.date":
        """Return the date, or refuse."""
        import datetime

        if isinstance(value, datetime.date):
            return value
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; expected YYYY-MM-DD.", param, ctx)


class TablePath(click.Path):
    """A file to write a table to; its ending names the format, its folder must exist."""

    def __init__(self, endings: tuple[str, ...] = (".csv", ".parquet")) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self.endings = endings

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the path, or refuse."""
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix not in self.endings:
            self.fail(f"{path.name!r} must end in {' or '.join(self.endings)}.", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"the folder {str(path.parent)!r} does not exist.", param, ctx)
        return path


def say(message: str) -> None:
    """Say something on stderr; stdout is for results."""
    click.echo(message, err=True)


def say_of(model: "RiskModel") -> None:
    """Say what a model is to say of itself wherever it is used."""
    if model.synthetic:
        say("The model was trained on simulated patients.")
    for reservation in model.too_few:
        say(f"The model: {reservation}")


@contextmanager
def _errors_are_messages() -> Iterator[None]:
    from ..features.errors import LnriskError

    try:
        yield
    except LnriskError as error:
        say(f"lnrisk: {error}")
        raise SystemExit(1) from error


def _be_verbose(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        logging.getLogger().setLevel(logging.INFO)


_verbose = click.Option(
    ["-v", "--verbose"],
    is_flag=True,
    expose_value=False,
    callback=_be_verbose,
    help="Say more on stderr.",
)


class Command(click.Command):
    """A command that takes -v."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(_verbose)


class Group(click.Group):
    """Runs a command so that what is wrong with data or model ends in a message and exit code 1."""

    command_class = Command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_are_messages():
            return super().invoke(ctx)


def misuse(message: str) -> NoReturn:
    """End with exit code 2 and a message."""
    raise click.UsageError(message)


def check_new_folder(out: Path) -> None:
    """End with exit code 2 where a folder to be written holds something, or cannot be made."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        misuse(f"--out {str(out)!r} exists and is not an empty folder.")
    above = next(one for one in out.absolute().parents if one.exists())
    if not above.is_dir():
        misuse(f"--out {str(out)!r}: {above.name!r} is a file, not a folder.")


def read_registry(folder: Path, skip_bad_rows: bool) -> "Reading":
    """Read a bundle, or end with what is wrong with it."""
    from ..features.errors import RegistryError
    from ..features.registry import check_registry, refusal

    reading = check_registry(folder, skip_bad_rows=skip_bad_rows)
    if reading.registry is None:
        raise RegistryError(refusal(folder.resolve().name, reading.findings, FINDINGS_SHOWN))
    say_findings(folder, reading.findings)
    return reading


def say_findings(folder: Path, findings: "Findings") -> None:
    """Say how many rows of a bundle were left out and how many are odd."""
    for severity in ("error", "warning"):
        count = findings.count(severity)
        if count:
            done = "rows left out" if severity == "error" else "warnings"
            say(f"{folder.resolve().name}: {count} {done}; `lnrisk check` names them.")


def good(reading: "Reading") -> "Registry":
    """Return the registry of a reading that has one."""
    assert reading.registry is not None
    return reading.registry


def rejected_beside(
    out: Path | None, reading: "Reading", skip_bad_rows: bool
) -> "dict[Path, pd.DataFrame | str]":
    """Return the file of rows that were left out, where that was asked for."""
    if not skip_bad_rows:
        return {}
    folder = out.parent if out is not None else Path()
    return {folder / "rejected.csv": reading.rejected}


def definition_named(name: str) -> "Definition":
    """Return a preset or the definition of a file; a wrong name is wrong use."""
    from ..features.errors import DefinitionError
    from ..model.definition import load_definition, presets

    if name not in presets() and not Path(name).is_file():
        try:
            load_definition(name)
        except DefinitionError as error:
            raise click.BadParameter(str(error), param_hint="--definition") from error
    return load_definition(name)
