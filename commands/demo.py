"""`lnrisk demo`."""

from pathlib import Path

import click

from .. import __version__
from .shared import Command

__all__ = ["demo"]


@click.command(cls=Command)
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default="lnrisk-demo")
@click.option("--patients", type=click.IntRange(min=300), default=3000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
def demo(folder: Path, patients: int, seed: int) -> None:
    """Go the whole road on simulated patients and end with a report."""
    from ..demo import run_demo
    from ..training.progress import progress

    with progress() as step:
        said = run_demo(folder, patients, seed, step, __version__)
    click.echo(said)
