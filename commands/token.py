"""`lnrisk token`."""

from typing import TYPE_CHECKING

import click

from .shared import Command, Date, say

if TYPE_CHECKING:
    import datetime

__all__ = ["token"]


@click.command(cls=Command)
@click.argument("name")
@click.option("--until", type=Date(), help="The last day on which it is accepted.")
def token(name: str, until: "datetime.date | None") -> None:
    """Make a bearer token for NAME: shown once on stderr, the line to keep on stdout.

    The line goes into the file that `lnrisk serve --tokens` reads; it does not hold the token.
    """
    from ..serving.guard.tokens import new_token

    secret, kept = new_token(name, until)
    click.echo(str(kept))
    say(f"token of {name}, shown this once: {secret}")
