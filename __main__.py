"""The command line: thin, lazy, no logic of its own."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from . import __version__

if TYPE_CHECKING:
    import datetime

    import pandas as pd

    from .features.registry import Reading, Registry
    from .model.definition import Definition

__all__ = ["main"]

FINDINGS_SHOWN = 20

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_registry = click.argument("registry", type=_folder)
_INDEX = "Whose index date counts: the first anchor drug, or the registry's own."
_skip = click.option(
    "--skip-bad-rows",
    is_flag=True,
    help="Leave rows with errors out and write them to rejected.csv beside the output.",
)
_definition = click.option(
    "--definition",
    default="arora-2022",
    show_default=True,
    metavar="NAME|FILE",
    help="A preset, or a TOML file of parameters.",
)


class _Date(click.ParamType["datetime.date"]):
    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> "datetime.date":
        import datetime

        if isinstance(value, datetime.date):
            return value
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; expected YYYY-MM-DD.", param, ctx)


class _TablePath(click.Path):
    """A file to write a table to; its ending names the format, its folder must exist."""

    def __init__(self, endings: tuple[str, ...] = (".csv", ".parquet")) -> None:
        super().__init__(dir_okay=False, path_type=Path)
        self.endings = endings

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix not in self.endings:
            self.fail(f"{path.name!r} must end in {' or '.join(self.endings)}.", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"the folder {str(path.parent)!r} does not exist.", param, ctx)
        return path


def _say(message: str) -> None:
    click.echo(message, err=True)


@contextmanager
def _errors_are_messages() -> Iterator[None]:
    from .features.errors import LnriskError

    try:
        yield
    except LnriskError as error:
        _say(f"lnrisk: {error}")
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


class _Command(click.Command):
    """A command that takes -v."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(_verbose)


class _Group(click.Group):
    """Runs a command so that what is wrong with data or model ends in a message and exit code 1."""

    command_class = _Command

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_are_messages():
            return super().invoke(ctx)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="lnrisk")
