"""`lnrisk pool`."""

from pathlib import Path

import click

from .shared import FILE, Command, misuse

__all__ = ["pool"]


@click.command(cls=Command)
@click.argument("sites", nargs=-1, required=True, type=FILE, metavar="A.json B.json ...")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write this as JSON."
)
def pool(sites: tuple[Path, ...], out: Path | None) -> None:
    """Pool what sites sent, by random effects, with what a new site may expect."""
    import json

    from ..features.files import write_files
    from ..training.pooled_sites import pool_sites, pooled_table, read_site

    if out is not None and not out.parent.is_dir():
        misuse(f"--out {str(out)!r}: the folder {str(out.parent)!r} does not exist.")
    found = pool_sites([read_site(path) for path in sites])
    if out is not None:
        write_files({out: json.dumps(found, indent=1) + "\n"})
    click.echo(pooled_table(found))
