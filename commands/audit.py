"""`lnrisk audit`."""

from pathlib import Path

import click

from .shared import Command, Group, say

__all__ = ["audit"]

LOG = click.Path(exists=True, path_type=Path)


@click.group(cls=Group)
def audit() -> None:
    """Look after the audit log of `lnrisk serve --audit`."""


@audit.command(cls=Command)
@click.argument("log", type=LOG)
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="NUMBER:HASH",
    help="A head printed earlier and kept elsewhere, which the log must still hold.",
)
def verify(log: Path, heads: tuple[str, ...]) -> None:
    """Say whether LOG, a folder or one of its files, was changed; print its head."""
    from ..serving.audit.chain import Head
    from ..serving.audit.verify import verify as check

    found = check(log, tuple(Head.parse(head) for head in heads))
    for remark in found.remarks:
        say(f"note: {remark}")
    for problem in found.problems:
        say(f"CHANGED: {problem}")
    say(f"{log}: {found.entries} entries, {'intact' if found.intact else 'changed'}.")
    if found.last is not None:
        click.echo(str(found.last))
    if not found.intact:
        raise SystemExit(1)