def main() -> None:
    """Calibrated early risk of refractory lupus nephritis, beside the rule-based label.

    Research software, no medical device.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _misuse(message: str) -> NoReturn:
    raise click.UsageError(message)


def _read(folder: Path, skip_bad_rows: bool) -> "Reading":
    from .features.errors import RegistryError
    from .features.registry import check_registry, refusal

    reading = check_registry(folder, skip_bad_rows=skip_bad_rows)
    if reading.registry is None:
        raise RegistryError(refusal(folder.resolve().name, reading.findings, FINDINGS_SHOWN))
    for severity in ("error", "warning"):
        count = reading.findings.count(severity)
        if count:
            done = "rows left out" if severity == "error" else "warnings"
            _say(f"{folder.resolve().name}: {count} {done}; `lnrisk check` names them.")
    return reading


def _good(reading: "Reading") -> "Registry":
    assert reading.registry is not None
    return reading.registry


def _rejected_beside(
    out: Path | None, reading: "Reading", skip_bad_rows: bool
) -> "dict[Path, pd.DataFrame | str]":
    if not skip_bad_rows:
        return {}
    folder = out.parent if out is not None else Path()
    return {folder / "rejected.csv": reading.rejected}


def _load_definition(name: str) -> "Definition":
    from .features.errors import DefinitionError
    from .model.definition import load_definition, presets

    if name not in presets() and not Path(name).is_file():
        try:
            load_definition(name)
        except DefinitionError as error:
            raise click.BadParameter(str(error), param_hint="--definition") from error
    return load_definition(name)


@main.command()
@_registry
@click.option("--out", type=_TablePath(), help="Write the findings as a table.")
def check(registry: Path, out: Path | None) -> None:
    """Say what is wrong or odd in a REGISTRY bundle, by file, row and kind."""
    from .features.files import write_files
    from .features.registry import check_registry

    reading = check_registry(registry)
    findings = reading.findings
    if out is not None:
        write_files({out: findings.table})
    text = findings.text(("error", "warning", "note"))
    if text:
        click.echo(text)
    counts = ", ".join(f"{findings.count(s)} {s}s" for s in ("error", "warning", "note"))
    click.echo(f"{registry.resolve().name}: {counts}")
    if findings.count("error"):
        raise SystemExit(1)


@main.command()
@_registry
@click.option("--out", type=_TablePath(), help="Labels; without it they go to stdout as CSV.")
@click.option("--courses", type=_TablePath(), help="Also write every course and its answers.")
@_definition
@click.option("--as-of", type=_Date(), help="What is dated later does not exist.")
@_skip
def label(
    registry: Path,
    out: Path | None,
    courses: Path | None,
    definition: str,
    as_of: "datetime.date | None",
    skip_bad_rows: bool,
) -> None:
    """Give every patient of a REGISTRY the rule-based label."""
    from .features.files import table_as_csv, write_files
    from .model.agreement import agreement_text
    from .model.label import label as label_registry

    if out is not None and out == courses:
        _misuse("--out and --courses name the same file.")
    rule = _load_definition(definition)
    reading = _read(registry, skip_bad_rows)
    result = label_registry(_good(reading), rule, as_of)
    files = _rejected_beside(out, reading, skip_bad_rows)
    if out is not None:
        files[out] = result.labels
    if courses is not None:
        files[courses] = result.courses
    write_files(files)
    if out is None:
        click.echo(table_as_csv(result.labels), nl=False)
    counts = result.labels["verdict"].value_counts()
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    _say(f"{rule.name} {rule.version}: {len(result.labels)} patients: {summary or 'none'}")
    if len(_good(reading).outcomes):
        _say(agreement_text(_good(reading), result.labels))


@main.command()
@_registry
@click.option(
    "--landmark-weeks", type=float, default=12, show_default=True, help="Weeks after the index."
)
@click.option("--out", type=_TablePath(), required=True, help="The feature table.")
@click.option("--outcome", type=click.Choice(["rule", "registry"]), default="rule", help=_INDEX)
@_skip
def features(
    registry: Path, landmark_weeks: float, out: Path, outcome: str, skip_bad_rows: bool
) -> None:
    """Write the feature table of a REGISTRY at a landmark, and features.json beside it."""
    from .features.files import write_files
    from .features.pipeline import (
        DEFAULT_ANALYTES,
        features_at,
        index_days,
        trajectory_plan,
        with_trajectories,
    )

    if landmark_weeks < 0:
        _misuse("--landmark-weeks is 0 or more.")
    reading = _read(registry, skip_bad_rows)
    data = _good(reading)
    plain = features_at(data, index_days(data, outcome), round(landmark_weeks * 7))
    table, trajectories = with_trajectories(plain, trajectory_plan(DEFAULT_ANALYTES))
    frame = table.frame.copy()
    frame.insert(0, "patient_id", data.patient_ids)
    dictionary = table.dictionary_json(trajectories)
    files = _rejected_beside(out, reading, skip_bad_rows)
    write_files({**files, out: frame, out.parent / "features.json": dictionary})
    _say(f"{len(frame)} patients, {len(table.dictionary)} features at week {landmark_weeks:g}")


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--patients", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--format", "ending", type=click.Choice(["csv", "parquet"]), default="csv")
@click.option(
    "--true-risk-weeks",
    type=click.FloatRange(min=0, max=78),
    help="Replay each future from this week on and add true_risk to truth.parquet.",
)
@click.option("--replays", type=click.IntRange(min=1), default=200, show_default=True)
def simulate(
    folder: Path,
    patients: int,
    seed: int,
    ending: str,
    true_risk_weeks: float | None,
    replays: int,
) -> None:
    """Write a synthetic registry to DIR, with the truth beside it."""
    from .training.simulate import simulate as simulate_registry
    from .training.simulate import write

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        _misuse(f"{str(folder)!r} exists and is not an empty folder.")
    landmark_days = None if true_risk_weeks is None else round(7 * true_risk_weeks)
    simulated = simulate_registry(patients, seed, landmark_days=landmark_days, replays=replays)
    write(simulated, folder, ending)
    _say(f"{patients} simulated patients in {folder}; truth.parquet holds what was simulated.")


@main.command()
@_registry
@click.option("--config", type=_file, help="Training configuration (TOML).")
@click.option(
    "--outcome", type=click.Choice(["rule", "registry"]), help="Whose outcome is learned."
)
@click.option("--definition", metavar="NAME|FILE", help="A preset, or a TOML file of parameters.")
@click.option("--experiment", default="lnrisk", show_default=True, help="MLflow experiment.")
@click.option("--tracking-uri", help="MLflow tracking URI.  [default: sqlite:///mlflow.db]")
@click.option("--register", metavar="NAME", help="Register the model under this name.")
@click.option("--alias", help="Alias of the registered model, such as champion.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write model and results here.")
@_skip
def train(
    registry: Path,
    config: Path | None,
    outcome: str | None,
    definition: str | None,
    experiment: str,
    tracking_uri: str | None,
    register: str | None,
    alias: str | None,
    out: Path | None,
    skip_bad_rows: bool,
) -> None:
    """Train on a REGISTRY: calibrate, validate, log to MLflow."""
    from .training.config import load_config
    from .training.progress import progress
    from .training.run import Request, run

    if alias and not register:
        _misuse("--alias needs --register NAME.")
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        _misuse(f"--out {str(out)!r} exists and is not an empty folder.")
    chosen = {"outcome": outcome, "definition": definition}
    settings = load_config(config).changed(**{k: v for k, v in chosen.items() if v})
    rule = _load_definition(settings.definition)
    data = _good(_read(registry, skip_bad_rows))
    with progress() as step:
        done = run(
            Request(data, rule, settings, experiment, tracking_uri, register, alias, out),
            step,
            __version__,
        )
    click.echo(done.summary())


@main.command()
@click.argument("model")
@_registry
@click.option("--as-of", type=_Date(), help="Score every patient on this day.")
@click.option(
    "--landmark-weeks",
    type=float,
    help="Score each patient this many weeks after the index date; must be the model's landmark.",
)
@click.option("--out", type=_TablePath(), help="Risks; without it they go to stdout as CSV.")
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@_skip
def score(
    model: str,
    registry: Path,
    as_of: "datetime.date | None",
    landmark_weeks: float | None,
    out: Path | None,
    tracking_uri: str | None,
    skip_bad_rows: bool,
) -> None:
    """Give every patient of a REGISTRY the risk by MODEL, beside the label.

    MODEL is a folder or an MLflow URI such as models:/lnrisk@champion.
    """
    from .features.files import table_as_csv, write_files
    from .model.loading import find_model
    from .serving.scoring import score as score_registry

    if as_of is None and landmark_weeks is None:
        _misuse("say on which day: --as-of DATE, or --landmark-weeks WEEKS for each one's own.")
    reading = _read(registry, skip_bad_rows)
    chosen = find_model(model, tracking_uri)
    risks = score_registry(chosen, _good(reading), as_of=as_of, landmark_weeks=landmark_weeks)
    files = _rejected_beside(out, reading, skip_bad_rows)
    write_files(files if out is None else {**files, out: risks})
    if out is None:
        click.echo(table_as_csv(risks), nl=False)
    counts = ", ".join(f"{n} {status}" for status, n in risks["status"].value_counts().items())
    _say(f"model {chosen.version}: {counts or 'no patients'}")
    if chosen.synthetic:
        _say("The model was trained on simulated patients.")


@main.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default="lnrisk-demo")
@click.option("--patients", type=click.IntRange(min=300), default=3000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def demo(folder: Path, patients: int, seed: int) -> None:
    """Go the whole road on simulated patients and end with a report."""
    from .demo import run_demo
    from .training.progress import progress

    with progress() as step:
        said = run_demo(folder, patients, seed, step, __version__)
    click.echo(said)


if __name__ == "__main__":
    sys.exit(main())
