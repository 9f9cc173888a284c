"""`lnrisk promote`."""

from pathlib import Path

import click

from .shared import (
    Command,
    good,
    misuse,
    read_registry,
    registry_argument,
    rejected_beside,
    say,
    skip_option,
)

__all__ = ["promote"]


@click.command(cls=Command)
@click.argument("model")
@registry_argument
@click.option("--by", required=True, metavar="NAME", help="Who decides.")
@click.option("--alias", default="champion", show_default=True)
@click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("lnrisk-ledger.jsonl"),
    show_default=True,
)
@click.option("--tracking-uri", help="MLflow tracking URI.  [default: sqlite:///mlflow.db]")
@skip_option
def promote(
    model: str,
    registry: Path,
    by: str,
    alias: str,
    ledger: Path,
    tracking_uri: str | None,
    skip_bad_rows: bool,
) -> None:
    """Make MODEL (models:/NAME/VERSION) the champion, if it is no worse than today's.

    Both are fitted on the same folds of REGISTRY; log loss, AUROC and calibration count. Without a
    champion it becomes the first. What was decided, and on what, goes into the ledger.
    """
    import re

    from ..features.files import write_files
    from ..training.champions import promote as promote_version
    from ..training.progress import progress

    found = re.fullmatch(r"models:/([^/@]+)/(\d+)", model)
    if not found:
        misuse(f"{model!r} is not a registered version; expected models:/NAME/VERSION.")
    name, version = found.groups()
    reading = read_registry(registry, skip_bad_rows)
    data = good(reading)
    with progress() as step:
        result = promote_version(
            name, version, data, by, ledger, step, alias=alias, tracking_uri=tracking_uri
        )
    write_files(rejected_beside(None, reading, skip_bad_rows))
    if result.comparison is not None:
        click.echo(result.comparison.summary())
    if not result.promoted:
        say(f"version {version} of {name} is worse than the {alias}; nothing was changed.")
        raise SystemExit(1)
    click.echo(f"version {version} of {name} is the {alias}; entered in {ledger}")
