"""`lnrisk score`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .shared import (
    Command,
    Date,
    TablePath,
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

__all__ = ["score"]


@click.command(cls=Command)
@click.argument("model")
@registry_argument
@click.option("--as-of", type=Date(), help="Score every patient on this day.")
@click.option(
    "--landmark-weeks",
    type=float,
    help="Score each patient this many weeks after the index date; must be the model's landmark.",
)
@click.option("--out", type=TablePath(), help="Risks; without it they go to stdout as CSV.")
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@skip_option
def score(
    model: str,
    registry: Path,
    as_of: "datetime.date | None",
    landmark_weeks: float | None,
    out: Path | None,
    tracking_uri: str | None,
    skip_bad_rows: bool,
) -> None:
    """Give every patient of a REGISTRY the risk by MODEL, beside the label.

    MODEL is a folder or an MLflow URI such as models:/lnrisk@champion.
    """
    from ..features.files import table_as_csv, write_files
    from ..model.loading import find_model
    from ..serving.scoring import score_in_parts
    from ..training.progress import progress

    if as_of is None and landmark_weeks is None:
        misuse("say on which day: --as-of DATE, or --landmark-weeks WEEKS for each one's own.")
    reading = read_registry(registry, skip_bad_rows)
    chosen = find_model(model, tracking_uri)
    with progress() as step:
        risks = score_in_parts(
            chosen, good(reading), step, as_of=as_of, landmark_weeks=landmark_weeks
        )
    files = rejected_beside(out, reading, skip_bad_rows)
    write_files(files if out is None else {**files, out: risks})
    if out is None:
        click.echo(table_as_csv(risks), nl=False)
    counts = ", ".join(f"{n} {status}" for status, n in risks["status"].value_counts().items())
    say(f"model {chosen.version}: {counts or 'no patients'}")
    if chosen.synthetic:
        say("The model was trained on simulated patients.")
