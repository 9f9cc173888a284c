"""`lnrisk train`."""

from pathlib import Path

import click

from .. import __version__
from .shared import (
    FILE,
    Command,
    check_new_folder,
    definition_named,
    good,
    misuse,
    read_registry,
    registry_argument,
    rejected_beside,
    say,
    skip_option,
)

__all__ = ["train"]


@click.command(cls=Command)
@registry_argument
@click.option("--config", type=FILE, help="Training configuration (TOML).")
@click.option(
    "--outcome", type=click.Choice(["rule", "registry"]), help="Whose outcome is learned."
)
@click.option("--definition", metavar="NAME|FILE", help="A preset, or a TOML file of parameters.")
@click.option(
    "--allow-small", is_flag=True, help="Train on too few patients; every output then says so."
)
@click.option("--experiment", default="lnrisk", show_default=True, help="MLflow experiment.")
@click.option("--tracking-uri", help="MLflow tracking URI.  [default: sqlite:///mlflow.db]")
@click.option("--register", metavar="NAME", help="Register the model under this name.")
@click.option("--alias", help="Alias of the registered model, such as champion.")
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("lnrisk-ledger.jsonl"),
    show_default=True,
    help="Where a model that gets an --alias is entered.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Also write model and results here.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep finished pieces here while it runs; the same command takes up where it was "
    "interrupted.  [default: a hidden folder beside --out]",
)
@skip_option
def train(
    registry: Path,
    config: Path | None,
    outcome: str | None,
    definition: str | None,
    allow_small: bool,
    experiment: str,
    tracking_uri: str | None,
    register: str | None,
    alias: str | None,
    ledger: Path,
    out: Path | None,
    work: Path | None,
    skip_bad_rows: bool,
) -> None:
    """Train on a REGISTRY: calibrate, validate, log to MLflow."""
    from ..features.files import write_files
    from ..training.config import load_config
    from ..training.progress import progress
    from ..training.run import Request, run

    if alias and not register:
        misuse("--alias needs --register NAME.")
    if out is not None:
        check_new_folder(out)
    chosen = {"outcome": outcome, "definition": definition, "allow_small": allow_small}
    settings = load_config(config).changed(**{k: v for k, v in chosen.items() if v})
    rule = definition_named(settings.definition)
    reading = read_registry(registry, skip_bad_rows)
    data = good(reading)
    if work is None and out is not None:
        work = out.parent / f".{out.name}.work"
    try:
        with progress() as step:
            request = Request(
                data,
                rule,
                settings,
                experiment,
                tracking_uri,
                register,
                alias,
                out,
                work,
                ledger if alias else None,
            )
            done = run(request, step, __version__)
    except KeyboardInterrupt:
        if work is not None and work.is_dir():
            say(f"\nlnrisk: interrupted; the same command takes it up from {work}.")
        raise
    write_files(rejected_beside(out, reading, skip_bad_rows))
    click.echo(done.summary())
