"""`lnrisk ledger`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .shared import FILE, Command, Date, misuse

if TYPE_CHECKING:
    import datetime

__all__ = ["ledger"]


@click.command(cls=Command)
@click.argument("file", type=FILE, metavar="LEDGER")
@click.option("--name", default="lnrisk", show_default=True, help="Of the registered model.")
@click.option("--on", type=Date(), help="Which model was live at the end of this day (UTC)?")
def ledger(file: Path, name: str, on: "datetime.date | None") -> None:
    """Say which model was live on a day and on what evidence, or list everything entered."""
    import datetime
    import json

    from ..model.ledger import Ledger

    book = Ledger(file)
    if on is None:
        for entry in book.entries():
            told = f"{entry.name or 'local'} {entry.model[:12]}"
            click.echo(f"{entry.at:%Y-%m-%d %H:%M} {entry.event:<13} {told} by {entry.by}")
        return
    names = sorted({entry.name for entry in book.entries() if entry.name})
    if name not in names:
        known = f"it knows {', '.join(names)}" if names else "it knows none"
        misuse(f"no registered model {name!r} was ever entered in {file.name}; {known}.")
    end = datetime.datetime.combine(on, datetime.time.max, tzinfo=datetime.UTC)
    live = book.live(name, end)
    if live is None:
        click.echo(f"no model of {name} was live on {on}")
        return
    click.echo(f"{live.model} since {live.at:%Y-%m-%d %H:%M} by {live.by}")
    click.echo(json.dumps(live.evidence, indent=1))
