"""`lnrisk update`."""

from pathlib import Path

import click

from .shared import (
    Command,
    check_new_folder,
    good,
    misuse,
    read_registry,
    registry_argument,
    rejected_beside,
    say,
    skip_option,
)

__all__ = ["update"]


@click.command(cls=Command)
@click.argument("model")
@registry_argument
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder."
)
@click.option(
    "--method",
    type=click.Choice(["intercept", "intercept and slope", "refit"]),
    help="Instead of the least that will do.",
)
@click.option("--site", help="What the site wishes to be called.  [default: the registry's name]")
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help="Enter it here.")
@click.option("--by", metavar="NAME", help="Who decides; needed with --ledger.")
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@skip_option
def update(
    model: str,
    registry: Path,
    out: Path,
    method: str | None,
    site: str | None,
    ledger: Path | None,
    by: str | None,
    tracking_uri: str | None,
    skip_bad_rows: bool,
) -> None:
    """Update MODEL to the REGISTRY of a site: intercept, intercept and slope, or refit.

    Each only where the site's patients can carry it; the updated model goes to DIR.
    """
    import datetime

    from ..features.files import write_files
    from ..model.artifact import MODEL_FILE
    from ..model.ledger import Ledger
    from ..model.loading import find_model
    from ..training.progress import progress
    from ..training.update import update as update_model

    check_new_folder(out)
    if ledger is not None and not by:
        misuse("--ledger needs --by NAME.")
    book = None if ledger is None else Ledger(ledger)
    if book is not None:
        book.entries()  # one that cannot be read is said before anything is written
    reading = read_registry(registry, skip_bad_rows)
    data = good(reading)
    now = datetime.datetime.now(tz=datetime.UTC)
    name = site or data.source.name
    with progress() as step:
        found = update_model(find_model(model, tracking_uri), data, name, now.date(), step, method)
    out.mkdir(parents=True, exist_ok=True)
    rejected = rejected_beside(out, reading, skip_bad_rows)
    write_files({**rejected, out / MODEL_FILE: found.model.to_json()})
    if book is not None and found.method != "unchanged":
        steps = {"site": name, "method": found.method, "steps": list(found.steps)}
        book.enter("recalibrated", found.model, str(by), now, evidence=steps)
    click.echo(found.summary())
    say(f"model file: {out / MODEL_FILE}")
