"""`lnrisk label`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .shared import (
    FILE,
    Command,
    Date,
    TablePath,
    definition_named,
    definition_option,
    good,
    misuse,
    read_registry,
    registry_argument,
    rejected_beside,
    say,
    skip_option,
)

if TYPE_CHECKING:
    import datetime

__all__ = ["label"]


@click.command(cls=Command)
@registry_argument
@click.option("--out", type=TablePath(), help="Labels; without it they go to stdout as CSV.")
@click.option("--courses", type=TablePath(), help="Also write every course and its answers.")
@click.option(
    "--certainty",
    type=TablePath(),
    help="Also write how probable it is that each answer is right, given that values vary.",
)
@click.option(
    "--variation", type=FILE, help="How much values vary within a person, as a TOML file."
)
@definition_option
@click.option("--as-of", type=Date(), help="What is dated later does not exist.")
@skip_option
def label(
    registry: Path,
    out: Path | None,
    courses: Path | None,
    certainty: Path | None,
    variation: Path | None,
    definition: str,
    as_of: "datetime.date | None",
    skip_bad_rows: bool,
) -> None:
    """Give every patient of a REGISTRY the rule-based label."""
    from ..features.files import table_as_csv, write_files
    from ..model.agreement import agreement_text
    from ..model.certainty import label_certainty
    from ..model.label import label as label_registry
    from ..model.variation import load_variation

    named = [path for path in (out, courses, certainty) if path is not None]
    if len(set(named)) < len(named):
        misuse("--out, --courses and --certainty name the same file.")
    if variation is not None and certainty is None:
        misuse("--variation says how certain the label is; name a file with --certainty.")
    rule = definition_named(definition)
    varying = load_variation(variation)
    reading = read_registry(registry, skip_bad_rows)
    result = label_registry(good(reading), rule, as_of)
    files = rejected_beside(out, reading, skip_bad_rows)
    if out is not None:
        files[out] = result.labels
    if courses is not None:
        files[courses] = result.courses
    if certainty is not None:
        files[certainty] = label_certainty(result, rule, varying).table
    write_files(files)
    if out is None:
        click.echo(table_as_csv(result.labels), nl=False)
    counts = result.labels["verdict"].value_counts()
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    say(f"{rule.name} {rule.version}: {len(result.labels)} patients: {summary or 'none'}")
    if len(good(reading).outcomes):
        say(agreement_text(good(reading), result.labels))
