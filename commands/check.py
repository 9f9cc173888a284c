"""`lnrisk check`."""

from pathlib import Path

import click

from .shared import Command, TablePath, registry_argument

__all__ = ["check"]


@click.command(cls=Command)
@registry_argument
@click.option("--out", type=TablePath(), help="Write the findings as a table.")
def check(registry: Path, out: Path | None) -> None:
    """Say what is wrong or odd in a REGISTRY bundle, by file, row and kind."""
    from ..features.files import write_files
    from ..features.registry import check_registry

    reading = check_registry(registry)
    findings = reading.findings
    if out is not None:
        write_files({out: findings.table})
    text = findings.text(("error", "warning", "note"))
    if text:
        click.echo(text)
    counts = ", ".join(f"{findings.count(s)} {s}s" for s in ("error", "warning", "note"))
    click.echo(f"{registry.resolve().name}: {counts}")
    if findings.count("error"):
        raise SystemExit(1)
