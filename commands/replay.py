"""`lnrisk replay`."""

from pathlib import Path

import click

from .shared import Command, say

__all__ = ["replay"]


@click.command(cls=Command)
@click.argument("log", type=click.Path(exists=True, path_type=Path))
@click.option("--entry", type=click.IntRange(1), help="Replay one, and print its answer.")
def replay(log: Path, entry: int | None) -> None:
    """Give the past answers of an audit LOG again, and say whether they are equal.

    Needs the inputs that `lnrisk serve --archive-inputs` keeps. Exit code 1 when one is not equal.
    """
    from ..serving.replay import replay as replay_log

    count = {True: 0, False: 0, None: 0}
    for found in replay_log(log, entry):
        count[found.equal] += 1
        if found.equal is False or entry is not None:
            equal = {True: "equal", False: "NOT EQUAL", None: "cannot be replayed"}[found.equal]
            say(f"entry {found.number}: {'; '.join([equal, *found.said])}")
        if entry is not None:
            click.echo(found.answer.decode("utf-8", "replace"))
    say(f"{count[True]} equal, {count[False]} not equal, {count[None]} cannot be replayed.")
    if count[False] or (entry is not None and not count[True]):
        raise SystemExit(1)
