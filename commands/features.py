"""`lnrisk features`."""

from pathlib import Path

import click

from .shared import (
    Command,
    TablePath,
    good,
    misuse,
    read_registry,
    registry_argument,
    rejected_beside,
    say,
    skip_option,
)

INDEX = "Whose index date counts: the first anchor drug, or the registry's own."

__all__ = ["features"]


@click.command(cls=Command)
@registry_argument
@click.option(
    "--landmark-weeks", type=float, default=12, show_default=True, help="Weeks after the index."
)
@click.option("--out", type=TablePath(), required=True, help="The feature table.")
@click.option("--model", help="Write the columns that MODEL takes, instead of all features.")
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@click.option(
    "--outcome",
    type=click.Choice(["rule", "registry"]),
    help=f"{INDEX}  [default: rule, or MODEL's]",
)
@skip_option
def features(
    registry: Path,
    landmark_weeks: float,
    out: Path,
    model: str | None,
    tracking_uri: str | None,
    outcome: str | None,
    skip_bad_rows: bool,
) -> None:
    """Write the feature table of a REGISTRY at a landmark, and features.json beside it.

    With --model the table is what its MLflow model and the service's /v2 take, row for row what
    `lnrisk score` computes.
    """
    from ..features.files import write_files
    from ..features.pipeline import (
        DEFAULT_ANALYTES,
        features_at,
        index_days,
        trajectory_plan,
        with_trajectories,
    )
    from ..model.loading import find_model
    from ..serving.model_inputs import inputs_of

    if landmark_weeks < 0:
        misuse("--landmark-weeks is 0 or more.")
    if model and outcome:
        misuse("--outcome is that of --model; give one or the other.")
    reading = read_registry(registry, skip_bad_rows)
    data = good(reading)
    if model:
        frame, dictionary = inputs_of(find_model(model, tracking_uri), data, landmark_weeks)
    else:
        days = index_days(data, outcome or "rule")
        plain = features_at(data, days, round(landmark_weeks * 7))
        table, trajectories = with_trajectories(plain, trajectory_plan(DEFAULT_ANALYTES))
        frame, dictionary = table.frame.copy(), table.dictionary_json(trajectories)
    frame.insert(0, "patient_id", data.patient_ids)
    files = rejected_beside(out, reading, skip_bad_rows)
    write_files({**files, out: frame, out.parent / "features.json": dictionary})
    columns = len(frame.columns) - 1
    what = "columns of the model" if model else "features"
    say(f"{len(frame)} patients, {columns} {what} at week {landmark_weeks:g}")
