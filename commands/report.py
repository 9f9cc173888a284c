"""`lnrisk report`."""

from pathlib import Path

import click

from .shared import Command, TablePath, say

__all__ = ["report"]


@click.command(cls=Command)
@click.argument("source", metavar="RUN_OR_MODEL")
@click.option("--out", type=TablePath((".html",)), required=True, help="The report, one HTML file.")
@click.option(
    "--tables",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write the numbers behind it into this folder, as Parquet.",
)
@click.option("--tracking-uri", help="Where MLflow finds RUN_OR_MODEL.")
def report(source: str, out: Path, tables: Path | None, tracking_uri: str | None) -> None:
    """Write the validation report of a run as one HTML file that needs nothing else.

    RUN_OR_MODEL is a folder that `lnrisk train --out` wrote, a results.json, an MLflow run id or
    URI such as runs:/RUN_ID, or a model URI such as models:/lnrisk@champion.
    """
    from ..features.files import write_files
    from ..training.report.page import render_report
    from ..training.schema.reading import read_results
    from ..training.schema.tables import write_tables

    results = read_results(source, tracking_uri)
    page = render_report(results)
    if tables is not None:
        write_tables(results, tables)
    write_files({out: page})
    say(f"{results.data.name}, {results.created_on}: {out}")
    if results.synthetic:
        say("The patients are simulated: no figure is evidence about real people.")
